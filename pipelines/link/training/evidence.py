"""What training looks at: patterns of each rule's pairs and of random pairs, counted, never kept as pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.block import RulePlan, plan_blocks
from pipelines.link.compare import Pairs, shares
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import Engine
from pipelines.link.features import Bools, Floats, Ints
from pipelines.link.training.patterns import Patterns, count_patterns, is_deterministic, merge_patterns
from pipelines.link.training.sample import pairs_of_plan, random_pairs, thinned

# Of a rule with more pairs, this many stand for all in the union of the candidate pairs.
UNION_PAIRS = 500_000


@dataclass(frozen=True)
class Evidence:
    """Patterns of pairs: candidates, random ones that no rule met, and those of each rule that training uses.

    Args:
        rules: every pair of a training rule or of the household rule.
        union: the candidate pairs of all rules, each counted to the first rule that meets it.
        rest: random pairs that no rule met, one for one.
        rest_rate: what share of all pairs that no rule met `rest` is.
        pair_totals: by source pair code, the pairs of records that may be one person.
        deterministic: by source pair code, the pairs that meet a deterministic rule.
        random_pairs: how many random pairs were drawn.
        candidates: how many pairs the blocks of all rules hold, those met twice counted twice.
    """

    rules: dict[str, Patterns]
    union: Patterns
    rest: Patterns
    rest_rate: float
    pair_totals: Floats
    deterministic: Floats
    random_pairs: int
    candidates: int

    @property
    def strangers(self) -> Patterns:
        """All pairs, in the proportion of the random ones: candidates are known in full, so they vary less."""
        return merge_patterns([self.union.scaled(self.rest_rate), self.rest])


def gather_evidence(model: LinkageModel, encoded: Encoded, engine: Engine, seed: int) -> Evidence:
    """Return the patterns that training works on; of large rules, those of a sample of their pairs.

    Pairs inside a source that holds each person once are no candidates, as in scoring.

    Raises:
        LinkageError: the blocking rules exceed the model's pair budget.
    """
    plans = plan_blocks(model, encoded)
    wanted = {rule.name for rule in model.blocking if rule.train}
    if model.household is not None:
        wanted.add(model.household.rule)
    rules, first_met = {}, []
    for at, plan in enumerate(plans):
        limit = model.training.rule_pairs if plan.rule in wanted else UNION_PAIRS
        pairs, rate = pairs_of_plan(plan, encoded, limit, seed)
        pairs = _where(pairs, may_match(encoded, pairs))
        levels, source = engine.levels(model, encoded, pairs), _source_codes(encoded, pairs)
        if plan.rule in wanted:
            rules[plan.rule] = count_patterns(levels, source, 1.0 / rate)
        rows, kept = thinned(pairs, encoded, UNION_PAIRS, seed, rate)
        rows = rows[_unmet(plans[:at], _where(pairs, rows))]
        first_met.append(count_patterns(levels[rows], source[rows], 1.0 / kept))
    union = merge_patterns(first_met)
    totals = _pair_totals(encoded)
    drawn, rest = _random_rest(model, encoded, engine, plans, seed)
    certain = is_deterministic(model, union.levels)
    return Evidence(
        rules=rules,
        union=union,
        rest=rest,
        rest_rate=min(1.0, rest.pairs / max(_all_pairs(encoded) - union.pairs, 1.0)),
        pair_totals=totals,
        deterministic=np.bincount(union.source, union.counts * certain, minlength=len(totals)).astype(
            np.float64
        ),
        random_pairs=drawn,
        candidates=sum(plan.pairs for plan in plans),
    )


def may_match(encoded: Encoded, pairs: Pairs) -> Bools:
    """Return which pairs may be one person: not those inside a source that holds each person once."""
    unique = np.array(encoded.unique or [False] * len(encoded.agencies), dtype=bool)
    first, second = encoded.agency[pairs[0]], encoded.agency[pairs[1]]
    return np.asarray((first != second) | ~unique[first])


def _random_rest(
    model: LinkageModel, encoded: Encoded, engine: Engine, plans: Sequence[RulePlan], seed: int
) -> tuple[int, Patterns]:
    """Return how many random pairs were drawn, and the patterns of those that no rule met."""
    sampled = random_pairs(encoded.record_ids, model.training.random_pairs, seed)
    outside = _unmet(plans, sampled) | ~may_match(encoded, sampled)
    pairs = _where(sampled, outside)
    patterns = count_patterns(engine.levels(model, encoded, pairs), _source_codes(encoded, pairs))
    return len(sampled[0]), patterns


def _unmet(plans: Sequence[RulePlan], pairs: Pairs) -> Bools:
    """Return which pairs none of the plans meets."""
    rows = np.arange(len(pairs[0]))
    for plan in plans:
        rows = rows[~shares(plan.keys, plan.keys, (pairs[0][rows], pairs[1][rows]))]
    unmet = np.zeros(len(pairs[0]), dtype=bool)
    unmet[rows] = True
    return unmet


def _where(pairs: Pairs, rows: Bools | Ints) -> Pairs:
    return pairs[0][rows], pairs[1][rows]


def _source_codes(encoded: Encoded, pairs: Pairs) -> Ints:
    first, second = encoded.agency[pairs[0]].astype(np.int64), encoded.agency[pairs[1]]
    return np.minimum(first, second) * len(encoded.agencies) + np.maximum(first, second)


def _all_pairs(encoded: Encoded) -> float:
    return encoded.size * (encoded.size - 1) / 2


def _pair_totals(encoded: Encoded) -> Floats:
    """Return how many pairs of records may be one person per pair of sources, by source pair code."""
    sizes = np.bincount(encoded.agency, minlength=len(encoded.agencies)).astype(np.float64)
    unique = np.array(encoded.unique or [False] * len(sizes), dtype=bool)
    inside = np.where(unique, 0.0, sizes * (sizes - 1) / 2)
    totals = np.triu(np.outer(sizes, sizes), 1) + np.diag(inside)
    return np.asarray(totals.ravel())
