"""Seeded random draws: one small object per chunk, so that a chunk never depends on another."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


class Weighted(Generic[T]):
    """Values with cumulative weights, drawn by `Dice.draw`."""

    __slots__ = ("cumulative", "values")

    def __init__(self, weights: Mapping[T, float] | Sequence[tuple[T, float]]) -> None:
        pairs = list(weights.items()) if isinstance(weights, Mapping) else list(weights)
        total = sum(weight for _, weight in pairs)
        self.values: list[T] = [value for value, _ in pairs]
        self.cumulative = [part / total for part in accumulate(weight for _, weight in pairs)]
        self.cumulative[-1] = 1.0


class Dice:
    """Draws that depend on the seed and the chunk alone.

    Only `random.Random.random` is used underneath: its sequence is promised to stay the same between Python
    versions, which the promise "same seed, same bytes" rests on.
    """

    __slots__ = ("random",)

    def __init__(self, *seed: int) -> None:
        words = np.random.SeedSequence(list(seed)).generate_state(4)
        self.random = random.Random(int.from_bytes(words.tobytes(), "little")).random

    def chance(self, rate: float) -> bool:
        """Return True in `rate` of the calls."""
        return self.random() < rate

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to `limit` - 1."""
        return int(self.random() * limit)

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, values: Sequence[T]) -> T:
        """Return one of the values, each as likely as the others."""
        return values[int(self.random() * len(values))]

    def draw(self, weighted: Weighted[T]) -> T:
        """Return one of the values by its weight."""
        return weighted.values[bisect(weighted.cumulative, self.random())]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """Return the values in random order."""
        keyed = sorted((self.random(), place) for place in range(len(values)))
        return [values[place] for _, place in keyed]
