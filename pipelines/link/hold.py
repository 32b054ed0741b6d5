"""From edges to clusters: the join threshold chosen without labels, and clusters that hold under constraints."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pipelines.link.clusters import (
    Clusters,
    Constraints,
    Links,
    Settings,
    cluster_names,
    resolve,
    summarise,
    summary_table,
)
from pipelines.link.compare import Pairs
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import Engine, Scored, score_levels
from pipelines.link.features import Bools, Floats, Ints
from pipelines.link.forced import force, in_need_of_attention, source_of
from pipelines.link.fused.hashing import hash_strings
from pipelines.link.judged import Judged
from pipelines.link.thresholds.assess import Objective, choose_threshold, judge_threshold
from pipelines.link.thresholds.choose import Threshold
from pipelines.link.thresholds.edges import edges_of, weight_of
from pipelines.link.trained import JoinThreshold, TrainedModel

ORDER_SEED = 1
SILENT = 3.0
# Just above even odds: a silent pair neither objects nor lifts a mean.
WORD_OF_NONE = 1e-6


def choose_join(scored: Scored, data: LinkData, objective: Objective) -> tuple[Scored, Threshold]:
    """Return the scoring with a join threshold in its model, chosen without labels, and what is expected of it.

    The threshold becomes part of the model version: later runs link at the same posterior. A model that brings a
    threshold for the same objective keeps it.
    """
    join, found, edges = scored.trained.join, scored.found.scores, edges_of(scored)
    if join is not None and (join.objective, join.target) == (objective.name, objective.bound):
        accepted = found.total[found.probability >= join.probability]
        weight = min(weight_of(join.probability), float(accepted.min(initial=np.inf)))
        return scored, judge_threshold(edges, data, weight, objective)
    threshold = choose_threshold(edges, data, objective)
    posterior = found.probability[found.total >= threshold.weight]
    # The least accepted posterior, not the threshold's own: the same edges, whatever the rounding.
    probability = float(posterior.min()) if len(posterior) else threshold.probability
    join = JoinThreshold(probability, objective.name, objective.bound)
    return replace(scored, trained=replace(scored.trained, join=join)), threshold


@dataclass(frozen=True)
class Held:
    """What the accepted edges hold together.

    `clusters` are labels by position; `names` the name of each cluster, its smallest record id; `is_link` says of
    each edge whether it is accepted and held.
    """

    encoded: Encoded
    clusters: Clusters
    names: pa.Array
    is_link: Bools
    summaries: pa.Table

    @property
    def table(self) -> pa.Table:
        """(record_id, cluster_id) for every record, sorted by record."""
        return pa.table(
            {
                "record_id": self.encoded.record_ids,
                "cluster_id": self.names.take(pa.array(self.clusters.labels)),
            }
        )

    def edges(self, scored: Scored) -> pa.Table:
        """Return the edges with `is_link` only where the clusters hold them."""
        edges = scored.edges
        at = edges.column_names.index("is_link")
        return edges.set_column(at, "is_link", pa.array(self.is_link))


def hold_together(engine: Engine, scored: Scored, judged: Judged | None = None) -> Held:
    """Return the clusters of the accepted edges: every pair inside is weighed, constraints are always kept.

    What people judged comes before the evidence: `judged` two people are kept apart, also through third records,
    and `judged` one person are held together where nothing but evidence is against it.
    """
    encoded, found, judged = scored.encoded, scored.found, judged or Judged.none()
    most = scored.trained.definition.maximum_cluster

    def weigh(a: Ints, b: Ints) -> tuple[Floats, Bools]:
        return _weigh(engine, scored.trained, encoded, (a, b))

    forced = force(judged, source_of(encoded), found.pairs, weigh, most)
    accepted = scored.is_link
    accepted[forced.rows] = False
    rows = np.flatnonzero(accepted)
    links = Links(found.pairs[0][rows], found.pairs[1][rows], found.scores.total[rows])
    clusters = resolve(
        encoded.size,
        hash_strings(encoded.record_ids, ORDER_SEED),
        forced.added_to(links),
        weigh,
        Constraints(encoded.agency, np.array(encoded.unique, dtype=bool), *judged.apart),
        Settings(most),
    )
    accepted[forced.rows] = True
    is_link = accepted.copy()
    is_link[rows] = clusters.cut[: len(rows)] == 0
    is_link[forced.rows] = clusters.cut[len(rows) :][forced.row >= 0] == 0
    names = cluster_names(clusters.labels, encoded.record_ids)
    refused = np.flatnonzero(~accepted)
    needs_attention = in_need_of_attention(judged, forced, clusters.labels)
    summary = summarise(clusters, found.pairs[0][refused], found.pairs[1][refused], needs_attention)
    return Held(encoded, clusters, names, is_link, summary_table(summary, names))


def _weigh(engine: Engine, trained: TrainedModel, encoded: Encoded, pairs: Pairs) -> tuple[Floats, Bools]:
    """Return the weight of any pairs, and which are barred; a silent pair weighs as much as even odds.

    Two records that have next to nothing to compare weigh as little as the prior. That is no evidence against a
    person whom other records hold together: such a pair is silent. A pair speaks when the comparisons against it
    and the household correction weigh more than `SILENT` bits.
    """
    levels = engine.levels(trained.definition, encoded, pairs)
    scored = score_levels(trained, encoded, pairs, levels)
    scores = scored.scores
    against = np.minimum(scores.weights, 0.0).sum(axis=1) + scores.household
    return np.where(against > -SILENT, np.maximum(scores.total, WORD_OF_NONE), scores.total), scored.barred
