"""Choose the threshold and make every check that the data allow: the side pass as one function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.contracts.model import LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.data import LinkData
from pipelines.link.thresholds.calibrate import CalibrationReport, calibrate
from pipelines.link.thresholds.choose import (
    DEFAULT_TARGET,
    EXPECTED_F1,
    FALSE_LINK_RATE,
    Threshold,
    choose_by_expected_f1,
    choose_by_false_link_rate,
    keep_threshold,
)
from pipelines.link.thresholds.curve import Setting, draw_curve, rate_inside
from pipelines.link.thresholds.decoy_check import (
    DecoyReport,
    FalseLinks,
    compare_false_links,
    judge_decoys,
    score_decoys,
)
from pipelines.link.thresholds.decoys import make_decoys
from pipelines.link.thresholds.edges import Edges, Fit, Ints, Score
from pipelines.link.thresholds.hidden import HiddenReport, hide_identifier, judge_hidden
from pipelines.link.thresholds.households import household_pairs
from pipelines.link.thresholds.report import Held, ThresholdReport
from pipelines.link.thresholds.tables import unique_source_codes
from pipelines.link.thresholds.unique import UniqueReport, judge_unique, score_without_unique
from pipelines.link.trained import Parameters


@dataclass(frozen=True)
class Objective:
    """What the threshold is chosen for: a target false-link rate, or the highest expected F1."""

    name: str = FALSE_LINK_RATE
    target: float = DEFAULT_TARGET

    @property
    def bound(self) -> float | None:
        """The target; None where the objective has none."""
        return self.target if self.name == FALSE_LINK_RATE else None


@dataclass(frozen=True)
class Frozen:
    """A trained model as the checks see it: definition, parameters, its scoring, and how to train another."""

    model: LinkageModel
    parameters: Parameters
    score: Score
    fit: Fit


def choose_threshold(edges: Edges, data: LinkData, objective: Objective) -> Threshold:
    """Return the join threshold for the edges of `data`; no label is looked at.

    Raises:
        LinkageError: the objective is not known, or its target is not between 0 and 1.
    """
    curve = draw_curve(edges, Setting(unique_source=unique_source_codes(data)))
    if objective.name == FALSE_LINK_RATE:
        return choose_by_false_link_rate(curve, objective.target)
    if objective.name == EXPECTED_F1:
        return choose_by_expected_f1(curve)
    raise LinkageError(f"the threshold's objective must be {FALSE_LINK_RATE} or {EXPECTED_F1}")


def judge_threshold(edges: Edges, data: LinkData, weight: float, objective: Objective) -> Threshold:
    """Return a threshold that a model brings along, with what is expected of it among the edges of `data`."""
    curve = draw_curve(edges, Setting(unique_source=unique_source_codes(data)))
    return keep_threshold(curve, weight, objective.name, objective.bound)


def held_by(edges: Edges, clusters: Ints) -> Held:
    """Return the pairs inside clusters as they were made, and bounds of the share of them that is two people."""
    return Held(*rate_inside(edges, clusters))


def assess_threshold(
    frozen: Frozen,
    data: LinkData,
    edges: Edges,
    threshold: Threshold,
    clusters: Ints | None = None,
    passes: int = 1,
) -> ThresholdReport:
    """Return the report on a threshold, with the three checks against the frozen model.

    Args:
        frozen: the trained model; one of its checks trains another without an identifier.
        data: the records.
        edges: the model's edges of `data`.
        threshold: what was chosen.
        clusters: the cluster of each record, as it was made of the links, where that is known.
        passes: how many batches of decoys are scored; each costs a scoring of all records.
    """
    decoys, false_links = _with_decoys(frozen, data, threshold, passes)
    unique = _with_unique(frozen, data, threshold)
    hidden, calibration = _with_hidden(frozen, data, edges, threshold)
    return ThresholdReport(
        threshold,
        held=None if clusters is None else held_by(edges, clusters),
        decoys=decoys,
        false_links=false_links,
        unique=unique,
        hidden=hidden,
        calibration=calibration,
        notes=_notes(threshold, decoys, unique, hidden),
    )


def _with_decoys(
    frozen: Frozen, data: LinkData, threshold: Threshold, passes: int
) -> tuple[DecoyReport | None, tuple[FalseLinks, ...]]:
    home = frozen.model.household
    shared = frozenset(
        each.field.removeprefix("extra.")
        for each in frozen.model.comparisons
        if home is not None and each.name in home.shared and each.field.startswith("extra.")
    )
    scored = []
    for batch in range(passes):
        decoys = make_decoys(data, batch=batch, shared_extras=shared)
        if len(decoys):
            scored.append(score_decoys(frozen.score, data, decoys))
    if not scored:
        return None, ()
    size, households = data.records.num_rows, household_pairs(frozen.parameters, data)
    report = judge_decoys(scored, threshold.weight, size, households)
    return report, compare_false_links(scored, size, households)


def _with_unique(frozen: Frozen, data: LinkData, threshold: Threshold) -> UniqueReport | None:
    if not data.unique_sources:
        return None
    return judge_unique(score_without_unique(frozen.score, data), data, threshold.weight)


def _with_hidden(
    frozen: Frozen, data: LinkData, edges: Edges, threshold: Threshold
) -> tuple[tuple[HiddenReport, ...], CalibrationReport | None]:
    hidden = hide_identifier(frozen.model, data, frozen.fit)
    if hidden is None:
        return (), None
    report = judge_hidden(hidden, data, threshold.weight, edges)
    return (report,), calibrate(hidden, data, report.covered)


def _notes(
    threshold: Threshold,
    decoys: DecoyReport | None,
    unique: UniqueReport | None,
    hidden: Sequence[HiddenReport],
) -> tuple[str, ...]:
    """Return what a reader has to know about the checks, one sentence each."""
    notes = []
    if not threshold.attained:
        notes.append("no threshold keeps the estimated false-link rate within the target: nothing is linked")
    if decoys is None:
        notes.append("no decoys could be made: the records carry too few names")
    elif threshold.target is not None and decoys.implied_rate.low > threshold.target:
        notes.append("the decoys imply a false-link rate above the target: the model is too sure")
    if unique is None:
        notes.append("no source is declared to hold each person once: that check was not made")
    if not hidden:
        notes.append("no identifier has enough agreeing pairs to be hidden: recall was not checked")
    for each in hidden:
        notes.append(
            f"recall was checked with {each.kind} hidden, which reaches groups with {each.covered:.0%} of the "
            "expected true pairs"
        )
    return tuple(notes)
