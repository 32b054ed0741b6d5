"""Migrations of the fixed tables, run in the caller's transaction; no file names this machine or the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.schema import CreateSchema

from pipelines.warehouse.metadata import SCHEMAS

VERSION_TABLE = "schema_version"
VERSION_SCHEMA = "audit"
# What lives here is made from contracts, by a bulk load, or by the publish stage, and has no fixed declaration.
UNDECLARED_SCHEMAS = frozenset({"landing", "staging", "published", "restricted"})


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, with the connection to work on."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def context_options() -> dict[str, Any]:
    """Return how Alembic looks at this database: all our schemas, its version table in `audit`."""
    return {
        "version_table": VERSION_TABLE,
        "version_table_schema": VERSION_SCHEMA,
        "include_schemas": True,
        "include_name": _is_declared,
        "transactional_ddl": True,
        "transaction_per_migration": False,
    }


def _is_declared(name: str | None, kind: str, parents: Any) -> bool:
    """Return whether Alembic compares this schema or table."""
    if kind == "schema":
        return name in SCHEMAS and name not in UNDECLARED_SCHEMAS
    return not (kind == "table" and name == VERSION_TABLE)


def latest_version() -> str:
    """Return the newest migration's number."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head() or ""


def upgrade(connection: Connection) -> None:
    """Make the schemas and bring the fixed tables to the newest version, in the connection's transaction."""
    for schema in SCHEMAS:
        connection.execute(CreateSchema(schema, if_not_exists=True))
    command.upgrade(alembic_config(connection), "head")


def differences(connection: Connection, metadata: MetaData) -> list[Any]:
    """Return what differs between the declared tables and the database; empty when they agree."""
    context = MigrationContext.configure(connection, opts=context_options())
    return list(compare_metadata(context, metadata))
