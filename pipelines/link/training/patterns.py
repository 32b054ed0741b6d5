"""Comparison vectors counted: training works on how often each pattern of levels occurs, not on pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.contracts.model import LinkageModel
from pipelines.link.compare import NULL, Levels
from pipelines.link.features import Bools, Floats, Ints

LARGEST_KEY = 2**62
LARGEST_TABLE = 2**20


@dataclass(frozen=True)
class Patterns:
    """Distinct level vectors with the pair of sources they come from, and how many pairs have each."""

    levels: Levels
    source: Ints
    counts: Floats

    @property
    def pairs(self) -> float:
        """How many pairs the patterns stand for."""
        return float(self.counts.sum())

    def where(self, rows: Bools) -> Patterns:
        """Return these patterns only."""
        return Patterns(self.levels[rows], self.source[rows], self.counts[rows])

    def scaled(self, factor: float) -> Patterns:
        """Return the same patterns, each pair counted `factor` times."""
        return Patterns(self.levels, self.source, self.counts * factor)

    def without(self, columns: Iterable[int]) -> Patterns:
        """Return the patterns with these comparisons null and the sources forgotten: fewer patterns, same pairs."""
        levels = self.levels.copy()
        levels[:, list(columns)] = NULL
        return merge_patterns([Patterns(levels, np.zeros_like(self.source), self.counts)])

    def level_counts(self, column: int, size: int, weight: Floats) -> Floats:
        """Return how often each level of a comparison occurs, nulls left out, pairs counted with `weight`."""
        levels = self.levels[:, column]
        seen = levels >= 0
        found = np.bincount(levels[seen], weights=(self.counts * weight)[seen], minlength=size)
        return np.asarray(found, dtype=np.float64)


def count_patterns(levels: Levels, source: Ints, weight: float = 1.0) -> Patterns:
    """Return the distinct (levels, source) rows in a fixed order, with their counts times `weight`."""
    first, which, size = _distinct(levels, source)
    counts = np.bincount(which, minlength=size).astype(np.float64)
    return Patterns(levels[first], source[first], counts * weight)


def merge_patterns(parts: Sequence[Patterns]) -> Patterns:
    """Return the patterns of all parts together, each once."""
    levels = np.concatenate([each.levels for each in parts])
    source = np.concatenate([each.source for each in parts])
    counts = np.concatenate([each.counts for each in parts])
    first, which, size = _distinct(levels, source)
    return Patterns(
        levels[first], source[first], np.bincount(which, weights=counts, minlength=size).astype(np.float64)
    )


def _distinct(levels: Levels, source: Ints) -> tuple[Ints, Ints, int]:
    """Return the first row of each distinct (levels, source), which of them each row is, and how many there are."""
    key, largest = source.astype(np.int64), int(source.max(initial=0)) + 1
    for column in range(levels.shape[1]):
        size = int(levels[:, column].max(initial=NULL)) + 2
        if largest > LARGEST_KEY // size:
            distinct, key = np.unique(key, return_inverse=True)
            largest = len(distinct)
        key, largest = key * size + levels[:, column] + 1, largest * size
    if largest <= LARGEST_TABLE:
        return _distinct_by_table(key, largest)
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), which.astype(np.int64), len(first)


def _distinct_by_table(key: Ints, largest: int) -> tuple[Ints, Ints, int]:
    """Return what `_distinct` does, of keys below `largest`: with so few possible, nothing has to be sorted."""
    first = np.full(largest, len(key), dtype=np.int64)
    first[key[::-1]] = np.arange(len(key) - 1, -1, -1)  # written last, the first row of a key stays
    found = np.flatnonzero(first < len(key))
    number = np.zeros(largest, dtype=np.int64)
    number[found] = np.arange(len(found))
    return first[found], number[key], len(found)


def meets_rule(model: LinkageModel, levels: npt.NDArray[np.int8], rule: dict[str, tuple[str, ...]]) -> Bools:
    """Return which level vectors meet a deterministic rule: every named comparison at one of the named levels."""
    met = np.ones(len(levels), dtype=bool)
    for column, comparison in enumerate(model.comparisons):
        if comparison.name in rule:
            wanted = [comparison.level_names().index(name) for name in rule[comparison.name]]
            met &= np.isin(levels[:, column], wanted)
    return met


def is_deterministic(model: LinkageModel, levels: npt.NDArray[np.int8]) -> Bools:
    """Return which level vectors meet any deterministic rule of the model."""
    met = np.zeros(len(levels), dtype=bool)
    for rule in model.deterministic.rules:
        met |= meets_rule(model, levels, rule)
    return met
