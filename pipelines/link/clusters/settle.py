"""Compiled passes over components: which pairs are still to be weighed, and what the weights make of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipelines.link.clusters.inputs import Codes, Cut, Flags
from pipelines.link.clusters.layout import Layout
from pipelines.link.clusters.linkage import Parts, merge_parts
from pipelines.link.compiled import compiled
from pipelines.link.features import Bools, Floats, Ints

_EVIDENCE = int(Cut.EVIDENCE)
_BARRED = int(Cut.BARRED)
_SOURCE = int(Cut.SOURCE)
_APART = int(Cut.APART)
_SCOPE = int(Cut.SCOPE)


class Answers(NamedTuple):
    """What the pairs of `pairs_to_weigh` weigh, in the same order, and which are barred."""

    weight: Floats
    barred: Bools


class Outcome(NamedTuple):
    """What settling writes, as flags of `Cut` for each link that is not held, and the part of each member.

    A part is known by the place of its first record in the component.
    """

    part: Codes
    why: Flags


@compiled
def pairs_to_weigh(layout: Layout, first: int, last: int, a: Ints, b: Ints) -> int:
    """Write the pairs inside the components first..last-1 whose weight is not known; return how many they are.

    Known are accepted links, and pairs that a constraint keeps apart.
    """
    parts = _room(layout, first, last)
    count = 0
    for component in range(first, last):
        start, size = layout.starts[component], layout.starts[component + 1] - layout.starts[component]
        _fill(layout, component, parts)
        for left in range(size):
            for right in range(left + 1, size):
                if not parts.linked[left, right] and parts.against[left, right] == 0:
                    one, two = layout.members[start + left], layout.members[start + right]
                    a[count], b[count] = min(one, two), max(one, two)
                    count += 1
    return count


@compiled
def settle(layout: Layout, span: tuple[int, int], answers: Answers, least_mean: float, out: Outcome) -> None:
    """Decide the components of `span`: one in which no pair objects stands, any other is built up again."""
    parts = _room(layout, span[0], span[1])
    read = 0
    for component in range(span[0], span[1]):
        start, size = layout.starts[component], layout.starts[component + 1] - layout.starts[component]
        _fill(layout, component, parts)
        read = _read(parts, size, answers, read)
        mine = out.part[start : start + size]
        if _any_objection(parts, size, least_mean):
            within = Parts(
                parts.total[:size, :size],
                parts.against[:size, :size],
                parts.linked[:size, :size],
                parts.records[:size],
                parts.alive[:size],
            )
            merge_parts(within, mine, least_mean)
            _explain(layout, component, within, mine, out.why)
        else:
            mine[:] = 0


@compiled
def _room(layout: Layout, first: int, last: int) -> Parts:
    size = 0
    for component in range(first, last):
        size = max(size, layout.starts[component + 1] - layout.starts[component])
    return Parts(
        np.empty((size, size)),
        np.empty((size, size), np.uint8),
        np.empty((size, size), np.bool_),
        np.empty(size),
        np.empty(size, np.bool_),
    )


@compiled
def _fill(layout: Layout, component: int, parts: Parts) -> None:
    """Write links and constraints of a component into `parts`, each of its records a part by itself."""
    start, size = layout.starts[component], layout.starts[component + 1] - layout.starts[component]
    for left in range(size):
        parts.records[left], parts.alive[left] = 1.0, True
        for right in range(size):
            parts.total[left, right] = -np.inf
            parts.against[left, right] = 0
            parts.linked[left, right] = False
    for at in range(layout.links.starts[component], layout.links.starts[component + 1]):
        left, right = layout.links.left[at], layout.links.right[at]
        weight = max(layout.weight[at], parts.total[left, right])
        parts.total[left, right] = parts.total[right, left] = weight
        parts.linked[left, right] = parts.linked[right, left] = True
    for at in range(layout.apart.starts[component], layout.apart.starts[component + 1]):
        left, right = layout.apart.left[at], layout.apart.right[at]
        parts.against[left, right] |= _APART
        parts.against[right, left] |= _APART
    _fill_sources(layout.once, layout.members[start : start + size], parts)


@compiled
def _fill_sources(once: Codes, members: Codes, parts: Parts) -> None:
    # A component is joined by links, and no link crosses a scope: only sources can still speak against a pair.
    if len(once) == 0:
        return
    for left in range(len(members)):
        source = once[members[left]]
        if source >= 0:
            for right in range(left + 1, len(members)):
                if once[members[right]] == source:
                    parts.against[left, right] |= _SOURCE
                    parts.against[right, left] |= _SOURCE


@compiled
def _read(parts: Parts, size: int, answers: Answers, read: int) -> int:
    """Write the weights of the pairs that were asked for into `parts`; return where the next component's begin."""
    for left in range(size):
        for right in range(left + 1, size):
            if not parts.linked[left, right] and parts.against[left, right] == 0:
                if answers.barred[read]:
                    parts.against[left, right] = parts.against[right, left] = _BARRED
                else:
                    parts.total[left, right] = parts.total[right, left] = answers.weight[read]
                read += 1
    return read


@compiled
def _any_objection(parts: Parts, size: int, least_mean: float) -> bool:
    # A pair that something keeps apart weighs -inf.
    for left in range(size):
        for right in range(left + 1, size):
            if parts.total[left, right] <= least_mean:
                return True
    return False


@compiled
def _explain(layout: Layout, component: int, parts: Parts, part: Codes, why: Flags) -> None:
    for at in range(layout.links.starts[component], layout.links.starts[component + 1]):
        left, right = part[layout.links.left[at]], part[layout.links.right[at]]
        if left != right:
            against = parts.against[left, right]
            why[layout.links.rows[at]] = against if against != 0 else _EVIDENCE


@compiled
def direct_conflicts(links: tuple[Ints, Ints, Floats], once: Codes, scope: Codes) -> Flags:
    """Return why each link can never be held by itself: a bar, one unique source, or two scopes."""
    left, right, weight = links
    why = np.zeros(len(left), np.uint8)
    for row in range(len(left)):
        a, b = left[row], right[row]
        if weight[row] == -np.inf:
            why[row] |= _BARRED
        if len(once) > 0 and once[a] >= 0 and once[a] == once[b]:
            why[row] |= _SOURCE
        if len(scope) > 0 and scope[a] != scope[b]:
            why[row] |= _SCOPE
    return why
