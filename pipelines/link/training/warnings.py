"""Warnings about a training that a statistician would raise."""

from __future__ import annotations

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.training.passes import Pass, describe
from pipelines.link.training.patterns import Patterns
from pipelines.link.training.state import State

NOTABLE_DISAGREEMENT = 2.0


def training_warnings(
    model: LinkageModel, state: State, passes: list[Pass], random: Patterns
) -> tuple[str, ...]:
    """Return what should be looked at before the model is trusted, one sentence each."""
    return (
        *_missing_passes(model, passes),
        *_unconverged(passes),
        *_unobserved(model, passes, random),
        *_wrong_way(model, state),
        *_disagreeing(model, state, passes),
    )


def _missing_passes(model: LinkageModel, passes: list[Pass]) -> list[str]:
    ran = {each.rule for each in passes}
    skipped = [rule.name for rule in model.blocking if rule.train and rule.name not in ran]
    return [f"pass {name} was skipped: fewer than {model.training.minimum_pairs} pairs" for name in skipped]


def _unconverged(passes: list[Pass]) -> list[str]:
    return [
        f"pass {each.rule} did not converge in {each.fit.iterations} iterations "
        f"(last change {each.fit.last_change:.2g})"
        for each in passes
        if not each.fit.converged
    ]


def unseen_levels(model: LinkageModel, passes: list[Pass], random: Patterns) -> list[tuple[int, int]]:
    """Return (column, level) of the levels that no pair of a pass or of the random sample had."""
    found = []
    for column, comparison in enumerate(model.comparisons):
        size = len(comparison.levels)
        seen = random.level_counts(column, size, np.ones(len(random.counts)))
        for each in passes:
            if each.informs(column):
                seen += each.patterns.level_counts(column, size, np.ones(len(each.patterns.counts)))
        found += [(column, int(position)) for position in np.flatnonzero(seen == 0)]
    return found


def _unobserved(model: LinkageModel, passes: list[Pass], random: Patterns) -> list[str]:
    names = [
        f"{model.comparisons[column].name}.{model.comparisons[column].levels[position].name}"
        for column, position in unseen_levels(model, passes, random)
    ]
    return [f"level {name} was never observed: it keeps the weight the model started with" for name in names]


def _wrong_way(model: LinkageModel, state: State) -> list[str]:
    """Return the levels whose weight changed sign against what the model says they mean."""
    found = []
    for column, comparison in enumerate(model.comparisons):
        for position, level in enumerate(comparison.levels):
            expected, trained = level.m > level.u, state.m[column][position] > state.u[column][position]
            if expected != trained:
                found.append(
                    f"level {comparison.name}.{level.name} was expected to speak "
                    f"{'for' if expected else 'against'} a match, and after training it does not"
                )
    return found


def _disagreeing(model: LinkageModel, state: State, passes: list[Pass]) -> list[str]:
    return [
        f"pass {each.rule} disagrees about {name} by {bits:.1f} bits"
        for each in describe(model, state, passes)
        for name, bits in each.disagreement.items()
        if bits > NOTABLE_DISAGREEMENT
    ]
