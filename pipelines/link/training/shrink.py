"""Estimates from counts that stay sensible when counts are small: drawn to the model's starting values."""

from __future__ import annotations

import numpy as np

from pipelines.contracts.model import Training
from pipelines.link.features import Floats


def shrink(counts: Floats, start: Floats, settings: Training) -> Floats:
    """Return shares: the starting values weigh as much as `starting_pairs` pairs.

    A level that was not seen among n pairs may still occur: its share is not put below half a pair in n, nor
    above where it started.
    """
    total = float(counts.sum())
    shares = (counts + settings.starting_pairs * start) / (total + settings.starting_pairs)
    floor = np.minimum(0.5 / max(total, 1.0), start)
    kept = np.maximum(shares, floor)
    return np.asarray(kept / kept.sum())


def shrink_rate(found: Floats, totals: Floats, start: float, settings: Training) -> Floats:
    """Return found / totals, drawn to `start` where totals are small, and never zero."""
    rate = (found + settings.starting_pairs * start) / (totals + settings.starting_pairs)
    floor = np.minimum(0.5 / np.maximum(totals, 1.0), start)
    return np.asarray(np.clip(rate, floor, 0.5))
