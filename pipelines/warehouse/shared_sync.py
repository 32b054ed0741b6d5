"""How a change of `schemas/shared/*.yaml` reaches the database.

The YAML is the declaration, so there is no migration to write for it: `sync_shared_tables` makes missing tables,
adds missing columns and loosens "not null". What could lose or misread stored rows (a column that is gone, another
type, "not null" on a column that holds nulls) it refuses: that needs a migration, written by a person.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Table, inspect, select
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.schema import CreateColumn, SetColumnComment, SetTableComment

from pipelines.errors import WarehouseError
from pipelines.warehouse.metadata import quote
from pipelines.warehouse.tables import shared_tables


def sync_shared_tables(connection: Connection) -> None:
    """Bring the tables of the shared schema to what their YAML says, in the connection's transaction.

    Raises:
        WarehouseError: listing every change that would lose or misread rows; nothing is changed then.
    """
    inspector = inspect(connection)
    problems: list[str] = []
    for table in shared_tables():
        if inspector.has_table(table.name, schema=table.schema):
            problems += _sync_table(connection, inspector, table)
        else:
            table.create(connection)
    if problems:
        listing = "\n".join(f"  - {problem}" for problem in problems)
        raise WarehouseError(f"the shared schema changed in a way that needs a migration:\n{listing}")


def _sync_table(connection: Connection, inspector: Inspector, table: Table) -> list[str]:
    """Return what cannot be changed in an existing table, after changing what can."""
    stored = {column["name"]: column for column in inspector.get_columns(table.name, schema=table.schema)}
    problems = [
        f"{table.fullname}.{name}: is stored but not declared" for name in stored if name not in table.columns
    ]
    for column in table.columns:
        if column.name not in stored:
            problems += _add_column(connection, column)
        else:
            problems += _change_column(connection, column, dict(stored[column.name]))
    for index in table.indexes:
        index.create(connection, checkfirst=True)
    connection.execute(SetTableComment(table))
    for column in table.columns:
        if column.name in stored:
            connection.execute(SetColumnComment(column))
    return problems


def _add_column(connection: Connection, column: Column[Any]) -> list[str]:
    """Return why a declared column cannot be added; add it when it can."""
    if column.primary_key:
        return [f"{column}: is part of the key but not stored"]
    must_have_value = not column.nullable and column.server_default is None
    if must_have_value and _has_rows(connection, column.table):
        return [f"{column}: is new and not null, but the table has rows"]
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    _alter(connection, column, f"ADD COLUMN {definition}")
    connection.execute(SetColumnComment(column))
    return []


def _change_column(connection: Connection, column: Column[Any], stored: dict[str, Any]) -> list[str]:
    """Return why a stored column cannot become the declared one; change it when it can."""
    declared_type = column.type.compile(connection.dialect)
    stored_type = stored["type"].compile(connection.dialect)
    if declared_type != stored_type:
        return [f"{column}: is declared {declared_type} but stored as {stored_type}"]
    name = quote(column.name)
    if column.nullable and not stored["nullable"]:
        _alter(connection, column, f"ALTER COLUMN {name} DROP NOT NULL")
    elif not column.nullable and stored["nullable"]:
        if connection.execute(select(1).select_from(column.table).where(column.is_(None)).limit(1)).first():
            return [f"{column}: is declared not null, but nulls are stored"]
        _alter(connection, column, f"ALTER COLUMN {name} SET NOT NULL")
    return []


def _has_rows(connection: Connection, table: Any) -> bool:
    """Return whether a table has any row."""
    return connection.execute(select(1).select_from(table).limit(1)).first() is not None


def _alter(connection: Connection, column: Column[Any], change: str) -> None:
    """Alter the column's table."""
    table = connection.dialect.identifier_preparer.format_table(column.table)
    connection.exec_driver_sql(f"ALTER TABLE {table} {change}")
