"""Finding who is affected by a run, in SQL: records whose person is not exactly one cluster, before and after.

People who are a cluster as they are, which is nearly all of them after a small delta, are never loaded. The rest
stands in the temporary table `affected`, where records, people and clusters have codes.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from pipelines.identity.causes import Facts
from pipelines.identity.deciding import Links
from pipelines.identity.succession import Situation
from pipelines.warehouse.numbers import INTEGER, REAL, read_numbers

# Everybody, and what the run found of everybody.
_ALL = """
    held AS MATERIALIZED (
        SELECT record_id, person_id FROM identity.membership WHERE valid_to_run IS NULL
    ), found AS MATERIALIZED (
        SELECT record_id, cluster_id FROM linked.cluster_of(:run_id)
    )
"""
# A run that goes on from the one before tells whose clusters are others than they were. With everybody who was one
# person with them they are in some clusters now; who is in these, and who was one person with those, are a world of
# their own. All others are what they were: none of their records is in another cluster than before.
_OF_THE_DIFFERENCE = """
    differing AS MATERIALIZED (
        SELECT record_id FROM linked.cluster WHERE run_id = :run_id
        UNION SELECT record_id FROM linked.cluster WHERE until_run = :run_id
    ), beside AS MATERIALIZED (
        SELECT record_id FROM identity.membership
        WHERE valid_to_run IS NULL AND person_id IN (
            SELECT m.person_id FROM identity.membership m JOIN differing USING (record_id)
            WHERE m.valid_to_run IS NULL)
        UNION SELECT record_id FROM differing
    ), found AS MATERIALIZED (
        SELECT record_id, cluster_id FROM linked.cluster_of(:run_id)
        WHERE cluster_id IN (
            SELECT c.cluster_id FROM linked.cluster_of(:run_id) c JOIN beside USING (record_id))
    ), held AS MATERIALIZED (
        SELECT record_id, person_id FROM identity.membership
        WHERE valid_to_run IS NULL AND person_id IN (
            SELECT m.person_id FROM identity.membership m
            WHERE m.valid_to_run IS NULL AND m.record_id IN (
                SELECT record_id FROM found UNION SELECT record_id FROM beside))
    )
"""
# A person is left alone if it shares as many records with one cluster as it has, and as the cluster has.
_TOUCHED = """
    CREATE TEMP TABLE touched ON COMMIT DROP AS
    WITH {scope}, alike AS (
        SELECT person_id
        FROM (SELECT person_id, cluster_id, count(*) AS records
              FROM held JOIN found USING (record_id) GROUP BY person_id, cluster_id) AS shared
        JOIN (SELECT person_id, count(*) AS records FROM held GROUP BY person_id) AS people
          USING (person_id, records)
        JOIN (SELECT cluster_id, count(*) AS records FROM found GROUP BY cluster_id) AS clusters
          USING (cluster_id, records)
    )
    SELECT record_id, h.person_id, f.cluster_id, h.person_id IS NOT NULL AS is_held
    FROM held h FULL JOIN found f USING (record_id)
    WHERE NOT EXISTS (SELECT FROM alike a WHERE a.person_id = h.person_id)
"""

# A record that comes back is whom it was last, or whom that person went into since.
_COMING_BACK = text("""
    WITH RECURSIVE last AS (
        SELECT DISTINCT ON (m.record_id) m.record_id, m.person_id
        FROM touched t JOIN identity.membership m USING (record_id)
        WHERE NOT t.is_held ORDER BY m.record_id, m.valid_from_run DESC
    ), line AS (
        SELECT record_id, person_id FROM last
        UNION ALL
        SELECT l.record_id, p.successor_id
        FROM line l JOIN identity.person p USING (person_id) WHERE p.successor_id IS NOT NULL
    )
    UPDATE touched t SET person_id = l.person_id
    FROM line l JOIN identity.person p USING (person_id)
    WHERE l.record_id = t.record_id AND p.successor_id IS NULL
""")

# Whom a record comes back to is affected too, though it may be a cluster as it is.
_WHOM_THEY_COME_BACK_TO = text("""
    INSERT INTO touched (record_id, person_id, cluster_id, is_held)
    SELECT m.record_id, m.person_id, c.cluster_id, true
    FROM identity.membership m JOIN linked.cluster_of(:run_id) c USING (record_id)
    WHERE m.valid_to_run IS NULL
      AND m.person_id IN (SELECT person_id FROM touched WHERE NOT is_held)
      AND NOT EXISTS (SELECT FROM touched t WHERE t.record_id = m.record_id)
""")

_AFFECTED = text("""
    CREATE TEMP TABLE affected ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY r.sequence) - 1 AS code, t.record_id, r.sequence, t.is_held,
           t.person_id, CASE WHEN t.person_id IS NULL THEN -1
                             ELSE dense_rank() OVER (ORDER BY t.person_id NULLS LAST) - 1 END AS person,
           CASE WHEN t.cluster_id IS NULL THEN -1
                ELSE dense_rank() OVER (ORDER BY t.cluster_id NULLS LAST) - 1 END AS cluster
    FROM touched t JOIN identity.record r USING (record_id)
""")

_RECORDS = "SELECT sequence, person, is_held::int AS is_held, cluster FROM affected ORDER BY code"
_PEOPLE = """
    SELECT p.created_run, (p.retired_run IS NOT NULL)::int AS is_retired
    FROM (SELECT DISTINCT person, person_id FROM affected WHERE person >= 0) AS a
    JOIN identity.person p USING (person_id) ORDER BY a.person
"""

_FACTS = """
    SELECT (a.is_held AND coalesce(now.content_hash <> past.content_hash, false))::int AS changed,
           (a.record_id IN (SELECT unnest(j.records) FROM identity.judgement j, since
                            WHERE j.decided_at >= since.moment
                               OR j.expires_at BETWEEN since.moment AND clock_timestamp()))::int AS judged,
           (a.record_id IN (SELECT n.record_id FROM identity.protection_notice n, since
                            WHERE n.level = 'SEALED' AND n.noticed_at >= since.moment))::int AS protected,
           (a.record_id IN (SELECT p.record_id FROM identity.purge p
                            WHERE p.after_run >= {previous}))::int AS purged
    FROM affected a
    LEFT JOIN linked.record_of({run}) AS now USING (record_id)
    LEFT JOIN linked.record_of({previous}) AS past USING (record_id)
    ORDER BY a.code
"""
_SINCE = "WITH since AS (SELECT started_at AS moment FROM audit.run WHERE run_id = {previous}) "

_LINKS = """
    SELECT a.code AS a, b.code AS b, e.match_weight AS weight
    FROM linked.edge_of({run}) AS e
    JOIN affected a ON a.record_id = e.record_a JOIN affected b ON b.record_id = e.record_b
    WHERE e.is_link
"""


@dataclass(frozen=True)
class Runs:
    """The run that is assigned, and the one that the ledger took people from before it, if any."""

    run_id: int
    previous: int | None

    @property
    def earlier(self) -> int:
        """The run before as a number; 0, which no run has, where there is none."""
        return self.previous or 0


def find_affected(connection: Connection, runs: Runs) -> Situation:
    """Return the situation of everybody whom the run affects; the temporary table `affected` has the codes."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS pg_temp.touched, pg_temp.affected")
    values = {"run_id": runs.run_id}
    scope = _OF_THE_DIFFERENCE if _goes_on(connection, runs) else _ALL
    connection.execute(text(_TOUCHED.format(scope=scope)), values)
    connection.exec_driver_sql("CREATE INDEX ON touched (record_id)")
    connection.exec_driver_sql("ANALYZE touched")
    connection.execute(_COMING_BACK)
    connection.execute(_WHOM_THEY_COME_BACK_TO, values)
    connection.execute(_AFFECTED)
    connection.exec_driver_sql("CREATE INDEX ON affected (record_id)")
    connection.exec_driver_sql("ANALYZE affected")
    records = read_numbers(
        connection, _RECORDS, dict.fromkeys(("sequence", "person", "is_held", "cluster"), INTEGER)
    )
    people = read_numbers(connection, _PEOPLE, dict.fromkeys(("created_run", "is_retired"), INTEGER))
    return Situation(
        person=records["person"],
        is_held=records["is_held"] > 0,
        cluster=records["cluster"],
        sequence=records["sequence"],
        created_run=people["created_run"],
        is_retired=people["is_retired"] > 0,
    )


def _goes_on(connection: Connection, runs: Runs) -> bool:
    """Return whether the run goes on from the very run that the ledger took people from before it."""
    query = text("SELECT base_run FROM linked.lineage WHERE run_id = :run_id")
    base = connection.scalar(query, {"run_id": runs.run_id})
    return base is not None and base == runs.previous


def read_facts(connection: Connection, runs: Runs) -> Facts:
    """Return what is known of each affected record since the run before.

    A run that says nothing of its records, from before that was kept, leaves them unchanged.
    """
    names = ("changed", "judged", "protected", "purged")
    query = (_SINCE + _FACTS).format(run=int(runs.run_id), previous=int(runs.earlier))
    found = read_numbers(connection, query, dict.fromkeys(names, INTEGER))
    return Facts(
        changed=found["changed"] > 0,
        judged=found["judged"] > 0,
        protected=found["protected"] > 0,
        purged=found["purged"] > 0,
        is_other_model=_is_other_model(connection, runs),
    )


def _is_other_model(connection: Connection, runs: Runs) -> bool:
    """Return whether another version of the model scored the run than the one before."""
    query = text("""
        SELECT count(DISTINCT model_version) > 1 FROM linked.lineage WHERE run_id IN (:run_id, :previous)
    """)
    return bool(connection.scalar(query, {"run_id": runs.run_id, "previous": runs.earlier}))


def read_links(connection: Connection, run_id: int) -> Links:
    """Return the links of a run between affected records, whatever it was that they joined."""
    columns = {"a": INTEGER, "b": INTEGER, "weight": REAL}
    found = read_numbers(connection, _LINKS.format(run=int(run_id)), columns)
    return Links(found["a"], found["b"], found["weight"])
