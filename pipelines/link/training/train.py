"""Train a linkage model: u from random pairs, m by EM passes, the household class, priors; no truth anywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.block import found_narrowing, plan_blocks
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
    source_pair,
)
from pipelines.link.training.evidence import Evidence, gather_evidence
from pipelines.link.training.record import make_record
from pipelines.link.training.starts import settle_from_starts
from pipelines.link.training.state import State
from pipelines.link.training.warnings import unseen_levels

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
    trial = settle_from_starts(model, evidence)
    state = _keep_unseen(model, trial.best.state, unseen_levels(model, trial.best.passes, evidence.strangers))
    parameters = _parameters(model, encoded, state, evidence)
    record = make_record(model, encoded, evidence, trial, seed)
    narrowing = found_narrowing(plan_blocks(model, encoded))
    return TrainedModel(
        model, parameters, common_terms(model, encoded), record, narrowing=narrowing, hubs=encoded.hubs
    )


def _keep_unseen(model: LinkageModel, state: State, unseen: list[tuple[int, int]]) -> State:
    """Return the state with the starting weight (m / u) at levels that no pair showed: nothing was learned."""
    m = [vector.copy() for vector in state.m]
    for column, position in unseen:
        level = model.comparisons[column].levels[position]
        m[column][position] = min(state.u[column][position] * level.m / level.u, level.m)
    return replace(state, m=tuple(vector / vector.sum() for vector in m))


def _parameters(model: LinkageModel, encoded: Encoded, state: State, evidence: Evidence) -> Parameters:
    names = [comparison.name for comparison in model.comparisons]
    home_prior = state.household_prior if state.household else np.zeros_like(state.household_prior)
    priors = {}
    for i, first in enumerate(encoded.agencies):
        for second in encoded.agencies[i:]:
            code = i * len(encoded.agencies) + encoded.agencies.index(second)
            priors[source_pair(first, second)] = SourcePrior(
                float(state.match_prior[code]), float(home_prior[code])
            )
    shares = evidence.pair_totals / max(evidence.pair_totals.sum(), 1.0)
    overall = SourcePrior(float(state.match_prior @ shares), float(home_prior @ shares))
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
        default_prior=overall if shares.any() else SourcePrior(model.prior, 0.0),
        household=home if state.household else None,
    )


def _plain(vector: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in vector)
