"""Forgetting purged records in `linked.*`: their rows go, and clusters that bore their id get another name.

A run finds out that a component lost a record by what the run before left of it. So the rows on which the next run
goes on stay until it has; everything else about a purged record goes at once. Nothing of other records is lost.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

# Rows on which the next run goes on: those that hold in the chain where the ledger stands.
_HOLDS = "({row}.chain_run = f.chain_run AND {row}.until_run IS NULL)"

_FORGOTTEN = f"""
    CREATE TEMP TABLE forgotten ON COMMIT DROP AS
    WITH standing AS (
        SELECT l.chain_run FROM linked.lineage l JOIN audit.run r USING (run_id)
        ORDER BY r.period DESC, l.run_id DESC LIMIT 1
    ), purged AS (
        SELECT record_id, max(after_run) AS after_run FROM identity.purge GROUP BY record_id
    )
    SELECT f.* FROM (SELECT p.record_id, p.after_run, s.chain_run FROM purged p CROSS JOIN standing s) AS f
    WHERE EXISTS (SELECT FROM linked.cluster c
                  WHERE c.record_id = f.record_id AND c.run_id <= f.after_run AND NOT {_HOLDS.format(row="c")})
       OR EXISTS (SELECT FROM linked.cluster c
                  WHERE c.cluster_id = f.record_id AND c.run_id <= f.after_run AND NOT {_HOLDS.format(row="c")})
       OR EXISTS (SELECT FROM linked.record r
                  WHERE r.record_id = f.record_id AND r.run_id <= f.after_run AND NOT {_HOLDS.format(row="r")})
"""  # noqa: S608 - conditions of our own

_DELETE = """
    DELETE FROM linked.{table} t USING forgotten f
    WHERE t.{column} = f.record_id AND t.run_id <= f.after_run AND NOT {holds}
"""

# The name is drawn, not derived: nobody can find out from it which record the cluster bore the id of. A cluster
# that some run still holds under the id, or that was named so after the purge, keeps its name.
_RENAMED = f"""
    CREATE TEMP TABLE renamed ON COMMIT DROP AS
    SELECT f.record_id AS name, gen_random_uuid() AS other FROM forgotten f
    WHERE NOT EXISTS (SELECT FROM linked.cluster c
                      WHERE c.cluster_id = f.record_id AND (c.run_id > f.after_run OR {_HOLDS.format(row="c")}))
      AND NOT EXISTS (SELECT FROM linked.cluster_summary s
                      WHERE s.cluster_id = f.record_id AND (s.run_id > f.after_run OR {_HOLDS.format(row="s")}))
"""  # noqa: S608 - conditions of our own

_RENAME = (
    "DELETE FROM linked.cluster_summary s USING renamed r WHERE s.cluster_id = r.name AND s.records = 1",
    "UPDATE linked.cluster c SET cluster_id = r.other FROM renamed r WHERE c.cluster_id = r.name",
    "UPDATE linked.cluster_summary s SET cluster_id = r.other FROM renamed r WHERE s.cluster_id = r.name",
)
_PLACES = (("edge", "record_a"), ("edge", "record_b"), ("record", "record_id"), ("cluster", "record_id"))


def forget_purged(connection: Connection) -> int:
    """Return how many rows of `linked.*` about purged records were deleted; call it after a purge and a run."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS pg_temp.forgotten, pg_temp.renamed")
    connection.execute(text(_FORGOTTEN))
    if not connection.scalar(text("SELECT EXISTS (SELECT FROM forgotten)")):
        return 0
    deleted = 0
    for table, column in _PLACES:
        statement = _DELETE.format(table=table, column=column, holds=_HOLDS.format(row="t"))
        deleted += connection.execute(text(statement)).rowcount
    connection.execute(text(_RENAMED))
    for statement in _RENAME:
        connection.execute(text(statement))
    return deleted
