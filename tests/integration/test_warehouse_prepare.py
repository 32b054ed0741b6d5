"""Preparing the warehouse: from nothing, again, by several at once; and what a change of a declaration does."""

# ruff: noqa: S603 - runs fixed programs of its own

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect, text
from support.warehouse import Server, Warehouse, point_at

from pipelines.contracts.shared import SharedColumn, SharedTable, normalised_tables
from pipelines.errors import SettingsError, WarehouseError
from pipelines.ingest.status import ingest_status
from pipelines.warehouse import shared_sync
from pipelines.warehouse.engine import dispose_engines, engine, stage_lock, transaction, warehouse_url
from pipelines.warehouse.errors import PREPARE_FIRST, describe
from pipelines.warehouse.landing import ensure_landing_tables
from pipelines.warehouse.metadata import SCHEMAS, shared_column
from pipelines.warehouse.migrate import differences
from pipelines.warehouse.prepare import prepare_warehouse
from pipelines.warehouse.tables import all_tables, shared_tables

pytestmark = pytest.mark.database

PREPARE = "from pipelines.warehouse.prepare import prepare_warehouse; print(prepare_warehouse())"


def columns(schema: str, table: str) -> dict[str, bool]:
    """Return the columns of a table, and whether each may be null."""
    return {str(c["name"]): bool(c["nullable"]) for c in inspect(engine()).get_columns(table, schema=schema)}


def test_the_declared_tables_and_the_database_agree(warehouse: Warehouse) -> None:
    with transaction() as connection:
        assert differences(connection, all_tables()) == []


def test_everything_belongs_to_the_owner_and_is_described(warehouse: Warehouse) -> None:
    with transaction() as connection:
        owners = connection.exec_driver_sql(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'"
        )
        assert set(owners.scalars()) == {"joinedup_owner"}
        for table in shared_tables():
            for column in table.columns:
                described = text(
                    "SELECT col_description(to_regclass(:table), a.attnum) FROM pg_attribute a "
                    "WHERE a.attrelid = to_regclass(:table) AND a.attname = :column"
                )
                parameters = {"table": table.fullname, "column": column.name}
                assert connection.scalar(described, parameters) == column.comment


def test_preparing_again_does_nothing_and_quickly(warehouse: Warehouse) -> None:
    assert prepare_warehouse() is False
    start = time.perf_counter()
    assert prepare_warehouse() is False
    assert time.perf_counter() - start < 0.3


def test_preparing_for_a_further_landing_column_adds_it(warehouse: Warehouse) -> None:
    assert prepare_warehouse({"fire_incident": ["reference"]}) is True
    assert prepare_warehouse({"fire_incident": ["reference", "order"], "fire_person": ["name"]}) is True
    assert columns("landing", "fire_incident") == {
        "extract_id": False,
        "row_number": False,
        "reference": True,
        "order": True,
    }
    with transaction() as connection:
        ensure_landing_tables(connection, {"fire_incident": ["reference"]})
    assert "order" in columns("landing", "fire_incident")
    assert "restricted" in SCHEMAS
    assert "name" in columns("restricted", "landing_fire_person")


@pytest.fixture
def empty_database(
    warehouse_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """The name of a database that does not exist yet; the environment points at it."""
    name = "joinedup_not_there_yet"
    point_at(monkeypatch, warehouse_server.url(name), tmp_path)
    yield name
    dispose_engines()
    warehouse_server.run_as_superuser(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_a_warehouse_that_was_never_prepared_says_what_to_run(
    warehouse_server: Server, empty_database: str
) -> None:
    with pytest.raises(WarehouseError, match="run joinedup prepare"):
        ingest_status()
    warehouse_server.run_as_superuser(f"CREATE DATABASE {empty_database}")
    with pytest.raises(WarehouseError, match="run joinedup prepare"):
        ingest_status()


@pytest.mark.parametrize("missing", ['role "joinedup_pipeline"', 'database "joinedup"'])
def test_a_refused_connection_to_an_unprepared_server_says_what_to_run(missing: str) -> None:
    refused = psycopg.OperationalError(f"connection failed: FATAL:  {missing} does not exist")
    assert describe(refused) == PREPARE_FIRST


def test_several_processes_prepare_one_warehouse_at_once(empty_database: str) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PREPARE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    results = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], [errors for _, errors in results]
    assert prepare_warehouse() is False


def test_a_server_of_ones_own_needs_a_login_that_owns_the_database(
    warehouse_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warehouse_server.run_as_superuser(
        "CREATE ROLE etl LOGIN CREATEROLE",
        "GRANT joinedup_owner, joinedup_analyst TO etl WITH ADMIN OPTION",
        "CREATE DATABASE of_our_own OWNER etl",
    )
    point_at(monkeypatch, warehouse_server.url("of_our_own", "etl"), tmp_path)
    try:
        assert prepare_warehouse() is True
        assert prepare_warehouse({"fire_incident": ["reference"]}) is True
        assert prepare_warehouse({"fire_incident": ["reference"]}) is False
        with transaction() as connection:
            assert connection.exec_driver_sql("SELECT current_user, session_user").one() == (
                "joinedup_owner",
                "etl",
            )
            assert differences(connection, all_tables()) == []
    finally:
        dispose_engines()
        warehouse_server.run_as_superuser(
            "DROP DATABASE of_our_own WITH (FORCE)", "DROP OWNED BY etl", "DROP ROLE etl"
        )


PEOPLE = normalised_tables()["person_contact"]


def declare(monkeypatch: pytest.MonkeyPatch, table: SharedTable) -> None:
    """Let the shared schema declare this table in the place of person_contact."""
    from sqlalchemy import MetaData, Table

    made = [shared_column(column) for column in table.columns]
    declared = Table(table.table, MetaData(), *made, schema="normalised", comment=table.description)
    monkeypatch.setattr(shared_sync, "shared_tables", lambda: [declared])


def with_column(**changes: object) -> SharedTable:
    """Return person_contact with one more column."""
    more = {
        "name": "extension",
        "type": "text",
        "nullable": True,
        "sensitivity": "identifying",
        "description": "New.",
    }
    column = SharedColumn.model_validate({**more, **changes})
    return PEOPLE.model_copy(update={"columns": (*PEOPLE.columns, column)})


def add_a_contact() -> None:
    """Store one row."""
    with transaction() as connection:
        connection.exec_driver_sql(
            "INSERT INTO normalised.person_contact (extract_id, row_number, record_id, contact_type, status) "
            "VALUES (1, 1, gen_random_uuid(), 'EMAIL', 'MISSING')"
        )


def sync() -> None:
    """Bring the database to what is declared."""
    with transaction() as connection:
        shared_sync.sync_shared_tables(connection)


def test_a_new_column_of_the_shared_schema_is_added(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_a_contact()
    declare(monkeypatch, with_column())
    sync()
    assert columns("normalised", "person_contact")["extension"] is True


def test_a_column_may_become_nullable_and_back_while_it_has_no_nulls(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_a_contact()
    loose = tuple(
        c.model_copy(update={"nullable": True}) if c.name == "status" else c for c in PEOPLE.columns
    )
    declare(monkeypatch, PEOPLE.model_copy(update={"columns": loose}))
    sync()
    assert columns("normalised", "person_contact")["status"] is True
    declare(monkeypatch, PEOPLE)
    sync()
    assert columns("normalised", "person_contact")["status"] is False


def test_a_change_that_could_lose_rows_is_refused_and_nothing_changes(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_a_contact()
    changed = tuple(
        c.model_copy(update={"type": "integer"})
        if c.name == "contact_type"
        else c.model_copy(update={"nullable": False})
        if c.name == "value"
        else c
        for c in with_column(nullable=False).columns
        if c.name != "value_raw"
    )
    declare(monkeypatch, PEOPLE.model_copy(update={"columns": changed}))
    with pytest.raises(WarehouseError) as caught:
        sync()
    message = str(caught.value)
    assert "value_raw: is stored but not declared" in message
    assert "contact_type: is declared INTEGER but stored as TEXT" in message
    assert "value: is declared not null, but nulls are stored" in message
    assert "extension: is new and not null, but the table has rows" in message
    assert "extension" not in columns("normalised", "person_contact")


def test_one_stage_at_a_time_works_under_a_name(warehouse: Warehouse) -> None:
    with stage_lock("receive police 2026-09"):
        with (
            pytest.raises(WarehouseError, match="another process"),
            stage_lock("receive police 2026-09", wait=False),
        ):
            pass
        with stage_lock("receive health 2026-09", wait=False):
            pass
    with stage_lock("receive police 2026-09", wait=False):
        pass


@pytest.mark.parametrize(
    "url", ["mysql://root:hunter22@localhost/x", "hunter22", "postgresql://a:hunter22@localhost"]
)
def test_a_wrong_address_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("JOINEDUP_WAREHOUSE_URL", url)
    with pytest.raises(SettingsError) as caught:
        warehouse_url()
    assert "hunter22" not in str(caught.value)


def test_a_plain_address_gets_its_driver_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOINEDUP_WAREHOUSE_URL", "postgresql://someone@localhost/warehouse")
    assert warehouse_url().drivername == "postgresql+psycopg"
