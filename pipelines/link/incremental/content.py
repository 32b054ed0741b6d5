"""The content hash of a record: of all that linking reads about it, the same whatever the order of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.link.columns import code_column
from pipelines.link.data import COLUMNS, LinkData
from pipelines.link.fused.arrays import Words
from pipelines.link.fused.hashing import hash_strings
from pipelines.link.values import fold_hashes, mixed

OF_THE_RECORD = ("record_id", "record")
# Linking reads an empty text as a missing one.
MISSING = np.uint64(0)


def content_hashes(data: LinkData, seed: int = 0) -> Words:
    """Return the content hash of each row of `data.records`, in the order of the rows.

    A record's rows in one table count together whatever their order; each with all its columns. The seed keeps
    strangers from trying out guesses.
    """
    hashes = np.zeros(data.records.num_rows, dtype=np.uint64)
    for number, name in enumerate((*COLUMNS, "extras")):
        table: pa.Table = getattr(data, name)
        rows = np.full(table.num_rows, mixed(np.array([number], dtype=np.uint64))[0])
        for column in _columns(name, table):
            rows = fold_hashes(rows, _hashed(table[column], seed))
        # A sum, since it does not depend on the order, and does not forget a row that stands twice.
        np.add.at(hashes, data.positions(name), rows)
    return mixed(hashes)


def _columns(name: str, table: pa.Table) -> list[str]:
    """Return the columns that linking reads, in an order of their own."""
    wanted = (*COLUMNS.get(name, ("field", "value")), *(("lines",) if name == "addresses" else ()))
    return [each for each in sorted(wanted) if each not in OF_THE_RECORD and each in table.column_names]


def _hashed(column: pa.ChunkedArray, seed: int) -> Words:
    codes, values = code_column(column.cast(pa.large_string()))
    return np.append(hash_strings(values, seed), MISSING)[codes]
