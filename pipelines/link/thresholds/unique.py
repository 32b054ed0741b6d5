"""Links inside sources that hold each person once: every one of them is false.

Assumed when the rate is carried over to other pairs of records: two records of different people are linked as often
across sources as inside a unique one. A unique source has as many households in it as its neighbours, so the
assumption holds where sources cover the same population; where they cover different ones it is too pessimistic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.link.data import LinkData
from pipelines.link.thresholds.edges import Edges, Score
from pipelines.link.thresholds.intervals import Rate, exact_rate
from pipelines.link.thresholds.tables import sources


@dataclass(frozen=True)
class UniqueResult:
    """One unique source: its records, the pairs of them, and the false links found among those."""

    source: str
    records: int
    pairs: int
    false_links: int
    rate: Rate


@dataclass(frozen=True)
class UniqueReport:
    """All unique sources together at one threshold, and the false-link rate implied for the other pairs.

    `implied_rate` is of the links that are not inside a unique source; None when no source is unique.
    """

    weight: float
    sources: tuple[UniqueResult, ...]
    pairs: int
    false_links: int
    rate: Rate | None
    other_pairs: int
    other_links: int
    implied_rate: Rate | None


def score_without_unique(score: Score, data: LinkData) -> Edges:
    """Return the edges of the data with no source declared unique: the side pass that lets false links show."""
    return score(replace(data, unique_sources=frozenset())).allowed()


def judge_unique(
    edges: Edges, data: LinkData, weight: float, unique: frozenset[str] | None = None
) -> UniqueReport:
    """Return the links inside unique sources at a threshold, and what they imply for the other pairs.

    Args:
        edges: edges scored without any source declared unique.
        data: the records.
        weight: the join threshold.
        unique: the unique sources; those of the data by default.
    """
    chosen = data.unique_sources if unique is None else unique
    names, codes = sources(data)
    sizes = np.bincount(codes, minlength=len(names))
    links = edges.where(edges.weight >= weight)
    first, second = codes[links.a], codes[links.b]
    results = []
    for number, name in enumerate(names):
        if name not in chosen:
            continue
        count = int(sizes[number])
        pairs = count * (count - 1) // 2
        found = int(((first == number) & (second == number)).sum())
        results.append(UniqueResult(name, count, pairs, found, exact_rate(found, pairs)))
    total = len(codes) * (len(codes) - 1) // 2
    pairs, found = sum(each.pairs for each in results), sum(each.false_links for each in results)
    other_pairs, other_links = total - pairs, len(links.weight) - found
    rate = exact_rate(found, pairs) if pairs else None
    implied = None
    if rate is not None and other_links:
        scale = other_pairs / other_links
        implied = Rate(*(min(1.0, each * scale) for each in (rate.estimate, rate.low, rate.high)))
    return UniqueReport(weight, tuple(results), pairs, found, rate, other_pairs, other_links, implied)
