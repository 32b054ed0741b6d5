"""The rows of `publication.person_change`: what the runs since the live release changed between two people.

Nothing is told of whoever ever held a sealed record. A cause that says that a record was protected or deleted is
told as that record having vanished, which is what anybody sees of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from pipelines.identity.protection import EVER_SEALED
from pipelines.identity.runs import LinkRun
from pipelines.keys import PERSON
from pipelines.publish.working import name_all

TOLD_CAUSE = "CASE WHEN c.cause IN ('PROTECTION', 'PURGE') THEN 'VANISHED_DATA' ELSE c.cause END"

_TABLES = (
    """CREATE TEMP TABLE told_change (run_id bigint NOT NULL, kind text NOT NULL, cause text NOT NULL,
        person_id uuid NOT NULL, other_id uuid, records bigint NOT NULL) ON COMMIT DROP""",
    "CREATE TEMP TABLE changed_name_of (id uuid PRIMARY KEY, pseudonym text NOT NULL) ON COMMIT DROP",
)

# A record that joins one person from another is told of once, though it left there too.
_TELL = text(f"""
    INSERT INTO told_change (run_id, kind, cause, person_id, other_id, records)
    WITH sealed AS MATERIALIZED ({EVER_SEALED})
    SELECT run_id, kind, cause, person_id, other_id, sum(records)
    FROM (SELECT c.run_id, {TOLD_CAUSE} AS cause, c.person_id, c.other_person_id AS other_id, c.records,
                 CASE WHEN c.kind = 'JOINED' AND c.other_person_id IS NOT NULL THEN 'MOVED' ELSE c.kind END AS kind
          FROM identity.change c
          WHERE c.run_id > :since_run AND c.run_id <= :run_id
            AND NOT (c.kind = 'LEFT' AND c.other_person_id IS NOT NULL)) AS told
    WHERE person_id NOT IN (SELECT s.person_id FROM sealed s)
      AND (other_id IS NULL OR other_id NOT IN (SELECT s.person_id FROM sealed s))
    GROUP BY run_id, kind, cause, person_id, other_id
""")  # noqa: S608 - queries of our own

_BETWEEN_TWO = "c.kind IN ('MERGED', 'SPLIT', 'MOVED')"
_NAMED = f"""
    SELECT c.person_id AS id FROM told_change c WHERE {_BETWEEN_TWO}
    UNION SELECT c.other_id FROM told_change c WHERE {_BETWEEN_TWO}
"""  # noqa: S608 - constants of this module

_INSERT = text(f"""
    INSERT INTO publication.person_change (
        release_id, as_of, change_number, changed_on, kind, person_pseudonym, other_pseudonym, records, cause,
        since_release)
    SELECT :release_id, :as_of,
           row_number() OVER (
               ORDER BY c.run_id, c.kind COLLATE "C", p.pseudonym COLLATE "C", o.pseudonym COLLATE "C", c.cause),
           (coalesce(a.finished_at, a.started_at) AT TIME ZONE 'UTC')::date,
           c.kind, p.pseudonym, o.pseudonym, c.records, c.cause, :since_release
    FROM told_change c
    JOIN changed_name_of p ON p.id = c.person_id
    JOIN changed_name_of o ON o.id = c.other_id
    JOIN audit.run a USING (run_id)
    WHERE {_BETWEEN_TWO}
""")  # noqa: S608 - constants of this module

_LIVE = text(
    "SELECT release_id, link_run_id FROM publication.release WHERE status = 'LIVE' AND link_run_id > 0"
)


@dataclass(frozen=True)
class Since:
    """The release that analysts have now, and the linkage run that it was built from."""

    release_id: int
    link_run_id: int


def release_before(connection: Connection) -> Since | None:
    """Return what the changes of a new release are counted from; None when nothing was published yet."""
    row = connection.execute(_LIVE).one_or_none()
    return None if row is None else Since(row.release_id, row.link_run_id)


def insert_changes(connection: Connection, release_id: int, run: LinkRun, since: Since | None) -> int:
    """Return how many changes between two people were written; `told_change` then holds those of all kinds."""
    for statement in _TABLES:
        connection.exec_driver_sql(statement)
    if since is None:
        return 0
    connection.execute(_TELL, {"since_run": since.link_run_id, "run_id": run.run_id})
    name_all(connection, PERSON, _NAMED, "changed_name_of")
    values = {"release_id": release_id, "as_of": run.as_of, "since_release": since.release_id}
    return connection.execute(_INSERT, values).rowcount
