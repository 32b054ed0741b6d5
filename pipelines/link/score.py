"""Score level vectors: the one place where levels become weights, a probability and the terms of a waterfall.

Fellegi and Sunter (1969), with a third class. With prior shares p for match, household and random pairs:

    weight = log2( p_match P(levels|match) / (p_random P(levels|random) + p_household P(levels|household)) )

which is the usual sum, log2(p_match / p_random) + sum of log2(m / u), plus one named term:

    household correction = -log2(1 + p_household P(levels|household) / (p_random P(levels|random)))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.compare import NULL
from pipelines.link.features import Codes, Floats
from pipelines.link.terms import Compared
from pipelines.link.trained import TrainedModel


def probability_of(weight: Floats) -> Floats:
    """Return the posterior probability of total match weights in bits."""
    return np.asarray(1.0 / (1.0 + np.exp2(-weight)))


@dataclass(frozen=True)
class Scores:
    """Per pair: prior, a weight per comparison, household correction (in bits), their sum, and the posterior."""

    prior: Floats
    weights: Floats
    household: Floats
    total: Floats

    @property
    def probability(self) -> Floats:
        """The posterior probability that the pair is one person."""
        return probability_of(self.total)

    @property
    def arrays(self) -> tuple[Floats, ...]:
        """What `Scores` is made of, in its order."""
        return self.prior, self.weights, self.household, self.total


def score_pairs(
    trained: TrainedModel, compared: Compared, sources: tuple[Codes, Codes], names: tuple[str, ...]
) -> Scores:
    """Return the scores of compared pairs; `sources` are the agency codes of both sides, into `names`."""
    match, household = _priors(trained, names)
    match_prior, household_prior = match[sources], household[sources]
    random_prior = 1.0 - match_prior - household_prior
    weights = np.empty(compared.levels.shape)
    for column in range(len(trained.definition.comparisons)):
        weights[:, column] = _weights(trained, compared, column)
    prior = np.log2(match_prior / random_prior)
    ratio = household_prior / random_prior * _household_ratio(trained, compared)
    correction = -np.log2(1.0 + ratio)
    return Scores(prior, weights, correction, prior + weights.sum(axis=1) + correction)


def _priors(trained: TrainedModel, names: tuple[str, ...]) -> tuple[Floats, Floats]:
    priors = [[trained.prior_of(first, second) for second in names] for first in names]
    return (
        np.array([[prior.match for prior in row] for row in priors]),
        np.array([[prior.household for prior in row] for row in priors]),
    )


def _weights(trained: TrainedModel, compared: Compared, column: int) -> Floats:
    """Return log2(m / u) of one comparison per pair: with the frequency of the shared value where there is one."""
    name = trained.definition.comparisons[column].name
    m, u = _or_null(trained.parameters.m[name]), _or_null(trained.parameters.u[name])
    weights = np.log2(m / u)[compared.levels[:, column]]
    if column in compared.frequency:
        frequency = compared.frequency[column]
        rows = np.flatnonzero(~np.isnan(frequency))
        weights[rows] = np.log2(m[compared.levels[rows, column]] / frequency[rows])
    return np.asarray(weights)


def _or_null(vector: tuple[float, ...]) -> Floats:
    """Return what the levels of a comparison have; last, and so at index -1, 1 for a null."""
    assert NULL == -1  # noqa: S101 - lookups rely on it
    return np.array([*vector, 1.0])


def _household_ratio(trained: TrainedModel, compared: Compared) -> Floats:
    """Return P(levels | household) / P(levels | random): plain members, twins and namesakes together."""
    home, settings = trained.parameters.household, trained.definition.household
    if home is None or settings is None:
        return np.zeros(len(compared.levels))
    column = {comparison.name: at for at, comparison in enumerate(trained.definition.comparisons)}

    def of(name: str, vector: tuple[float, ...]) -> Floats:
        """Return the entry of each pair's level in a comparison."""
        return _or_null(vector)[compared.levels[:, column[name]]]

    def m(name: str) -> Floats:
        return of(name, trained.parameters.m[name])

    def u(name: str) -> Floats:
        own, frequency = of(name, trained.parameters.u[name]), compared.frequency.get(column[name])
        return own if frequency is None else np.where(np.isnan(frequency), own, frequency)

    shared = np.ones(len(compared.levels))
    for name, vector in home.shared.items():
        shared *= of(name, vector) / u(name)
    birth, given, middle = settings.birth, settings.given, settings.middle
    plain, twin = of(birth, home.birth) / u(birth), m(birth) / u(birth)
    namesake = plain * m(given) / u(given)
    if middle is not None:
        namesake = namesake * m(middle) / u(middle)
    others = 1.0 - home.twins - home.namesakes
    return np.asarray(shared * (others * plain + home.twins * twin + home.namesakes * namesake))
