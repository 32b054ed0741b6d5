"""The rows of `publication.person_successor`: where the pseudonyms lead that earlier releases showed.

The ledger keeps one step for each merge; here all steps up to the run are taken at once. Left out is whoever ever
held a sealed record, at either end: that two people are one may be known through that record only.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from pipelines.identity.protection import EVER_SEALED
from pipelines.identity.runs import LinkRun
from pipelines.keys import PERSON
from pipelines.publish.working import name_all

_TABLES = (
    """CREATE TEMP TABLE retired_person (person_id uuid PRIMARY KEY, living_id uuid NOT NULL,
        retired_run bigint NOT NULL) ON COMMIT DROP""",
    "CREATE TEMP TABLE retired_name_of (id uuid PRIMARY KEY, pseudonym text NOT NULL) ON COMMIT DROP",
)

# A step counts from the run that merged the person. It may have been retired before, with all its records gone, and
# ledgers from before changes were kept know that run only. Where a line ends in the release, that person lives.
_RETIRED = text(f"""
    INSERT INTO retired_person (person_id, living_id, retired_run)
    WITH RECURSIVE sealed AS (
        {EVER_SEALED}
    ), step AS (
        SELECT p.person_id, p.successor_id, coalesce(c.run_id, p.retired_run) AS run_id
        FROM identity.person p
        LEFT JOIN (SELECT person_id, max(run_id) AS run_id FROM identity.change
                   WHERE kind = 'MERGED' GROUP BY person_id) AS c USING (person_id)
        WHERE p.successor_id IS NOT NULL AND coalesce(c.run_id, p.retired_run) <= :run_id
    ), line AS (
        SELECT person_id AS retired_id, successor_id AS reached_id, run_id FROM step
        UNION
        SELECT l.retired_id, s.successor_id, l.run_id FROM line l JOIN step s ON s.person_id = l.reached_id
    ), shown AS (
        SELECT DISTINCT m.person_id
        FROM publication.release r
        JOIN identity.membership m ON m.valid_from_run <= r.link_run_id
         AND (m.valid_to_run IS NULL OR m.valid_to_run > r.link_run_id)
        JOIN step s ON s.person_id = m.person_id
        WHERE r.published_at IS NOT NULL
    )
    SELECT l.retired_id, l.reached_id, l.run_id
    FROM line l
    JOIN person_name_of living ON living.id = l.reached_id
    JOIN shown ON shown.person_id = l.retired_id
    WHERE l.retired_id NOT IN (SELECT person_id FROM sealed)
      AND l.reached_id NOT IN (SELECT person_id FROM sealed)
""")  # noqa: S608 - a query of our own

_INSERT = text("""
    INSERT INTO publication.person_successor (release_id, as_of, retired_pseudonym, living_pseudonym, retired_on)
    SELECT :release_id, :as_of, retired.pseudonym, living.pseudonym,
           (coalesce(a.finished_at, a.started_at) AT TIME ZONE 'UTC')::date
    FROM retired_person p
    JOIN retired_name_of retired ON retired.id = p.person_id
    JOIN person_name_of living ON living.id = p.living_id
    JOIN audit.run a ON a.run_id = p.retired_run
""")


def insert_successors(connection: Connection, release_id: int, run: LinkRun) -> int:
    """Return how many retired pseudonyms lead to a person of the release, after writing one row for each."""
    for statement in _TABLES:
        connection.exec_driver_sql(statement)
    connection.execute(_RETIRED, {"run_id": run.run_id})
    name_all(connection, PERSON, "SELECT person_id AS id FROM retired_person", "retired_name_of")
    return connection.execute(_INSERT, {"release_id": release_id, "as_of": run.as_of}).rowcount
