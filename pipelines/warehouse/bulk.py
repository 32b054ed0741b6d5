"""Bulk loads and reads: Arrow into a table, in the caller's transaction, and Arrow out of a query.

ADBC is the quick way in but has a connection of its own. Rows therefore go to a staging table first, and from
there into their table within the caller's SQLAlchemy transaction: all of them or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias
from uuid import uuid4

import pyarrow as pa
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Table,
    TextClause,
    and_,
    cast,
    delete,
    insert,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import Select
from sqlalchemy.types import NullType

from pipelines.errors import WarehouseError
from pipelines.warehouse.arrow_types import as_staged, readable, staged_schema, staged_type
from pipelines.warehouse.engine import adbc_connection
from pipelines.warehouse.errors import safe_errors
from pipelines.warehouse.metadata import quote
from pipelines.warehouse.staging import STAGING, staging_table

Rows: TypeAlias = pa.Table | pa.RecordBatchReader
Query: TypeAlias = str | TextClause | Select[Any]


class ArrowReader(Protocol):
    """Reads as `read_arrow` does."""

    def __call__(self, query: Query, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Return the rows of a query."""


# ADBC binds by number ($1, $2); this is SQLAlchemy's way to write that.
_NUMBERED = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def load_arrow(connection: Connection, table: Table, rows: Rows) -> int:
    """Return how many rows were added to a table, in the connection's transaction.

    Columns are matched by name; those that `rows` leaves out get their default. uuid and jsonb come as text. A
    reader is passed through batch by batch, in bounded memory.

    Raises:
        WarehouseError: a column is unknown, or its values do not fit.
        DatabaseRefused: a row breaks a constraint.
    """
    schema = staged_schema(table, rows.schema.names)
    reader = rows.to_reader() if isinstance(rows, pa.Table) else rows
    with staging_table(connection, _name(table)) as name:
        _fill(name, table, schema, reader)
        source = Table(name, MetaData(), *(Column(field, NullType) for field in schema.names), schema=STAGING)
        values = [cast(source.columns[field], table.columns[field].type) for field in schema.names]
        added = insert(table).from_select(list(schema.names), select(*values))
        done = connection.execute(added.execution_options(preserve_rowcount=True))
        return int(done.rowcount)


def _name(table: Table) -> str:
    """Return a new name for a staging table, within PostgreSQL's 63 bytes."""
    return f"{table.name[:30]}_{uuid4().hex}"


def _fill(name: str, table: Table, schema: pa.Schema, reader: pa.RecordBatchReader) -> None:
    """Make a staging table and load the batches into it; committed, since ADBC has its own connection."""
    columns = ", ".join(f"{quote(field)} {staged_type(table.columns[field].type)}" for field in schema.names)
    batches = (as_staged(batch, schema, table.fullname) for batch in reader)
    with adbc_connection() as adbc, adbc.cursor() as cursor:
        cursor.execute(f"CREATE UNLOGGED TABLE {STAGING}.{quote(name)} ({columns})")
        staged = pa.RecordBatchReader.from_batches(schema, batches)
        cursor.adbc_ingest(name, staged, mode="append", db_schema_name=STAGING)
        adbc.commit()


def replace_rows(connection: Connection, table: Table, key: Mapping[str, object], rows: Rows) -> int:
    """Return how many rows now stand in a table under this key, in the place of those that stood there before.

    In one transaction: doing it again, also after being killed half way, gives the same state.

    Raises:
        WarehouseError: the key is empty, or see `load_arrow`.
    """
    if not key:
        raise WarehouseError(f"{table.fullname}: rows are replaced under a key, never all of them")
    connection.execute(delete(table).where(_matches(table, key)))
    loaded = load_arrow(connection, table, rows)
    # Without fresh statistics the next query over a table that just doubled may take minutes instead of a second.
    connection.exec_driver_sql(f"ANALYZE {table.fullname}")
    return loaded


def _matches(table: Table, key: Mapping[str, object]) -> ColumnElement[bool]:
    """Return the condition that a row has these values; a list means any of them."""
    return and_(
        *(
            table.columns[name].in_(value)
            if isinstance(value, list | tuple)
            else table.columns[name] == value
            for name, value in key.items()
        )
    )


def read_arrow(query: Query, parameters: Mapping[str, Any] | None = None) -> pa.Table:
    """Return the rows of a query as Arrow: uuid and jsonb as text, numeric as double.

    Parameters are named, `:period`; a list is an array, `= ANY(:extract_ids)`. The query runs on a connection of
    its own and sees committed rows only.

    Raises:
        DatabaseRefused: the database refuses the query.
    """
    with arrow_reader() as read:
        return read(query, parameters)


@contextmanager
def arrow_reader() -> Iterator[ArrowReader]:
    """Give `read_arrow` for several queries over one connection: opening one takes longer than many a query."""
    with adbc_connection() as adbc:

        def read(query: Query, parameters: Mapping[str, Any] | None = None) -> pa.Table:
            with safe_errors():
                table = _fetch(adbc, query, parameters)
                adbc.rollback()  # the next query is to see what was committed meanwhile
                return table

        yield read


def _fetch(adbc: Any, query: Query, parameters: Mapping[str, Any] | None) -> pa.Table:
    """Return the rows of a query over a connection."""
    statement = text(query) if isinstance(query, str) else query
    compiled = statement.compile(dialect=_NUMBERED, compile_kwargs={"render_postcompile": True})
    values = compiled.construct_params(dict(parameters or {}))
    bound = [values[name] for name in compiled.positiontup or ()]
    with adbc.cursor() as cursor:
        cursor.execute(str(compiled), bound or None)
        return readable(cursor.fetch_arrow_table())
