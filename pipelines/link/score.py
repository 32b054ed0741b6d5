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
from pipelines.link.features import Codes, Floats, Ints
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

    def where(self, rows: Ints) -> Scores:
        """Return the scores of these pairs only."""
        return Scores(self.prior[rows], self.weights[rows], self.household[rows], self.total[rows])


def score_pairs(
    trained: TrainedModel, compared: Compared, sources: tuple[Codes, Codes], names: tuple[str, ...]
) -> Scores:
    """Return the scores of compared pairs; `sources` are the agency codes of both sides, into `names`."""
    match, household = _priors(trained, names)
    match_prior, household_prior = match[sources], household[sources]
    random_prior = 1.0 - match_prior - household_prior
    m, u = _probabilities(trained, compared)
    weights = np.log2(m / u)
    prior = np.log2(match_prior / random_prior)
    ratio = household_prior / random_prior * _household_ratio(trained, compared, m, u)
    correction = -np.log2(1.0 + ratio)
    return Scores(prior, weights, correction, prior + weights.sum(axis=1) + correction)


def _priors(trained: TrainedModel, names: tuple[str, ...]) -> tuple[Floats, Floats]:
    priors = [[trained.prior_of(first, second) for second in names] for first in names]
    return (
        np.array([[prior.match for prior in row] for row in priors]),
        np.array([[prior.household for prior in row] for row in priors]),
    )


def _probabilities(trained: TrainedModel, compared: Compared) -> tuple[Floats, Floats]:
    """Return m and u per pair and comparison: 1 at a null; u is the shared value's frequency where it has one."""
    m, u = np.ones(compared.levels.shape), np.ones(compared.levels.shape)
    for column, comparison in enumerate(trained.definition.comparisons):
        m[:, column] = _at_level(trained.parameters.m[comparison.name], compared, column)
        u[:, column] = _at_level(trained.parameters.u[comparison.name], compared, column)
    adjusted = ~np.isnan(compared.frequency)
    u[adjusted] = compared.frequency[adjusted]
    return m, u


def _at_level(vector: tuple[float, ...], compared: Compared, column: int) -> Floats:
    """Return the entry of each pair's level; 1 at a null, which stands at the end as index -1."""
    assert NULL == -1  # noqa: S101 - the lookup below relies on it
    return np.array([*vector, 1.0])[compared.levels[:, column]]


def _household_ratio(trained: TrainedModel, compared: Compared, m: Floats, u: Floats) -> Floats:
    """Return P(levels | household) / P(levels | random): plain members, twins and namesakes together."""
    home, settings = trained.parameters.household, trained.definition.household
    if home is None or settings is None:
        return np.zeros(len(m))
    column = {comparison.name: at for at, comparison in enumerate(trained.definition.comparisons)}
    shared = np.ones(len(m))
    for name, vector in home.shared.items():
        shared *= _at_level(vector, compared, column[name]) / u[:, column[name]]
    birth, given = column[settings.birth], column[settings.given]
    plain = _at_level(home.birth, compared, birth) / u[:, birth]
    twin = m[:, birth] / u[:, birth]
    namesake = plain * m[:, given] / u[:, given]
    if settings.middle is not None:
        namesake = namesake * m[:, column[settings.middle]] / u[:, column[settings.middle]]
    others = 1.0 - home.twins - home.namesakes
    return np.asarray(shared * (others * plain + home.twins * twin + home.namesakes * namesake))
