"""The expected error rates at every threshold, from one sweep over the scored edges and no label.

Edges join records in order of falling posterior (Kruskal, 1956). At a threshold the clusters are what the edges
above it hold together; the counts are of pairs inside clusters, the project's one definition of a link.

What is assumed. A merge of two parts, with s1 and s2 records, by an edge with posterior p puts s1 * s2 pairs
together, and they are one person or not together: the edge's posterior speaks for all of them. Two things correct
that. First, p is the best of s1 * s2 pairs, and the best of several is flattering: where the other pairs between
the parts are absent or doubtful, they lower the posterior of the merge, by ratios that are learned from the merges
themselves (`merges.py`); they never raise it, because the pairs of one record err together. Second, a part may
already hold a false link: a pair joined over a path of edges is true when every merge on the path is, taken as
independent, and the two ends of the merging edge as typical members of their parts.

A merge that comes out less likely than not is refused, as the clustering that follows refuses it; with
`refuse=False` the clusters are plain connected components.

Expected true pairs in all are those inside clusters at the lowest threshold, and the posteriors of the edges across
them. Pairs that no blocking rule met are not among them; the check with a hidden identifier counts those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.link.thresholds.correction import UNCHANGED, Correction
from pipelines.link.thresholds.edges import Bools, Edges, Floats, Ints, probability_of
from pipelines.link.thresholds.merges import Support, learn_support
from pipelines.link.thresholds.sweep import (
    BARRED,
    DOUBTFUL,
    KINDS,
    LIKELY,
    LINKS,
    PAIRS,
    REFUSED,
    TRUE,
    neighbours,
    sweep,
)

MOST_POINTS = 4096
WORD = 64
NEVER = -1.0e9
EVEN = 0.0
# Edges below this posterior (3 %) say little of merges, and chain half the file together.
LEARN_FROM = -5.0


@dataclass(frozen=True)
class Curve:
    """Per threshold (falling weights, each including its edges): links, pairs inside clusters, expected true pairs.

    `weight` is the model's own, `odds` the same after the correction. `total` is the expected number of true pairs
    in all. With no edge, every array is empty.
    """

    weight: Floats
    odds: Floats
    links: Floats
    pairs: Floats
    true_pairs: Floats
    refused: Floats
    total: float
    support: Support | None

    @property
    def probability(self) -> Floats:
        """The posterior at each threshold, after the correction."""
        return probability_of(self.odds)

    @property
    def false_pairs(self) -> Floats:
        """The expected false pairs inside clusters."""
        return self.pairs - self.true_pairs

    @property
    def missed_pairs(self) -> Floats:
        """The expected true pairs outside clusters, among the pairs that were compared."""
        return np.asarray(np.maximum(self.total - self.true_pairs, 0.0))

    @property
    def false_link_rate(self) -> Floats:
        """The expected share of the pairs inside clusters that are two people; 0 where there is no pair."""
        return np.asarray(self.false_pairs / np.maximum(self.pairs, 1.0))

    @property
    def recall(self) -> Floats:
        """The expected share of the true pairs that is inside clusters."""
        return np.asarray(self.true_pairs / max(self.total, 1e-12))

    @property
    def f1(self) -> Floats:
        """The expected harmonic mean of precision and recall, as the ratio of expectations."""
        return np.asarray(2.0 * self.true_pairs / np.maximum(self.pairs + self.total, 1e-12))


@dataclass(frozen=True)
class Setting:
    """How a curve is drawn: per record its unique source (-1: none), the correction, refusing."""

    unique_source: Ints | None = None
    correction: Correction = UNCHANGED
    refuse: bool = True


def draw_curve(edges: Edges, setting: Setting | None = None) -> Curve:
    """Return the expected error rates at every threshold (at most about 4,000 of them, evenly over the edges)."""
    chosen = setting or Setting()
    ready = _prepare(edges, chosen)
    stops = _stops(ready.edges.weight)
    support = ready.learn()
    points, _, parts = ready.run(support.ratios, EVEN if chosen.refuse else NEVER, stops)
    across = ready.may_link & (parts[ready.edges.a] != parts[ready.edges.b])
    outside = float(probability_of(ready.odds[across]).sum())
    seen = outside + (float(points[-1, TRUE]) if len(points) else 0.0)
    return Curve(
        weight=ready.edges.weight[stops],
        odds=ready.odds[stops],
        links=points[:, LINKS],
        pairs=points[:, PAIRS],
        true_pairs=points[:, TRUE],
        refused=points[:, REFUSED],
        total=seen,
        support=support if len(stops) else None,
    )


def clusters_at(edges: Edges, weight: float, setting: Setting | None = None) -> Ints:
    """Return the cluster of each record (named by one of its records) that the curve counts at a threshold."""
    chosen = setting or Setting()
    ready = _prepare(edges, chosen)
    none = np.empty(0, np.int64)
    support = ready.learn()
    linking = replace(ready, may_link=ready.may_link & (ready.edges.weight >= weight))
    return np.asarray(linking.run(support.ratios, EVEN if chosen.refuse else NEVER, none)[2])


def rate_inside(edges: Edges, clusters: Ints, setting: Setting | None = None) -> tuple[int, float, float]:
    """Return the pairs inside clusters made elsewhere, and bounds of the share of them that is two people.

    The clusters are joined along their own edges, barred ones too when the clusters hold them; a cluster whose
    records no edge holds together counts the pairs between its pieces as false. The lower bound takes the other
    pairs between two parts as looked at by whoever made the clusters, the upper one takes them against the merge.
    """
    chosen = replace(setting or Setting(), unique_source=None)
    ready = _prepare(replace(edges, barred=np.zeros(len(edges.weight), dtype=np.bool_)), chosen)
    inside = clusters[ready.edges.a] == clusters[ready.edges.b]
    last = np.array([len(inside) - 1] if len(inside) else [], dtype=np.int64)
    sizes = np.unique(clusters, return_counts=True)[1].astype(np.int64)
    pairs = int((sizes * (sizes - 1) // 2).sum())
    rates = []
    for ratios in (np.zeros(KINDS), ready.learn().ratios):
        points = replace(ready, may_link=inside).run(ratios, NEVER, last)[0]
        true = float(points[-1, TRUE]) if len(points) else 0.0
        rates.append((pairs - true) / max(pairs, 1))
    return pairs, rates[0], rates[1]


@dataclass(frozen=True)
class _Ready:
    """Edges sorted by falling weight, with all that a sweep needs."""

    edges: Edges
    odds: Floats
    may_link: Bools
    graph: tuple[Ints, Ints, Ints]
    held: Ints

    def learn(self) -> Support:
        """Return what the pairs between two parts say, from merges that no such evidence has touched yet."""
        return learn_support(self.run(np.zeros(KINDS), LEARN_FROM, np.empty(0, np.int64))[1])

    def run(self, ratios: Floats, least: float, stops: Ints) -> tuple[Floats, Floats, Ints]:
        """Return what `sweep` returns."""
        edges = (self.edges.a, self.edges.b, self.odds, self.may_link)
        points, merges, parts = sweep(edges, self.graph, self.held.copy(), ratios, least, stops)
        return points, merges, parts


def _prepare(edges: Edges, setting: Setting) -> _Ready:
    ordered = edges.where(np.argsort(-edges.weight, kind="stable"))
    odds = setting.correction.apply(ordered.weight)
    kind = np.where(ordered.barred, BARRED, np.where(odds < EVEN, DOUBTFUL, LIKELY)).astype(np.int8)
    graph = neighbours(edges.size, ordered.a, ordered.b, kind)
    return _Ready(ordered, odds, ~ordered.barred, graph, _held(edges.size, setting.unique_source))


def _stops(weight: Floats) -> Ints:
    """Return the last position of each distinct weight, thinned to `MOST_POINTS` evenly over the edges."""
    if not len(weight):
        return np.empty(0, np.int64)
    ends = np.append(np.flatnonzero(np.diff(weight)), len(weight) - 1).astype(np.int64)
    if len(ends) <= MOST_POINTS:
        return ends
    wanted = np.linspace(0, len(weight) - 1, MOST_POINTS)
    return np.unique(ends[np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)])


def _held(size: int, unique_source: Ints | None) -> Ints:
    """Return, per record, one bit for its unique source, in as many 64-bit words as there are sources."""
    if unique_source is None or not len(unique_source) or unique_source.max() < 0:
        return np.zeros((size, 1), dtype=np.int64)
    held = np.zeros((size, int(unique_source.max()) // WORD + 1), dtype=np.uint64)
    rows = np.flatnonzero(unique_source >= 0)
    source = unique_source[rows]
    held[rows, source // WORD] = np.uint64(1) << (source % WORD).astype(np.uint64)
    return held.view(np.int64)
