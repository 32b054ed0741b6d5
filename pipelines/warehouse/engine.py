"""Connections to the warehouse: SQLAlchemy for transactions, ADBC for bulk, and one lock per name.

The pipeline logs in as `joinedup_pipeline` on the embedded server, or as the user of JOINEDUP_WAREHOUSE_URL, and
works as `joinedup_owner` (see `roles`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Engine, create_engine, func, make_url, select
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from pipelines.errors import SettingsError, WarehouseError
from pipelines.settings import load_settings
from pipelines.warehouse.errors import hide_values, safe_errors
from pipelines.warehouse.server import SUPERUSER, start_server

DRIVER = "postgresql+psycopg"
DATABASE = "joinedup"
PIPELINE = "joinedup_pipeline"
WHEN_UNDONE = "when undone"

_engines: dict[tuple[int, URL], Engine] = {}
_engines_lock = Lock()


def warehouse_url() -> URL:
    """Return the warehouse's address, its driver named; starts the embedded server when that is the warehouse.

    Raises:
        SettingsError: JOINEDUP_WAREHOUSE_URL is not the address of a PostgreSQL database.
        WarehouseError: the embedded server does not start.
    """
    given = load_settings().warehouse_url
    return _parse(given) if given else embedded_url()


def embedded_url(user: str = PIPELINE, database: str = DATABASE) -> URL:
    """Return the address of a database on the embedded server of this home, started where it is not running."""
    socket = start_server().socket
    # GX refuses an address with an empty host; the socket folder in the query wins over it.
    return URL.create(DRIVER, user, host="localhost", database=database, query={"host": str(socket)})


def is_embedded(url: URL) -> bool:
    """Return whether this is a database of an embedded server: over a socket, by the pipeline's own login."""
    return "host" in url.query and url.username in {PIPELINE, SUPERUSER}


def _parse(given: str) -> URL:
    """Return JOINEDUP_WAREHOUSE_URL as an address; the message never repeats it, since it may hold a password."""
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise SettingsError("JOINEDUP_WAREHOUSE_URL is not a database address") from None
    if url.get_backend_name() not in {"postgresql", "postgres"} or not url.database:
        raise SettingsError("JOINEDUP_WAREHOUSE_URL must read postgresql://user@host:port/database")
    return url.set(drivername=DRIVER)


def engine() -> Engine:
    """Return this process's engine for the warehouse; a forked process gets one of its own."""
    url = warehouse_url()
    key = (os.getpid(), url)
    with _engines_lock:
        if key not in _engines:
            options: dict[str, Any] = {"pool_size": 2, "max_overflow": 6, "pool_pre_ping": True}
            _engines[key] = _create(url, **options)
        return _engines[key]


def admin_engine(database: str | None = None) -> Engine:
    """Return an engine for roles and databases: the superuser on an embedded server, elsewhere the given user."""
    url = warehouse_url()
    if is_embedded(url):
        url = url.set(username=SUPERUSER)
    return _create(url.set(database=database or url.database), poolclass=NullPool)


def _create(url: URL, **options: Any) -> Engine:
    """Return a new engine that shows neither parameters nor values in errors."""
    arguments = {"application_name": "joinedup"}
    return hide_values(create_engine(url, hide_parameters=True, connect_args=arguments, **options))


def dispose_engines() -> None:
    """Close every connection that this process keeps; the next `engine()` opens new ones."""
    with _engines_lock:
        for (pid, _), kept in _engines.items():
            kept.dispose(close=pid == os.getpid())
        _engines.clear()


@contextmanager
def transaction() -> Iterator[Connection]:
    """Give a connection whose changes are all kept, or all undone when the block raises.

    Raises:
        DatabaseRefused: a `WarehouseError` that names the place and the rule, not the values.
    """
    undone: list[Callable[[], object]] = []
    try:
        with safe_errors(), engine().begin() as connection:
            connection.info[WHEN_UNDONE] = undone
            yield connection
    except BaseException:
        for clean_up in undone:
            clean_up()
        raise


def when_undone(connection: Connection, clean_up: Callable[[], object]) -> None:
    """Have `clean_up` called after this `transaction()`, should it be undone."""
    connection.info.setdefault(WHEN_UNDONE, []).append(clean_up)


@contextmanager
def adbc_connection() -> Iterator[Any]:
    """Give a new ADBC connection (DB-API 2.0 with Arrow); it sees committed rows only."""
    from adbc_driver_postgresql import dbapi

    url = warehouse_url().set(drivername="postgresql").render_as_string(hide_password=False)
    with safe_errors(), dbapi.connect(url) as connection:
        yield connection


def lock_in_transaction(connection: Connection, name: str) -> None:
    """Wait for the lock of this name and hold it until the connection's transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_lock_number(name))))


def try_lock_in_transaction(connection: Connection, name: str) -> bool:
    """Return whether the connection's transaction got the lock of this name; does not wait."""
    return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(_lock_number(name)))))


@contextmanager
def stage_lock(name: str, wait: bool = True) -> Iterator[None]:
    """Hold the lock of this name, so that one stage at a time works on the same key.

    A killed process loses its lock with its connection.

    Raises:
        WarehouseError: `wait` is false and somebody else holds the lock.
    """
    acquire = func.pg_advisory_lock if wait else func.pg_try_advisory_lock
    isolated = engine().execution_options(isolation_level="AUTOCOMMIT")
    with safe_errors(), isolated.connect() as connection:
        held = connection.scalar(select(acquire(_lock_number(name))))
        if held is False:
            raise WarehouseError(f"another process is working on {name}")
        try:
            yield
        finally:
            connection.execute(select(func.pg_advisory_unlock(_lock_number(name))))


def _lock_number(name: str) -> ColumnElement[int]:
    """Return the number by which PostgreSQL knows the lock of this name."""
    return func.hashtextextended(name, 0)
