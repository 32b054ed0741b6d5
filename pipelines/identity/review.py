"""The review queue of a linkage run: which uncertain pairs a person should look at, the weightiest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Row, text

from pipelines.link.clusters.bridges import smaller_sides
from pipelines.link.clusters.inputs import Codes
from pipelines.link.engines.base import weight_of
from pipelines.link.judged import UNSURE, Ruling
from pipelines.link.review import (
    KINDS,
    LEAST_PROBABILITY,
    SURE_PROBABILITY,
    Ranked,
    Uncertain,
    rank_pairs,
)
from pipelines.settings import load_settings
from pipelines.warehouse.bulk import replace_rows
from pipelines.warehouse.tables import review_pair

Rows = Sequence[Row[Any]]

_UNCERTAIN = text("""
    WITH unsure AS (
        SELECT * FROM unnest(CAST(:unsure_a AS uuid[]), CAST(:unsure_b AS uuid[])) AS u (record_a, record_b)
    )
    SELECT CAST(e.record_a AS text) AS a, CAST(e.record_b AS text) AS b, e.match_weight, e.match_probability,
           e.is_link, CAST(ca.cluster_id AS text) AS cluster, CAST(cb.cluster_id AS text) AS other_cluster,
           ca.cluster_id = cb.cluster_id AS together,
           sa.records AS records_a, sb.records AS records_b, ra.agency <> rb.agency AS across
    FROM linked.edge_of(:run_id) e
    JOIN linked.cluster_of(:run_id) ca ON ca.record_id = e.record_a
    JOIN linked.cluster_of(:run_id) cb ON cb.record_id = e.record_b
    JOIN linked.cluster_summary_of(:run_id) sa ON sa.cluster_id = ca.cluster_id
    JOIN linked.cluster_summary_of(:run_id) sb ON sb.cluster_id = cb.cluster_id
    JOIN identity.record ra ON ra.record_id = e.record_a
    JOIN identity.record rb ON rb.record_id = e.record_b
    WHERE NOT e.is_barred AND CASE WHEN e.is_link THEN e.match_probability < :sure
                                   ELSE e.match_probability >= :least END
       OR (e.record_a, e.record_b) IN (SELECT record_a, record_b FROM unsure)
    ORDER BY e.record_a, e.record_b
""")

_LINKS = text("""
    SELECT CAST(e.record_a AS text), CAST(e.record_b AS text)
    FROM linked.edge_of(:run_id) e JOIN linked.cluster_of(:run_id) c ON c.record_id = e.record_a
    WHERE e.is_link AND c.cluster_id = ANY(CAST(:clusters AS uuid[]))
""")


@dataclass(frozen=True)
class ReviewPair:
    """A pair to look at; `is_unsure` says that somebody looked, and could not tell."""

    rank: int
    why: str
    records: int
    match_weight: float
    match_probability: float
    record_a: str
    record_b: str
    is_unsure: bool


def fill_review_queue(
    connection: Connection, run_id: int, rulings: Iterable[Ruling], link_probability: float
) -> int:
    """Return how many uncertain pairs of a run now stand in its queue, in the place of those from before.

    A pair that was judged is not among them, unless people are unsure of it.

    Args:
        connection: with the run's edges, clusters and records in its transaction.
        run_id: a linkage run.
        rulings: what people decided.
        link_probability: the join threshold of the run's model.
    """
    decided = {(each.record_a, each.record_b): each.verdict for each in rulings}
    unsure = [pair for pair, verdict in decided.items() if verdict == UNSURE]
    values = {
        "run_id": run_id,
        "least": LEAST_PROBABILITY,
        "sure": SURE_PROBABILITY,
        "unsure_a": [a for a, _ in unsure],
        "unsure_b": [b for _, b in unsure],
    }
    found = connection.execute(_UNCERTAIN, values).all()
    open_pairs = _one_between_two(
        [row for row in found if decided.get((row.a, row.b), UNSURE) == UNSURE], set(unsure)
    )
    uncertain = _as_arrays(open_pairs, _sides(connection, run_id, open_pairs))
    ranked = rank_pairs(uncertain, weight_of(link_probability), load_settings().review_pairs)
    return replace_rows(connection, review_pair, {"run_id": run_id}, _as_table(run_id, open_pairs, ranked))


def _one_between_two(rows: Rows, unsure: set[tuple[str, str]]) -> Rows:
    """Return the rows with the heaviest pair only between any two clusters: one answer settles them all.

    Pairs that people are unsure of stay.
    """
    heaviest: dict[tuple[str, str], Row[Any]] = {}
    for row in rows:
        between = min(row.cluster, row.other_cluster), max(row.cluster, row.other_cluster)
        if not row.together and (
            between not in heaviest or row.match_weight > heaviest[between].match_weight
        ):
            heaviest[between] = row
    chosen = {(row.a, row.b) for row in heaviest.values()} | unsure
    return [row for row in rows if row.together or (row.a, row.b) in chosen]


def _as_arrays(rows: Rows, sides: Codes) -> Uncertain:
    return Uncertain(
        weight=np.array([row.match_weight for row in rows], dtype=np.float64),
        is_link=np.array([row.is_link for row in rows], dtype=bool),
        smaller_side=sides,
        together=np.array([row.together for row in rows], dtype=bool),
        records_a=np.array([row.records_a for row in rows], dtype=np.int64),
        records_b=np.array([row.records_b for row in rows], dtype=np.int64),
        across=np.array([row.across for row in rows], dtype=bool),
    )


def _sides(connection: Connection, run_id: int, rows: Rows) -> Codes:
    """Return for each pair how many records the smaller side has if it is a bridge of its cluster, else 0."""
    side = _bridges(connection, run_id, sorted({row.cluster for row in rows if row.is_link}))
    return np.array([side[row.a, row.b] if row.is_link else 0 for row in rows], dtype=np.int32)


def _bridges(connection: Connection, run_id: int, clusters: list[str]) -> dict[tuple[str, str], int]:
    """Return for each link of these clusters how many records its smaller side has; 0 if it is no bridge."""
    links = connection.execute(_LINKS, {"run_id": run_id, "clusters": clusters}).all()
    a, b = [str(link[0]) for link in links], [str(link[1]) for link in links]
    place = {record: at for at, record in enumerate(dict.fromkeys([*a, *b]))}
    smaller = smaller_sides(
        len(place), *(np.array([place[each] for each in ends], dtype=np.int64) for ends in (a, b))
    )
    return dict(zip(zip(a, b, strict=True), smaller.tolist(), strict=True))


def _as_table(run_id: int, rows: Rows, ranked: Ranked) -> pa.Table:
    chosen = [rows[at] for at in ranked.rows]
    return pa.table(
        {
            "run_id": pa.array([run_id] * len(chosen), pa.int64()),
            "record_a": pa.array([row.a for row in chosen], pa.string()),
            "record_b": pa.array([row.b for row in chosen], pa.string()),
            "rank": pa.array(range(1, len(chosen) + 1), pa.int32()),
            "why": pa.array([KINDS[why] for why in ranked.why], pa.string()),
            "records": pa.array(ranked.records, pa.int32()),
            "match_weight": pa.array([row.match_weight for row in chosen], pa.float64()),
            "match_probability": pa.array([row.match_probability for row in chosen], pa.float64()),
        }
    )


def review_queue(connection: Connection, run_id: int, rulings: Iterable[Ruling]) -> list[ReviewPair]:
    """Return the pairs of a run's queue that are still open; what was judged since then is left out."""
    decided = {(each.record_a, each.record_b): each.verdict for each in rulings}
    rows = connection.execute(
        text("""
            SELECT rank, why, records, match_weight, match_probability,
                   CAST(record_a AS text) AS record_a, CAST(record_b AS text) AS record_b
            FROM identity.review_pair WHERE run_id = :run_id ORDER BY rank
        """),
        {"run_id": run_id},
    )
    verdicts = [(row._mapping, decided.get((row.record_a, row.record_b))) for row in rows]
    return [
        ReviewPair(**row, is_unsure=verdict == UNSURE)
        for row, verdict in verdicts
        if verdict in (None, UNSURE)
    ]
