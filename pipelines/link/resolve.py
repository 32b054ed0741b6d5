"""Clusters that hold: links proposed, all pairs of a component weighed, records merged only where the whole agrees.

Connected components let one weak link join two people. Here every pair of records inside a component is scored,
also those that no blocking rule met, and records are merged by average linkage (UPGMA; Sokal and Michener, 1958):
the two parts with the highest mean weight first, for as long as a link joins them, the mean weight of the pairs
between them is above zero (one person is more likely than not), and no pair between them is barred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipelines.link.cluster import CLUSTER_SCHEMA, components
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded, encode
from pipelines.link.engines.base import score_levels
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.features import Bools, Floats, Ints, ragged_range
from pipelines.link.trained import TrainedModel

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClusterReport:
    """What became of the components: how many were cut, how many links cross a cut, components over the limit."""

    components: int
    clusters: int
    components_cut: int
    links_cut: int
    components_over_limit: int
    largest_cluster: int


@dataclass(frozen=True)
class Clustering:
    """(record_id, cluster_id) for every record, sorted by record; a cluster is named by its smallest record id."""

    table: pa.Table
    report: ClusterReport


@dataclass(frozen=True)
class _Links:
    """Accepted links as positions, with their weights."""

    a: Ints
    b: Ints
    weight: Floats

    def where(self, rows: Bools) -> _Links:
        return _Links(self.a[rows], self.b[rows], self.weight[rows])


def resolve_clusters(trained: TrainedModel, data: LinkData, links: pa.Table) -> Clustering:
    """Return the clusters that the accepted edges `links` hold together, each checked as a whole.

    Raises:
        LinkageError: an edge names a record that is not in `data`.
    """
    encoded = encode(trained.definition, data)
    size = len(encoded.record_ids)
    accepted = _Links(
        encoded.positions(links["record_a"].to_pylist()),
        encoded.positions(links["record_b"].to_pylist()),
        links["match_weight"].to_numpy(),
    )
    whole = components(size, accepted.a, accepted.b)
    kept, over = _within_limit(accepted, size, trained.definition.maximum_cluster)
    labels = components(size, kept.a, kept.b)
    resolved = _resolve(trained, encoded, labels, kept)
    crossing = resolved[accepted.a] != resolved[accepted.b]
    report = ClusterReport(
        components=int(whole.max()) + 1 if size else 0,
        clusters=len(np.unique(resolved)),
        components_cut=len(np.unique(whole[accepted.a[crossing]])),
        links_cut=int(crossing.sum()),
        components_over_limit=over,
        largest_cluster=int(np.bincount(resolved).max()) if size else 0,
    )
    return Clustering(_named(encoded, resolved), report)


def _within_limit(links: _Links, size: int, limit: int) -> tuple[_Links, int]:
    """Return the links without the weakest of components over the limit, and how many components were over."""
    over = 0
    while True:
        labels = components(size, links.a, links.b)
        large = np.bincount(labels)[labels] > limit if size else np.zeros(0, dtype=bool)
        inside = large[links.a]
        if not inside.any():
            return links, over
        over = over or len(np.unique(labels[large]))
        weakest = links.weight[inside].min() + 1.0
        links = links.where(~(inside & (links.weight <= weakest)))


def _resolve(trained: TrainedModel, encoded: Encoded, labels: Ints, links: _Links) -> Ints:
    """Return labels after cutting the components in which some pair speaks against its component."""
    pairs = _pairs_inside(labels)
    if not len(pairs[0]):
        return labels
    found = score_levels(trained, encoded, pairs, FusedEngine().levels(trained.definition, encoded, pairs))
    doubtful = np.unique(labels[pairs[0][(found.scores.total <= 0) | found.barred]])
    result = labels.copy()
    members_of = pd.Series(np.arange(len(labels))).groupby(labels).indices
    rows_of = pd.Series(np.arange(len(pairs[0]))).groupby(labels[pairs[0]]).indices
    links_of = pd.Series(np.arange(len(links.a))).groupby(labels[links.a]).indices
    next_label = int(labels.max()) + 1
    for label in doubtful:
        members = np.asarray(members_of[label], dtype=np.int64)
        rows, linked = np.asarray(rows_of[label]), np.asarray(links_of[label])
        left, right = np.searchsorted(members, pairs[0][rows]), np.searchsorted(members, pairs[1][rows])
        weights = np.where(found.barred[rows], -np.inf, found.scores.total[rows])
        matrix = _symmetric(len(members), left, right, weights)
        joined = _symmetric(
            len(members),
            np.searchsorted(members, links.a[linked]),
            np.searchsorted(members, links.b[linked]),
            np.ones(len(linked)),
        )
        parts = merge_parts(matrix, joined > 0)
        result[members] = np.where(parts == 0, label, next_label + parts)
        next_label += int(parts.max()) + 1
    return np.unique(result, return_inverse=True)[1].astype(np.int64)


def _symmetric(size: int, left: Ints, right: Ints, values: Floats) -> Matrix:
    matrix = np.zeros((size, size))
    matrix[left, right] = values
    matrix[right, left] = values
    return matrix


def _pairs_inside(labels: Ints) -> tuple[Ints, Ints]:
    """Return all pairs of positions within components of three records and more (two are held by their link)."""
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels) if len(labels) else np.empty(0, np.int64)
    size_of = sizes[labels[order]]
    rank = ragged_range(sizes.astype(np.int64))
    later = np.where(size_of >= 3, size_of - 1 - rank, 0)
    first = np.repeat(np.arange(len(order)), later)
    second = first + 1 + ragged_range(later)
    return order[first], order[second]


def merge_parts(weights: Matrix, linked: Bools) -> Ints:
    """Return the part of each record, numbered by first member, after average linkage.

    `weights` is symmetric, -inf where a pair is barred; `linked` says which pairs are accepted links.
    """
    size = len(weights)
    parts = np.arange(size)
    total, joined = weights.copy(), linked.copy()
    count = np.ones(size)
    alive = np.ones(size, dtype=bool)
    while True:
        mean = np.where(joined & alive[:, None] & alive[None, :], total / np.outer(count, count), -np.inf)
        np.fill_diagonal(mean, -np.inf)
        best = int(np.argmax(mean))
        a, b = divmod(best, size)
        if not mean[a, b] > 0:
            return np.unique(parts, return_inverse=True)[1].astype(np.int64)
        a, b = min(a, b), max(a, b)
        parts[parts == b] = a
        total[a] += total[b]
        total[:, a] += total[:, b]
        joined[a] |= joined[b]
        joined[:, a] |= joined[:, b]
        count[a] += count[b]
        alive[b] = False


def _named(encoded: Encoded, labels: Ints) -> pa.Table:
    first = pd.Series(np.arange(encoded.size)).groupby(labels).transform("min").to_numpy()
    columns = [encoded.record_ids, encoded.ids(first)]
    return pa.Table.from_arrays(columns, schema=CLUSTER_SCHEMA)
