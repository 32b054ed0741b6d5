"""Connected components by union-find (Tarjan, 1975), in one pass over the links."""

from __future__ import annotations

import numpy as np

from pipelines.link.clusters.inputs import Codes
from pipelines.link.compiled import compiled
from pipelines.link.features import Bools, Ints


def connected(size: int, a: Ints, b: Ints, held: Bools) -> Codes:
    """Return the component of each of `size` nodes under the links that are `held`, numbered by first member."""
    return _components(np.arange(size, dtype=np.int32), a, b, held)


@compiled
def find(parent: Codes, node: int) -> int:
    """Return the root of `node`, halving the path on the way."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@compiled
def _components(parent: Codes, a: Ints, b: Ints, held: Bools) -> Codes:
    for row in range(len(a)):
        if held[row]:
            left, right = find(parent, a[row]), find(parent, b[row])
            # The smaller position is the root, so that a root comes before all of its members.
            if left < right:
                parent[right] = left
            elif right < left:
                parent[left] = right
    count = 0
    labels = np.empty(len(parent), np.int32)
    for node in range(len(parent)):
        root = find(parent, node)
        if root == node:
            labels[node] = count
            count += 1
        else:
            labels[node] = labels[root]
    return labels


@compiled
def renumber(labels: Codes, highest: int) -> Codes:
    """Return `labels`, all of them at most `highest`, numbered by first member."""
    new = np.full(highest + 1, -1, np.int32)
    result = np.empty(len(labels), np.int32)
    count = 0
    for node in range(len(labels)):
        label = labels[node]
        if new[label] < 0:
            new[label] = count
            count += 1
        result[node] = new[label]
    return result
