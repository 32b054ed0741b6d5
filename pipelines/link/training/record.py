"""The record of a training: what a report needs to say how the parameters came about."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.encode import Encoded
from pipelines.link.features import Floats
from pipelines.link.trained import HouseholdRecord, PriorRecord, StartRecord, TrainingRecord, source_pair
from pipelines.link.training.combine import describe
from pipelines.link.training.evidence import Evidence
from pipelines.link.training.population import assumed_prior
from pipelines.link.training.rounds import Settled
from pipelines.link.training.starts import Trial
from pipelines.link.training.state import HOUSEHOLD_CLASSES, MATCH
from pipelines.link.training.warnings import training_warnings

OTHER_RECALLS = (0.5, 0.9)


def make_record(
    model: LinkageModel, encoded: Encoded, evidence: Evidence, trial: Trial, seed: int
) -> TrainingRecord:
    """Return how a model was trained."""
    end = trial.best
    priors = tuple(_priors(encoded, evidence, end))
    sensitivity = prior_sensitivity(model, evidence)
    return TrainingRecord(
        records=encoded.size,
        seed=seed,
        random_pairs=evidence.random_pairs,
        candidate_pairs=evidence.candidates,
        assumed_recall=model.deterministic.assumed_recall,
        prior_sensitivity=_in_words(sensitivity, evidence, end),
        passes=describe(model, end.state, end.passes),
        warnings=training_warnings(model, evidence, trial, priors),
        sensitivity=sensitivity,
        priors=priors,
        starts=tuple(_starts(trial)),
        household=_household(model, evidence, end),
        hubs={kind: len(keys) for kind, keys in (encoded.hubs or {}).items()},
        at_hubs=encoded.at_hubs,
    )


def prior_sensitivity(model: LinkageModel, evidence: Evidence) -> dict[str, float]:
    """Return by recall what assuming it would add to every weight, in bits: the mean over pairs of sources."""

    def matches(recall: float) -> float:
        rules = model.deterministic.model_copy(update={"assumed_recall": recall})
        prior = assumed_prior(model.model_copy(update={"deterministic": rules}), evidence)
        return max(float(prior @ evidence.pair_totals), 1e-300)

    now = matches(model.deterministic.assumed_recall)
    return {f"{recall}": round(float(np.log2(matches(recall) / now)), 3) for recall in OTHER_RECALLS}


def _in_words(sensitivity: dict[str, float], evidence: Evidence, end: Settled) -> str:
    said = "; ".join(
        f"{recall} would add {bits:+.2f} bits to every weight" for recall, bits in sensitivity.items()
    )
    totals, used = evidence.pair_totals, end.priors
    if not (used.identified & (totals > 0)).any():
        return said
    apart = np.log2(_overall(used.estimated, totals) / _overall(used.assumed, totals))
    return f"{said}; the estimate from the candidate pairs is used instead, and adds {apart:+.2f}"


def _overall(prior: Floats, totals: Floats) -> float:
    return float(prior @ totals) / max(float(totals.sum()), 1.0)


def _priors(encoded: Encoded, evidence: Evidence, end: Settled) -> Iterator[PriorRecord]:
    width, found = len(encoded.agencies), end.priors
    for code in np.flatnonzero(evidence.pair_totals > 0).tolist():
        first, second = encoded.agencies[code // width], encoded.agencies[code % width]
        yield PriorRecord(
            sources=source_pair(first, second),
            pairs=int(evidence.pair_totals[code]),
            deterministic=round(float(evidence.deterministic[code]), 1),
            assumed=float(found.assumed[code]),
            estimated=float(found.estimated[code]),
            used=float(found.used[code]),
        )


def _starts(trial: Trial) -> Iterator[StartRecord]:
    for name, end in trial.ends.items():
        yield StartRecord(
            start=name,
            rounds=end.rounds,
            last_change=end.last_change,
            converged=end.converged,
            log_likelihood=round(end.log_likelihood, 3),
            distance=round(trial.distance(name), 3),
            chosen=name == trial.chosen,
        )


def _household(model: LinkageModel, evidence: Evidence, end: Settled) -> HouseholdRecord | None:
    if model.household is None:
        return None
    pairs, fit = evidence.rules[model.household.rule].pairs, end.household
    shares = {each.name: each.share for each in fit.classes} if fit else {}
    members = sum(shares.get(name, 0.0) for name in HOUSEHOLD_CLASSES)
    return HouseholdRecord(
        end.state.household,
        int(pairs),
        round(shares.get(MATCH, 0.0) * pairs, 1),
        round(members * pairs, 1),
    )
