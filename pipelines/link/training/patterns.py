"""Comparison vectors counted: training works on how often each pattern of levels occurs, not on pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.contracts.model import LinkageModel
from pipelines.link.compare import Levels
from pipelines.link.features import Bools, Floats, Ints


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

    def level_counts(self, column: int, size: int, weight: Floats) -> Floats:
        """Return how often each level of a comparison occurs, nulls left out, pairs counted with `weight`."""
        levels = self.levels[:, column]
        seen = levels >= 0
        found = np.bincount(levels[seen], weights=(self.counts * weight)[seen], minlength=size)
        return np.asarray(found, dtype=np.float64)


def count_patterns(model: LinkageModel, levels: Levels, source: Ints, weight: float = 1.0) -> Patterns:
    """Return the distinct (levels, source) rows in a fixed order, with their counts times `weight`."""
    key = source.astype(np.int64)
    for column, comparison in enumerate(model.comparisons):
        key = key * (len(comparison.levels) + 1) + levels[:, column] + 1
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    return Patterns(levels[first], source[first], counts * weight)


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
