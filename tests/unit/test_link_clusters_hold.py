"""Clusters that hold: chains and hubs break, constraints are kept, and the report says what was cut and why."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from support.cluster_world import Pair, World, columns, groups

from pipelines.errors import LinkageError
from pipelines.link.clusters import Cut, cluster_names, summarise, summary_table


def people(*members: str, within: float = 20.0) -> dict[Pair, float]:
    """Links between all records of each person; a person is a word of digits."""
    return {
        (int(a), int(b)): within
        for person in members
        for a, b in combinations(sorted(person, key=int), 2)
        if int(a) < int(b)
    }


# Shapes


def test_a_chain_of_people_breaks_at_its_weak_links():
    world = World(9, people("012", "345", "678") | {(2, 3): 7.0, (5, 6): 7.0})
    found = world.resolve()
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert found.cut[-2:].tolist() == [Cut.EVIDENCE, Cut.EVIDENCE]
    assert found.facts.cut.tolist() == [Cut.EVIDENCE] * 3


def test_a_chain_of_records_each_like_the_next_only_does_not_become_one_person():
    world = World(40, {(at, at + 1): 8.0 for at in range(39)})
    assert max(map(len, groups(world.resolve().labels))) == 2


def test_a_chain_breaks_though_every_pair_objects_only_a_little():
    found = World(4, {(0, 1): 6.0, (1, 2): 6.0, (2, 3): 6.0}, strangers=-3.0).resolve()
    assert found.labels.tolist() == [0, 0, 1, 1]


def test_a_hub_holds_no_people_together_and_stays_with_the_one_it_fits_best():
    hub = {(0, at): 6.0 for at in range(1, 10)} | {(0, 4): 9.0, (0, 5): 9.0, (0, 6): 9.0}
    found = World(10, people("123", "456", "789") | hub).resolve()
    assert groups(found.labels) == {
        frozenset({1, 2, 3}),
        frozenset({0, 4, 5, 6}),
        frozenset({7, 8, 9}),
    }


def test_a_person_whose_records_never_met_but_agree_is_not_cut():
    # A star: the two outer records share no blocking rule, and weigh enough when they are asked.
    found = World(3, {(0, 1): 9.0, (1, 2): 9.0}, weights={(0, 2): 3.0}).resolve()
    assert found.labels.tolist() == [0, 0, 0]
    assert found.report.pairs_weighed == 1
    assert found.facts.density.tolist() == [pytest.approx(2 / 3)]


def test_parts_that_agree_but_have_no_link_between_them_are_not_merged():
    # 0 and 1 weigh 4 bits together, but only record 2 joins them, and 2 goes with 3, who is neither of them.
    links = {(0, 2): 6.0, (1, 2): 6.0, (2, 3): 20.0}
    found = World(4, links, weights={(0, 1): 4.0}, strangers=-30.0).resolve()
    assert groups(found.labels) == {frozenset({0}), frozenset({1}), frozenset({2, 3})}


def test_among_equals_the_records_with_the_smallest_keys_are_merged():
    # 0 fits 1 and 2 together exactly as well as 3 by itself; 0 and 1 agree, but never met.
    links = {(1, 2): 14.0, (0, 2): 6.0, (0, 3): 9.0}
    world = World(4, links, weights={(0, 1): 12.0}, strangers=-30.0)
    assert groups(world.resolve().labels) == {frozenset({0, 1, 2}), frozenset({3})}
    assert groups(replace(world, keys=(0, 8, 9, 1)).resolve().labels) == {
        frozenset({0, 3}),
        frozenset({1, 2}),
    }


def test_records_without_links_stand_alone_and_nothing_at_all_is_fine():
    assert World(3, {}).resolve().labels.tolist() == [0, 1, 2]
    nothing = World(0, {}).resolve()
    assert (len(nothing.labels), nothing.report.clusters, nothing.report.largest_cluster) == (0, 0, 0)


# Constraints


def test_a_bar_inside_a_component_is_kept_however_strong_the_rest():
    world = World(3, {(0, 1): 30.0, (1, 2): 25.0}, weights={(0, 2): 40.0}, barred=frozenset({(0, 2)}))
    found = world.resolve()
    assert found.labels.tolist() == [0, 0, 1]
    assert found.cut.tolist() == [Cut.NONE, Cut.BARRED]


@pytest.mark.parametrize(
    ("constraint", "reason"),
    [
        ({"apart": frozenset({(0, 1)})}, Cut.APART),
        ({"source": (0, 0), "unique": (True,)}, Cut.SOURCE),
        ({"scope": (0, 1)}, Cut.SCOPE),
    ],
)
def test_two_records_with_a_link_are_kept_apart_by_a_constraint(constraint, reason):
    found = World(2, {(0, 1): 30.0}, **constraint).resolve()
    assert found.labels.tolist() == [0, 1]
    assert found.cut.tolist() == [reason]
    assert found.facts.was_cut.tolist() == [True, True]


def test_a_link_of_two_records_that_is_barred_itself_is_not_held():
    found = World(2, {(0, 1): -np.inf}).resolve()
    assert (found.labels.tolist(), found.cut.tolist()) == ([0, 1], [Cut.BARRED])


def test_people_kept_apart_do_not_meet_through_a_third_record():
    world = World(3, {(0, 1): 30.0, (1, 2): 25.0}, weights={(0, 2): 40.0}, apart=frozenset({(0, 2)}))
    assert world.resolve().labels.tolist() == [0, 0, 1]


def test_a_unique_source_gives_each_person_one_record_the_best_one():
    # Records 0 and 1 are of a source that holds each person once; both look like record 2.
    world = World(3, {(0, 2): 12.0, (1, 2): 18.0}, source=(0, 0, 1), unique=(True, False))
    found = world.resolve()
    assert groups(found.labels) == {frozenset({0}), frozenset({1, 2})}
    assert found.report.links_cut_by["source"] == 1
    assert found.report.pairs_weighed == 0


def test_a_source_that_is_not_unique_and_records_of_unknown_source_are_free():
    assert World(2, {(0, 1): 9.0}, source=(0, 0), unique=(False,)).resolve().labels.tolist() == [0, 0]
    assert World(2, {(0, 1): 9.0}, source=(-1, -1), unique=(True,)).resolve().labels.tolist() == [0, 0]


# Over the limit


def test_a_component_over_the_limit_is_cut_at_its_weakest_links():
    links = people("012", "345", within=20.0) | {(2, 3): 7.0}
    found = World(6, links, strangers=5.0, limit=4).resolve()
    assert groups(found.labels) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    assert found.cut[-1] == Cut.LIMIT
    assert (found.report.components_over_limit, found.report.largest_component) == (1, 6)


def test_a_hub_of_thousands_is_cut_without_weighing_all_of_its_pairs():
    people_around = 2000
    links = {(0, at): 6.0 for at in range(1, 2 * people_around + 1)}
    links |= {(at, at + 1): 20.0 for at in range(1, 2 * people_around, 2)}
    found = World(2 * people_around + 1, links, limit=50).resolve()
    assert found.report.largest_cluster <= 3
    assert len(found.facts.several) == people_around
    assert found.report.pairs_weighed <= 50 * 50


def test_a_very_large_component_grows_smaller_parts_and_the_same_people():
    # One long chain: 800 records of 400 people, each person a little like the next.
    links = {(at, at + 1): 20.0 if at % 2 == 0 else 7.0 for at in range(799)}
    world = World(800, links, limit=200)
    generous, frugal = world.resolve(), replace(world, pairs_per_component=20_000).resolve()
    pairs = {frozenset({at, at + 1}) for at in range(0, 800, 2)}
    assert groups(generous.labels) == groups(frugal.labels) == pairs
    assert frugal.report.pairs_weighed < 20_000 < 50_000 < generous.report.pairs_weighed


def test_records_kept_apart_stay_apart_in_a_component_over_the_limit():
    links = {(at, at + 1): 20.0 - at for at in range(9)}
    found = World(10, links, strangers=5.0, limit=6, apart=frozenset({(0, 2)})).resolve()
    assert groups(found.labels) == {frozenset({0, 1}), frozenset(range(2, 8)), frozenset({8, 9})}


def test_a_unique_source_pairs_off_a_component_over_the_limit_without_losing_its_best_links():
    # Two sources that hold each person once, and a chain through all of them: neighbours 2i and 2i+1 fit best.
    links = {(at, at + 1): 20.0 if at % 2 == 0 else 9.0 for at in range(9)}
    source = (0, 1) * 5
    found = World(10, links, strangers=5.0, limit=6, source=source, unique=(True, True)).resolve()
    assert groups(found.labels) == {frozenset({at, at + 1}) for at in range(0, 10, 2)}
    assert found.report.links_cut_by == dict.fromkeys(found.report.links_cut_by, 0) | {"source": 4}


# What is reported


def test_the_report_counts_what_was_cut_and_why():
    links = people("012", "345") | {(2, 3): 7.0, (6, 7): 9.0, (7, 8): 9.0}
    report = World(10, links, apart=frozenset({(6, 7)}), weights={(6, 8): 1.0}).resolve().report
    assert (report.components, report.clusters, report.components_cut) == (3, 5, 2)
    assert (report.largest_component, report.largest_cluster, report.components_over_limit) == (6, 3, 0)
    assert report.links_cut == 2
    assert {name: count for name, count in report.links_cut_by.items() if count} == {
        "evidence": 1,
        "apart": 1,
    }


def test_the_weakest_link_is_the_one_that_would_break_first():
    found = World(4, {(0, 1): 12.0, (1, 2): 8.0, (0, 2): 7.0}).resolve()
    assert found.facts.records.tolist() == [3, 1]
    assert found.facts.weakest_link[0] == 8.0
    assert np.isnan(found.facts.weakest_link[1])
    assert found.facts.density.tolist() == [1.0, 1.0]
    assert not found.facts.was_cut.any()


@pytest.mark.parametrize(
    ("world", "message"),
    [
        (World(2, {(0, 2): 9.0}), "does not exist"),
        (World(2, {(1, 1): 9.0}), "same record twice"),
        (World(2, {(0, 1): np.nan}), "no finite weight"),
        (World(3, {(0, 1): 9.0, (1, 2): 9.0}, strangers=np.nan), "not a finite number"),
        (World(2, {}, source=(0,), unique=(True,)), "one value per record"),
        (World(2, {}, source=(0, 1), unique=(True,)), "not among the sources"),
        (World(2, {}, keys=(1,)), "order key"),
    ],
)
def test_what_is_out_of_range_is_refused(world, message):
    with pytest.raises(LinkageError, match=message):
        world.resolve()


# Summaries


def pair(a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([a]), np.array([b])


def test_a_cluster_with_a_compared_pair_that_is_no_link_is_contested():
    found = World(3, {(0, 1): 12.0, (1, 2): 8.0}, weights={(0, 2): 1.0}).resolve()
    assert summarise(found, *columns([])).is_contested.tolist() == [False]
    assert summarise(found, *pair(0, 2)).is_contested.tolist() == [True]


def test_a_refused_pair_between_two_clusters_contests_neither_and_a_cut_link_is_said_of_both():
    apart = World(4, {(0, 1): 12.0, (2, 3): 12.0})
    assert summarise(apart.resolve(), *pair(1, 2)).is_contested.tolist() == [False, False]
    assert summarise(apart.resolve(), *pair(1, 2)).was_cut.tolist() == [False, False]
    bridged = summarise(replace(apart, links=apart.links | {(1, 2): 6.0}).resolve(), *columns([]))
    assert (bridged.was_cut.tolist(), bridged.is_contested.tolist()) == ([True, True], [False, False])
    assert bridged.density.tolist() == [1.0, 1.0]


def test_clusters_of_records_in_order_are_named_in_order():
    found = World(4, {(0, 3): 8.0}).resolve()
    assert cluster_names(found.labels, pa.array(["a", "b", "c", "d"])).to_pylist() == ["a", "b", "c"]
    assert cluster_names(np.empty(0, np.int32), pa.array([], pa.string())).to_pylist() == []


def test_the_summary_table_names_a_cluster_by_its_smallest_record():
    found = World(4, {(0, 3): 8.0}).resolve()
    names = cluster_names(found.labels, pa.array(["d", "c", "b", "a"]))
    table = summary_table(summarise(found, *columns([])), names)
    assert table["cluster_id"].to_pylist() == ["a", "b", "c"]
    assert table["records"].to_pylist() == [2, 1, 1]
    assert table["weakest_link_probability"].to_pylist() == [pytest.approx(1 / (1 + 2**-8)), None, None]
