"""The compiled sweep: records joined in order of falling weight, and what each merge is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.link.compiled import compiled

Bytes = npt.NDArray[np.int8]

# What a pair between the two parts of a merge says, besides the edge that merges them.
ABSENT, DOUBTFUL, LIKELY, BARRED = 0, 1, 2, 3
KINDS = 3

# Columns of what a sweep writes down at each threshold, and at each merge.
LINKS, PAIRS, TRUE, REFUSED = 0, 1, 2, 3
POINT_COLUMNS = 4
MERGE_WEIGHT, MERGE_LEFT, MERGE_RIGHT, MERGE_KINDS = 0, 1, 2, 3
MERGE_COLUMNS = 6


@compiled
def neighbours(size: int, a: Any, b: Any, kind: Any) -> Any:
    """Return (starts, neighbour, kind) of every record's edges, by counting."""
    starts = np.zeros(size + 1, np.int64)
    for edge in range(len(a)):
        starts[a[edge] + 1] += 1
        starts[b[edge] + 1] += 1
    for record in range(size):
        starts[record + 1] += starts[record]
    at = starts[:-1].copy()
    other = np.empty(2 * len(a), np.int32)
    kinds = np.empty(2 * len(a), np.int8)
    for edge in range(len(a)):
        for end, far in ((a[edge], b[edge]), (b[edge], a[edge])):
            other[at[end]] = far
            kinds[at[end]] = kind[edge]
            at[end] += 1
    return starts, other, kinds


@compiled
def _root(parent: Any, record: int) -> int:
    while parent[record] != record:
        parent[record] = parent[parent[record]]
        record = parent[record]
    return record


@compiled
def _count_between(parent: Any, following: Any, first: int, target: int, graph: Any, counts: Any) -> bool:
    """Fill `counts` with the kinds of the edges from one part to another; True when one of them is barred."""
    starts, other, kinds = graph
    counts[:] = 0
    member = first
    while member >= 0:
        for place in range(starts[member], starts[member + 1]):
            if _root(parent, other[place]) == target:
                if kinds[place] == BARRED:
                    return True
                counts[kinds[place]] += 1
        member = following[member]
    return False


@compiled
def _evidence(counts: Any, left: int, right: int, ratios: Any) -> float:
    """Return what the other pairs between two parts say, in bits, never for the merge and at most against it."""
    others = left * right - 1
    if others == 0:
        return 0.0
    # Pairs of one record resemble each other: together they say as much as the records that they bring.
    share = (left + right - 2) / others
    total = 0.0
    for kind in range(KINDS):
        total += counts[kind] * ratios[kind]
    return min(0.0, share * total)


@compiled
def _share_source(held: Any, left: int, right: int) -> bool:
    shared = 0
    for word in range(held.shape[1]):
        shared |= held[left, word] & held[right, word]
    return shared != 0


@compiled
def sweep(edges: Any, graph: Any, held: Any, ratios: Any, least: float, stops: Any) -> Any:
    """Return (points, merges, part of each record): totals at the edges in `stops`; what each merge was made of.

    Args:
        edges: (a, b, log2 odds, may link), sorted by falling odds.
        graph: what `neighbours` returns, of all edges.
        held: per record the unique sources that it stands for, as bits in 64-bit words; changed in place.
        ratios: log2 ratio per kind of other pair, of one person to two.
        least: merges whose log2 odds are below this are refused.
        stops: ascending positions of edges after which totals are written down.
    """
    a, b, odds, may_link = edges
    size = len(graph[0]) - 1
    parent, last = np.arange(size).astype(np.int32), np.arange(size).astype(np.int32)
    following = np.full(size, -1, np.int32)
    members, truth = np.ones(size, np.int32), np.ones(size)
    points, merges = np.zeros((len(stops), POINT_COLUMNS)), np.zeros((size, MERGE_COLUMNS))
    totals, counts = np.zeros(POINT_COLUMNS), np.zeros(KINDS)
    merged, stop = 0, 0
    for edge in range(len(a)):
        if not may_link[edge]:
            x = y = 0
        else:
            totals[LINKS] += 1
            # Other pairs only take away: below the least odds nothing is merged, whatever else is known.
            merges_at_all = odds[edge] >= least
            x = _root(parent, a[edge]) if merges_at_all else 0
            y = _root(parent, b[edge]) if merges_at_all else 0
        bits = 0.0
        if x != y:
            if members[x] < members[y]:
                x, y = y, x
            refused = _share_source(held, x, y)
            if not refused:
                refused = _count_between(parent, following, y, x, graph, counts)
            if not refused:
                counts[DOUBTFUL if odds[edge] < 0.0 else LIKELY] -= 1
                counts[ABSENT] = members[x] * members[y] - 1 - counts[DOUBTFUL] - counts[LIKELY]
                bits = odds[edge] + _evidence(counts, members[x], members[y], ratios)
                refused = bits < least
            if refused:
                totals[REFUSED] += 1
            else:
                merges[merged, MERGE_WEIGHT] = odds[edge]
                merges[merged, MERGE_LEFT], merges[merged, MERGE_RIGHT] = members[x], members[y]
                merges[merged, MERGE_KINDS:] = counts
                merged += 1
                found = 1.0 / (1.0 + 2.0 ** (-bits))
                found *= (truth[x] / members[x]) * (truth[y] / members[y])
                totals[PAIRS] += members[x] * members[y]
                totals[TRUE] += found
                truth[x] += truth[y] + 2.0 * found
                members[x] += members[y]
                parent[y] = x
                following[last[x]], last[x] = y, last[y]
                for word in range(held.shape[1]):
                    held[x, word] |= held[y, word]
        while stop < len(stops) and stops[stop] == edge:
            points[stop] = totals
            stop += 1
    for record in range(size):
        following[record] = _root(parent, record)
    return points, merges[:merged], following
