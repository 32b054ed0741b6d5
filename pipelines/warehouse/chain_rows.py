"""Keeping what a linkage run adds to its chain, and ending what no longer holds."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, text

from pipelines.link.incremental.rows import Difference
from pipelines.warehouse.bulk import load_arrow
from pipelines.warehouse.chains import Place
from pipelines.warehouse.linkage import edge_rows
from pipelines.warehouse.tables import cluster, cluster_summary, edge, record_state

CHAINED = (record_state, edge, cluster, cluster_summary)


def save_lineage(connection: Connection, place: Place, counts: Mapping[str, int]) -> None:
    """Say what a run stands on, after taking back whatever it wrote before: it may have been done already."""
    known = {"run": place.run_id}
    if connection.scalar(text("SELECT EXISTS (SELECT FROM linked.lineage WHERE run_id = :run)"), known):
        for table in CHAINED:
            connection.execute(text(f"DELETE FROM {table.fullname} WHERE run_id = :run"), known)  # noqa: S608
            connection.execute(
                text(f"UPDATE {table.fullname} SET until_run = NULL WHERE until_run = :run"),  # noqa: S608
                known,
            )
    connection.execute(
        text("""
            INSERT INTO linked.lineage (run_id, chain_run, base_run, model_version, method, counts)
            VALUES (:run, :chain, :base, :version, :method, CAST(:counts AS jsonb))
            ON CONFLICT (run_id) DO UPDATE
            SET chain_run = excluded.chain_run, base_run = excluded.base_run, method = excluded.method,
                model_version = excluded.model_version, counts = excluded.counts
        """),
        {
            **known,
            "chain": place.chain_run,
            "base": place.base and place.base.run_id,
            "version": place.model_version,
            "method": place.method,
            "counts": json.dumps(dict(counts)),
        },
    )


def save_edges(connection: Connection, place: Place, found: Difference) -> None:
    """Keep the pairs that a run compared, and end those that hold no more; what turned is told anew."""
    _end_pairs(connection, place, found.ended_edges)
    _turn_pairs(connection, place, found.turned_edges)
    load_arrow(connection, edge, _placed(place, edge_rows(place.model_version, found.edges)))
    connection.exec_driver_sql("ANALYZE linked.edge")


def save_clusters(connection: Connection, place: Place, found: Difference) -> None:
    """Keep the records, clusters and summaries of a run, and end those that hold no more."""
    _end(connection, place, "record", "record_id", found.ended_records)
    _end(connection, place, "cluster", "record_id", found.ended_clusters)
    _end(connection, place, "cluster_summary", "cluster_id", found.ended_summaries)
    load_arrow(connection, record_state, _placed(place, found.records))
    load_arrow(connection, cluster, _placed(place, found.clusters))
    load_arrow(connection, cluster_summary, _placed(place, found.summaries))
    for table in (record_state, cluster, cluster_summary):
        connection.exec_driver_sql(f"ANALYZE {table.fullname}")


def _placed(place: Place, rows: pa.Table) -> pa.Table:
    """Return the rows with the run and the chain that they belong to."""
    for name, number in (("run_id", place.run_id), ("chain_run", place.chain_run)):
        rows = rows.append_column(name, pa.array(np.full(rows.num_rows, number), pa.int64()))
    return rows


def _end(connection: Connection, place: Place, table: str, column: str, ids: pa.Array) -> None:
    if not len(ids):
        return
    connection.execute(
        text(f"""
            UPDATE linked.{table} SET until_run = :run
            FROM unnest(CAST(:ids AS uuid[])) AS ended (id)
            WHERE chain_run = :chain AND until_run IS NULL AND run_id < :run AND {column} = ended.id
        """),  # noqa: S608 - names of our own
        {"run": place.run_id, "chain": place.chain_run, "ids": ids.to_pylist()},
    )


def _end_pairs(connection: Connection, place: Place, pairs: pa.Table) -> None:
    if pairs.num_rows:
        connection.execute(text(_ENDING), _of_pairs(place, pairs))


def _turn_pairs(connection: Connection, place: Place, pairs: pa.Table) -> None:
    if pairs.num_rows:
        values = {**_of_pairs(place, pairs), "links": pairs["is_link"].to_pylist()}
        connection.execute(text(_TURNING), values)


def _of_pairs(place: Place, pairs: pa.Table) -> dict[str, object]:
    return {
        "run": place.run_id,
        "chain": place.chain_run,
        "a": pairs["record_a"].to_pylist(),
        "b": pairs["record_b"].to_pylist(),
    }


_ENDING = """
    UPDATE linked.edge e SET until_run = :run
    FROM unnest(CAST(:a AS uuid[]), CAST(:b AS uuid[])) AS ended (a, b)
    WHERE e.chain_run = :chain AND e.until_run IS NULL AND e.record_a = ended.a AND e.record_b = ended.b
"""

_TURNING = """
    WITH turned AS (
        SELECT * FROM unnest(CAST(:a AS uuid[]), CAST(:b AS uuid[]), CAST(:links AS boolean[])) AS t (a, b, is_link)
    ), ended AS (
        UPDATE linked.edge e SET until_run = :run FROM turned
        WHERE e.chain_run = :chain AND e.until_run IS NULL AND e.record_a = turned.a AND e.record_b = turned.b
        RETURNING e.record_a, e.record_b, e.model_version, e.match_weight, e.match_probability, e.levels,
                  e.is_barred, turned.is_link
    )
    INSERT INTO linked.edge (run_id, chain_run, record_a, record_b, model_version, match_weight,
                             match_probability, levels, is_barred, is_link)
    SELECT :run, :chain, record_a, record_b, model_version, match_weight, match_probability, levels, is_barred,
           is_link
    FROM ended
"""


def save_alone(
    connection: Connection, place: Place, alone: frozenset[str], needing_attention: frozenset[str]
) -> None:
    """Give each record that stands alone a cluster of its own, and end those of records that do no more."""
    values = {
        "run": place.run_id,
        "chain": place.chain_run,
        "alone": sorted(alone),
        "marked": sorted(alone & needing_attention),
    }
    for statement in _ALONE:
        connection.execute(text(statement), values)


# Records that were alone before are those that have a cluster without being linked.
_WERE_ALONE = """
    SELECT c.record_id FROM linked.cluster c
    WHERE c.chain_run = :chain AND c.until_run IS NULL AND c.run_id < :run AND NOT EXISTS (
        SELECT FROM linked.record r
        WHERE r.chain_run = :chain AND r.record_id = c.record_id
          AND (r.until_run IS NULL OR r.until_run = :run) AND r.run_id < :run)
"""
_ALONE = (
    f"""
    CREATE TEMP TABLE were_alone ON COMMIT DROP AS {_WERE_ALONE}
    """,
    """
    UPDATE linked.cluster c SET until_run = :run FROM were_alone w
    WHERE c.chain_run = :chain AND c.until_run IS NULL AND c.run_id < :run AND c.record_id = w.record_id
      AND c.record_id <> ALL(CAST(:alone AS uuid[]))
    """,
    """
    UPDATE linked.cluster_summary s SET until_run = :run FROM were_alone w
    WHERE s.chain_run = :chain AND s.until_run IS NULL AND s.run_id < :run AND s.cluster_id = w.record_id
      AND (s.cluster_id <> ALL(CAST(:alone AS uuid[]))
           OR s.needs_attention <> (s.cluster_id = ANY(CAST(:marked AS uuid[]))))
    """,
    """
    INSERT INTO linked.cluster (run_id, chain_run, record_id, cluster_id)
    SELECT :run, :chain, id, id FROM unnest(CAST(:alone AS uuid[])) AS a (id)
    WHERE id NOT IN (SELECT record_id FROM were_alone)
    """,
    """
    INSERT INTO linked.cluster_summary (run_id, chain_run, cluster_id, records, density, was_cut, is_contested,
                                        needs_attention)
    SELECT :run, :chain, id, 1, 1, false, false, id = ANY(CAST(:marked AS uuid[]))
    FROM unnest(CAST(:alone AS uuid[])) AS a (id)
    WHERE NOT EXISTS (
        SELECT FROM linked.cluster_summary s
        WHERE s.chain_run = :chain AND s.until_run IS NULL AND s.cluster_id = id)
    """,
    "DROP TABLE were_alone",
)
