"""Reading a delivery's landed rows, and keeping what normalising made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, delete, insert, text

from pipelines.contracts.loader import landing_table
from pipelines.normalise.assemble.delivery import FileOutcome, NormalisedDelivery
from pipelines.warehouse.bulk import read_arrow, replace_rows
from pipelines.warehouse.tables import issue_count, normalised_table, quarantine_row

NORMALISE = "normalise"


def read_landed(agency: str, extracts: Mapping[str, int]) -> dict[str, pa.Table]:
    """Return the landed rows of each file, in file order; `extracts` gives each file's extract id."""
    return {
        file: read_arrow(
            f'SELECT * FROM landing."{landing_table(agency, file)}"'  # noqa: S608 - a name from a contract
            " WHERE extract_id = :extract_id ORDER BY row_number",
            {"extract_id": extract_id},
        )
        for file, extract_id in extracts.items()
    }


def save_normalised(
    connection: Connection, extracts: Mapping[str, int], delivery: NormalisedDelivery
) -> None:
    """Put the delivery's rows in the place of whatever its extracts contributed before."""
    ids = sorted(extracts.values())
    for name, rows in delivery.tables.items():
        replace_rows(connection, normalised_table(name), {"extract_id": ids}, rows)
    connection.execute(
        text("DELETE FROM quarantine.row WHERE stage = :stage AND extract_id = ANY(:ids)"),
        {"stage": NORMALISE, "ids": ids},
    )
    connection.execute(delete(issue_count).where(issue_count.c.extract_id.in_(ids)))
    for outcome in delivery.files:
        _save_quarantined(connection, outcome)
        _save_issues(connection, extracts[outcome.file], outcome)


def _save_quarantined(connection: Connection, outcome: FileOutcome) -> None:
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


def _save_issues(connection: Connection, extract_id: int, outcome: FileOutcome) -> None:
    rows = [
        {"extract_id": extract_id, "column_name": column, "rule": rule, "rows": count}
        for (column, rule), count in sorted(outcome.issues.items())
    ]
    if rows:
        connection.execute(insert(issue_count), rows)
