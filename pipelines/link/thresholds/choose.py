"""Choose the join threshold from a curve: by a target false-link rate, or by the highest expected F1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.errors import LinkageError
from pipelines.link.thresholds.correction import UNCHANGED, Correction
from pipelines.link.thresholds.curve import Curve
from pipelines.link.thresholds.edges import probability_of, weight_of

FALSE_LINK_RATE, EXPECTED_F1 = "false_link_rate", "expected_f1"
DEFAULT_TARGET = 0.005
LEAST_PROBABILITY = 0.5
CHART_POINTS = 120


@dataclass(frozen=True)
class Estimates:
    """What is expected at a threshold: links, pairs inside clusters, both error rates."""

    links: int
    pairs: int
    false_pairs: float
    missed_pairs: float
    false_link_rate: float
    recall: float
    f1: float


NOTHING = Estimates(0, 0, 0.0, 0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Point:
    """A threshold on the chart: match weight, posterior, and what is expected there."""

    weight: float
    probability: float
    false_link_rate: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Threshold:
    """The chosen match weight: pairs at or above it are links.

    `attained` is false when no threshold keeps the estimate within the target; then nothing is linked.
    """

    weight: float
    probability: float
    objective: str
    target: float | None
    attained: bool
    estimates: Estimates
    points: tuple[Point, ...]


def choose_by_false_link_rate(
    curve: Curve, target: float = DEFAULT_TARGET, correction: Correction = UNCHANGED
) -> Threshold:
    """Return the lowest threshold whose estimated false-link rate is within `target`, and never below even odds.

    The estimate may rise and fall again where a merge of large parts is doubtful: the lowest threshold counts,
    since what lies above it is judged as a whole. Where the data have nothing between two weights, the threshold is
    the posterior that keeps to the target for a single pair, so that the model is as strict with what comes later.

    Raises:
        LinkageError: the target is not between 0 and 1.
    """
    if not 0.0 < target < 1.0:
        raise LinkageError("the target false-link rate must lie between 0 and 1")
    single = _uncorrected(max(weight_of(1.0 - target), weight_of(LEAST_PROBABILITY)), correction)
    within = (curve.false_link_rate <= target) & (curve.probability >= LEAST_PROBABILITY)
    if not len(curve.weight):
        return _threshold(curve, None, single, (FALSE_LINK_RATE, target, True), correction)
    if not within.any():
        above = float(np.nextafter(curve.weight[0], np.inf))
        certain = bool((curve.probability < LEAST_PROBABILITY).all())
        return _threshold(curve, None, max(above, single), (FALSE_LINK_RATE, target, certain), correction)
    at = int(np.flatnonzero(within)[-1])
    return _threshold(curve, at, single, (FALSE_LINK_RATE, target, True), correction)


def choose_by_expected_f1(curve: Curve, correction: Correction = UNCHANGED) -> Threshold:
    """Return the threshold of the highest expected F1 (the highest weight among equals).

    A pair raises the expected F1 when its posterior is above half of it, so that is the threshold where the data
    have nothing between two weights (Lewis, 1995).
    """
    if not len(curve.weight):
        return _threshold(curve, None, _uncorrected(0.0, correction), (EXPECTED_F1, None, True), correction)
    at = int(np.argmax(curve.f1))
    single = _uncorrected(weight_of(float(curve.f1[at]) / 2.0), correction)
    return _threshold(curve, at, single, (EXPECTED_F1, None, True), correction)


def keep_threshold(curve: Curve, weight: float, objective: str, target: float | None) -> Threshold:
    """Return a threshold that was chosen elsewhere, with what is expected of it here."""
    estimates = estimates_at(curve, weight)
    return Threshold(
        weight=weight,
        probability=float(probability_of(np.array(weight))),
        objective=objective,
        target=target,
        attained=target is None or estimates.false_link_rate <= target,
        estimates=estimates,
        points=_chart(curve),
    )


def estimates_at(curve: Curve, weight: float) -> Estimates:
    """Return what is expected at a threshold that was chosen elsewhere."""
    reached = int((curve.weight >= weight).sum())
    return _estimates(curve, reached - 1 if reached else None)


def _uncorrected(odds: float, correction: Correction) -> float:
    return (odds - correction.shift) / correction.scale


def _threshold(
    curve: Curve,
    at: int | None,
    single: float,
    reason: tuple[str, float | None, bool],
    correction: Correction,
) -> Threshold:
    weight = single if at is None else _between(curve, at, single)
    odds = correction.shift + correction.scale * weight
    return Threshold(
        weight=weight,
        probability=float(probability_of(np.array(odds))),
        objective=reason[0],
        target=reason[1],
        attained=reason[2],
        estimates=_estimates(curve, at),
        points=_chart(curve),
    )


def _between(curve: Curve, at: int, single: float) -> float:
    """Return `single` kept within the weights that leave the links as they are at point `at`."""
    highest = float(curve.weight[at])
    if at + 1 == len(curve.weight):
        return min(highest, single)
    lowest = float(np.nextafter(curve.weight[at + 1], np.inf))
    return max(lowest, min(highest, single))


def _estimates(curve: Curve, at: int | None) -> Estimates:
    if at is None:
        return NOTHING if not len(curve.weight) else Estimates(0, 0, 0.0, curve.total, 0.0, 0.0, 0.0)
    return Estimates(
        links=int(curve.links[at]),
        pairs=int(curve.pairs[at]),
        false_pairs=float(curve.false_pairs[at]),
        missed_pairs=float(curve.missed_pairs[at]),
        false_link_rate=float(curve.false_link_rate[at]),
        recall=float(curve.recall[at]),
        f1=float(curve.f1[at]),
    )


def _chart(curve: Curve) -> tuple[Point, ...]:
    """Return points for a chart, evenly over the weights that occur."""
    if not len(curve.weight):
        return ()
    wanted = np.linspace(curve.weight[0], curve.weight[-1], CHART_POINTS)
    rows = np.unique(np.searchsorted(-curve.weight, -wanted, side="right") - 1)
    rows = rows[rows >= 0]
    columns = (curve.weight, curve.probability, curve.false_link_rate, curve.recall, curve.f1)
    return tuple(Point(*values) for values in np.stack([each[rows] for each in columns], axis=1).tolist())
