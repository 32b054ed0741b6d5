"""What the database says about an error, without the value that caused it.

PostgreSQL repeats values in its messages (`invalid input syntax for type date: "..."`, `Key (nhs)=(...)`). Here an
error keeps its state code and the names of the table, column and constraint: enough to find the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from adbc_driver_manager import Error as AdbcError
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from pipelines.errors import WarehouseError

# States whose message holds names of tables, roles and the like, and never a value from a row.
STATES_WITHOUT_VALUES = frozenset(
    {"08001", "08006", "28000", "40001", "40P01", "42501", "42703", "42704", "42710", "42883"}
    | {"42P06", "42P07", "42P16", "53300", "55006", "55P03", "57014", "57P01", "57P03", "57P04"}
)
# What is missing from a warehouse that was never prepared; a refused connection has no state, only a text.
STATES_OF_UNPREPARED = frozenset({"3D000", "3F000", "42P01"})
TEXT_OF_UNPREPARED = re.compile(r'(role|database) "joinedup\w*" does not exist')
PREPARE_FIRST = "the warehouse is not prepared: run joinedup prepare"
OWN_MESSAGE = "JU"  # class of the states that our own functions raise; their messages are ours


class DatabaseRefused(WarehouseError):
    """The database refused a statement; `sqlstate` says why (23505: the row is there already)."""

    def __init__(self, message: str, sqlstate: str | None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


def describe(error: BaseException | None) -> str:
    """Return a line about an error of the database that is safe to log."""
    if not isinstance(error, psycopg.Error):
        return _describe_other(error)
    state = error.sqlstate
    if state in STATES_OF_UNPREPARED:
        return f"{PREPARE_FIRST} ({error.diag.message_primary} [{state}])"
    if state is None and TEXT_OF_UNPREPARED.search(str(error)):
        return PREPARE_FIRST
    if state is None:
        return str(error).strip() if isinstance(error, psycopg.OperationalError) else type(error).__name__
    if state in STATES_WITHOUT_VALUES or state.startswith(OWN_MESSAGE):
        return f"{error.diag.message_primary} [{state}]"
    places = {
        "table": ".".join(part for part in (error.diag.schema_name, error.diag.table_name) if part),
        "column": error.diag.column_name,
        "constraint": error.diag.constraint_name,
    }
    place = ", ".join(f"{what} {name}" for what, name in places.items() if name)
    return f"{type(error).__name__} [{state}]" + (f": {place}" if place else "")


def _describe_other(error: BaseException | None) -> str:
    """Return a line about an error that is not psycopg's: its kind, and ADBC's state code."""
    if error is None:
        return "unknown error"
    state = getattr(error, "sqlstate", None)
    return type(error).__name__ + (f" [{state}]" if state else "")


@contextmanager
def safe_errors() -> Iterator[None]:
    """Turn errors of the database into `DatabaseRefused`, without values and without the original behind it."""
    try:
        yield
    except DBAPIError as error:
        raise DatabaseRefused(describe(error.orig), getattr(error.orig, "sqlstate", None)) from None
    except (psycopg.Error, AdbcError) as error:
        raise DatabaseRefused(describe(error), getattr(error, "sqlstate", None)) from None


def hide_values(engine: Engine) -> Engine:
    """Return the engine, whose errors from now on carry no value, whoever catches or logs them."""

    @event.listens_for(engine, "handle_error")
    def rewrite(context: Any) -> None:
        safe = describe(context.original_exception)
        if isinstance(context.original_exception, psycopg.Error):
            context.original_exception.args = (safe,)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (safe,)

    return engine
