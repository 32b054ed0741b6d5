"""The household class: people at one address who are not one person, learned from pairs at one address."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipelines.contracts.conditions import AT_ONE_PLACE
from pipelines.contracts.model import LinkageModel
from pipelines.link.features import Floats
from pipelines.link.training.mixture import Fit, Free, fit_mixture
from pipelines.link.training.passes import left_out_columns
from pipelines.link.training.patterns import Patterns
from pipelines.link.training.shrink import shrink_rate
from pipelines.link.training.state import (
    HOUSEHOLD_CLASSES,
    MATCH,
    NAMESAKE,
    PLAIN,
    RANDOM,
    TWIN,
    State,
    classes_for,
    household_columns,
    starting_m,
    starting_u,
)

ADDRESS_SHARES = {MATCH: 0.3, RANDOM: 0.1, PLAIN: 0.5, TWIN: 0.05, NAMESAKE: 0.05}


def supports_household(model: LinkageModel, rules: dict[str, Patterns]) -> bool:
    """Return whether the data can show a household: enough pairs at one address, with names and births."""
    if model.household is None:
        return False
    patterns, at = rules[model.household.rule], household_columns(model)
    known = (patterns.levels[:, at.given] >= 0) & (patterns.levels[:, at.birth] >= 0)
    return patterns.where(known).pairs >= model.training.minimum_pairs


def learn_household(
    model: LinkageModel, state: State, patterns: Patterns, pair_totals: Floats
) -> tuple[State, Fit]:
    """Return the state with the household class learned, and the fit to the pairs at one address.

    First name, sex and identifiers stay at u (twins: birth date at m; namesakes: first and middle name at m), so
    the class cannot turn into matches. Surname, phone and spread of birth dates are estimated. Its prior per pair
    of sources is the expected number of such pairs at one address, divided by P(at one address | household),
    taken to be that of a match: members and records move alike. Where fewer such pairs are expected than the
    starting values weigh, there is no household to speak of, and the class takes no further part.
    """
    assert model.household is not None  # noqa: S101 - asked for only where there is one
    at = household_columns(model)
    rule = next(rule for rule in model.blocking if rule.name == model.household.rule)
    left_out = left_out_columns(model, rule.keys)
    drawn_to = starting_m(model)
    free = [
        Free(column, HOUSEHOLD_CLASSES, drawn_to[column]) for column in at.shared if column not in left_out
    ]
    free.append(Free(at.birth, (PLAIN, NAMESAKE), starting_u(model)[at.birth]))
    fit = fit_mixture(patterns, classes_for(model, state, left_out, ADDRESS_SHARES), free, model.training)
    plain = fit.of(PLAIN)
    home = sum(fit.of(name).share for name in HOUSEHOLD_CLASSES)
    shared = {column: plain.vectors[column] for column in at.shared if column not in left_out}
    learned = replace(
        state,
        shared={**{column: state.m[column] for column in at.shared}, **shared},
        birth=plain.vectors[at.birth],
        twins=fit.of(TWIN).share / home,
        namesakes=fit.of(NAMESAKE).share / home,
        household_prior=_prior(model, state, patterns, fit, pair_totals),
        household=home * patterns.pairs >= model.training.starting_pairs,
    )
    return learned, fit


def _prior(model: LinkageModel, state: State, patterns: Patterns, fit: Fit, pair_totals: Floats) -> Floats:
    at = household_columns(model)
    weight = sum((fit.posterior_of(name) for name in HOUSEHOLD_CLASSES), np.zeros(len(patterns.counts)))
    found = np.bincount(patterns.source, weights=patterns.counts * weight, minlength=len(pair_totals))
    levels = model.comparisons[at.address].levels
    at_one_place = [each for each, level in enumerate(levels) if level.when in AT_ONE_PLACE] or [0]
    expected = found / state.m[at.address][at_one_place].sum()
    start = model.household.prior if model.household is not None else 0.0
    return shrink_rate(expected, pair_totals, start, model.training)
