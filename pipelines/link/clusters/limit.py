"""Components that hold more records than a cluster may: grown anew from their strongest links, up to the limit.

All pairs of such a component would be too many to weigh. Its links are taken from the strongest to the weakest, and
each joins its two parts when they hold no more than the limit together and no constraint keeps them apart. What
held the component together beyond that were weak bridges. Each part is then weighed like any other component.
A component so large that parts of that size would still be too many pairs grows smaller parts, down to 50 records.
The measure is the component itself, never the whole data: what happens to it does not depend on any other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipelines.link.clusters.graph import find
from pipelines.link.clusters.inputs import Codes, Cut, Flags, Keys, Links, Rules, Settings
from pipelines.link.compiled import compiled
from pipelines.link.features import Bools, Ints

_SOURCE = int(Cut.SOURCE)
_APART = int(Cut.APART)
_LIMIT = int(Cut.LIMIT)
_SMALLEST_PART = 50


class _Forest(NamedTuple):
    """Parts while they grow: `after` is the next record of the same part, in a ring; `records` holds at roots."""

    parent: Codes
    after: Codes
    records: Codes
    seen: Ints
    once: Codes
    apart_starts: Ints
    apart_other: Ints


def cut_to_limit(
    labels: Codes, order_key: Keys, links: Links, rules: Rules, settings: Settings
) -> tuple[Ints, Flags]:
    """Return the rows of the links in components over the limit, and why each is not held (0 where it is)."""
    sizes = np.bincount(labels)
    over = sizes > settings.maximum_cluster
    rows = np.flatnonzero(over[labels[links.a]])
    left, right = order_key[links.a[rows]], order_key[links.b[rows]]
    order = np.lexsort((np.maximum(left, right), np.minimum(left, right), -links.weight[rows]))
    rows = rows[order]
    forest = _plant(labels, over, rules)
    # Parts of p records each make a component of k records k (p - 1) / 2 pairs.
    affordable = np.maximum(2 * settings.pairs_per_component // sizes, _SMALLEST_PART)
    most = np.minimum(affordable, settings.maximum_cluster)[labels[links.a[rows]]]
    return rows, _grow(forest, links.a[rows], links.b[rows], most)


def _plant(labels: Codes, over: Bools, rules: Rules) -> _Forest:
    size = len(labels)
    touched = over[labels[rules.apart_a]] & (labels[rules.apart_a] == labels[rules.apart_b])
    here = np.concatenate([rules.apart_a[touched], rules.apart_b[touched]])
    there = np.concatenate([rules.apart_b[touched], rules.apart_a[touched]])
    counts = np.bincount(here, minlength=size) if len(here) else np.empty(0, np.int64)
    nodes = np.arange(size, dtype=np.int32)
    return _Forest(
        parent=nodes,
        after=nodes.copy(),
        records=np.ones(size, np.int32),
        seen=np.full(rules.source_count, -1, np.int64),
        once=rules.once,
        apart_starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        apart_other=there[np.argsort(here, kind="stable")],
    )


@compiled
def _grow(forest: _Forest, a: Ints, b: Ints, most: Ints) -> Flags:
    for row in range(len(a)):
        left, right = find(forest.parent, a[row]), find(forest.parent, b[row])
        if left != right and _kept_apart(forest, left, right, most[row]) == 0:
            if forest.records[left] < forest.records[right]:
                left, right = right, left
            forest.parent[right] = left
            forest.records[left] += forest.records[right]
            # Swapping where two records of two rings go next makes one ring of them.
            forest.after[left], forest.after[right] = forest.after[right], forest.after[left]
    why = np.zeros(len(a), np.uint8)
    for row in range(len(a)):
        left, right = find(forest.parent, a[row]), find(forest.parent, b[row])
        if left != right:
            why[row] = _kept_apart(forest, left, right, most[row])
    return why


@compiled
def _kept_apart(forest: _Forest, left: int, right: int, most: int) -> int:
    """Return what keeps two parts apart, as flags of `Cut`: the limit, or else constraints."""
    if forest.records[left] + forest.records[right] > most:
        return _LIMIT
    if forest.records[left] > forest.records[right]:
        left, right = right, left
    return _share_source(forest, left, right) | _hold_apart(forest, left, right)


@compiled
def _share_source(forest: _Forest, left: int, right: int) -> int:
    if len(forest.once) == 0:
        return 0
    record = left
    while True:
        if forest.once[record] >= 0:
            forest.seen[forest.once[record]] = left
        record = forest.after[record]
        if record == left:
            break
    # What an earlier question left behind in `seen` does no harm: a part never loses a source.
    record = right
    while True:
        if forest.once[record] >= 0 and forest.seen[forest.once[record]] == left:
            return _SOURCE
        record = forest.after[record]
        if record == right:
            return 0


@compiled
def _hold_apart(forest: _Forest, left: int, right: int) -> int:
    if len(forest.apart_other) == 0:
        return 0
    record = left
    while True:
        for at in range(forest.apart_starts[record], forest.apart_starts[record + 1]):
            if find(forest.parent, forest.apart_other[at]) == right:
                return _APART
        record = forest.after[record]
        if record == left:
            return 0
