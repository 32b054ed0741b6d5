"""Constrained average linkage (UPGMA; Sokal and Michener, 1958) over the records of one component."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipelines.link.clusters.inputs import Codes
from pipelines.link.compiled import compiled
from pipelines.link.features import Bools, Floats


class Parts(NamedTuple):
    """The parts of a component, each known by its first record; every matrix is symmetric.

    `total` is the sum of the weights of the pairs between two parts, -inf where something keeps them apart;
    `against` says what that is (flags of `Cut`), `linked` whether an accepted link joins them.
    """

    total: npt.NDArray[np.float64]
    against: npt.NDArray[np.uint8]
    linked: npt.NDArray[np.bool_]
    records: Floats
    alive: Bools


@compiled
def merge_parts(parts: Parts, part: Codes, least_mean: float) -> None:
    """Write the part of each record, known by its first record, into `part`; what it merges, it merges in `parts`.

    The two parts with the highest mean weight are merged first, the earlier records first among equals, for as
    long as a link joins them and the mean is above `least_mean`. Each part remembers the part nearest to it, so
    that k records take about k^2 steps, and k^3 at the worst.
    """
    size = len(part)
    nearest, mean = np.empty(size, np.int32), np.empty(size)
    for each in range(size):
        part[each] = each
        nearest[each], mean[each] = _nearest(parts, each)
    while True:
        at, top = -1, least_mean
        for each in range(size):
            if parts.alive[each] and mean[each] > top:
                at, top = each, mean[each]
        if at < 0:
            return
        first, second = min(at, nearest[at]), max(at, nearest[at])
        _absorb(parts, first, second)
        for each in range(size):
            if part[each] == second:
                part[each] = first
        _look_again(parts, nearest, mean, first, second)


@compiled
def _mean(parts: Parts, left: int, right: int) -> float:
    if left == right or not parts.alive[right] or not parts.linked[left, right]:
        return -np.inf
    return float(parts.total[left, right] / (parts.records[left] * parts.records[right]))


@compiled
def _nearest(parts: Parts, each: int) -> tuple[int, float]:
    found, top = -1, -np.inf
    for other in range(len(parts.alive)):
        mean = _mean(parts, each, other)
        if mean > top:
            found, top = other, mean
    return found, top


@compiled
def _absorb(parts: Parts, first: int, second: int) -> None:
    parts.records[first] += parts.records[second]
    parts.alive[second] = False
    for other in range(len(parts.alive)):
        if parts.alive[other] and other != first:
            parts.total[first, other] += parts.total[second, other]
            parts.total[other, first] = parts.total[first, other]
            parts.against[first, other] |= parts.against[second, other]
            parts.against[other, first] = parts.against[first, other]
            parts.linked[first, other] |= parts.linked[second, other]
            parts.linked[other, first] = parts.linked[first, other]


@compiled
def _look_again(parts: Parts, nearest: Codes, mean: Floats, first: int, second: int) -> None:
    """Bring up to date which part is nearest to each, after `second` went into `first`."""
    for each in range(len(parts.alive)):
        if not parts.alive[each]:
            continue
        if each == first or nearest[each] == first or nearest[each] == second:
            nearest[each], mean[each] = _nearest(parts, each)
            continue
        now = _mean(parts, each, first)
        if now > mean[each] or (now == mean[each] and now > -np.inf and first < nearest[each]):
            nearest[each], mean[each] = first, now
