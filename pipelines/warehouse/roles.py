"""Who may read what: the roles, and the grants of the design's table.

No role of a person owns anything. `joinedup_owner` owns every object and cannot log in; the pipeline's login is its
member and works as it from the first statement on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy import Connection, text

from pipelines.warehouse.engine import PIPELINE
from pipelines.warehouse.metadata import SCHEMAS, quote

OWNER = "joinedup_owner"
ENGINEER = "joinedup_engineer"
LINKAGE = "joinedup_linkage"
ANALYST = "joinedup_analyst"
AUDITOR = "joinedup_auditor"

ROLES: Mapping[str, str] = {
    OWNER: "Owns the warehouse; nobody logs in as it.",
    ENGINEER: "Data engineers: reason codes of quarantined rows.",
    LINKAGE: "Services that link: normalised records, edges, clusters and persons. No person logs in with it.",
    ANALYST: "Analysts: the published views and nothing else.",
    AUDITOR: "Auditors: runs, reports, link evidence, accesses.",
}
READERS = (ENGINEER, LINKAGE, ANALYST, AUDITOR)
# The roles of people. What the linkage role reads, a person reads by a logged grant only (see `access`).
PEOPLE = (ANALYST, AUDITOR, ENGINEER)

log = logging.getLogger(__name__)

# Schema -> who reads every table and view in it.
SCHEMA_READERS: Mapping[str, tuple[str, ...]] = {
    "normalised": (LINKAGE,),
    "linked": (LINKAGE,),
    "identity": (LINKAGE,),
    "published": (ANALYST,),
    "audit": (AUDITOR,),
}

# Single relations: the auditor reads link evidence, but neither term frequencies, which are names, nor who is
# protected, nor the reason of a judgement or a purge, in which people may write what they know about somebody; the
# engineer reads why rows were set aside, not the rows.
RELATION_GRANTS: tuple[tuple[str, str], ...] = (
    ("SELECT (model_version, name, definition, training, created_at) ON linked.model", AUDITOR),
    ("SELECT ON linked.edge, linked.cluster, linked.cluster_summary, linked.lineage", AUDITOR),
    # Which records a run linked, not the hashes of what they hold.
    ("SELECT (run_id, chain_run, until_run, record_id) ON linked.record", AUDITOR),
    ("SELECT ON identity.record, identity.person, identity.membership, identity.change", AUDITOR),
    ("SELECT ON identity.ledger_run, identity.change_summary", AUDITOR),
    ("EXECUTE ON FUNCTION identity.membership_as_of(date), identity.person_as_of(date)", AUDITOR),
    ("EXECUTE ON FUNCTION identity.living_person(uuid)", AUDITOR),
    ("EXECUTE ON FUNCTION identity.living_person(uuid)", LINKAGE),
    ("SELECT ON identity.review_pair", AUDITOR),
    (
        "SELECT (judgement_id, verdict, records, scope, decided_by, decided_at, expires_at) ON identity.judgement",
        AUDITOR,
    ),
    (
        "SELECT (purge_id, record_id, purged_at, requested_by, after_run, until_period) ON identity.purge",
        AUDITOR,
    ),
    ("SELECT ON quarantine.reasons", ENGINEER),
    ("SELECT ON quarantine.reasons", AUDITOR),
)
EXTRA_USAGE: tuple[tuple[str, str], ...] = (
    ("linked", AUDITOR),
    ("identity", AUDITOR),
    ("quarantine", ENGINEER),
    ("quarantine", AUDITOR),
    ("restricted", ENGINEER),
    ("restricted", AUDITOR),
)

# Functions on large objects are open to everyone by default: a place to carry rows away through.
LARGE_OBJECT_FUNCTIONS = (
    *("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)", "lo_get(oid)"),
    *(
        "lo_get(oid, bigint, integer)",
        "lo_put(oid, bigint, bytea)",
        "lo_open(oid, integer)",
        "lo_unlink(oid)",
    ),
    *("loread(integer, integer)", "lowrite(integer, bytea)", "lo_lseek(integer, integer, integer)"),
    *("lo_tell(integer)", "lo_truncate(integer, integer)", "lo_close(integer)"),
)


def create_roles(connection: Connection) -> None:
    """Make the roles that are missing; several databases of one server may do so at once."""
    for role, comment in ROLES.items():
        _create_role(connection, role, "NOLOGIN", comment)
    if not connection.scalar(text("SELECT pg_has_role(current_user, :owner, 'SET')"), {"owner": OWNER}):
        connection.exec_driver_sql(f"GRANT {OWNER} TO CURRENT_USER")


def create_embedded_logins(connection: Connection) -> None:
    """Make the logins of the embedded server: the pipeline's, and one for a person's session as each role."""
    _create_role(connection, PIPELINE, "LOGIN", "The pipeline's login; works as joinedup_owner.")
    connection.exec_driver_sql(f"GRANT {OWNER} TO {PIPELINE}")
    connection.exec_driver_sql(f"ALTER ROLE {PIPELINE} SET role = '{OWNER}'")
    connection.exec_driver_sql(f"DROP ROLE IF EXISTS {session_login(LINKAGE)}")  # earlier versions made it
    for role in PEOPLE:
        login = session_login(role)
        _create_role(connection, login, "LOGIN", f"A person's session as {role}.")
        connection.exec_driver_sql(f"GRANT {role} TO {login}")
        connection.exec_driver_sql(f"ALTER ROLE {login} SET search_path = published")


def session_login(role: str) -> str:
    """Return the embedded server's login for a person's session as a role."""
    return f"{role}_session"


def _create_role(connection: Connection, role: str, login: str, comment: str) -> None:
    """Make a role unless it is there; another database of the server may be making it at the same moment."""
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
        return
    literal = comment.replace("'", "''")
    connection.exec_driver_sql(
        f"DO $$ BEGIN CREATE ROLE {role} {login}; COMMENT ON ROLE {role} IS '{literal}'; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def work_as_owner(connection: Connection, login: str) -> None:
    """Have each later session of a login in this database begin as the owner of its objects."""
    database = quote(str(connection.scalar(text("SELECT current_database()"))))
    connection.exec_driver_sql(f"ALTER ROLE {quote(login)} IN DATABASE {database} SET role = '{OWNER}'")


def secure_database(connection: Connection) -> None:
    """Close what PostgreSQL opens to everyone in a new database; needs its owner, and a superuser for the rest."""
    database = quote(str(connection.scalar(text("SELECT current_database()"))))
    connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {database} TO {', '.join(READERS)}")
    connection.exec_driver_sql(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {OWNER}")
    if connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        functions = ", ".join(f"pg_catalog.{signature}" for signature in LARGE_OBJECT_FUNCTIONS)
        connection.exec_driver_sql(f"REVOKE EXECUTE ON FUNCTION {functions} FROM PUBLIC")
        connection.exec_driver_sql("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.exec_driver_sql("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")
        connection.exec_driver_sql(f"GRANT USAGE ON LANGUAGE plpgsql TO {OWNER}")
    else:
        log.warning("only a superuser can close large objects, schema public and plpgsql to everyone")


def grant_readers(connection: Connection) -> None:
    """Grant what the design's table grants, and take back everything else that the readers had."""
    everyone = ", ".join(("PUBLIC", *READERS))
    for schema in SCHEMAS:
        connection.exec_driver_sql(f"REVOKE ALL ON SCHEMA {schema} FROM {everyone}")
        for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            connection.exec_driver_sql(f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM {everyone}")
    connection.exec_driver_sql(
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
    )
    for schema, readers in SCHEMA_READERS.items():
        to = ", ".join(readers)
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {to}")
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {to}")
        connection.exec_driver_sql(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {to}"
        )
    for schema, role in EXTRA_USAGE:
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    for what, role in RELATION_GRANTS:
        connection.exec_driver_sql(f"GRANT {what} TO {role}")
