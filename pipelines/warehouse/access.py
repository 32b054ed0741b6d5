"""Reading what is restricted: by grant, for a time, and with a trace.

A person with a live grant first *opens* the schema (`SELECT restricted.open('landing', 'why')`), which is written
to `audit.access_log`, and then reads `restricted.landing_...`. The views ask the clock and the log at every query,
so a grant ends when it ends, whether or not anybody revokes it. An opening counts once it is committed: a reader
who rolls it back to leave no trace reads nothing.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, inspect, select, text, update

from pipelines.errors import WarehouseError
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.metadata import quote
from pipelines.warehouse.roles import ANALYST, AUDITOR, ENGINEER
from pipelines.warehouse.tables import access_grant

RESTRICTED_SCHEMAS = ("landing", "quarantine", "normalised")
MAY_BE_GRANTED = (ENGINEER, AUDITOR)
LONGEST_GRANT_HOURS = 72
LONGEST_OPENING_MINUTES = 60


OPEN = """
CREATE OR REPLACE FUNCTION restricted.open(wanted text, purpose text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    allowed audit.access_grant;
    closes timestamptz;
BEGIN
    SELECT * INTO allowed FROM audit.access_grant
     WHERE grantee = session_user AND schema_name = wanted AND revoked_at IS NULL
       AND expires_at > clock_timestamp()
     ORDER BY expires_at DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'you hold no grant for this schema' USING ERRCODE = 'JU001';
    END IF;
    IF btrim(coalesce(purpose, '')) = '' THEN
        RAISE EXCEPTION 'say what for' USING ERRCODE = 'JU002';
    END IF;
    closes := least(allowed.expires_at, clock_timestamp() + interval '@MINUTES@ minutes');
    INSERT INTO audit.access_log (grant_id, grantee, schema_name, purpose, backend_pid, transaction_id, closes_at)
    VALUES (allowed.grant_id, session_user, wanted, purpose, pg_backend_pid(), pg_current_xact_id()::text, closes);
    RETURN format('open in this session until %s; this is on record', closes);
END $$
""".replace("@MINUTES@", str(LONGEST_OPENING_MINUTES))

REQUIRE_OPEN = """
CREATE OR REPLACE FUNCTION restricted.require_open(wanted text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM audit.access_log AS l JOIN audit.access_grant AS g USING (grant_id)
     WHERE l.grantee = session_user AND l.schema_name = wanted AND l.backend_pid = pg_backend_pid()
       AND l.closes_at > clock_timestamp() AND g.expires_at > clock_timestamp() AND g.revoked_at IS NULL
       AND l.transaction_id <> coalesce(pg_current_xact_id_if_assigned()::text, '');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'closed: SELECT restricted.open(schema, purpose), commit, and read again'
            USING ERRCODE = 'JU003';
    END IF;
    RETURN true;
END $$
"""

REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are never changed', tg_table_schema, tg_table_name USING ERRCODE = 'JU004';
END $$
"""

REASONS = """
CREATE OR REPLACE VIEW quarantine.reasons WITH (security_barrier) AS
SELECT extract_id, row_number, file, stage, reasons, quarantined_at FROM quarantine.row
"""

APPEND_ONLY = ("audit.access_log", "identity.protection_notice", "identity.judgement", "identity.purge")


def create_access(connection: Connection) -> None:
    """Make the functions, triggers and views of restricted reading, for the tables that exist now."""
    for statement in (OPEN, REQUIRE_OPEN, REFUSE_CHANGE, REASONS):
        connection.exec_driver_sql(statement.replace("%", "%%"))
    connection.exec_driver_sql(
        "COMMENT ON VIEW quarantine.reasons IS 'Which rows were set aside and why, without the rows.'"
    )
    for table in APPEND_ONLY:
        connection.exec_driver_sql(
            f"CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()"
        )
    inspector = inspect(connection)
    for schema in RESTRICTED_SCHEMAS:
        for table in inspector.get_table_names(schema=schema):
            _create_restricted_view(connection, schema, table)


def drop_access_views(connection: Connection) -> None:
    """Drop the views over landing, quarantine and normalised; `create_access` makes them again."""
    views = text(
        "SELECT format('%I.%I', schemaname, viewname) FROM pg_catalog.pg_views "
        "WHERE schemaname = 'restricted' OR (schemaname, viewname) = ('quarantine', 'reasons')"
    )
    for view in list(connection.scalars(views)):
        connection.exec_driver_sql(f"DROP VIEW {view}".replace("%", "%%"))


def _create_restricted_view(connection: Connection, schema: str, table: str) -> None:
    """Make the view through which a table is read while its schema is open."""
    view = f"restricted.{quote(f'{schema}_{table}')}"
    rows = f"SELECT * FROM {schema}.{quote(table)} WHERE (SELECT restricted.require_open('{schema}'))"  # noqa: S608
    connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {view} WITH (security_barrier) AS {rows}")


def grant_access_roles(connection: Connection) -> None:
    """Let those who may be granted access open schemas and read the views."""
    roles = ", ".join(MAY_BE_GRANTED)
    connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA restricted TO {roles}")
    functions = "restricted.open(text, text), restricted.require_open(text)"
    connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION {functions} TO {roles}")


def grant_access(grantee: str, schema: str, reason: str, hours: float, granted_by: str) -> int:
    """Return the number of a new grant: this login may read this schema for so many hours.

    Raises:
        WarehouseError: the schema is not one that is granted, the time is too long, no reason is given, or the
            grantee is no engineer or auditor, or is an analyst.
    """
    if schema not in RESTRICTED_SCHEMAS:
        raise WarehouseError(f"access is granted to one of {', '.join(RESTRICTED_SCHEMAS)}")
    if not 0 < hours <= LONGEST_GRANT_HOURS:
        raise WarehouseError(f"access is granted for at most {LONGEST_GRANT_HOURS} hours")
    if not reason.strip():
        raise WarehouseError("access is granted for a reason")
    with transaction() as connection:
        _check_grantee(connection, grantee)
        now = func.clock_timestamp()
        row = {
            "grantee": grantee,
            "schema_name": schema,
            "reason": reason,
            "granted_by": granted_by,
            "granted_at": now,
            "expires_at": now + func.make_interval(0, 0, 0, 0, 0, 0, hours * 3600),
        }
        return int(
            connection.execute(
                insert(access_grant).values(row).returning(access_grant.c.grant_id)
            ).scalar_one()
        )


def _check_grantee(connection: Connection, grantee: str) -> None:
    """Refuse a grantee who does not log in as an engineer or an auditor."""
    login = text("SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = :name")
    if not connection.scalar(login, {"name": grantee}):
        raise WarehouseError("access is granted to a person's own login")
    held = {
        role
        for role in (*MAY_BE_GRANTED, ANALYST)
        if connection.scalar(select(func.pg_has_role(grantee, role, "member")))
    }
    if ANALYST in held or not held:
        raise WarehouseError(
            f"access is granted to members of {' or '.join(MAY_BE_GRANTED)}, never to analysts"
        )


def revoke_access(grant_id: int) -> bool:
    """Return whether a live grant was ended."""
    live = update(access_grant).where(
        access_grant.c.grant_id == grant_id,
        access_grant.c.revoked_at.is_(None),
        access_grant.c.expires_at > func.clock_timestamp(),
    )
    with transaction() as connection:
        return connection.execute(live.values(revoked_at=func.clock_timestamp())).rowcount > 0
