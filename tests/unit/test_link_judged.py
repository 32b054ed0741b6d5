"""What people judged comes before the evidence, and judgements that contradict each other are never guessed at."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cluster_world import Pair, World, groups
from support.link_population import population, trained_on_population

from pipelines.link import FusedEngine, hold_together
from pipelines.link.engines.base import Scored
from pipelines.link.forced import MOST_EVIDENCE, above_all, rows_of, with_judged
from pipelines.link.judged import (
    DIFFERENT,
    SAME,
    UNSURE,
    Judged,
    Ruling,
    joined_with,
    needing_attention,
    no_pairs,
)

ENGINE = FusedEngine()


def pairs_of(*records: int) -> frozenset[Pair]:
    return frozenset(combinations(sorted(records), 2))


# One by one


def test_a_pair_that_was_judged_one_person_is_held_though_it_was_never_compared_and_all_speaks_against_it():
    world = World(3, {}, same=frozenset({(0, 2)}), strangers=-60.0)
    assert groups(world.resolve().labels) == {frozenset({0, 2}), frozenset({1})}
    assert world.needs_attention() == set()


def test_verified_numbers_that_differ_do_not_part_it_and_the_cluster_needs_attention():
    world = World(2, {}, same=frozenset({(0, 1)}), barred=frozenset({(0, 1)}))
    assert world.resolve().labels.tolist() == [0, 0]
    assert world.needs_attention() == {frozenset({0, 1})}


def test_what_follows_from_two_judgements_is_stronger_than_a_bar_too():
    world = World(3, {}, same=frozenset({(0, 1), (1, 2)}), barred=frozenset({(0, 2)}))
    assert world.resolve().labels.tolist() == [0, 0, 0]
    assert world.needs_attention() == {frozenset({0, 1, 2})}


def test_a_pair_that_was_judged_two_people_is_apart_also_through_a_third_record():
    world = World(3, {(0, 1): 30.0, (1, 2): 25.0, (0, 2): 40.0}, apart=frozenset({(0, 2)}))
    assert world.resolve().labels.tolist() == [0, 0, 1]
    assert world.needs_attention() == set(), "it contradicts the evidence only"


def test_who_was_judged_one_person_with_a_record_stays_apart_from_its_other():
    # 0 is judged 1 and not 2; 1 and 2 look alike.
    world = World(3, {(1, 2): 40.0}, same=frozenset({(0, 1)}), apart=frozenset({(0, 2)}))
    assert groups(world.resolve().labels) == {frozenset({0, 1}), frozenset({2})}


def test_judgements_that_contradict_each_other_are_published_apart_by_the_evidence_and_listed():
    said = {"same": frozenset({(0, 1), (1, 2)}), "apart": frozenset({(0, 2)})}
    for weights, together in (({(0, 1): 9.0}, {0, 1}), ({(1, 2): 9.0}, {1, 2})):
        world = World(3, {}, weights=weights, strangers=-20.0, **said)
        assert frozenset(together) in groups(world.resolve().labels)
        assert world.needs_attention() == groups(world.resolve().labels)


def test_a_source_that_holds_each_person_once_is_stronger_and_the_cluster_is_listed():
    world = World(2, {}, same=frozenset({(0, 1)}), source=(0, 0), unique=(True,))
    assert world.resolve().labels.tolist() == [0, 1]
    assert world.needs_attention() == {frozenset({0}), frozenset({1})}


def test_two_parts_as_large_as_a_cluster_may_hold_are_joined_by_one_judgement_against_every_pair():
    half = 250
    links = {pair: 20.0 for pair in [*pairs_of(*range(half)), *pairs_of(*range(half, 2 * half))]}
    world = World(2 * half, links, strangers=-MOST_EVIDENCE, same=frozenset({(3, half + 7)}))
    found = world.resolve()
    assert frozenset({3, half + 7}) <= next(each for each in groups(found.labels) if 3 in each)
    assert world.needs_attention() == set()
    assert above_all(500) / half**2 > 2 * MOST_EVIDENCE
    assert 1e9 * np.spacing(above_all(500)) < MOST_EVIDENCE


def test_more_records_than_a_cluster_may_hold_cannot_be_judged_one_person():
    world = World(7, {}, same=pairs_of(*range(7)), limit=5)
    assert max(map(len, groups(world.resolve().labels))) <= 5
    assert world.needs_attention()


def test_the_bar_of_a_further_record_parts_it_and_not_what_was_judged():
    # 0 and 1 carry two numbers and were judged one person; 2 carries the number of 0.
    world = World(3, {(0, 2): 30.0}, same=frozenset({(0, 1)}), barred=frozenset({(0, 1), (1, 2)}))
    assert groups(world.resolve().labels) == {frozenset({0, 1}), frozenset({2})}


# For any world


@st.composite
def judged_worlds(draw) -> World:
    size = draw(st.integers(2, 9))
    every = list(combinations(range(size), 2))
    value = st.sampled_from((-30.0, -12.0, -3.0, 0.0, 6.0, 9.0, 14.0, 25.0))
    drawn = dict(zip(every, draw(st.lists(value, min_size=len(every), max_size=len(every))), strict=True))
    some = st.frozensets(st.sampled_from(every), max_size=4)
    barred, apart = draw(some), draw(some)
    return World(
        size=size,
        links={each: drawn[each] for each in every if drawn[each] >= 6.0 and each not in barred},
        weights=drawn,
        barred=barred,
        apart=apart,
        same=draw(some) - apart,
        source=draw(st.none() | st.tuples(*[st.integers(0, 3)] * size)),
        unique=(True, False, False, False),
        limit=draw(st.sampled_from([3, 500, 500])),
        keys=tuple(draw(st.permutations(range(size)))),
    )


def circles(world: World) -> list[set[int]]:
    """The records that judgements join, through whichever of them."""
    found: list[set[int]] = []
    for pair in sorted(world.same):
        touched = [each for each in found if each & set(pair)]
        found = [each for each in found if each not in touched] + [set(pair).union(*touched)]
    return found


def contradicts_itself(world: World, circle: set[int]) -> bool:
    source = world.source or tuple(range(1, world.size + 1))
    once = [each for each in circle if world.source and world.unique[source[each]]]
    apart = any(pair in world.apart for pair in combinations(sorted(circle), 2))
    return apart or len(circle) > world.limit or len({source[each] for each in once}) < len(once)


@given(judged_worlds())
@settings(max_examples=400, deadline=None)
def test_no_cluster_ever_holds_a_pair_that_was_judged_two_people(world):
    for cluster in groups(world.resolve().labels):
        assert not pairs_of(*cluster) & world.apart
        assert len(cluster) <= world.limit


@given(judged_worlds())
@settings(max_examples=400, deadline=None)
def test_what_was_judged_one_person_is_in_one_cluster_where_no_judgement_contradicts_it(world):
    clusters = groups(world.resolve().labels)
    for circle in circles(world):
        if not contradicts_itself(world, circle):
            assert any(circle <= each for each in clusters)


@given(judged_worlds())
@settings(max_examples=300, deadline=None)
def test_every_contradiction_is_listed_and_nothing_else(world):
    clusters, marked = groups(world.resolve().labels), world.needs_attention()
    of = {record: each for each in clusters for record in each}
    parted = {of[each] for pair in world.same for each in pair if of[pair[0]] != of[pair[1]]}
    assert parted <= marked
    against = {pair for circle in circles(world) for pair in pairs_of(*circle) & world.barred}
    assert marked <= parted | {of[each] for pair in against for each in pair}
    assert all(of[a] != of[b] or of[a] in marked for a, b in world.same & world.barred)


@given(judged_worlds())
@settings(max_examples=300, deadline=None)
def test_a_bar_that_nobody_judged_is_kept(world):
    joined = {pair for circle in circles(world) for pair in pairs_of(*circle)}
    for cluster in groups(world.resolve().labels):
        assert not pairs_of(*cluster) & world.barred - joined


@given(judged_worlds(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_records_and_of_judgements_is_irrelevant(world, dice):
    to = list(range(world.size))
    dice.shuffle(to)
    moved = world.moved(to).resolve()
    back = groups(np.array([moved.labels[to[each]] for each in range(world.size)]))
    assert back == groups(world.resolve().labels)


# Through a model


@pytest.fixture(scope="module")
def scored() -> Scored:
    return ENGINE.score(trained_on_population(), population(150, seed=6)[0].data())


def ruling(a: str, b: str, verdict: str = SAME, number: int = 1) -> Ruling:
    return Ruling(min(a, b), max(a, b), verdict, number)


def cluster_of(held, record: str) -> str:
    return dict(zip(*(held.table[name].to_pylist() for name in ("record_id", "cluster_id")), strict=True))[
        record
    ]


def strangers(scored: Scored) -> tuple[str, str]:
    """Two records that no edge joins."""
    ids = scored.encoded.record_ids.to_pylist()
    edges = set(zip(*(each.tolist() for each in scored.found.pairs), strict=True))
    a, b = next(pair for pair in combinations(range(len(ids)), 2) if pair not in edges)
    return ids[a], ids[b]


def a_link(scored: Scored) -> tuple[str, str]:
    link = scored.links().slice(5, 1).to_pylist()[0]
    return link["record_a"], link["record_b"]


def test_records_that_the_run_does_not_hold_are_left_out(scored):
    a, b = a_link(scored)
    rulings = [ruling(a, b), ruling(a, "gone"), ruling("gone", "too", DIFFERENT), ruling(b, "z", UNSURE)]
    judged = Judged.compiled(rulings, scored.encoded)
    assert scored.encoded.ids(np.concatenate(judged.same)).to_pylist() == sorted((a, b))
    assert len(judged.apart[0]) == 0
    assert len(Judged.compiled([ruling(a, b, UNSURE)], scored.encoded).same[0]) == 0


def test_pairs_follow_their_records_to_other_places_and_go_where_one_has_none():
    judged = Judged((np.array([0, 1]), np.array([2, 3])), (np.array([2]), np.array([3])))
    placed = judged.placed(np.array([5, -1, 4, 0]))
    assert [each.tolist() for each in (*placed.same, *placed.apart)] == [[4], [5], [0], [4]]


def test_the_edges_of_forced_pairs_are_found_in_any_order():
    edges = np.array([7, 0, 3]), np.array([8, 1, 9])
    assert rows_of(edges, (np.array([0, 3, 7]), np.array([1, 4, 8])), 10).tolist() == [1, -1, 0]
    assert rows_of(no_pairs(), (np.array([0]), np.array([1])), 10).tolist() == [-1]


def test_two_strangers_who_were_judged_one_person_are_one_and_their_edge_is_kept(scored):
    a, b = strangers(scored)
    judged = Judged.compiled([ruling(a, b)], scored.encoded)
    edges = with_judged(ENGINE, scored, judged)
    held = hold_together(ENGINE, edges, judged)
    assert cluster_of(held, a) == cluster_of(held, b)
    assert len(edges.found.barred) == len(scored.found.barred) + 1
    table = held.edges(edges).to_pylist()
    (mine,) = [each for each in table if {each["record_a"], each["record_b"]} == {a, b}]
    assert mine["is_link"] and mine["match_probability"] < 0.5
    assert [each["record_a"] for each in table] == sorted(each["record_a"] for each in table)
    assert hold_together(ENGINE, scored, judged).table.equals(held.table), "with the edge or without it"


def test_a_link_that_was_judged_two_people_is_cut(scored):
    a, b = a_link(scored)
    judged = Judged.compiled([ruling(a, b, DIFFERENT)], scored.encoded)
    assert with_judged(ENGINE, scored, judged) is scored
    held = hold_together(ENGINE, scored, judged)
    assert cluster_of(held, a) != cluster_of(held, b)
    table = held.edges(scored).to_pylist()
    assert not next(each for each in table if (each["record_a"], each["record_b"]) == (a, b))["is_link"]


def test_without_judgements_nothing_is_different(scored):
    plain, judged = hold_together(ENGINE, scored), hold_together(ENGINE, scored, Judged.none())
    assert plain.table.equals(judged.table) and plain.summaries.equals(judged.summaries)
    assert plain.is_link.tolist() == judged.is_link.tolist()
    assert not any(plain.summaries["needs_attention"].to_pylist())


def test_a_judgement_holds_for_any_order_of_rows(scored):
    rulings = [ruling(*strangers(scored)), ruling(*a_link(scored), DIFFERENT, 2)]
    shuffled = ENGINE.score(trained_on_population(), population(150, seed=6)[0].data(random.Random(3)))
    first, second = (
        hold_together(ENGINE, each, Judged.compiled(order, each.encoded))
        for each, order in ((scored, rulings), (shuffled, rulings[::-1]))
    )
    assert first.table.equals(second.table) and first.summaries.equals(second.summaries)


def test_a_record_that_is_never_compared_marks_whom_it_was_judged_to_be(scored):
    a, b = a_link(scored)
    held = hold_together(ENGINE, scored)
    rulings = [ruling("sealed", a), ruling("sealed", b, DIFFERENT), ruling("other", b)]
    named = joined_with(rulings, frozenset({"sealed"}))
    assert named == {"sealed", a}
    marked = needing_attention(held.summaries, held.table, named).to_pylist()
    assert [each["cluster_id"] for each in marked if each["needs_attention"]] == [cluster_of(held, a)]
