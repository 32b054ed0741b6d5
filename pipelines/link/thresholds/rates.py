"""The two error rates to be expected, each with an interval and with what stands behind it.

The estimate is the model's: its posteriors, summed over the pairs inside clusters. Its own interval has two parts:
were every posterior right, the number of errors would still vary (Poisson); and of false links the clusters as
they were made have bounds. The checks have intervals of their own, at 95 %. The interval given runs from the lowest
to the highest of all of these, so it is wide where the model and a check disagree, and never narrower than either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.link.thresholds.choose import Estimates
from pipelines.link.thresholds.intervals import Rate, count_interval
from pipelines.link.thresholds.report import ThresholdReport

MODEL, DECOYS, UNIQUE, HIDDEN = "model", "decoys", "unique sources", "hidden identifier"


@dataclass(frozen=True)
class Part:
    """One estimate of an error rate and its interval; `about` names the identifier that was hidden."""

    method: str
    estimate: float
    low: float
    high: float
    about: str = ""


@dataclass(frozen=True)
class ErrorRate:
    """An error rate: the model's estimate, the interval over all parts, and the methods that it was made with."""

    estimate: float
    low: float
    high: float
    method: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class ErrorRates:
    """Of the pairs inside clusters, the share that is two people; of the pairs of one person, the share missed."""

    false_link_rate: ErrorRate
    missed_link_rate: ErrorRate


def error_rates(report: ThresholdReport) -> ErrorRates:
    """Return both error rates to be expected at the threshold of a report."""
    estimates = report.threshold.estimates
    false = [_false_by_model(report, estimates)]
    if report.decoys is not None:
        false.append(_part(DECOYS, report.decoys.implied_rate))
    if report.unique is not None and report.unique.implied_rate is not None:
        false.append(_part(UNIQUE, report.unique.implied_rate))
    missed = [_missed_by_model(estimates)]
    for each in report.hidden:
        found = each.reweighted
        rate = Rate(1.0 - found.estimate, 1.0 - found.high, 1.0 - found.low)
        missed.append(_part(HIDDEN, rate, each.kind))
    return ErrorRates(_together(false), _together(missed))


def _false_by_model(report: ThresholdReport, estimates: Estimates) -> Part:
    low, high = (each / max(estimates.pairs, 1) for each in count_interval(estimates.false_pairs))
    if report.held is not None:
        low = min(low, report.held.false_link_rate_low)
        high = max(high, report.held.false_link_rate_high)
    if not estimates.pairs:
        low = high = 0.0
    return _part(MODEL, Rate(estimates.false_link_rate, low, high))


def _missed_by_model(estimates: Estimates) -> Part:
    total = estimates.pairs - estimates.false_pairs + estimates.missed_pairs
    low, high = (each / max(total, 1.0) for each in count_interval(estimates.missed_pairs))
    return _part(MODEL, Rate(1.0 - estimates.recall, low, high))


def _part(method: str, rate: Rate, about: str = "") -> Part:
    return Part(method, rate.estimate, max(0.0, rate.low), min(1.0, rate.high), about)


def _together(parts: Sequence[Part]) -> ErrorRate:
    low = min(min(each.low, each.estimate) for each in parts)
    high = max(max(each.high, each.estimate) for each in parts)
    method = ", ".join(each.method for each in parts)
    return ErrorRate(parts[0].estimate, low, high, method, tuple(parts))
