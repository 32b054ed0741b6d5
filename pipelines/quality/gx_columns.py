"""The columns of a batch that is a query: asked of the database without any of its rows.

Great Expectations 1.24 runs such a query as it is to learn the names of its columns, and the driver fetches every
row: a check of a million edges would hold them all.
"""

from __future__ import annotations

from typing import Any

import great_expectations.expectations.metrics.util as gx_util
import sqlalchemy

_reflect = gx_util.column_reflection_fallback


def _without_rows(selectable: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(selectable, sqlalchemy.TextClause):
        selectable = sqlalchemy.text(f"SELECT * FROM ({selectable.text}) AS batch LIMIT 0")  # noqa: S608 - ours
    return _reflect(selectable, *args, **kwargs)


def learn_columns_without_rows() -> None:
    """Have GX ask for the names of a query's columns only; doing it again changes nothing."""
    gx_util.column_reflection_fallback = _without_rows
