"""Is the posterior calibrated? Bins against hidden identifiers, and a correction of the log odds where it helps.

Pairs whose sides both carry the hidden identifier say for themselves, nearly, whether they are one person: the
numbers agree or they conflict. A share `noise` of true pairs conflicts all the same (a wrong or former number), so

    P(agree | weight) = (1 - noise) / (1 + 2 ** -(shift + scale * weight))

is fitted by maximum likelihood (Platt, 1999, with noise), drawn mildly to no correction. It is advised only when
both outcomes are frequent among uncertain pairs, when it predicts pairs left out of the fit (five folds, by record)
clearly better, and when the identifier is carried in the groups that hold most of the true pairs.

It is learned from the model without the identifier, and only on pairs that carry it. Where those are a group of
their own, it does harm to the rest (measured: a shift right for one pair of sources made the posteriors of the
others worse). So it is a report; nothing applies it unasked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]

from pipelines.link.data import LinkData
from pipelines.link.thresholds.correction import UNCHANGED, Correction
from pipelines.link.thresholds.edges import Bools, Floats, Ints, probability_of
from pipelines.link.thresholds.hidden import Hidden
from pipelines.link.thresholds.identifiers import comparable_rows
from pipelines.link.thresholds.intervals import Rate, exact_rate

LIMITS = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0)
FOLDS = 5
# Pairs of each outcome with a weight between -10 and 10 bits: fewer do not carry a curve.
FEWEST_UNCERTAIN = 100
UNCERTAIN_BITS = 10.0
CLEARLY_BETTER = 0.02
LEAST_COVERED = 0.8
MOST_SCALE = 2.0
STRENGTH = 2.0
USUAL_NOISE = 0.01
LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Bin:
    """Pairs with posteriors in a range: how many, the mean posterior before and after, the share that agrees."""

    low: float
    high: float
    pairs: int
    posterior: float
    corrected: float
    agreeing: Rate


@dataclass(frozen=True)
class CalibrationReport:
    """The fit and what it is worth: log loss per pair on pairs left out, before and after; is it advised."""

    kind: str
    agreeing: int
    conflicting: int
    uncertain_agreeing: int
    uncertain_conflicting: int
    noise: float
    correction: Correction
    loss_before: float
    loss_after: float
    advised: bool
    reason: str
    bins: tuple[Bin, ...]

    @property
    def chosen(self) -> Correction:
        """The correction where it is advised, else none."""
        return self.correction if self.advised else UNCHANGED


@dataclass(frozen=True)
class Labelled:
    """Weights of pairs that agree or conflict on a hidden identifier, and the fold of each."""

    weight: Floats
    agrees: Bools
    fold: Ints


def label_pairs(hidden: Hidden, data: LinkData) -> Labelled:
    """Return the scored pairs whose sides both carry the hidden identifier."""
    edges = hidden.edges.allowed()
    edges = edges.where(comparable_rows(data, edges.a, edges.b))
    agrees = hidden.carried.agree(edges.a, edges.b)
    conflicts = hidden.carried.conflict(edges.a, edges.b)
    kept = edges.where(agrees | conflicts)
    return Labelled(kept.weight, agrees[agrees | conflicts], kept.a % FOLDS)


def calibrate(hidden: Hidden, data: LinkData, covered: float) -> CalibrationReport:
    """Return the calibration of the posterior against the hidden identifier, with the correction and its worth.

    Args:
        hidden: the model without the identifier, and its edges.
        data: the records.
        covered: the share of the expected true pairs in groups that carry the identifier (`HiddenReport.covered`).
    """
    labelled = label_pairs(hidden, data)
    near = np.abs(labelled.weight) <= UNCERTAIN_BITS
    yes, no = int((near & labelled.agrees).sum()), int((near & ~labelled.agrees).sum())
    if min(yes, no) < FEWEST_UNCERTAIN:
        reason = f"too few uncertain pairs carry the identifier: {yes} agree and {no} conflict"
        return _report(hidden.kind, labelled, (UNCHANGED, USUAL_NOISE), (0.0, 0.0), reason)
    before = after = 0.0
    for fold in range(FOLDS):
        inside = labelled.fold != fold
        correction, noise = _fit(labelled, inside)
        level = _noise_alone(labelled, inside)
        before += _loss(labelled, ~inside, UNCHANGED, level)
        after += _loss(labelled, ~inside, correction, noise)
    losses = before / len(labelled.weight), after / len(labelled.weight)
    fit = _fit(labelled, np.ones(len(near), dtype=np.bool_))
    return _report(hidden.kind, labelled, fit, losses, _against(fit[0], losses, covered))


def _against(correction: Correction, losses: tuple[float, float], covered: float) -> str:
    """Return why a correction is not advised; empty when it is."""
    if losses[1] >= (1.0 - CLEARLY_BETTER) * losses[0]:
        return "pairs left out are not predicted better"
    if covered < LEAST_COVERED:
        return "the identifier is carried in few of the groups of true pairs"
    if not 1.0 / MOST_SCALE <= correction.scale <= MOST_SCALE:
        return "the fitted scale is implausible: noise in the identifier hides the slope"
    return ""


def _report(
    kind: str, labelled: Labelled, fit: tuple[Correction, float], losses: tuple[float, float], reason: str
) -> CalibrationReport:
    near = np.abs(labelled.weight) <= UNCERTAIN_BITS
    return CalibrationReport(
        kind=kind,
        agreeing=int(labelled.agrees.sum()),
        conflicting=int((~labelled.agrees).sum()),
        uncertain_agreeing=int((near & labelled.agrees).sum()),
        uncertain_conflicting=int((near & ~labelled.agrees).sum()),
        noise=fit[1],
        correction=fit[0],
        loss_before=losses[0],
        loss_after=losses[1],
        advised=not reason,
        reason=reason or "pairs left out are predicted better",
        bins=_bins(labelled, fit[0]),
    )


def _bins(labelled: Labelled, correction: Correction) -> tuple[Bin, ...]:
    posterior, corrected = probability_of(labelled.weight), probability_of(correction.apply(labelled.weight))
    place = np.clip(np.searchsorted(LIMITS, posterior, side="right") - 1, 0, len(LIMITS) - 2)
    found = []
    for number in range(len(LIMITS) - 1):
        mine = place == number
        count = int(mine.sum())
        if count:
            share = exact_rate(int(labelled.agrees[mine].sum()), count)
            means = float(posterior[mine].mean()), float(corrected[mine].mean())
            found.append(Bin(LIMITS[number], LIMITS[number + 1], count, *means, share))
    return tuple(found)


def _chance(weight: Floats, correction: Correction, noise: float) -> Floats:
    chance = (1.0 - noise) * probability_of(correction.apply(weight))
    return np.asarray(np.clip(chance, 1e-9, 1.0 - 1e-9))


def _loss(labelled: Labelled, rows: Bools, correction: Correction, noise: float) -> float:
    chance = _chance(labelled.weight[rows], correction, noise)
    agrees = labelled.agrees[rows]
    return float(-(np.log(chance[agrees]).sum() + np.log1p(-chance[~agrees]).sum()))


def _unpack(values: Floats) -> tuple[Correction, float]:
    return Correction(float(values[0]), float(np.exp(values[1]))), float(1.0 / (1.0 + np.exp(-values[2])))


def _fit(labelled: Labelled, rows: Bools) -> tuple[Correction, float]:
    """Return the correction and the noise of maximum likelihood, drawn to no correction and the usual noise."""
    usual = float(np.log(USUAL_NOISE / (1.0 - USUAL_NOISE)))

    def cost(values: Floats) -> float:
        correction, noise = _unpack(values)
        pull = (values[0] * LN2) ** 2 / 2.0 + STRENGTH * values[1] ** 2 + (values[2] - usual) ** 2 / 2.0
        return _loss(labelled, rows, correction, noise) + float(pull)

    start = np.array([0.0, 0.0, usual])
    return _unpack(np.asarray(minimize(cost, start, method="Nelder-Mead", options={"maxiter": 2000}).x))


def _noise_alone(labelled: Labelled, rows: Bools) -> float:
    """Return the noise of maximum likelihood with the posterior as it is: the fair start for a comparison."""
    levels = np.geomspace(1e-4, 0.2, 60)
    losses = [_loss(labelled, rows, UNCHANGED, float(level)) for level in levels]
    return float(levels[int(np.argmin(losses))])
