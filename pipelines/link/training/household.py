"""The household class: people at one address who are not one person, learned from pairs at one address."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

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
)

ADDRESS_SHARES = {MATCH: 0.3, RANDOM: 0.1, PLAIN: 0.5, TWIN: 0.05, NAMESAKE: 0.05}


def learn_household(model: LinkageModel, state: State, patterns: Patterns, pair_totals: Floats) -> State:
    """Return the state with the household class learned; as it was when too few pairs share an address.

    First name, sex and identifiers stay at u (twins: birth date at m; namesakes: first and middle name at m), so
    the class cannot turn into matches. Surname, phone and spread of birth dates are estimated. Its prior per pair
    of sources is the expected number of such pairs at one address, divided by P(same address | household),
    taken to be that of a match: members and records move alike.
    """
    if model.household is None or patterns.pairs < model.training.minimum_pairs:
        return state
    at = household_columns(model)
    rule = next(rule for rule in model.blocking if rule.name == model.household.rule)
    left_out = left_out_columns(model, rule.keys)
    free = [Free(column, HOUSEHOLD_CLASSES) for column in at.shared if column not in left_out]
    free.append(Free(at.birth, (PLAIN, NAMESAKE)))
    fit = fit_mixture(patterns, classes_for(model, state, left_out, ADDRESS_SHARES), free, model.training)
    plain = fit.of(PLAIN)
    home = sum(fit.of(name).share for name in HOUSEHOLD_CLASSES)
    shared = {column: plain.vectors[column] for column in at.shared if column not in left_out}
    return replace(
        state,
        shared={**{column: state.m[column] for column in at.shared}, **shared},
        birth=plain.vectors[at.birth],
        twins=fit.of(TWIN).share / home,
        namesakes=fit.of(NAMESAKE).share / home,
        household_prior=_prior(model, state, patterns, fit, pair_totals),
    )


def _prior(model: LinkageModel, state: State, patterns: Patterns, fit: Fit, pair_totals: Floats) -> Floats:
    at = household_columns(model)
    weight = sum((fit.posterior_of(name) for name in HOUSEHOLD_CLASSES), np.zeros(len(patterns.counts)))
    found = np.bincount(patterns.source, weights=patterns.counts * weight, minlength=len(pair_totals))
    same_address = model.comparisons[at.address].index_of("same_address") or 0
    expected = found / state.m[at.address][same_address]
    start = model.household.prior if model.household is not None else 0.0
    return shrink_rate(expected, pair_totals, start, model.training)
