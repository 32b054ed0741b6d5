"""The one evaluator: pairs inside clusters against the truth, for any partition of the records.

Everything is counted per person, so that people can be drawn again (bootstrap): a true pair belongs to its person,
a false pair half to each of the two people that it joins.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.contender import Pairs
from pipelines.link.components import components
from pipelines.link.evaluate import PairQuality
from pipelines.link.features import Floats, Ints

BLOCK = 200


@dataclass(frozen=True)
class Counts:
    """Per person: true pairs, those found, and all pairs found that the person has a part in."""

    true: Floats
    right: Floats
    found: Floats

    def quality(self) -> PairQuality:
        """Return precision, recall and F1 over all people."""
        right = round(float(self.right.sum()))
        return PairQuality(
            right, round(float(self.found.sum())) - right, round(float(self.true.sum())) - right
        )


def connected(size: int, pairs: Pairs) -> Ints:
    """Return the label of each record: connected components of the pairs."""
    return components(size, pairs.a, pairs.b)


def count(labels: Ints, people: Ints) -> Counts:
    """Return the counts of a partition; `people` numbers the person of each record from 0."""
    width = int(people.max()) + 1
    cells, sizes = np.unique(labels.astype(np.int64) * width + people, return_counts=True)
    label, person = cells // width, cells % width
    whole = np.bincount(labels)[label]
    right = sizes * (sizes - 1) / 2
    records = np.bincount(people, minlength=width)
    return Counts(
        true=records * (records - 1) / 2,
        right=np.bincount(person, weights=right, minlength=width).astype(np.float64),
        found=np.bincount(person, weights=right + sizes * (whole - sizes) / 2, minlength=width).astype(
            np.float64
        ),
    )


@dataclass(frozen=True)
class Curve:
    """What connected components find at each threshold, from the highest down."""

    threshold: Floats
    right: Floats
    found: Floats
    true: float

    @property
    def precision(self) -> Floats:
        """The share of the found pairs that are true, per threshold."""
        return np.asarray(self.right / np.maximum(self.found, 1.0))

    @property
    def recall(self) -> Floats:
        """The share of the true pairs that are found, per threshold."""
        return np.asarray(self.right / max(self.true, 1.0))

    @property
    def f1(self) -> Floats:
        """The harmonic mean of precision and recall, per threshold."""
        return np.asarray(2 * self.right / (self.found + self.true))

    def best(self) -> float:
        """Return the threshold with the highest F1: chosen with the truth in hand."""
        return float(self.threshold[np.argmax(self.f1)])

    def recall_at(self, precision: float) -> float:
        """Return the highest recall among the thresholds that are at least this precise; 0 when none is."""
        fits = self.recall[self.precision >= precision]
        return float(fits.max()) if len(fits) else 0.0

    def points(self, number: int = 25) -> list[dict[str, float]]:
        """Return thresholds evenly spread over the curve, each with precision, recall and F1."""
        if not len(self.threshold):
            return []
        at = np.unique(np.linspace(0, len(self.threshold) - 1, number).astype(int))
        columns = {
            "threshold": self.threshold,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }
        return [{name: round(float(values[i]), 6) for name, values in columns.items()} for i in at]


def trace(pairs: Pairs, people: Ints) -> Curve:
    """Return the curve over every threshold that changes anything: pairs are let in from the heaviest down."""
    members = [Counter([person]) for person in people.tolist()]
    root = list(range(len(people)))
    right = found = 0
    rows: list[tuple[float, int, int]] = []
    order = np.argsort(-pairs.weight, kind="stable")
    for a, b, weight in zip(
        pairs.a[order].tolist(), pairs.b[order].tolist(), pairs.weight[order].tolist(), strict=True
    ):
        first, second = _find(root, a), _find(root, b)
        if first == second:
            continue
        small, large = sorted((first, second), key=lambda node: members[node].total())
        found += members[small].total() * members[large].total()
        right += sum(number * members[large][person] for person, number in members[small].items())
        members[large].update(members[small])
        root[small] = large
        if rows and rows[-1][0] == weight:
            rows.pop()
        rows.append((weight, right, found))
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    records = np.bincount(people)
    return Curve(table[:, 0], table[:, 1], table[:, 2], float((records * (records - 1) / 2).sum()))


def _find(root: list[int], node: int) -> int:
    while root[node] != node:
        root[node] = root[root[node]]
        node = root[node]
    return node


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    estimate: float
    low: float
    high: float


def f1_difference(first: Counts, second: Counts, draws: int = 2000, seed: int = 1) -> Interval:
    """Return F1 of `first` less F1 of `second`, with people drawn again, the same ones for both."""
    dice = np.random.default_rng(seed)
    people = len(first.true)
    differences = []
    for _ in range(0, draws, BLOCK):
        weights = dice.multinomial(people, np.full(people, 1 / people), size=BLOCK).astype(np.float64)
        differences.append(_f1(first, weights) - _f1(second, weights))
    low, high = np.quantile(np.concatenate(differences), [0.025, 0.975])
    once = np.ones((1, people))
    return Interval(float((_f1(first, once) - _f1(second, once))[0]), float(low), float(high))


def _f1(counts: Counts, weights: Floats) -> Floats:
    total = weights @ (counts.found + counts.true)
    return np.asarray(2 * (weights @ counts.right) / np.maximum(total, 1e-9))
