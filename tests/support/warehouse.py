"""A real PostgreSQL for tests: one embedded server for the session, a fresh database for whoever asks."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from pipelines.settings import Settings, load_settings
from pipelines.warehouse.engine import DRIVER, PIPELINE, dispose_engines
from pipelines.warehouse.prepare import prepare_warehouse
from pipelines.warehouse.roles import LINKAGE, secure_database
from pipelines.warehouse.server import SUPERUSER, delete_server, start_server
from pipelines.warehouse.server_config import NOT_DURABLE

HOME_PREFIX = "joinedup-test-"
TEMPLATE = "template_warehouse"
SERVICE = "linkage_service"
TEST_KEY = "a key that only tests use"

_numbers = count(1)


@dataclass(frozen=True)
class Server:
    """The embedded server of a test session."""

    home: Path
    socket: Path

    def url(self, database: str, user: str = PIPELINE) -> URL:
        """Return the address of a database on this server."""
        return URL.create(DRIVER, user, host="localhost", database=database, query={"host": str(self.socket)})

    def run_as_superuser(self, *statements: str, database: str = "postgres") -> None:
        """Run statements outside any transaction."""
        engine = create_engine(
            self.url(database, SUPERUSER), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


@dataclass(frozen=True)
class Warehouse:
    """A prepared, empty warehouse: a database of its own and a home of its own; the environment points at both."""

    server: Server
    database: str
    home: Path

    def url(self, user: str = PIPELINE) -> URL:
        """Return the address of the database for a login."""
        return self.server.url(self.database, user)


@contextmanager
def running_server() -> Iterator[Server]:
    """Give an embedded server in a temporary home; stopped and deleted at the end."""
    delete_orphans()
    with tempfile.TemporaryDirectory(prefix=f"{HOME_PREFIX}{os.getpid()}-") as folder:
        try:
            status = start_server(settings_of(Path(folder)), extra={**NOT_DURABLE, "max_connections": "150"})
            yield Server(Path(folder), status.socket)
        finally:
            delete_server(settings_of(Path(folder)))


def settings_of(home: Path) -> Settings:
    """Return settings for the embedded server of a home."""
    return dataclasses.replace(load_settings(), home=home, warehouse_url=None)


def delete_orphans() -> None:
    """Stop and delete the servers of test sessions that were killed: their homes are named after the process."""
    for home in Path(tempfile.gettempdir()).glob(f"{HOME_PREFIX}*-*"):
        pid = home.name.removeprefix(HOME_PREFIX).split("-")[0]
        if pid.isdigit() and home.owner() == Path.home().owner() and not psutil.pid_exists(int(pid)):
            delete_server(settings_of(home))
            shutil.rmtree(home, ignore_errors=True)


def prepare_template(server: Server) -> None:
    """Prepare the warehouse that all others are copies of."""
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, server.url(TEMPLATE), server.home)
        prepare_warehouse()
        dispose_engines()  # a database with an open session cannot be copied


def point_at(patch: pytest.MonkeyPatch, url: URL, home: Path) -> None:
    """Point this process and its children at a warehouse and a home."""
    patch.setenv("JOINEDUP_HOME", str(home))
    patch.setenv("JOINEDUP_WAREHOUSE_URL", url.render_as_string(hide_password=False))
    patch.setenv("JOINEDUP_KEY", TEST_KEY)
    patch.setenv("JOINEDUP_ALLOW_SYNTHETIC", "1")


def make_service_login(server: Server) -> str:
    """Make the login of a service that links, and return it; there is none for people."""
    made = f"CREATE ROLE {SERVICE} LOGIN IN ROLE {LINKAGE}"
    server.run_as_superuser(f"DO $$ BEGIN {made}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    return SERVICE


@contextmanager
def fresh_warehouse(server: Server, home: Path, template: str = TEMPLATE) -> Iterator[Warehouse]:
    """Give a copy of the prepared warehouse, or of another one that nobody has open; dropped at the end."""
    database = f"warehouse_{next(_numbers)}"
    server.run_as_superuser(f"CREATE DATABASE {database} TEMPLATE {template}")
    # Privileges on a database are not copied with it.
    with create_engine(server.url(database, SUPERUSER), poolclass=NullPool).begin() as connection:
        secure_database(connection)
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, server.url(database), home)
        try:
            yield Warehouse(server, database, home)
        finally:
            dispose_engines()
            server.run_as_superuser(f"DROP DATABASE {database} WITH (FORCE)")
