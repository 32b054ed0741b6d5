"""The evaluator of the accuracy benchmark counts as `evaluate_partition` does, at every threshold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.contender import Pairs
from benchmarks.accuracy.evaluator import connected, count, f1_difference, trace
from pipelines.link import evaluate_partition

SIZE = 12
PEOPLE = st.lists(st.integers(0, 4), min_size=SIZE, max_size=SIZE)
EDGES = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1), st.integers(-3, 3)), max_size=25
)


def as_pairs(edges: list[tuple[int, int, int]]) -> Pairs:
    a, b, weight = (np.array([edge[at] for edge in edges], dtype=np.int64) for at in range(3))
    return Pairs(a, b, weight.astype(np.float64))


def numbered(people: list[int]) -> np.ndarray:
    return np.unique(people, return_inverse=True)[1].astype(np.int64)


@given(PEOPLE, EDGES)
def test_pairs_are_counted_as_everywhere_else(people: list[int], edges: list[tuple[int, int, int]]):
    labels = connected(SIZE, as_pairs(edges))
    ids = [f"r{number:02d}" for number in range(SIZE)]
    clusters = pa.table({"record_id": ids, "cluster_id": [str(label) for label in labels]})
    truth = pa.table({"record_id": ids, "agency": ["a"] * SIZE, "person": [str(person) for person in people]})
    assert count(labels, numbered(people)).quality() == evaluate_partition(clusters, truth).overall


@given(PEOPLE, EDGES)
def test_the_curve_at_a_threshold_is_what_its_components_find(
    people: list[int], edges: list[tuple[int, int, int]]
):
    pairs = as_pairs(edges)
    curve = trace(pairs, numbered(people))
    for at, threshold in enumerate(curve.threshold):
        counts = count(connected(SIZE, pairs.above(threshold)), numbered(people))
        assert (curve.right[at], curve.found[at]) == (counts.right.sum(), counts.found.sum())
    assert curve.true == count(np.arange(SIZE), numbered(people)).true.sum()


def test_a_partition_is_no_better_than_itself_and_better_than_one_that_finds_nothing():
    people = np.repeat(np.arange(50), 2)
    right, nothing = count(people, people), count(np.arange(100), people)
    same = f1_difference(right, right)
    better = f1_difference(right, nothing)
    assert (same.estimate, same.low, same.high) == (0.0, 0.0, 0.0)
    assert better.low > 0.99
