"""Intervals for shares, at 95 %."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, gamma  # type: ignore[import-untyped]

CONFIDENCE = 0.95
Z = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """An estimated rate with its 95 % interval."""

    estimate: float
    low: float
    high: float


def exact_rate(found: float, exposed: float) -> Rate:
    """Return found / exposed with the interval of Clopper and Pearson (1934); 0 to 1 when nothing was exposed."""
    if exposed <= 0:
        return Rate(0.0, 0.0, 1.0)
    tail = (1.0 - CONFIDENCE) / 2.0
    low = 0.0 if found <= 0 else float(beta.ppf(tail, found, exposed - found + 1.0))
    high = 1.0 if found >= exposed else float(beta.ppf(1.0 - tail, found + 1.0, exposed - found))
    return Rate(found / exposed, low, high)


def wilson_rate(share: float, size: float) -> Rate:
    """Return a share of `size` (effective) observations with the interval of Wilson (1927)."""
    if size <= 0:
        return Rate(share, 0.0, 1.0)
    centre = (share + Z * Z / (2 * size)) / (1 + Z * Z / size)
    half = Z / (1 + Z * Z / size) * float(np.sqrt(share * (1 - share) / size + Z * Z / (4 * size * size)))
    return Rate(share, max(0.0, centre - half), min(1.0, centre + half))


def count_interval(expected: float) -> tuple[float, float]:
    """Return where a Poisson count may lie whose mean is estimated as `expected` (Garwood, 1936)."""
    tail = (1.0 - CONFIDENCE) / 2.0
    low = 0.0 if expected <= 0 else float(gamma.ppf(tail, expected))
    return low, float(gamma.ppf(1.0 - tail, expected + 1.0))


def weighted_sum(weights: Sequence[float], rates: Sequence[Rate]) -> Rate:
    """Return the weighted sum of independent rates; limits recovered from theirs (Zou and Donner, 2008)."""
    total = sum(weight * rate.estimate for weight, rate in zip(weights, rates, strict=True))
    below = sum((w * (r.estimate - r.low)) ** 2 for w, r in zip(weights, rates, strict=True))
    above = sum((w * (r.high - r.estimate)) ** 2 for w, r in zip(weights, rates, strict=True))
    return Rate(total, max(0.0, total - float(np.sqrt(below))), total + float(np.sqrt(above)))
