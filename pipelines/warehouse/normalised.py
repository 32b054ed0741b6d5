"""Reading a delivery's landed rows, and keeping what normalising made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, delete, insert, text

from pipelines.contracts.loader import landing_table
from pipelines.contracts.shared import normalised_tables
from pipelines.normalise.assemble.delivery import FileOutcome
from pipelines.warehouse.bulk import ArrowReader
from pipelines.warehouse.copying import RenderedRows, copy_rendered
from pipelines.warehouse.tables import issue_count, normalised_table, quarantine_row

RowNumbers: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]

NORMALISE = "normalise"


def read_landed(
    read: ArrowReader, agency: str, extracts: Mapping[str, int], rows: Mapping[str, RowNumbers] | None = None
) -> dict[str, pa.Table]:
    """Return the landed rows of each file, in file order.

    Args:
        read: how to read from the warehouse.
        agency: the agency.
        extracts: each file's extract id.
        rows: files of which, and the numbers of the rows that, are read; all rows of all files unless given.
    """
    chosen: Mapping[str, RowNumbers | None] = dict.fromkeys(extracts) if rows is None else rows
    return {file: _landed(read, agency, file, extracts[file], numbers) for file, numbers in chosen.items()}


def _landed(
    read: ArrowReader, agency: str, file: str, extract_id: int, numbers: RowNumbers | None
) -> pa.Table:
    """Return the landed rows of a file, or those with some row numbers."""
    values: dict[str, Any] = {"extract_id": extract_id}
    which = ""
    if numbers is not None and not len(numbers):
        which = " AND false"  # an empty list would have no type that the database could compare with
    elif numbers is not None:
        which, values["numbers"] = " AND row_number = ANY(:numbers)", numbers.tolist()
    return read(
        f'SELECT * FROM landing."{landing_table(agency, file)}"'  # noqa: S608 - a name from a contract
        f" WHERE extract_id = :extract_id{which} ORDER BY row_number",
        values,
    )


def count_landed(read: ArrowReader, agency: str, extracts: Mapping[str, int]) -> int:
    """Return how many landed rows a delivery has."""
    counts = " UNION ALL ".join(
        f'SELECT count(*) AS rows FROM landing."{landing_table(agency, file)}"'  # noqa: S608 - see above
        f" WHERE extract_id = {int(extract_id)}"
        for file, extract_id in extracts.items()
    )
    return sum(read(counts)["rows"].to_pylist()) if extracts else 0


def clear_normalised(connection: Connection, extracts: Mapping[str, int]) -> None:
    """Delete whatever some extracts contributed before, and what was said about their rows."""
    ids = sorted(extracts.values())
    for name in normalised_tables():
        table = normalised_table(name)
        connection.execute(delete(table).where(table.c.extract_id.in_(ids)))
    connection.execute(
        text("DELETE FROM quarantine.row WHERE stage = :stage AND extract_id = ANY(:ids)"),
        {"stage": NORMALISE, "ids": ids},
    )
    connection.execute(delete(issue_count).where(issue_count.c.extract_id.in_(ids)))


def add_normalised(connection: Connection, tables: Mapping[str, RenderedRows]) -> None:
    """Add rows of the shared schema, given by table."""
    for name, rows in tables.items():
        copy_rendered(connection, normalised_table(name), rows)


def analyse_normalised(connection: Connection) -> None:
    """Have the database look at the tables anew: with statistics from before, its plans may take minutes."""
    for name in normalised_tables():
        connection.exec_driver_sql(f"ANALYZE {normalised_table(name).fullname}")


def add_quarantined(connection: Connection, outcome: FileOutcome) -> None:
    """Keep the addresses and reasons of the rows that were set aside; their values stay in landing."""
    rows: Sequence[dict[str, Any]] = [
        {
            "extract_id": row.extract_id,
            "row_number": row.row_number,
            "stage": NORMALISE,
            "file": outcome.file,
            "reasons": list(row.reasons),
        }
        for row in outcome.quarantined
    ]
    if rows:
        connection.execute(insert(quarantine_row), rows)


def save_issues(connection: Connection, extract_id: int, issues: Mapping[tuple[str, str], int]) -> None:
    """Keep how often a rule was broken in each column of an extract."""
    rows = [
        {"extract_id": extract_id, "column_name": column, "rule": rule, "rows": count}
        for (column, rule), count in sorted(issues.items())
    ]
    if rows:
        connection.execute(insert(issue_count), rows)
