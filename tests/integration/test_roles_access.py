"""Restricted schemas are read by grant, for a time, and never without a trace."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from support.filler import fill_every_table
from support.warehouse import Warehouse, make_service_login

from pipelines.errors import WarehouseError
from pipelines.warehouse.access import grant_access, revoke_access
from pipelines.warehouse.bulk import read_arrow
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.errors import DatabaseRefused
from pipelines.warehouse.roles import AUDITOR, ENGINEER, session_login

pytestmark = pytest.mark.database

LOGIN = session_login(ENGINEER)
READ = "SELECT * FROM restricted.quarantine_row"
OPEN = "SELECT restricted.open('quarantine', 'to find the wrong delimiter')"
CLOSED = "JU003"


@pytest.fixture
def engineer(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """An engineer's session, in a warehouse where a row is in quarantine."""
    with create_engine(warehouse.url("postgres"), poolclass=NullPool).begin() as connection:
        fill_every_table(connection, "RAW", 1, ("quarantine", "landing"))
    socket = str(warehouse.server.socket)
    with psycopg.connect(host=socket, dbname=warehouse.database, user=LOGIN, autocommit=True) as connection:
        yield connection


def is_closed(session: psycopg.Connection, statement: str = READ) -> bool:
    """Return whether the session is refused because the schema is not open."""
    try:
        session.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate == CLOSED
    return False


def accesses() -> list[tuple[str, str, str]]:
    """Return who opened which schema and what for."""
    rows = read_arrow(
        "SELECT grantee, schema_name, purpose FROM audit.access_log ORDER BY access_id"
    ).to_pylist()
    return [(row["grantee"], row["schema_name"], row["purpose"]) for row in rows]


def end_now(grant_id: int) -> None:
    """Let the time of a grant run out, without revoking it."""
    with transaction() as connection:
        connection.execute(
            text(
                "UPDATE audit.access_grant SET granted_at = granted_at - interval '9 hours', "
                "expires_at = granted_at - interval '1 hour' WHERE grant_id = :id"
            ),
            {"id": grant_id},
        )


def test_without_a_grant_nothing_opens(engineer: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error) as caught:
        engineer.execute(OPEN)
    assert caught.value.sqlstate == "JU001"
    assert is_closed(engineer)
    assert accesses() == []


def test_with_a_grant_the_schema_is_opened_on_record_and_read(engineer: psycopg.Connection) -> None:
    grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    assert is_closed(engineer)
    assert "on record" in str(engineer.execute(OPEN).fetchone())
    assert engineer.execute(READ).fetchall()
    assert accesses() == [(LOGIN, "quarantine", "to find the wrong delimiter")]
    assert is_closed(engineer, "SELECT * FROM restricted.normalised_person_name")


def test_an_opening_that_is_rolled_back_reads_nothing(engineer: psycopg.Connection) -> None:
    grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    engineer.execute("BEGIN")
    engineer.execute(OPEN)
    assert is_closed(engineer)
    engineer.execute("ROLLBACK")
    assert is_closed(engineer)


def test_an_opening_in_a_savepoint_reads_nothing_before_it_is_committed(engineer: psycopg.Connection) -> None:
    grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    for statement in ("BEGIN", "SAVEPOINT a", OPEN, "RELEASE SAVEPOINT a"):
        engineer.execute(statement)
    assert is_closed(engineer)
    engineer.execute("ROLLBACK")


def test_a_grant_ends_with_its_time_though_nobody_revokes_it(engineer: psycopg.Connection) -> None:
    grant = grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    engineer.execute(OPEN)
    end_now(grant)
    assert is_closed(engineer)
    assert not revoke_access(grant), "there is nothing left to end"


def test_a_grant_can_be_revoked_early(engineer: psycopg.Connection) -> None:
    grant = grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    engineer.execute(OPEN)
    assert revoke_access(grant)
    assert not revoke_access(grant)
    assert is_closed(engineer)


def test_another_session_of_the_same_person_opens_for_itself(
    warehouse: Warehouse, engineer: psycopg.Connection
) -> None:
    grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    engineer.execute(OPEN)
    socket = str(warehouse.server.socket)
    with psycopg.connect(host=socket, dbname=warehouse.database, user=LOGIN, autocommit=True) as second:
        assert is_closed(second)


def test_nobody_uses_the_grant_of_somebody_else(warehouse: Warehouse, engineer: psycopg.Connection) -> None:
    grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    engineer.execute(OPEN)
    socket, auditor = str(warehouse.server.socket), session_login(AUDITOR)
    with psycopg.connect(host=socket, dbname=warehouse.database, user=auditor, autocommit=True) as other:
        assert is_closed(other)


def test_a_purpose_is_required(engineer: psycopg.Connection) -> None:
    grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    with pytest.raises(psycopg.Error) as caught:
        engineer.execute("SELECT restricted.open('quarantine', '  ')")
    assert caught.value.sqlstate == "JU002"


@pytest.mark.parametrize(
    ("grantee", "schema", "reason", "hours"),
    [
        (LOGIN, "identity", "curious", 1),
        (LOGIN, "landing", "  ", 1),
        (LOGIN, "landing", "for ever", 10_000),
        (LOGIN, "landing", "backwards", -1),
        ("joinedup_analyst_session", "landing", "an analyst never", 1),
        ("linkage_service", "landing", "not one of those", 1),
        (ENGINEER, "landing", "a role is not a person", 1),
        ("nobody_of_this_name", "landing", "who?", 1),
    ],
)
def test_a_grant_that_should_not_be_is_refused(
    warehouse: Warehouse, grantee: str, schema: str, reason: str, hours: float
) -> None:
    make_service_login(warehouse.server)
    with pytest.raises(WarehouseError):
        grant_access(grantee, schema, reason, hours, "somebody")


def test_the_record_of_accesses_protection_and_judgements_is_never_changed(
    warehouse: Warehouse, engineer: psycopg.Connection
) -> None:
    grant_access(LOGIN, "quarantine", "ticket 12", 8, "information governance")
    engineer.execute(OPEN)
    for statement in (
        "UPDATE audit.access_log SET purpose = 'nothing'",
        "DELETE FROM audit.access_log",
        "TRUNCATE audit.access_log",
        "DELETE FROM identity.protection_notice",
        "UPDATE identity.judgement SET verdict = 'SAME'",
        "DELETE FROM identity.judgement",
        "TRUNCATE identity.judgement",
    ):
        with pytest.raises(DatabaseRefused, match="never changed"), transaction() as connection:
            connection.exec_driver_sql(statement)
