"""What is true of clusters for any links, weights and constraints."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cluster_world import LIMIT, Pair, World, groups

FAR_APART = (-30.0, -12.0, -3.0, 0.0, 2.0, 6.0, 9.0, 9.5, 14.0, 25.0)
OFTEN_EQUAL = (-3.0, 3.0, 6.0, 9.0, 12.0)
"""Means of these meet again and again, so that ties have to be decided."""


@st.composite
def worlds(draw: Callable[..., object], most: int = 9) -> World:
    size = draw(st.integers(1, most))
    every = list(combinations(range(size), 2))
    value = st.sampled_from(draw(st.sampled_from([FAR_APART, OFTEN_EQUAL])))
    drawn = dict(zip(every, draw(st.lists(value, min_size=len(every), max_size=len(every))), strict=True))
    some = st.frozensets(st.sampled_from(every), max_size=3) if every else st.just(frozenset())
    barred, unmet = draw(some), draw(some)
    links = {each: drawn[each] for each in every if drawn[each] >= 6.0 and each not in barred | unmet}
    codes = st.tuples(*[st.integers(-1, 3)] * size)
    return World(
        size=size,
        links=links,
        weights=drawn,
        barred=barred,
        apart=draw(some),
        source=draw(st.none() | codes),
        unique=(True, False, True, False),
        scope=draw(st.none() | st.tuples(*[st.sampled_from([0, 0, 0, 1])] * size)),
        limit=draw(st.sampled_from([2, 3, 5, LIMIT, LIMIT])),
        pairs_at_once=draw(st.sampled_from([1, 4, 1000])),
        keys=tuple(draw(st.permutations(range(size)))),
    )


def connected(records: Iterable[int], links: Iterable[Pair]) -> set[frozenset[int]]:
    found = {each: {each} for each in records}
    for a, b in links:
        if found[a] is not found[b]:
            found[a] |= found[b]
            for each in found[b]:
                found[each] = found[a]
    return {frozenset(each) for each in found.values()}


def plainly(world: World) -> set[frozenset[int]]:
    """Average linkage as it is defined: every pair of parts looked at anew for every merge."""
    assert world.keys is not None
    parts = [frozenset({each}) for each in range(world.size)]
    while True:
        best = None
        for left, right in combinations(parts, 2):
            pairs = [(min(a, b), max(a, b)) for a in left for b in right]
            if any(world.forbids(*each) for each in pairs) or not any(each in world.links for each in pairs):
                continue
            mean = sum(map(world.weight, pairs)) / len(pairs)
            first = sorted(min(world.keys[each] for each in part) for part in (left, right))
            if mean > 0 and (best is None or (-mean, first) < best[0]):
                best = ((-mean, first), left, right)
        if best is None:
            return set(parts)
        parts = [each for each in parts if each not in best[1:]] + [best[1] | best[2]]


@given(worlds(12))
@settings(max_examples=300, deadline=None)
def test_no_constraint_is_ever_violated(world):
    for cluster in groups(world.resolve().labels):
        assert not any(world.forbids(a, b) for a, b in combinations(sorted(cluster), 2))
        assert len(cluster) <= world.limit


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_clusters_are_those_of_average_linkage_in_its_plainest_reading(world):
    world = replace(world, limit=LIMIT)
    assert groups(world.resolve().labels) == plainly(world)


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_records_and_of_links_is_irrelevant(world, random):
    to = list(range(world.size))
    random.shuffle(to)
    moved = world.moved(to).resolve()
    back = groups(np.array([moved.labels[to[each]] for each in range(world.size)]))
    first = world.resolve()
    assert back == groups(first.labels)
    assert moved.report == first.report


@given(worlds(7), worlds(7), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_unrelated_records_change_nothing(world, other, random):
    world = replace(world, source=None, scope=None)
    size = world.size + other.size
    shifted = {(a + world.size, b + world.size): weight for (a, b), weight in other.links.items()}
    more = {(a + world.size, b + world.size): weight for (a, b), weight in other.weights.items()}
    both = replace(
        world,
        size=size,
        links=shifted | world.links,
        weights=world.weights | more,
        keys=tuple(2 * each for each in world.keys) + tuple(2 * each + 1 for each in other.keys),
    )
    to = list(range(size))
    random.shuffle(to)
    found = both.moved(to).resolve().labels
    assert groups(found[to[: world.size]]) == groups(world.resolve().labels)


@given(worlds(12))
@settings(max_examples=200, deadline=None)
def test_links_hold_each_cluster_together_and_what_is_cut_says_why(world):
    found = world.resolve()
    held = [each for each, cut in zip(world.links, found.cut, strict=True) if cut == 0]
    crossing = [found.labels[a] != found.labels[b] for a, b in world.links]
    assert [bool(each) for each in found.cut] == crossing
    clusters = connected(range(world.size), held)
    assert clusters == groups(found.labels)
    for component in connected(range(world.size), world.links):
        assert set().union(*(each for each in clusters if each & component)) == component
    for label in found.facts.several:
        members = set(np.flatnonzero(found.labels == label).tolist())
        inside = {each: world.links[each] for each in held if each[0] in members}
        assert found.facts.density[label] == pytest.approx(
            len(inside) / (len(members) * (len(members) - 1) / 2)
        )
        weakest = max(
            least
            for least in inside.values()
            if len(connected(members, [each for each, weight in inside.items() if weight >= least])) == 1
        )
        assert found.facts.weakest_link[label] == weakest
