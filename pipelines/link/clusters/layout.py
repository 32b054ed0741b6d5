"""Components of three records and more, laid out one after the other for the compiled passes over them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipelines.link.clusters.inputs import Codes, Keys, Links, Rules
from pipelines.link.compiled import compiled
from pipelines.link.features import Bools, Floats, Ints

SMALLEST = 3
"""Two records are held by their link alone."""
_INSERTION = 32
"""Up to so many members, insertion beats a general sort."""


class Grouped(NamedTuple):
    """Pairs component by component: those of component i are `starts[i]..starts[i + 1]`.

    `rows` says where a pair came from, `left` and `right` where its records stand within their component. The
    places are kept rather than the records, because looking up a record at random costs more than all the rest.
    """

    starts: Ints
    rows: Ints
    left: Codes
    right: Codes


class Layout(NamedTuple):
    """Component i holds the records `members[starts[i]:starts[i + 1]]`, in the order of their keys.

    `links` are its accepted links, with their `weight`; `apart` its pairs to keep apart; `once` is as in `Rules`.
    """

    starts: Ints
    members: Codes
    links: Grouped
    weight: Floats
    apart: Grouped
    once: Codes


def lay_out(labels: Codes, order_key: Keys, links: Links, held: Bools, rules: Rules) -> Layout:
    """Return the components of three records and more under `labels`, with the links that are `held`."""
    sizes = np.bincount(labels)
    large = sizes >= SMALLEST
    number = np.where(large, np.cumsum(large) - 1, -1).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(sizes[large])]).astype(np.int64)
    members, place = _members(labels, number, starts, order_key)
    together = labels[rules.apart_a] == labels[rules.apart_b]
    linked = _group(_components_of(labels, number, links.a, held), links.a, links.b, place, len(starts) - 1)
    component = _components_of(labels, number, rules.apart_a, together)
    apart = _group(component, rules.apart_a, rules.apart_b, place, len(starts) - 1)
    return Layout(starts, members, linked, links.weight[linked.rows], apart, rules.once)


@compiled
def _members(labels: Codes, number: Codes, starts: Ints, order_key: Keys) -> tuple[Codes, Codes]:
    free = starts[:-1].copy()
    members = np.empty(starts[-1], np.int32)
    for record in range(len(labels)):
        component = number[labels[record]]
        if component >= 0:
            members[free[component]] = record
            free[component] += 1
    place = np.full(len(labels), -1, np.int32)
    for component in range(len(starts) - 1):
        mine = members[starts[component] : starts[component + 1]]
        _sort_by_key(mine, order_key)
        for at in range(len(mine)):
            place[mine[at]] = at
    return members, place


@compiled
def _sort_by_key(members: Codes, order_key: Keys) -> None:
    if len(members) > _INSERTION:
        members[:] = members[np.argsort(order_key[members], kind="mergesort")]
        return
    for at in range(1, len(members)):
        record, to = members[at], at
        while to > 0 and order_key[members[to - 1]] > order_key[record]:
            members[to] = members[to - 1]
            to -= 1
        members[to] = record


@compiled
def _components_of(labels: Codes, number: Codes, node: Ints, wanted: Bools) -> Codes:
    """Return the component of each row, by the node that it names; -1 where it has none or is not wanted."""
    component = np.empty(len(node), np.int32)
    for row in range(len(node)):
        component[row] = number[labels[node[row]]] if wanted[row] else -1
    return component


@compiled
def _group(component: Codes, a: Ints, b: Ints, place: Codes, count: int) -> Grouped:
    starts = np.zeros(count + 1, np.int64)
    for row in range(len(component)):
        if component[row] >= 0:
            starts[component[row] + 1] += 1
    for each in range(count):
        starts[each + 1] += starts[each]
    free = starts[:-1].copy()
    rows = np.empty(starts[-1], np.int64)
    left, right = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int32)
    for row in range(len(component)):
        if component[row] >= 0:
            to = free[component[row]]
            rows[to], left[to], right[to] = row, place[a[row]], place[b[row]]
            free[component[row]] += 1
    return Grouped(starts, rows, left, right)
