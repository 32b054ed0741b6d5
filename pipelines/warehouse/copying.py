"""Rows straight into a table, in the caller's transaction: Arrow as CSV, by COPY.

Quicker than `bulk.load_arrow`, which stages rows under a connection of its own and casts them from there: half the
work for the database. For tables whose columns are all scalars. Rendering and copying are two steps, since another
process than the one with the transaction may do the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import Connection, Table

from pipelines.warehouse.arrow_types import as_staged, staged_schema
from pipelines.warehouse.errors import DatabaseRefused, describe
from pipelines.warehouse.metadata import quote

PIECE = 1 << 20  # bytes handed to the server at a time


@dataclass(frozen=True)
class RenderedRows:
    """Rows of a table as the CSV that COPY reads: texts in quotes, nothing at all for null."""

    columns: tuple[str, ...]
    count: int
    content: pa.Buffer


def render_rows(table: Table, rows: pa.Table) -> RenderedRows:
    """Return rows in the form in which COPY takes them; columns are matched by name.

    Raises:
        WarehouseError: a column is unknown, or its values do not fit.
    """
    schema = staged_schema(table, rows.schema.names)
    sink = pa.BufferOutputStream()
    with csv.CSVWriter(sink, schema, write_options=csv.WriteOptions(include_header=False)) as writer:
        for batch in rows.to_batches():
            writer.write_batch(as_staged(batch, schema, table.fullname))
    return RenderedRows(tuple(schema.names), rows.num_rows, sink.getvalue())


def copy_rendered(connection: Connection, table: Table, rows: RenderedRows) -> None:
    """Add rendered rows to a table, in the connection's transaction.

    Raises:
        DatabaseRefused: a row breaks a constraint, or a value does not fit its column.
    """
    if not rows.count:
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the only driver of `engine`
    columns = ", ".join(map(quote, rows.columns))
    content = memoryview(rows.content)
    try:
        with driver.cursor().copy(f"COPY {table.fullname} ({columns}) FROM STDIN (FORMAT CSV)") as copy:
            for start in range(0, len(content), PIECE):
                copy.write(content[start : start + PIECE])
    except psycopg.Error as error:
        told = describe(error)
        error.args = (told,)  # a log that is thorough also tells what stands behind an error
        raise DatabaseRefused(told, error.sqlstate) from None


def copy_rows(connection: Connection, table: Table, rows: pa.Table) -> int:
    """Return how many rows were added to a table, in the connection's transaction; see `render_rows`."""
    rendered = render_rows(table, rows)
    copy_rendered(connection, table, rendered)
    return rendered.count
