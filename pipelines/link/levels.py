"""Comparison levels of single values: each distinct pair of values is judged once, whatever it is compared for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from recordlinkage.algorithms.string import jarowinkler_similarity

from pipelines.contracts.model import Comparison, Level
from pipelines.link.dates import Spans, date_condition, parse_spans
from pipelines.link.features import Bools, Floats, Ints, Texts
from pipelines.link.names import are_variants, has_variants, phonetic, share_initial, share_token


@dataclass(frozen=True)
class ValuePairs:
    """Distinct pairs of values, as codes into their table of distinct values; `left <= right`."""

    values: Texts
    left: Ints
    right: Ints

    def subset(self, rows: Ints) -> ValuePairs:
        """Return these rows only."""
        return ValuePairs(self.values, self.left[rows], self.right[rows])


ValueLevels = Callable[[Comparison, ValuePairs], Ints]


def _walk(
    comparison: Comparison, pairs: ValuePairs, meets: Callable[[Level, ValuePairs, Ints], Bools]
) -> Ints:
    """Return the first level that each value pair meets; conditions see only the pairs that are still undecided."""
    result = np.full(len(pairs.left), len(comparison.levels) - 1, dtype=np.int64)
    open_rows = np.arange(len(pairs.left))
    for position, level in enumerate(comparison.levels[:-1]):
        if not len(open_rows):
            break
        met = meets(level, pairs.subset(open_rows), open_rows)
        result[open_rows[met]] = position
        open_rows = open_rows[~met]
    return result


def name_levels(comparison: Comparison, pairs: ValuePairs) -> Ints:
    """Return the level of each pair of names; conditions on whole records (swapped) never hold here."""
    similarity = _Similarity(pairs)
    facts = _NameFacts(pairs.values)

    def meets(level: Level, some: ValuePairs, rows: Ints) -> Bools:
        if level.when == "similar":
            return np.asarray(similarity.of(rows) >= (level.at_least or 1.0))
        return facts.meets(level.when, some)

    return _walk(comparison, pairs, meets)


def date_levels(comparison: Comparison, pairs: ValuePairs) -> Ints:
    """Return the level of each pair of birth dates; one not known to the day is the span it may lie in."""
    spans = parse_spans(pairs.values)

    def meets(level: Level, some: ValuePairs, rows: Ints) -> Bools:
        left, right = Spans.take(spans, some.left), Spans.take(spans, some.right)
        return date_condition(level.when, left, right, level.years)

    return _walk(comparison, pairs, meets)


class _Similarity:
    """Jaro-Winkler of value pairs (jellyfish's variant, on folded letters), computed once where it is needed."""

    def __init__(self, pairs: ValuePairs) -> None:
        self.pairs = pairs
        self.known: Floats | None = None

    def of(self, rows: Ints) -> Floats:
        if self.known is None:
            self.known = np.full(len(self.pairs.left), np.nan)
        todo = rows[np.isnan(self.known[rows])]
        if len(todo):
            left = pd.Series(self.pairs.values[self.pairs.left[todo]])
            right = pd.Series(self.pairs.values[self.pairs.right[todo]])
            self.known[todo] = np.asarray(jarowinkler_similarity(left, right), dtype=np.float64)
        return self.known[rows]


class _NameFacts:
    """What is derived once per distinct name: phonetic code, whether it has tokens, variants, or is an initial."""

    def __init__(self, values: Texts) -> None:
        self.values = values
        codes = [phonetic(value) for value in values]
        self.phonetic = pd.factorize(np.array([code or None for code in codes], dtype=object))[0]
        self.split = np.array([" " in value for value in values], dtype=bool)
        self.single = np.array([len(value) == 1 for value in values], dtype=bool)
        self.varied = np.array([has_variants(value) for value in values], dtype=bool)

    def meets(self, condition: str, pairs: ValuePairs) -> Bools:
        left, right = pairs.left, pairs.right
        match condition:
            case "equal":
                return np.asarray(left == right)
            case "phonetic":
                return np.asarray((self.phonetic[left] == self.phonetic[right]) & (self.phonetic[left] >= 0))
            case "variant":
                return self._where(self.varied[left] & self.varied[right], pairs, are_variants)
            case "tokens":
                return self._where(self.split[left] | self.split[right], pairs, share_token)
            case "initial":
                return self._where(self.single[left] | self.single[right], pairs, share_initial)
            case _:
                return np.zeros(len(left), dtype=bool)

    def _where(self, possible: Bools, pairs: ValuePairs, test: Callable[[str, str], bool]) -> Bools:
        result = np.zeros(len(possible), dtype=bool)
        for row in np.flatnonzero(possible):
            result[row] = test(self.values[pairs.left[row]], self.values[pairs.right[row]])
        return result
