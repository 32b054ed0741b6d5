"""What every contender hands in, whatever made it: weighed pairs, and the threshold it would choose by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.features import Floats, Ints


@dataclass(frozen=True)
class Pairs:
    """Weighed pairs: two positions in the records, and a weight that ranks them (bits, log odds to base 2)."""

    a: Ints
    b: Ints
    weight: Floats

    def above(self, threshold: float) -> Pairs:
        """Return the pairs at this weight and above."""
        kept = self.weight >= threshold
        return Pairs(self.a[kept], self.b[kept], self.weight[kept])


@dataclass(frozen=True)
class Setting:
    """A threshold that no truth chose: what it is called, and the weight from which a pair is accepted."""

    name: str
    threshold: float


@dataclass(frozen=True)
class Contender:
    """A tool's answer to one data set: its pairs, its settings, and how long it took."""

    name: str
    pairs: Pairs
    settings: tuple[Setting, ...]
    seconds: float


def as_bits(probability: float) -> float:
    """Return the log odds, to base 2, of a probability."""
    return float(np.log2(probability / (1.0 - probability)))
