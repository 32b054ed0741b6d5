"""Recall by ethnic group, and false links between twins and between siblings, each with its 95 % interval.

People of one household share errors and addresses, so households are what is drawn again (cluster bootstrap). A
rate is also bounded as in Clopper and Pearson (1934) over record pairs, and the higher bound stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import beta  # type: ignore[import-untyped]

from benchmarks.accuracy.dataset import DataSet
from benchmarks.accuracy.evaluator import Counts, Interval, count
from benchmarks.accuracy.kinship import GROUPS, Couple, Kinship, stratified_population
from benchmarks.accuracy.warehouse import link_whole
from pipelines.link.features import Floats, Ints

DRAWS = 1000


@dataclass(frozen=True)
class Stratum:
    """An ethnic group: its true pairs, and what was found of them."""

    name: str
    true_pairs: int
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class Kin:
    """Couples of kin: the record pairs between them, those inside one cluster, and the couples joined at all."""

    name: str
    couples: int
    joined: int
    pairs: int
    false: int
    rate: Interval


@dataclass(frozen=True)
class StrataResult:
    """What was measured at one setting."""

    setting: str
    people: int
    records: int
    overall: Stratum
    strata: tuple[Stratum, ...]
    gap: Interval
    kin: tuple[Kin, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return asdict(self)


def measure_strata(people: int, seed: int) -> list[StrataResult]:
    """Return what our own clusters make of a stratified population, at each of our settings."""
    population, kinship = stratified_population(people, seed)
    ours = link_whole(population)
    return [judge(name, population.flat, labels, kinship) for name, labels in ours.own.items()]


def judge(setting: str, data_set: DataSet, labels: Ints, kinship: Kinship) -> StrataResult:
    """Return recall per group and false links between kin of a partition."""
    people, counts = data_set.people, count(labels, data_set.people)
    persons = pd.unique(data_set.flat["person"])
    group = np.array([kinship.group.get(person, "") for person in persons], dtype=object)
    homes = pd.factorize(np.array([kinship.household.get(person, person) for person in persons]))[0]
    draws = _draws(int(homes.max()) + 1)
    masks = {name: group == name for name in GROUPS}
    recalls = {name: _recall(counts, mask, homes, draws) for name, mask in masks.items()}
    strata = tuple(_stratum(name, counts, mask, homes, draws) for name, mask in masks.items())
    spread = np.stack(list(recalls.values()))
    points = [each.recall.estimate for each in strata]
    gap = _interval(max(points) - min(points), spread.max(axis=0) - spread.min(axis=0))
    position = {person: number for number, person in enumerate(persons)}
    known = (labels, people, position, kinship.household)
    return StrataResult(
        setting, len(persons), data_set.size,
        _stratum("all", counts, np.ones(len(persons), dtype=bool), homes, draws), strata, gap,
        (_kin("twins", kinship.twins, known), _kin("siblings", kinship.siblings, known)),
    )  # fmt: skip


def _draws(households: int) -> Floats:
    dice = np.random.default_rng(1)
    return dice.multinomial(households, np.full(households, 1 / households), size=DRAWS).astype(np.float64)


def _sums(values: Floats, mask: np.ndarray[Any, Any], homes: Ints, draws: Floats) -> Floats:
    """Return the sum of the values of the masked people in each draw of households."""
    return np.asarray(draws @ np.bincount(homes[mask], weights=values[mask], minlength=draws.shape[1]))


def _recall(counts: Counts, mask: np.ndarray[Any, Any], homes: Ints, draws: Floats) -> Floats:
    true = np.maximum(_sums(counts.true, mask, homes, draws), 1.0)
    return np.asarray(_sums(counts.right, mask, homes, draws) / true)


def _stratum(name: str, counts: Counts, mask: np.ndarray[Any, Any], homes: Ints, draws: Floats) -> Stratum:
    once = np.ones((1, draws.shape[1]))

    def f1(weights: Floats) -> Floats:
        total = _sums(counts.found + counts.true, mask, homes, weights)
        return np.asarray(2 * _sums(counts.right, mask, homes, weights) / np.maximum(total, 1.0))

    return Stratum(
        name,
        int(counts.true[mask].sum()),
        _interval(float(_recall(counts, mask, homes, once)[0]), _recall(counts, mask, homes, draws)),
        _interval(float(f1(once)[0]), f1(draws)),
    )


def _interval(estimate: float, drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(estimate, float(low), float(high))


def _kin(
    name: str, couples: Iterable[Couple], known: tuple[Ints, Ints, dict[str, int], dict[str, str]]
) -> Kin:
    """Return how many record pairs between these couples lie inside one cluster."""
    labels, people, position, household = known
    held = pd.Series(labels).groupby(people).agg(list).to_dict()
    rows = []
    for first, second in couples:
        if first in position and second in position:
            ours, theirs = Counter(held[position[first]]), Counter(held[position[second]])
            false = sum(number * theirs[label] for label, number in ours.items())
            rows.append((household[first], ours.total() * theirs.total(), false))
    frame = pd.DataFrame(rows, columns=["home", "pairs", "false"])
    homes = frame.groupby("home")[["pairs", "false"]].sum()
    draws = _draws(max(len(homes), 1))
    pairs, false = int(frame["pairs"].sum()), int(frame["false"].sum())
    drawn = (draws @ homes["false"].to_numpy(float)) / np.maximum(draws @ homes["pairs"].to_numpy(float), 1.0)
    seen = _interval(false / max(pairs, 1), drawn)
    bound = float(beta.ppf(0.975, false + 1, max(pairs - false, 1)))
    rate = Interval(seen.estimate, seen.low, max(seen.high, bound))
    return Kin(name, len(frame), int((frame["false"] > 0).sum()), pairs, false, rate)
