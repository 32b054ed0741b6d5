"""An analyst reaches the published views and nothing else, however they try; each role reads what it may."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from support.filler import fill_every_table
from support.warehouse import SERVICE, Warehouse, make_service_login

from pipelines.errors import WarehouseError
from pipelines.publish.views import create_views
from pipelines.warehouse.engine import engine
from pipelines.warehouse.roles import (
    ANALYST,
    AUDITOR,
    ENGINEER,
    LINKAGE,
    OWNER,
    PEOPLE,
    READERS,
    ROLES,
    session_login,
)
from pipelines.warehouse.session import session_url

pytestmark = pytest.mark.database

HIDDEN = "HIDDENCANARY"
SHOWN = "SHOWNVALUE"
REFUSED = "42501"


@pytest.fixture(scope="module")
def filled(module_warehouse: Warehouse) -> Warehouse:
    """A warehouse where every table outside the live release holds the canary, with statistics about it."""
    create_views()
    superuser = create_engine(module_warehouse.url("postgres"), poolclass=NullPool)
    with superuser.begin() as connection:
        fill_every_table(connection, SHOWN, 1, ("publication",))
        fill_every_table(connection, HIDDEN, 2)
        connection.exec_driver_sql("UPDATE publication.current_release SET release_id = 1")
        connection.exec_driver_sql(f"SELECT lo_from_bytea(4711, '{HIDDEN}'::bytea)")
        connection.exec_driver_sql(
            "CREATE FUNCTION public.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS "
            "$$ BEGIN RAISE NOTICE 'saw %%', value; RETURN true; END $$"
        )
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {ANALYST}")
        connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION public.leak(text) TO {ANALYST}")
        connection.exec_driver_sql("ANALYZE")
    return module_warehouse


def log_in(warehouse: Warehouse, role: str) -> psycopg.Connection:
    """Return a session as a person with this role, or as the service that links."""
    user = make_service_login(warehouse.server) if role == LINKAGE else session_login(role)
    return psycopg.connect(
        host=str(warehouse.server.socket), dbname=warehouse.database, user=user, autocommit=True
    )


@pytest.fixture
def analyst(filled: Warehouse) -> Iterator[psycopg.Connection]:
    """An analyst's session."""
    with log_in(filled, ANALYST) as connection:
        yield connection


def relations(connection: psycopg.Connection, condition: str) -> list[tuple[str, str]]:
    """Return the tables and views (schema, name) that meet a condition."""
    rows = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND ({condition}) ORDER BY 1, 2"
    )
    return [(str(schema), str(name)) for schema, name in rows]


OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
OUTSIDE = f"{OURS} AND n.nspname <> 'published'"


def published_columns(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Return every column (view, column) that is published."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'published'"
    )
    return [(str(view), str(column)) for view, column in rows]


def test_an_analyst_reads_every_published_view_and_only_the_live_release(analyst: psycopg.Connection) -> None:
    views = relations(analyst, "n.nspname = 'published'")
    assert {"person", "person_event", "linked_person", "agency_overlap", "data_currency"} <= {
        name for _, name in views
    }
    for view in views:
        rows = analyst.execute(sql.SQL("SELECT v::text FROM {} v").format(sql.Identifier(*view))).fetchall()
        assert len(rows) == 1, view
        assert HIDDEN not in str(rows)


def test_every_relation_outside_published_is_closed(analyst: psycopg.Connection) -> None:
    outside = relations(analyst, OUTSIDE)
    assert len(outside) > 40
    for relation in outside:
        for command in ("SELECT count(*) FROM {}", "TABLE {}", "COPY {} TO STDOUT", "DELETE FROM {}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(sql.SQL(command).format(sql.Identifier(*relation)))  # type: ignore[arg-type]


def test_every_column_outside_published_is_closed(analyst: psycopg.Connection) -> None:
    open_columns = analyst.execute(
        "SELECT c.oid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OUTSIDE} AND a.attnum > 0 AND c.relkind <> 'i' "
        "AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES')"
    ).fetchall()
    assert open_columns == []


def test_no_catalogue_shows_a_hidden_value(filled: Warehouse, analyst: psycopg.Connection) -> None:
    catalogue = relations(analyst, "n.nspname IN ('pg_catalog', 'information_schema')")
    assert len(catalogue) > 150
    refused = []
    with engine().connect() as busy:
        busy.exec_driver_sql(f"SELECT '{HIDDEN}' AS a_statement_that_pg_stat_activity_might_show")
        for relation in catalogue:
            query = sql.SQL("SELECT x::text FROM {} x").format(sql.Identifier(*relation))
            try:
                assert HIDDEN not in str(analyst.execute(query).fetchall()), relation
            except psycopg.errors.InsufficientPrivilege:
                refused.append(relation[1])
    assert {"pg_statistic", "pg_largeobject", "pg_authid"} <= set(refused)
    with psycopg.connect(
        host=str(filled.server.socket), dbname=filled.database, user="postgres"
    ) as superuser:
        statistics = superuser.execute(
            "SELECT count(*) FROM pg_stats s WHERE s::text LIKE %s", [f"%{HIDDEN}%"]
        ).fetchone()
        assert statistics is not None
        assert statistics[0] > 0


@pytest.mark.parametrize("role", [*ROLES, "postgres", "joinedup_pipeline", "pg_read_all_data", "pg_monitor"])
def test_an_analyst_becomes_nobody_else(analyst: psycopg.Connection, role: str) -> None:
    if role == ANALYST:
        return
    for statement in (
        f"SET ROLE {role}",
        f"SET SESSION AUTHORIZATION {role}",
        f"SELECT set_config('role', '{role}', false)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(statement)
    with pytest.raises(psycopg.Error):
        analyst.execute(f"GRANT {role} TO CURRENT_USER")


def test_resetting_the_role_leads_nowhere(analyst: psycopg.Connection) -> None:
    for statement in (
        "SET ROLE joinedup_analyst",
        "RESET ROLE",
        "SET ROLE NONE",
        "RESET SESSION AUTHORIZATION",
        "DISCARD ALL",
    ):
        analyst.execute(statement)
    assert analyst.execute("SELECT current_user, session_user").fetchone() == (session_login(ANALYST),) * 2
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute("SELECT * FROM normalised.person_name")


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'",
        "COPY (SELECT 1) TO '/tmp/joinedup-analyst'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT pg_read_binary_file('PG_VERSION')",
        "SELECT pg_stat_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_ls_logdir()",
        "SELECT pg_current_logfile()",
        "SHOW data_directory",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(4711, '/tmp/joinedup-analyst')",
        "SELECT lo_get(4711)",
        "SELECT lo_open(4711, 262144)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_creat(-1)",
        "SELECT * FROM pg_largeobject",
        "CREATE TABLE public.copy (a text)",
        "CREATE TABLE published.copy (a text)",
        "CREATE TEMP TABLE copy (a text)",
        "CREATE SCHEMA mine",
        "CREATE EXTENSION dblink",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW published.mine AS SELECT 1",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "DO $$ BEGIN RAISE NOTICE 'x'; END $$",
        "ALTER VIEW published.person SET (security_barrier = false)",
        "CREATE OR REPLACE VIEW published.person AS SELECT 1",
        "UPDATE published.person SET sex = 'U'",
        "DELETE FROM published.person",
        "SELECT restricted.open('landing', 'curious')",
        "SELECT restricted.require_open('landing')",
        "SELECT pg_reload_conf()",
        "ALTER SYSTEM SET log_statement = 'all'",
        "SET session_replication_role = replica",
        "SET log_statement = 'all'",
        "LOAD 'auto_explain'",
    ],
)
def test_a_way_around_is_refused(analyst: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        analyst.execute(statement)
    assert caught.value.sqlstate in {REFUSED, "0A000", "55000"}, caught.value.sqlstate


def test_copying_from_a_program_or_a_file_is_refused(analyst: psycopg.Connection) -> None:
    for source in ("PROGRAM 'cat /etc/passwd'", "'/etc/passwd'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(f"COPY published.person FROM {source}")


def test_a_leaky_function_sees_no_row_of_another_release(analyst: psycopg.Connection) -> None:
    seen: list[str] = []
    analyst.add_notice_handler(lambda notice: seen.append(str(notice.message_primary)))
    for view, column in published_columns(analyst):
        query = sql.SQL("SELECT * FROM published.{} WHERE public.leak({}::text)")
        analyst.execute(query.format(sql.Identifier(view), sql.Identifier(column)))
    assert any(SHOWN in notice for notice in seen)
    assert not [notice for notice in seen if HIDDEN in notice or "2026-09-02" in notice]


def test_without_the_barrier_the_leaky_function_would_see_them(
    filled: Warehouse, analyst: psycopg.Connection
) -> None:
    """The control: the attack works where the protection is missing."""
    body = "SELECT p.* FROM publication.person p JOIN publication.current_release live USING (release_id)"
    filled.server.run_as_superuser(
        f"CREATE VIEW public.unprotected AS {body}",
        f"GRANT SELECT ON public.unprotected TO {ANALYST}",
        database=filled.database,
    )
    try:
        seen: list[str] = []
        analyst.add_notice_handler(lambda notice: seen.append(str(notice.message_primary)))
        analyst.execute("SELECT * FROM public.unprotected WHERE public.leak(person_pseudonym)")
    finally:
        filled.server.run_as_superuser("DROP VIEW public.unprotected", database=filled.database)
    assert any(HIDDEN in notice for notice in seen)


def test_a_failed_cast_names_no_value_of_another_release(analyst: psycopg.Connection) -> None:
    messages: list[str] = []
    for view, column in published_columns(analyst):
        for target in ("integer", "date", "uuid", "boolean", "jsonb"):
            query = sql.SQL("SELECT * FROM published.{} WHERE ({}::text)::{} IS NULL")
            try:
                analyst.execute(query.format(sql.Identifier(view), sql.Identifier(column), sql.SQL(target)))
            except psycopg.Error as error:
                messages.append(str(error))
    assert any(SHOWN in message for message in messages)
    assert not [message for message in messages if HIDDEN in message]


def test_a_plan_shows_no_value_of_another_release(analyst: psycopg.Connection) -> None:
    for view, column in published_columns(analyst):
        query = sql.SQL("EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM published.{} WHERE {}::text > 'A'")
        plan = analyst.execute(query.format(sql.Identifier(view), sql.Identifier(column))).fetchall()
        assert HIDDEN not in str(plan)


def test_every_published_view_is_a_security_barrier_owned_by_the_owner(filled: Warehouse) -> None:
    with engine().connect() as connection:
        views = connection.exec_driver_sql(
            "SELECT c.relkind, r.rolname, coalesce(array_to_string(c.reloptions, ','), '') FROM pg_class c "
            "JOIN pg_roles r ON r.oid = c.relowner WHERE c.relnamespace = 'published'::regnamespace"
        ).fetchall()
    assert {(kind, owner) for kind, owner, _ in views} == {("v", OWNER)}
    assert all("security_barrier=true" in options for _, _, options in views)


READS = {
    ANALYST: {"published"},
    LINKAGE: {"normalised", "linked", "identity"},
    AUDITOR: {"audit", "linked", "identity", "quarantine", "restricted"},
    ENGINEER: {"quarantine", "restricted"},
}


@pytest.mark.parametrize("role", READERS)
def test_a_role_reads_the_schemas_of_the_design(filled: Warehouse, role: str) -> None:
    with log_in(filled, role) as connection:
        readable = relations(connection, f"{OURS} AND has_table_privilege(c.oid, 'SELECT')")
        usable = {schema for schema, _ in readable}
        writable = relations(
            connection, f"{OURS} AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
        )
    assert usable == READS[role]
    assert writable == []


@pytest.mark.parametrize("role", PEOPLE)
def test_no_person_reads_a_normalised_row_without_a_trace(filled: Warehouse, role: str) -> None:
    """What the linkage role reads at any time, people read by a grant, which the log keeps."""
    with log_in(filled, role) as connection:
        for query in (
            "SELECT * FROM normalised.person_name",
            "SELECT * FROM restricted.normalised_person_name",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(query)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SET ROLE {LINKAGE}")


def test_no_person_logs_in_as_the_linkage(filled: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="there is no role linkage"):
        session_url("linkage")
    with engine().connect() as connection:
        logins = connection.exec_driver_sql(
            f"SELECT rolname FROM pg_roles WHERE rolcanlogin AND pg_has_role(rolname, '{LINKAGE}', 'MEMBER')"
            " AND NOT rolsuper"
        )
        assert set(logins.scalars()) <= {SERVICE}


def test_reason_codes_are_readable_and_the_rows_behind_them_are_not(filled: Warehouse) -> None:
    for role in (ENGINEER, AUDITOR):
        with log_in(filled, role) as connection:
            assert connection.execute(
                "SELECT extract_id, row_number, reasons FROM quarantine.reasons"
            ).fetchall()
            for table in (
                "quarantine.row",
                "landing." + first_landing_table(connection),
                "normalised.person_name",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"SELECT * FROM {table}")


def first_landing_table(connection: psycopg.Connection) -> str:
    """Return the name of a landing table."""
    return relations(connection, "n.nspname = 'landing'")[0][1]


def test_an_auditor_reads_link_evidence_but_no_term_frequencies_and_no_protection(filled: Warehouse) -> None:
    with log_in(filled, AUDITOR) as connection:
        for query in (
            "SELECT model_version, definition, training FROM linked.model",
            "SELECT * FROM linked.edge",
            "SELECT * FROM identity.membership",
            "SELECT * FROM identity.review_pair",
            "SELECT verdict, records, scope, decided_by, decided_at, expires_at FROM identity.judgement",
            "SELECT * FROM audit.stage_report",
        ):
            assert connection.execute(query).fetchall()
        for query in (
            "SELECT parameters FROM linked.model",
            "SELECT * FROM identity.protection_notice",
            "SELECT reason FROM identity.judgement",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)


NAMESPACE = "JOIN pg_namespace n ON n.oid ="
OPEN_TO_EVERYONE = (
    f"SELECT c.oid::regclass::text FROM pg_class c {NAMESPACE} c.relnamespace, aclexplode(c.relacl) a "
    f"WHERE {OURS} AND a.grantee = 0",
    "SELECT n.nspname FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a "
    f"WHERE {OURS} AND a.grantee = 0",
    f"SELECT p.oid::regprocedure::text FROM pg_proc p {NAMESPACE} p.pronamespace, "
    f"aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE {OURS} AND a.grantee = 0 "
    "AND p.proname <> 'leak'",
    "SELECT datname FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) a "
    "WHERE datname = current_database() AND a.grantee = 0",
)


def test_nothing_of_ours_is_open_to_everyone(filled: Warehouse) -> None:
    with engine().connect() as connection:
        to_public = [row for query in OPEN_TO_EVERYONE for row in connection.exec_driver_sql(query)]
    assert to_public == []


def test_the_pipeline_is_no_superuser(filled: Warehouse) -> None:
    with engine().connect() as connection:
        current, session, powers = connection.exec_driver_sql(
            "SELECT current_user, session_user, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls "
            "FROM pg_roles WHERE rolname = session_user"
        ).one()
    assert (current, session, powers) == (OWNER, "joinedup_pipeline", False)
