"""Landing tables: one per file of a contract, every contracted column as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, inspect

from pipelines.warehouse.metadata import quote

LANDING = "landing"
ADDRESS = ("extract_id", "row_number")


def landing_table(name: str, columns: Sequence[str]) -> Table:
    """Return the landing table of a file: the address of each row, then its columns as text."""
    address: list[Column[Any]] = [
        Column(part, BigInteger, primary_key=True, autoincrement=False) for part in ADDRESS
    ]
    return Table(name, MetaData(), *address, *(Column(column, Text) for column in columns), schema=LANDING)


def ensure_landing_tables(connection: Connection, tables: Mapping[str, Sequence[str]]) -> None:
    """Make missing landing tables and missing columns; a column that a contract dropped stays, with its history."""
    inspector = inspect(connection)
    for name, columns in tables.items():
        table = landing_table(name, columns)
        if not inspector.has_table(name, schema=LANDING):
            table.create(connection)
            continue
        stored = {column["name"] for column in inspector.get_columns(name, schema=LANDING)}
        for column in columns:
            if column not in stored:
                place = f"{LANDING}.{quote(name)}"
                connection.exec_driver_sql(f"ALTER TABLE {place} ADD COLUMN {quote(column)} text")
