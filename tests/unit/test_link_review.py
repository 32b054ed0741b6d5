"""The review queue: what most of what is published hangs on comes first."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.link.clusters.bridges import smaller_sides
from pipelines.link.components import components
from pipelines.link.review import KINDS, Uncertain, rank_pairs

THRESHOLD = 6.0


def uncertain(*rows: dict[str, object]) -> Uncertain:
    """Pairs; what is not said of one is that of a link in a person of three, which others hold together too."""
    usual = {
        "weight": 6.5,
        "is_link": True,
        "smaller_side": 0,
        "together": True,
        "records_a": 3,
        "records_b": 3,
        "across": False,
    }
    said = {name: [{**usual, **row}[name] for row in rows] for name in usual}
    return Uncertain(**{name: np.array(said[name], dtype=type(value)) for name, value in usual.items()})


def ranked(*rows: dict[str, object], most: int = 100) -> list[tuple[int, str, int]]:
    found = rank_pairs(uncertain(*rows), THRESHOLD, most)
    return list(
        zip(
            found.rows.tolist(),
            [KINDS[each] for each in found.why],
            found.records.tolist(),
            strict=True,
        )
    )


def refused(**said: object) -> dict[str, object]:
    return {"is_link": False, "together": False, "weight": 3.0, **said}


def test_bridges_come_first_the_more_records_the_earlier_then_pairs_across_agencies_then_the_nearest():
    assert ranked(
        {"weight": 6.1},
        {"weight": 6.2},
        {"weight": 7.4, "across": True},
        {"weight": 7.5, "smaller_side": 1},
        refused(records_a=4, records_b=2, weight=-4.0),
        {"weight": 7.0, "smaller_side": 5},
    ) == [
        (5, "BRIDGE", 5),
        (4, "BRIDGE", 2),
        (3, "BRIDGE", 1),
        (2, "CROSS_AGENCY", 1),
        (0, "NEAR_THRESHOLD", 1),
        (1, "NEAR_THRESHOLD", 1),
    ]


def test_among_bridges_of_one_size_those_across_agencies_come_first_then_the_nearest_on_either_side():
    bridge = {"smaller_side": 2}
    rows = [{**bridge, "weight": 6.3}, {**bridge, "weight": 9.0, "across": True}, refused(weight=5.8)]
    assert [each[0] for each in ranked(*rows)] == [2, 1, 0]
    rows[2] = refused(weight=5.8, records_a=2)
    assert [each[0] for each in ranked(*rows)] == [1, 2, 0]


def test_a_refused_pair_with_a_record_alone_is_no_bridge():
    assert ranked(refused(records_b=1)) == [(0, "NEAR_THRESHOLD", 1)]
    assert ranked(refused(records_b=1, across=True)) == [(0, "CROSS_AGENCY", 1)]


def test_a_refused_pair_inside_one_cluster_joins_nobody():
    assert ranked(refused(together=True)) == [(0, "NEAR_THRESHOLD", 1)]


def test_the_first_pairs_only_and_equals_in_their_order():
    assert [each[0] for each in ranked(*[{}] * 5, most=3)] == [0, 1, 2]
    assert ranked(most=3) == []


def plainly(size: int, pairs: list[tuple[int, int]]) -> list[int]:
    """The smaller side of each link that is a bridge, by taking out one link after the other."""
    found = []
    for without in range(len(pairs)):
        rest = [pair for at, pair in enumerate(pairs) if at != without]
        labels = components(size, *np.array(rest, dtype=np.int64).reshape(-1, 2).T)
        a, b = pairs[without]
        sides = [int((labels == labels[each]).sum()) for each in (a, b)]
        found.append(0 if labels[a] == labels[b] else min(sides))
    return found


@st.composite
def graphs(draw) -> tuple[int, list[tuple[int, int]]]:
    size = draw(st.integers(1, 10))
    every = list(combinations(range(size), 2))
    pairs = draw(st.lists(st.sampled_from(every), unique=True, max_size=14)) if every else []
    return size, [pair[::-1] if draw(st.booleans()) else pair for pair in pairs]


@given(graphs())
def test_bridges_and_their_smaller_sides_are_those_that_taking_out_each_link_finds(graph):
    size, pairs = graph
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert smaller_sides(size, a, b).tolist() == plainly(size, pairs)


def test_a_chain_of_a_hundred_thousand_records_is_walked_without_recursion():
    records = 100_000
    sides = smaller_sides(records, np.arange(records - 1), np.arange(1, records))
    assert sides[0] == sides[-1] == 1
    assert sides.max() == records // 2
