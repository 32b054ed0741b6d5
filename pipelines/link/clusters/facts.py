"""What holds each cluster together, from labels and links alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.link.clusters.graph import find
from pipelines.link.clusters.inputs import Codes, Flags, Links
from pipelines.link.compiled import compiled
from pipelines.link.features import Bools, Floats, Ints


@dataclass(frozen=True)
class Facts:
    """One value per cluster, by label.

    Args:
        records: how many records it holds.
        weakest_link: the weight of the link without which it would fall apart first, in bits: the least in the
            spanning tree of the heaviest links. NaN for a record alone.
        density: held links over pairs, 1 for a record alone.
        cut: why accepted links that lead out of it are not held, flags of `Cut`; 0 when there are none.
    """

    records: Codes
    weakest_link: Floats
    density: Floats
    cut: Flags

    @property
    def was_cut(self) -> Bools:
        """Whether the limit, a constraint or average linkage cut the cluster from others that it has links to."""
        return np.asarray(self.cut != 0)

    @property
    def several(self) -> Ints:
        """The labels of the clusters of more than one record."""
        return np.flatnonzero(self.records > 1)


def describe_clusters(labels: Codes, links: Links, why: Flags) -> Facts:
    """Return the facts of each cluster of `labels`, whose links are those with `why` 0."""
    records = np.bincount(labels).astype(np.int32)
    weakest, linked = np.full(len(records), np.nan), np.zeros(len(records), np.int32)
    rows = _of_two(labels, records, (links.a, links.weight), why, (weakest, linked))
    rows = rows[np.argsort(-links.weight[rows])]
    if len(rows):
        parent = np.arange(len(labels), dtype=np.int32)
        _heaviest_tree(parent, links.a[rows], links.b[rows], links.weight[rows], (labels, weakest))
    pairs = records * (records - 1.0) / 2.0
    density = np.divide(linked, pairs, out=np.ones(len(records)), where=pairs > 0)
    cut = np.zeros(len(records), np.uint8)
    gone = np.flatnonzero(why)
    np.bitwise_or.at(cut, labels[links.a[gone]], why[gone])
    np.bitwise_or.at(cut, labels[links.b[gone]], why[gone])
    return Facts(records, weakest, density, cut)


@compiled
def _of_two(
    labels: Codes,
    records: Codes,
    links: tuple[Ints, Floats],
    why: Flags,
    out: tuple[Floats, Codes],
) -> npt.NDArray[np.int64]:
    """Return the rows of the links of clusters of three and more.

    Written are how many links each cluster has, and the weight of the only one of clusters of two.
    """
    weakest, linked = out
    a, weight = links
    rows = np.empty(len(a), np.int64)
    count = 0
    for row in range(len(a)):
        if why[row] == 0:
            label = labels[a[row]]
            linked[label] += 1
            if records[label] == 2:
                weakest[label] = weight[row]
            else:
                rows[count] = row
                count += 1
    return rows[:count].copy()


@compiled
def _heaviest_tree(parent: Codes, a: Ints, b: Ints, weight: Floats, out: tuple[Codes, Floats]) -> None:
    """Write the last, so least, weight that joins two parts of each cluster; the links come heaviest first."""
    labels, weakest = out
    for row in range(len(a)):
        left, right = find(parent, a[row]), find(parent, b[row])
        if left != right:
            parent[max(left, right)] = min(left, right)
            weakest[labels[a[row]]] = weight[row]
