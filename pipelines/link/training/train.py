"""Train a linkage model: u from random pairs, m by EM passes, the household class, priors; no truth anywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded, encode
from pipelines.link.engines.base import Engine
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.features import Floats
from pipelines.link.terms import common_terms
from pipelines.link.trained import (
    HouseholdParameters,
    Parameters,
    SourcePrior,
    TrainedModel,
    TrainingRecord,
    source_pair,
)
from pipelines.link.training.evidence import Evidence, gather_evidence
from pipelines.link.training.household import learn_household
from pipelines.link.training.mixture import log_likelihood
from pipelines.link.training.passes import Pass, combine, describe, run_passes
from pipelines.link.training.patterns import Patterns, is_deterministic
from pipelines.link.training.shrink import shrink, shrink_rate
from pipelines.link.training.state import (
    HOUSEHOLD_CLASSES,
    MATCH,
    NAMESAKE,
    PLAIN,
    RANDOM,
    TWIN,
    State,
    class_vectors,
    household_columns,
    start_state,
)
from pipelines.link.training.warnings import training_warnings, unseen_levels

DEFAULT_SEED = 20260930


def train(model: LinkageModel, data: LinkData, *, seed: int = DEFAULT_SEED) -> TrainedModel:
    """Return `model` trained on `data`; see `train_encoded`."""
    return train_encoded(model, encode(model, data), FusedEngine(), seed=seed)


def train_encoded(
    model: LinkageModel, encoded: Encoded, engine: Engine, *, seed: int = DEFAULT_SEED
) -> TrainedModel:
    """Return `model` trained on encoded records; the same for any order of rows, given the same seed.

    Raises:
        LinkageError: fewer than two records, or the blocking rules exceed the pair budget.
    """
    if encoded.size < 2:
        raise LinkageError("linking: training needs at least two records")
    evidence = gather_evidence(model, encoded, engine, seed)
    state = start_state(model, len(evidence.pair_totals))
    state = replace(state, match_prior=_match_prior(model, evidence))
    state = replace(
        state, u=_random_vectors(model, evidence.random, _not_deterministic(model, evidence.random))
    )
    passes: list[Pass] = []
    for _ in range(model.training.rounds):
        passes = run_passes(model, state, evidence.rules)
        state = combine(model, state, passes)
        if model.household is not None:
            state = learn_household(model, state, evidence.rules[model.household.rule], evidence.pair_totals)
        weight = _random_weight(model, state, evidence.random)
        state = replace(state, u=_random_vectors(model, evidence.random, weight))
    state = _keep_unseen(model, state, unseen_levels(model, passes, evidence.random))
    parameters = _parameters(model, encoded, state, evidence)
    record = TrainingRecord(
        records=encoded.size,
        seed=seed,
        random_pairs=int(evidence.random.pairs),
        candidate_pairs=evidence.candidates,
        assumed_recall=model.deterministic.assumed_recall,
        prior_sensitivity="halving the assumed recall adds 1 bit to every weight; +-0.1 changes it by about 0.2",
        passes=describe(model, state, passes),
        warnings=training_warnings(model, state, passes, evidence.random),
    )
    return TrainedModel(model, parameters, common_terms(model, encoded), record)


def _match_prior(model: LinkageModel, evidence: Evidence) -> Floats:
    found = evidence.deterministic / model.deterministic.assumed_recall
    return shrink_rate(found, evidence.pair_totals, model.prior, model.training)


def _not_deterministic(model: LinkageModel, patterns: Patterns) -> Floats:
    return (~is_deterministic(model, patterns.levels)).astype(np.float64)


def _random_vectors(model: LinkageModel, patterns: Patterns, weight: Floats) -> tuple[Floats, ...]:
    """Return u per comparison from random pairs, each counted with its probability of being two strangers."""
    vectors = []
    for column, comparison in enumerate(model.comparisons):
        start = np.array([level.u for level in comparison.levels])
        counts = patterns.level_counts(column, len(comparison.levels), weight)
        vectors.append(shrink(counts, start / start.sum(), model.training))
    return tuple(vectors)


def _keep_unseen(model: LinkageModel, state: State, unseen: list[tuple[int, int]]) -> State:
    """Return the state with the starting weight (m / u) at levels that no pair showed: nothing was learned."""
    m = [vector.copy() for vector in state.m]
    for column, position in unseen:
        level = model.comparisons[column].levels[position]
        m[column][position] = min(state.u[column][position] * level.m / level.u, level.m)
    return replace(state, m=tuple(vector / vector.sum() for vector in m))


def _random_weight(model: LinkageModel, state: State, patterns: Patterns) -> Floats:
    """Return P(strangers | pattern) of random pairs, so that the matches among them do not count into u."""
    vectors = class_vectors(model, state)
    match, home = state.match_prior[patterns.source], state.household_prior[patterns.source]
    shares = {PLAIN: 1.0 - state.twins - state.namesakes, TWIN: state.twins, NAMESAKE: state.namesakes}
    priors = {
        MATCH: match,
        RANDOM: 1.0 - match - home,
        **{name: home * shares[name] for name in HOUSEHOLD_CLASSES},
    }
    joint = {
        name: priors[name] * np.exp(log_likelihood(patterns, vector)) for name, vector in vectors.items()
    }
    return np.asarray(joint[RANDOM] / sum(joint.values()))


def _parameters(model: LinkageModel, encoded: Encoded, state: State, evidence: Evidence) -> Parameters:
    names = [comparison.name for comparison in model.comparisons]
    priors = {}
    for i, first in enumerate(encoded.agencies):
        for second in encoded.agencies[i:]:
            code = i * len(encoded.agencies) + encoded.agencies.index(second)
            priors[source_pair(first, second)] = SourcePrior(
                float(state.match_prior[code]), float(state.household_prior[code])
            )
    totals = evidence.pair_totals / evidence.pair_totals.sum()
    overall = SourcePrior(float(state.match_prior @ totals), float(state.household_prior @ totals))
    home = HouseholdParameters(
        {names[column]: _plain(vector) for column, vector in state.shared.items()},
        _plain(state.birth),
        state.twins,
        state.namesakes,
    )
    return Parameters(
        m={name: _plain(vector) for name, vector in zip(names, state.m, strict=True)},
        u={name: _plain(vector) for name, vector in zip(names, state.u, strict=True)},
        priors=priors,
        default_prior=overall,
        household=home if household_columns(model).shared else None,
    )


def _plain(vector: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in vector)
