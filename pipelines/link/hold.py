"""From edges to clusters: the join threshold chosen without labels, and clusters that hold under constraints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.link.clusters import (
    ClusterReport,
    Constraints,
    Links,
    Settings,
    resolve,
    summarise,
    summary_table,
)
from pipelines.link.compare import Pairs
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import Engine, Scored, score_levels
from pipelines.link.features import NONE, Bools, Codes, Floats, Ints
from pipelines.link.forced import force, in_need_of_attention
from pipelines.link.fused.hashing import hash_strings
from pipelines.link.judged import Judged
from pipelines.link.thresholds.assess import Objective, choose_threshold, judge_threshold
from pipelines.link.thresholds.choose import Threshold
from pipelines.link.thresholds.edges import Edges, edges_of, weight_of
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
        return scored, judge_join(scored.trained, edges, data, objective)
    threshold = choose_threshold(edges, data, objective)
    posterior = found.probability[found.total >= threshold.weight]
    # The least accepted posterior, not the threshold's own: the same edges, whatever the rounding.
    probability = float(posterior.min()) if len(posterior) else threshold.probability
    join = JoinThreshold(probability, objective.name, objective.bound)
    return replace(scored, trained=replace(scored.trained, join=join)), threshold


def judge_join(trained: TrainedModel, edges: Edges, data: LinkData, objective: Objective) -> Threshold:
    """Return what is expected, among the edges of `data`, of the join threshold that a model brings along."""
    accepted = edges.weight[edges.probability >= trained.link_probability]
    weight = min(weight_of(trained.link_probability), float(accepted.min(initial=np.inf)))
    return judge_threshold(edges, data, weight, objective)


class Weighed(NamedTuple):
    """Pairs of positions with their total weight in bits, and which of them are accepted as links."""

    a: Ints
    b: Ints
    weight: Floats
    accepted: Bools


@dataclass(frozen=True)
class Held:
    """What the accepted edges hold together.

    Args:
        encoded: the records.
        labels: the cluster of each record, numbered by first member.
        names: by label, the name of the cluster: the smallest id of its records.
        is_link: of each pair that was given, whether it is accepted and held.
        summaries: of the clusters that were made, with the columns of `SUMMARY_SCHEMA`.
        report: what became of the components that were looked at.
    """

    encoded: Encoded
    labels: Codes
    names: pa.Array
    is_link: Bools
    summaries: pa.Table
    report: ClusterReport

    @property
    def first(self) -> Ints:
        """The position of the first record of each record's cluster."""
        return _first_members(self.labels)[self.labels]

    @property
    def table(self) -> pa.Table:
        """(record_id, cluster_id) for every record, sorted by record."""
        return pa.table(
            {"record_id": self.encoded.record_ids, "cluster_id": self.names.take(pa.array(self.labels))}
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
    found, encoded = scored.found, scored.encoded
    weighed = Weighed(*found.pairs, found.scores.total, scored.is_link)
    whole = Part(np.arange(encoded.size), np.full(encoded.size, NONE), judged or Judged.none())
    return hold_pairs(engine, scored.trained, encoded, weighed, whole)


class Part(NamedTuple):
    """The records whose clusters are made, by position; what people judged; and how all others are held.

    Of any other record, `first` has the position of the first record of its cluster: it stays there.
    """

    looked_at: Ints
    first: Ints
    judged: Judged


def hold_pairs(engine: Engine, trained: TrainedModel, encoded: Encoded, weighed: Weighed, part: Part) -> Held:
    """Return the clusters of all records, made anew for a part of them; `weighed` are the pairs among those."""
    looked_at, most = part.looked_at, trained.definition.maximum_cluster
    ids = encoded.record_ids if len(looked_at) == encoded.size else encoded.ids(looked_at)
    place = np.full(encoded.size, NONE)
    place[looked_at] = np.arange(len(looked_at))
    pairs, judged = (place[weighed.a], place[weighed.b]), part.judged.placed(place)
    source, unique = encoded.agency[looked_at], np.array(encoded.unique, dtype=bool)

    def weigh(a: Ints, b: Ints) -> tuple[Floats, Bools]:
        return _weigh(engine, trained, encoded, (looked_at[a], looked_at[b]))

    forced = force(judged, (source, unique), pairs, weigh, most)
    is_link = weighed.accepted.copy()
    is_link[forced.rows] = False
    rows = np.flatnonzero(is_link)
    clusters = resolve(
        len(looked_at),
        hash_strings(ids, ORDER_SEED),
        forced.added_to(Links(pairs[0][rows], pairs[1][rows], weighed.weight[rows])),
        weigh,
        Constraints(source, unique, *judged.apart),
        Settings(most),
    )
    is_link[forced.rows] = True
    refused = np.flatnonzero(~is_link)
    is_link[rows] = clusters.cut[: len(rows)] == 0
    is_link[forced.rows] = clusters.cut[len(rows) :][forced.row >= 0] == 0
    needs_attention = in_need_of_attention(judged, forced, clusters.labels)
    summary = summarise(clusters, pairs[0][refused], pairs[1][refused], needs_attention)
    first_members = _first_members(clusters.labels)
    firsts = part.first.copy()
    firsts[looked_at] = looked_at[first_members][clusters.labels]
    labels, names = _named(firsts, encoded)
    # Records stand in the order of their ids, so the first has the smallest.
    made = summary_table(summary, ids.take(pa.array(first_members)))
    return Held(encoded, labels, names, is_link, made, clusters.report)


def _first_members(labels: Codes) -> Ints:
    """Return the first member of each cluster, by label; clusters are numbered by it."""
    return np.flatnonzero(np.diff(np.maximum.accumulate(labels), prepend=NONE))


def _named(firsts: Ints, encoded: Encoded) -> tuple[Codes, pa.Array]:
    """Return the label of each record, and the names by label; `firsts` has the first record of its cluster."""
    is_first = firsts == np.arange(len(firsts))
    labels = (np.cumsum(is_first) - 1)[firsts].astype(np.int32)
    return labels, encoded.ids(np.flatnonzero(is_first))


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
