"""Bridges: links without which what they hold together would fall apart (Tarjan, 1974)."""

from __future__ import annotations

import numpy as np

from pipelines.link.clusters.inputs import Codes
from pipelines.link.compiled import compiled
from pipelines.link.features import Ints


def smaller_sides(size: int, a: Ints, b: Ints) -> Codes:
    """Return for each link how many records the smaller side has when it is a bridge, and 0 when it is none.

    One pass over the links, whatever their order.

    Args:
        size: how many records there are.
        a: with `b`, the positions that each link joins.
        b: see `a`.
    """
    here, there = np.concatenate([a, b]).astype(np.int64), np.concatenate([b, a]).astype(np.int64)
    order = np.argsort(here, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(here, minlength=size))]).astype(np.int64)
    link = (order % max(len(a), 1)).astype(np.int64)
    smaller = np.zeros(len(a), np.int32)
    _walk(starts, there[order], link, smaller)
    return smaller


@compiled
def _walk(starts: Ints, other: Ints, link: Ints, smaller: Codes) -> None:
    """Write the smaller side of each bridge, by a walk into the depth of each component.

    `entered` numbers the records in the order of the walk, `low` is the earliest record that a record or any
    below it is linked to, and `below` counts these. What is linked to nothing earlier hangs on the link through
    which it was entered, `via`.
    """
    size = len(starts) - 1
    entered, low, below = np.zeros(size, np.int64), np.zeros(size, np.int64), np.ones(size, np.int64)
    via, following, trail = np.full(size, -1, np.int64), starts[:-1].copy(), np.empty(size, np.int64)
    bridges, sides = np.empty(size, np.int64), np.empty(size, np.int64)
    clock = 0
    for root in range(size):
        if entered[root] != 0:
            continue
        clock += 1
        entered[root] = low[root] = clock
        trail[0], depth, count = root, 1, 0
        while depth > 0:
            record = trail[depth - 1]
            at = following[record]
            if at < starts[record + 1]:
                following[record] += 1
                next_one = other[at]
                if link[at] == via[record]:
                    continue
                if entered[next_one] == 0:
                    clock += 1
                    entered[next_one] = low[next_one] = clock
                    via[next_one] = link[at]
                    trail[depth] = next_one
                    depth += 1
                else:
                    low[record] = min(low[record], entered[next_one])
                continue
            depth -= 1
            if depth > 0:
                above = trail[depth - 1]
                below[above] += below[record]
                low[above] = min(low[above], low[record])
                if low[record] > entered[above]:
                    bridges[count], sides[count] = via[record], below[record]
                    count += 1
        for each in range(count):
            smaller[bridges[each]] = min(sides[each], below[root] - sides[each])
