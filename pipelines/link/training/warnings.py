"""Warnings about a training that a statistician would raise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.trained import PriorRecord
from pipelines.link.training.combine import describe, estimates_of
from pipelines.link.training.evidence import Evidence
from pipelines.link.training.passes import Pass
from pipelines.link.training.patterns import Patterns, merge_patterns
from pipelines.link.training.population import strangers
from pipelines.link.training.rounds import NOTABLE, Settled
from pipelines.link.training.starts import Trial
from pipelines.link.training.state import MATCH, State, household_columns

NOTABLE_DISAGREEMENT = 2.0
NOTABLE_PRIOR = 1.0
STARTS_APART = 0.3
# With fewer pairs, chance moves u by a third of a bit and more.
FEW_STRANGERS = 20.0
# A level starts with a meaning when it weighs this much, and has lost it when it weighs so much the other way.
MEANT_BITS, TURNED_BITS = 1.0, 0.5
# Matches with two given names: this share of those at one address, and so many times what is usual, are too many.
HOUSEHOLD_SHARE, HOUSEHOLD_TIMES = 0.1, 3.0


def training_warnings(
    model: LinkageModel, evidence: Evidence, trial: Trial, priors: Iterable[PriorRecord]
) -> tuple[str, ...]:
    """Return what should be looked at before the model is trusted, one sentence each."""
    end = trial.best
    unseen = unseen_levels(model, end.passes, evidence.strangers)
    return (
        *_missing_passes(model, end.passes),
        *_unconverged(end),
        *_different_ends(trial),
        *_unobserved(model, unseen),
        *_uninformed(model, end.passes),
        *_wrong_way(model, end.state, unseen),
        *_disagreeing(model, end),
        *_few_strangers(model, end.state, evidence),
        *_apart(model, priors),
        *_households(model, end, evidence),
    )


def _missing_passes(model: LinkageModel, passes: Sequence[Pass]) -> list[str]:
    ran = {each.rule for each in passes}
    skipped = [rule.name for rule in model.blocking if rule.train and rule.name not in ran]
    return [f"pass {name} was skipped: fewer than {model.training.minimum_pairs} pairs" for name in skipped]


def _unconverged(end: Settled) -> list[str]:
    found = [
        f"pass {each.rule} did not converge in {each.fit.iterations} iterations "
        f"(last change {each.fit.last_change:.2g})"
        for each in end.passes
        if not each.fit.converged
    ]
    if not end.converged:
        found.append(
            f"training did not settle in {end.rounds} rounds (last change {end.last_change:.2g} bits)"
        )
    return found


def _different_ends(trial: Trial) -> list[str]:
    return [
        f"training from the {name} start ends elsewhere: a weight differs by {trial.distance(name):.1f} bits"
        for name in trial.ends
        if trial.distance(name) > STARTS_APART
    ]


def unseen_levels(model: LinkageModel, passes: Sequence[Pass], pairs: Patterns) -> list[tuple[int, int]]:
    """Return (column, level) of the levels that no pair had, of a pass or of `pairs`, which stand for all."""
    found = []
    for column, comparison in enumerate(model.comparisons):
        size = len(comparison.levels)
        seen = pairs.level_counts(column, size, np.ones(len(pairs.counts)))
        for each in passes:
            if each.informs(column):
                seen += each.patterns.level_counts(column, size, np.ones(len(each.patterns.counts)))
        found += [(column, int(position)) for position in np.flatnonzero(seen == 0)]
    return found


def _unobserved(model: LinkageModel, unseen: Sequence[tuple[int, int]]) -> list[str]:
    names = [
        f"{model.comparisons[column].name}.{model.comparisons[column].levels[position].name}"
        for column, position in unseen
    ]
    return [f"level {name} was never observed: it keeps the weight the model started with" for name in names]


def _uninformed(model: LinkageModel, passes: Sequence[Pass]) -> list[str]:
    found = []
    for column, comparison in enumerate(model.comparisons):
        matches = sum(each.size for each in estimates_of(model, passes, column))
        if matches < model.training.minimum_pairs:
            found.append(
                f"m of {comparison.name} is where the model started: {matches:.0f} matches inform it"
            )
    return found


def _wrong_way(model: LinkageModel, state: State, unseen: Sequence[tuple[int, int]]) -> list[str]:
    """Return the levels whose weight changed sign against what the model says they mean."""
    found = []
    for column, comparison in enumerate(model.comparisons):
        trained = np.log2(state.m[column] / state.u[column])
        for position, level in enumerate(comparison.levels):
            meant = float(np.log2(level.m / level.u))
            turned = np.sign(meant) * trained[position] < -TURNED_BITS
            if abs(meant) >= MEANT_BITS and turned and (column, position) not in unseen:
                found.append(
                    f"level {comparison.name}.{level.name} was expected to speak "
                    f"{'for' if meant > 0 else 'against'} a match, and after training it does not"
                )
    return found


def _disagreeing(model: LinkageModel, end: Settled) -> list[str]:
    return [
        f"pass {each.rule} disagrees about {name} by {bits:.1f} bits"
        for each in describe(model, end.state, end.passes)
        for name, bits in each.disagreement.items()
        if bits > NOTABLE_DISAGREEMENT
    ]


def _few_strangers(model: LinkageModel, state: State, evidence: Evidence) -> list[str]:
    """Return the levels that many matches have and hardly a pair of strangers, where u itself is the weight's.

    Numbers that are given out once are left out: that strangers hardly share one is known.
    """
    found = []
    pairs = merge_patterns([evidence.union, evidence.rest])
    weight = strangers(model, state, pairs)
    for column, comparison in enumerate(model.comparisons):
        counts = pairs.level_counts(column, len(comparison.levels), weight)
        for position, level in enumerate(comparison.levels):
            is_notable = state.m[column][position] >= NOTABLE and not level.term_frequency
            is_notable &= comparison.kind != "identifier"
            if is_notable and 0 < counts[position] < FEW_STRANGERS:
                found.append(
                    f"u of {comparison.name}.{level.name} rests on about {counts[position]:.0f} pairs of strangers"
                )
    return found


def _apart(model: LinkageModel, priors: Iterable[PriorRecord]) -> list[str]:
    """Return the pairs of sources, with matches enough to tell, whose two priors lie far apart."""
    found = []
    for each in priors:
        bits = float(np.log2(each.estimated / each.assumed))
        matches = max(each.estimated, each.assumed) * each.pairs
        if abs(bits) > NOTABLE_PRIOR and matches >= model.training.minimum_pairs:
            found.append(
                f"prior {each.sources}: the estimate from the candidate pairs is {bits:+.1f} bits from that of "
                f"the deterministic rules with an assumed recall of {model.deterministic.assumed_recall}"
            )
    return found


def _households(model: LinkageModel, end: Settled, evidence: Evidence) -> list[str]:
    """Return whether the matches among pairs at one address have two given names: those would be siblings."""
    if model.household is None or end.household is None:
        return []
    column, patterns = household_columns(model).given, evidence.rules[model.household.rule]
    usual = end.state.m[column]
    counts = patterns.level_counts(column, len(usual), end.household.posterior_of(MATCH))
    share = float(counts[-1]) / max(float(counts.sum()), 1.0)
    if counts.sum() < model.training.minimum_pairs:
        return []
    if share <= max(HOUSEHOLD_SHARE, HOUSEHOLD_TIMES * float(usual[-1])):
        return []
    return [
        f"matches may be households: {share:.0%} of the matches at one address differ in {model.household.given}, "
        f"{float(usual[-1]):.1%} of all matches do"
    ]
