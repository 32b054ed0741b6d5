"""Axes of a chart: from values to places, with ticks at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high` over places from `start` to `end`; logarithmic where `log` says so."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value; a value beyond the axis has the place of its end."""
        kept = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(kept / self.low) / math.log(self.high / self.low)
        else:
            share = (kept - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 10) -> list[float]:
        """Return round values along a linear axis, at most about `most`; powers of ten along a logarithmic one."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        step = round_step(self.high - self.low, most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [count * step for count in range(first, last + 1)]


def round_step(length: float, most: int) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that divides a length into at most `most` parts."""
    power = 10.0 ** math.floor(math.log10(length / most))
    return next(factor * power for factor in STEPS if factor * power * most >= length * (1 - 1e-9))
