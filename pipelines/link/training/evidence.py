"""What training looks at: patterns of random pairs and of each rule's pairs, counted, never kept as pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.block import RulePlan, plan_blocks
from pipelines.link.compare import Levels, Pairs, shares
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import Engine
from pipelines.link.features import Floats, Ints
from pipelines.link.training.patterns import Patterns, count_patterns, is_deterministic
from pipelines.link.training.sample import pairs_of_plan, random_pairs


@dataclass(frozen=True)
class Evidence:
    """Patterns of random pairs and of each rule's pairs; per pair of sources all pairs and deterministic ones."""

    random: Patterns
    rules: dict[str, Patterns]
    pair_totals: Floats
    deterministic: Floats
    candidates: int


def gather_evidence(model: LinkageModel, encoded: Encoded, engine: Engine, seed: int) -> Evidence:
    """Return the patterns of random pairs and of the training rules' pairs; of large rules, those of a sample."""
    sampled = random_pairs(encoded.record_ids, model.training.random_pairs, seed)
    random = count_patterns(model, engine.levels(model, encoded, sampled), _source_codes(encoded, sampled))
    wanted = [rule.name for rule in model.blocking if rule.train]
    if model.household is not None:
        wanted.append(model.household.rule)
    totals = _pair_totals(encoded)
    rules, deterministic, candidates = {}, np.zeros(len(totals)), 0
    plans = plan_blocks(model, encoded, only=wanted)
    for at, plan in enumerate(plans):
        pairs, rate = pairs_of_plan(plan, encoded, model.training.rule_pairs, seed)
        levels, source = engine.levels(model, encoded, pairs), _source_codes(encoded, pairs)
        rules[plan.rule] = count_patterns(model, levels, source, 1.0 / rate)
        rows = _first_met(model, encoded, plans[:at], pairs, levels)
        deterministic += np.bincount(source[rows], minlength=len(totals)) / rate
        candidates += plan.pairs
    return Evidence(random, rules, totals, deterministic, candidates)


def _first_met(
    model: LinkageModel, encoded: Encoded, earlier: tuple[RulePlan, ...], pairs: Pairs, levels: Levels
) -> Ints:
    """Return the rows of deterministic pairs that no earlier plan met: each such pair is counted once."""
    rows = np.flatnonzero(is_deterministic(model, levels))
    for plan in earlier:
        rows = rows[~shares(plan.keys, plan.keys, (pairs[0][rows], pairs[1][rows]))]
    return rows


def _source_codes(encoded: Encoded, pairs: Pairs) -> Ints:
    first, second = encoded.agency[pairs[0]].astype(np.int64), encoded.agency[pairs[1]]
    return np.minimum(first, second) * len(encoded.agencies) + np.maximum(first, second)


def _pair_totals(encoded: Encoded) -> Floats:
    """Return how many pairs of records there are per pair of sources, by source pair code."""
    sizes = np.bincount(encoded.agency, minlength=len(encoded.agencies)).astype(np.float64)
    totals = np.triu(np.outer(sizes, sizes), 1) + np.diag(sizes * (sizes - 1) / 2)
    return np.asarray(totals.ravel())
