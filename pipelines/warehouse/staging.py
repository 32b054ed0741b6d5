"""Staging tables: where the rows of a bulk load wait for their transaction. None outlives its load for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from pipelines.warehouse.engine import engine, lock_in_transaction, try_lock_in_transaction, when_undone
from pipelines.warehouse.errors import safe_errors
from pipelines.warehouse.metadata import quote

STAGING = "staging"

_LEFTOVERS = text("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = :schema")


@contextmanager
def staging_table(connection: Connection, name: str) -> Iterator[str]:
    """Give the name for a staging table, dropped with the transaction, or when `transaction()` is undone.

    The transaction holds a lock of the table's name: as long as it is held, nobody sweeps the table away. What a
    killed process leaves behind is swept by the next load.
    """
    sweep_staging()
    lock_in_transaction(connection, _lock(name))
    when_undone(connection, sweep_staging)
    yield name
    connection.exec_driver_sql(f"DROP TABLE {STAGING}.{quote(name)}")


def sweep_staging() -> int:
    """Return how many staging tables were dropped that no running load holds: killed processes leave them."""
    swept = 0
    with safe_errors(), engine().connect() as connection:
        names = list(connection.scalars(_LEFTOVERS, {"schema": STAGING}))
        connection.rollback()
        for name in names:
            with connection.begin():
                if try_lock_in_transaction(connection, _lock(name)):
                    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {STAGING}.{quote(name)}")
                    swept += 1
    return swept


def _lock(name: str) -> str:
    """Return the name of the lock that a running load holds."""
    return f"staging {name}"
