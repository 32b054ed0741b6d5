"""Rounds of training until nothing moves: passes give m, one address the household, all pairs prior and u."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.features import Bools, Floats
from pipelines.link.training.combine import combine
from pipelines.link.training.evidence import Evidence
from pipelines.link.training.household import learn_household, supports_household
from pipelines.link.training.mixture import Fit
from pipelines.link.training.passes import Pass, PassPlan, run_passes
from pipelines.link.training.population import (
    Priors,
    assumed_prior,
    estimate_priors,
    random_vectors,
    strangers,
    strangers_at_first,
)
from pipelines.link.training.state import State, start_state

# Rounds have settled when no notable weight and no prior moves by more, in bits.
SETTLED_BITS = 0.01
# A level is notable when this share of matches, or of strangers and a tenth of it of matches, has it.
NOTABLE = 0.01


@dataclass(frozen=True)
class Settled:
    """Where the rounds ended: the parameters, the last passes, priors and household fit; how many rounds it took.

    `last_change` is the largest change of a notable weight or prior in the last round, in bits; `log_likelihood`
    the sum over the passes of theirs, the quantity that EM raises.
    """

    state: State
    passes: tuple[Pass, ...]
    priors: Priors
    household: Fit | None
    rounds: int
    last_change: float

    @property
    def converged(self) -> bool:
        """Whether the rounds settled before they ran out."""
        return self.last_change <= SETTLED_BITS

    @property
    def log_likelihood(self) -> float:
        """The composite log-likelihood: each pass's, summed."""
        return sum(each.fit.log_likelihood for each in self.passes)


def first_state(model: LinkageModel, evidence: Evidence) -> State:
    """Return where rounds start: m and shares as the model has them, u and priors as the data first suggest."""
    state = start_state(model, len(evidence.pair_totals))
    pairs = evidence.strangers
    return replace(
        state,
        match_prior=assumed_prior(model, evidence),
        u=random_vectors(model, pairs, strangers_at_first(model, pairs)),
        household=supports_household(model, evidence.rules),
    )


def settle(model: LinkageModel, evidence: Evidence, start: State, plans: Sequence[PassPlan]) -> Settled:
    """Return the parameters after rounds of training from `start`, until they move no more or rounds run out."""
    state, passes, pairs = start, tuple[Pass, ...](), evidence.strangers
    fit, priors, change, done = None, estimate_priors(model, start, evidence), float("inf"), 0
    while done < model.training.rounds and change > SETTLED_BITS:
        done, before = done + 1, state
        passes = run_passes(model, state, plans, passes)
        state = combine(model, state, passes)
        if state.household and model.household is not None:
            patterns = evidence.rules[model.household.rule]
            state, fit = learn_household(model, state, patterns, evidence.pair_totals)
        priors = estimate_priors(model, state, evidence)
        state = replace(state, match_prior=priors.used)
        state = replace(state, u=random_vectors(model, pairs, strangers(model, state, pairs)))
        change = largest_change(model, before, state)
    return Settled(state, passes, priors, fit, done, change)


def notable_levels(state: State) -> tuple[Bools, ...]:
    """Return by column which levels are met often enough for their weight to matter, by matches or strangers."""
    return tuple(
        (m >= NOTABLE) | ((u >= NOTABLE) & (m >= NOTABLE / 10)) for m, u in zip(state.m, state.u, strict=True)
    )


def weight_differences(model: LinkageModel, first: State, second: State) -> list[Floats]:
    """Return by column how far the weights of two states lie apart, in bits; 0 at levels that are not notable.

    Where a level has term frequencies, the value's frequency takes the place of u, and only m counts.
    """
    found = []
    known = zip(notable_levels(first), notable_levels(second), strict=True)
    for at, (one, other) in enumerate(known):
        has_terms = np.array([level.term_frequency for level in model.comparisons[at].levels])
        apart = np.log2(first.m[at] / second.m[at])
        apart -= np.where(has_terms, 0.0, np.log2(first.u[at] / second.u[at]))
        found.append(np.where(one | other, np.abs(apart), 0.0))
    return found


def largest_change(model: LinkageModel, before: State, after: State) -> float:
    """Return the largest difference of a notable weight or of a prior, in bits."""
    weights = max(float(each.max()) for each in weight_differences(model, before, after))
    return max(weights, float(np.abs(np.log2(after.match_prior / before.match_prior)).max()))
