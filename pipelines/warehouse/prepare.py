"""Preparing the warehouse: server, database, roles, migrations, tables, grants; nothing when all is there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from pipelines.contracts.loader import landing_tables
from pipelines.contracts.shared import normalised_tables, published_tables
from pipelines.warehouse.access import create_access, drop_access_views, grant_access_roles
from pipelines.warehouse.engine import (
    admin_engine,
    dispose_engines,
    is_embedded,
    lock_in_transaction,
    transaction,
    warehouse_url,
)
from pipelines.warehouse.errors import DatabaseRefused, safe_errors
from pipelines.warehouse.landing import ensure_landing_tables
from pipelines.warehouse.roles import (
    OWNER,
    create_embedded_logins,
    create_roles,
    grant_readers,
    secure_database,
    work_as_owner,
)
from pipelines.warehouse.shared_sync import sync_shared_tables
from pipelines.warehouse.tables import current_release, warehouse_state

LOCK = "prepare warehouse"
MAINTENANCE = "postgres"
# The code whose change has to reach the database: fixed tables, migrations, functions, views, grants.
LAYOUT_SOURCES = ("access.py", "metadata.py", "roles.py", "tables_*.py", "migrations/versions/*.py")
MISSING = frozenset({"3D000", "28000", "42P01", "3F000", "42501", "08001", "08006", None})


def prepare_warehouse(landing: Mapping[str, Sequence[str]] | None = None) -> bool:
    """Return whether there was anything to do to make the warehouse ready; safe to call from several processes.

    `landing` are the landing tables and their columns, those of the contracts unless given. On a server of your
    own the login of JOINEDUP_WAREHOUSE_URL must own the database, and may create roles unless they are there.

    Raises:
        WarehouseError: the server, the database or the shared schema cannot be brought to what is declared.
    """
    tables = landing_tables() if landing is None else landing
    wanted = fingerprint(tables)
    if prepared_for() == wanted:
        return False
    with safe_errors():
        _prepare_as_admin()
    dispose_engines()  # their sessions began before the login worked as the owner
    with transaction() as connection:
        lock_in_transaction(connection, LOCK)
        _prepare_as_owner(connection, tables)
        _remember(connection, wanted)
    return True


def fingerprint(landing: Mapping[str, Sequence[str]]) -> str:
    """Return a hash of everything that the warehouse is made from."""
    declared = {
        **normalised_tables(),
        **{f"published {name}": view for name, view in published_tables().items()},
    }
    parts = {
        "layout": [path.read_text(encoding="utf-8") for path in _layout_sources()],
        "tables": {name: table.model_dump_json() for name, table in declared.items()},
        "landing": {name: list(columns) for name, columns in landing.items()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _layout_sources() -> list[Path]:
    """Return the files whose change has to reach the database, in a fixed order."""
    folder = Path(__file__).parent
    return sorted(path for pattern in LAYOUT_SOURCES for path in folder.glob(pattern))


def prepared_for() -> str | None:
    """Return the fingerprint that the warehouse was last prepared for; None when it never was."""
    try:
        with transaction() as connection:
            return connection.scalar(select(warehouse_state.c.fingerprint))
    except DatabaseRefused as refused:
        if refused.sqlstate in MISSING:
            return None
        raise


def _prepare_as_admin() -> None:
    """Make the database where it is embedded, the roles, and close what PostgreSQL leaves open."""
    url = warehouse_url()
    embedded = is_embedded(url)
    # Roles belong to the whole server, so on the embedded one its common database holds the lock for all.
    with admin_engine(MAINTENANCE if embedded else None).connect() as connection:
        connection.exec_driver_sql("SET ROLE NONE")
        lock_in_transaction(connection, LOCK)
        create_roles(connection)
        if embedded:
            create_embedded_logins(connection)
            connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {MAINTENANCE}, template1 FROM PUBLIC")
            _create_database(str(url.database))
        elif url.username:
            work_as_owner(connection, url.username)
        connection.commit()
    with admin_engine().begin() as connection:
        connection.exec_driver_sql("SET ROLE NONE")
        lock_in_transaction(connection, LOCK)
        secure_database(connection)


def _create_database(name: str) -> None:
    """Make a database on the embedded server unless it is there; it cannot be part of a transaction."""
    isolated = admin_engine(MAINTENANCE).execution_options(isolation_level="AUTOCOMMIT")
    with isolated.connect() as connection:
        if connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}) is None:
            connection.exec_driver_sql(
                f"CREATE DATABASE {connection.dialect.identifier_preparer.quote(name)}"
            )


def _prepare_as_owner(connection: Connection, landing: Mapping[str, Sequence[str]]) -> None:
    """Make tables, functions, views and grants, in one transaction."""
    from pipelines.warehouse.migrate import upgrade  # heavy, and needed here only

    connection.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")
    drop_access_views(connection)  # they would hold on to columns that a migration drops
    upgrade(connection)
    sync_shared_tables(connection)
    ensure_landing_tables(connection, landing)
    connection.execute(insert(current_release).on_conflict_do_nothing())
    create_access(connection)
    grant_readers(connection)
    grant_access_roles(connection)


def _remember(connection: Connection, wanted: str) -> None:
    """Write down what the warehouse is now prepared for."""
    connection.execute(delete(warehouse_state))
    connection.execute(insert(warehouse_state).values(fingerprint=wanted))
