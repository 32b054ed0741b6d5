"""The classes over all pairs: how many are one person, and how strangers compare."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.features import Bools, Floats
from pipelines.link.training.evidence import Evidence
from pipelines.link.training.mixture import log_likelihood
from pipelines.link.training.patterns import Patterns, is_deterministic
from pipelines.link.training.shrink import shrink, shrink_rate
from pipelines.link.training.state import MATCH, RANDOM, State, class_priors, class_vectors, starting_u

PRIOR_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Priors:
    """The share of the pairs that are one person, by source pair code: assumed, estimated, and the one used.

    Args:
        assumed: pairs that meet a deterministic rule, divided by the recall assumed of the rules.
        estimated: the expected number of matches among the candidate pairs; never less than the deterministic ones.
        identified: where there are enough candidate pairs to estimate from.
    """

    assumed: Floats
    estimated: Floats
    identified: Bools

    @property
    def used(self) -> Floats:
        """The estimate where the data identify it, else what was assumed."""
        return np.where(self.identified, self.estimated, self.assumed)


def assumed_prior(model: LinkageModel, evidence: Evidence) -> Floats:
    """Return the prior of the deterministic rules, by source pair code."""
    found = evidence.deterministic / model.deterministic.assumed_recall
    return shrink_rate(found, evidence.pair_totals, model.prior, model.training)


def estimate_priors(model: LinkageModel, state: State, evidence: Evidence) -> Priors:
    """Return the priors by EM over all candidate pairs, each counted once, with m, u and the household fixed.

    The expected matches are the sum of the posteriors. Pairs that no rule meets are taken to be no matches, so
    the estimate is a lower bound as far as that goes. With all else fixed the likelihood is concave in the prior:
    there is one answer, wherever it starts.
    """
    union, totals = evidence.union, evidence.pair_totals
    pairs = np.bincount(union.source, union.counts, minlength=len(totals))
    assumed = assumed_prior(model, evidence)
    state = replace(state, match_prior=assumed)
    change, iteration = float("inf"), 0
    likelihood = class_likelihoods(model, state, union)
    while change > PRIOR_TOLERANCE and iteration < model.training.iterations:
        iteration += 1
        weight = class_posteriors(state, union, likelihood)[MATCH]
        found = np.bincount(union.source, union.counts * weight, minlength=len(totals)).astype(np.float64)
        found = np.maximum(found, evidence.deterministic)
        prior = shrink_rate(found, totals, model.prior, model.training)
        change = float(np.abs(np.log2(prior / state.match_prior)).max())
        state = replace(state, match_prior=prior)
    return Priors(assumed, state.match_prior, pairs >= model.training.minimum_pairs)


def class_likelihoods(model: LinkageModel, state: State, patterns: Patterns) -> dict[str, Floats]:
    """Return log P(pattern | class) for each class."""
    return {name: log_likelihood(patterns, vectors) for name, vectors in class_vectors(model, state).items()}


def class_posteriors(state: State, patterns: Patterns, logs: dict[str, Floats]) -> dict[str, Floats]:
    """Return P(class | pattern) for each class, with the priors of the pattern's pair of sources."""
    priors = class_priors(state)
    joint = {name: priors[name][patterns.source] * np.exp(log) for name, log in logs.items()}
    total = sum(joint.values(), np.zeros(len(patterns.counts)))
    return {name: value / total for name, value in joint.items()}


def random_vectors(model: LinkageModel, patterns: Patterns, weight: Floats) -> tuple[Floats, ...]:
    """Return u per comparison, each pair counted with its probability of being two strangers."""
    return tuple(
        shrink(patterns.level_counts(column, len(start), weight), start, model.training)
        for column, start in enumerate(starting_u(model))
    )


def strangers_at_first(model: LinkageModel, patterns: Patterns) -> Floats:
    """Return which patterns count as strangers before anything is known: those that meet no deterministic rule."""
    return (~is_deterministic(model, patterns.levels)).astype(np.float64)


def strangers(model: LinkageModel, state: State, patterns: Patterns) -> Floats:
    """Return P(strangers | pattern), so that the matches among the pairs do not count into u."""
    return class_posteriors(state, patterns, class_likelihoods(model, state, patterns))[RANDOM]
