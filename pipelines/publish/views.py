"""The analysts' views in `published`: made from `schemas/shared/published/` and the contracts' headlines.

Each shows the rows of the current release, with a comment on every column. They are security barriers: a
function in an analyst's query never sees a row of another release.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from pipelines.contracts.loader import load_contracts
from pipelines.contracts.shared import SharedTable, published_tables
from pipelines.errors import ReleaseError
from pipelines.publish.headlines import headline_columns
from pipelines.warehouse.engine import lock_in_transaction, transaction
from pipelines.warehouse.errors import DatabaseRefused

ANALYST = "joinedup_analyst"
VIEWS_LOCK = "published views"
LOCK_TIMEOUT = "3s"
ATTEMPTS = 3
PAUSE_SECONDS = 2.0
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class ViewColumn:
    """One column of a view: its name, the SQL that gives it, what it says, and its type."""

    name: str
    sql: str
    description: str
    type: str


def view_columns(table: SharedTable) -> list[ViewColumn]:
    """Return the columns of a published view, in order; headline columns last."""
    columns = [ViewColumn(c.name, f"stored.{c.name}", c.description, c.type) for c in table.columns]
    return columns + (list(_headline_columns()) if table.has_headlines else [])


def _headline_columns() -> Iterator[ViewColumn]:
    """Yield a record count for each agency, then each headline as the type of its rule."""
    for agency, contract in load_contracts().items():
        held = f"coalesce((stored.records_by_agency ->> '{agency}')::integer, 0)"
        description = f"Records that {contract.title} holds about this person."
        yield ViewColumn(f"{agency}_records", held, description, "integer")
    for column in headline_columns():
        value = f"(stored.headlines ->> '{column.name}')::{column.type}"
        yield ViewColumn(column.name, value, column.description, column.type)


def create_views() -> list[str]:
    """Return the names of the views that were made or changed; those already as declared are left alone.

    A changed view is replaced within one transaction: readers have the old one or the new one. A reader in an
    open transaction is waited for, some seconds and some times, and never blocked behind us for longer.

    Raises:
        ReleaseError: readers held on to a view that has to change.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            with transaction() as connection:
                return _create_views(connection)
        except DatabaseRefused as error:
            if error.sqlstate != _LOCK_NOT_AVAILABLE:
                raise
    raise ReleaseError(
        "a view in published has to change, but readers hold it open; try again when they are done"
    )


def _create_views(connection: Connection) -> list[str]:
    """Return the names of the views that were changed in the connection's transaction."""
    lock_in_transaction(connection, VIEWS_LOCK)
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    changed = []
    for table in published_tables().values():
        query = _query(table)
        if not _is_as_declared(connection, table.table, query):
            connection.execute(text(f"DROP VIEW IF EXISTS published.{table.table}"))
            connection.execute(
                text(f"CREATE VIEW published.{table.table} WITH (security_barrier = true) AS {query}")
            )
            changed.append(table.table)
        _describe(connection, table)
    return changed


def _query(table: SharedTable) -> str:
    """Return the SELECT behind a view; names come from our own files, whose patterns allow no quote."""
    columns = ",\n    ".join(f"{column.sql} AS {column.name}" for column in view_columns(table))
    return (
        f"SELECT {columns}\nFROM publication.{table.table} AS stored\n"  # noqa: S608 - see above
        "JOIN publication.current_release AS live ON live.release_id = stored.release_id"
    )


def _is_as_declared(connection: Connection, name: str, query: str) -> bool:
    """Return whether the view stands as declared, by letting PostgreSQL print both."""
    connection.execute(text(f"CREATE TEMP VIEW declared_{name} AS {query}"))
    same = connection.scalar(
        text("""
            SELECT pg_get_viewdef(to_regclass('published.' || :name))
                   = pg_get_viewdef(to_regclass('pg_temp.declared_' || :name))
               AND (SELECT 'security_barrier=true' = ANY(reloptions) FROM pg_class
                    WHERE oid = to_regclass('published.' || :name))
        """),
        {"name": name},
    )
    connection.execute(text(f"DROP VIEW pg_temp.declared_{name}"))
    return bool(same)


def _describe(connection: Connection, table: SharedTable) -> None:
    """Write the comments of a view and its columns, and let analysts read it."""
    name = f"published.{table.table}"
    _comment(connection, f"VIEW {name}", table.description)
    for column in view_columns(table):
        _comment(connection, f"COLUMN {name}.{column.name}", column.description)
    connection.execute(text(f"GRANT SELECT ON {name} TO {ANALYST}"))


def _comment(connection: Connection, target: str, comment: str) -> None:
    """Set a comment; COMMENT takes a literal only, so the text is quoted here."""
    literal = "'" + comment.replace("'", "''") + "'"
    connection.exec_driver_sql(f"COMMENT ON {target} IS {literal}".replace("%", "%%"))
