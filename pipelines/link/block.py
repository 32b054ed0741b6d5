"""Blocking: which records share a key of which rule, planned from key counts before any pair is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from pipelines.contracts.model import BlockingRule, LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.encode import Encoded
from pipelines.link.features import Codes, Feature, Ints, expand, make_feature, ragged_range
from pipelines.link.fused.grouping import group_keys, renumber
from pipelines.link.threads import on_all_cores

LARGEST_KEY = 2**62
LARGEST_SHOWN = 5


@dataclass(frozen=True)
class RulePlan:
    """The blocks of one rule: block i holds the records `members[starts[i]:starts[i + 1]]`, two at least.

    `keys` are the blocks of each record, so that a later rule can tell what this one has met. `narrowed` blocks
    were too large and were divided; `skipped` ones stayed too large: the rule leaves out their `skipped_records`.
    """

    rule: str
    members: Codes
    starts: Ints
    keys: Feature
    narrowed: int
    skipped: int
    skipped_records: int

    @property
    def pairs(self) -> int:
        """How many pairs the blocks hold; a pair that shares two keys is counted twice."""
        sizes = np.diff(self.starts)
        return int((sizes * (sizes - 1) // 2).sum())

    @property
    def largest(self) -> tuple[int, ...]:
        """The sizes of the largest blocks."""
        return tuple(int(size) for size in np.sort(np.diff(self.starts))[::-1][:LARGEST_SHOWN])


@dataclass(frozen=True)
class RuleReport:
    """What one rule did: new pairs, pairs it met at all, its largest blocks, and what narrowing set aside."""

    rule: str
    new_pairs: int
    met_pairs: int
    largest_blocks: tuple[int, ...]
    narrowed_blocks: int
    skipped_blocks: int
    skipped_records: int


# Of records that are still in use.
_PLANS: WeakKeyDictionary[Encoded, dict[str, RulePlan]] = WeakKeyDictionary()


def report_of(plan: RulePlan, new_pairs: int, met_pairs: int) -> RuleReport:
    """Return what a rule did, from its plan and the pairs that were counted."""
    return RuleReport(
        plan.rule, new_pairs, met_pairs, plan.largest, plan.narrowed, plan.skipped, plan.skipped_records
    )


def plan_blocks(
    model: LinkageModel, encoded: Encoded, only: Sequence[str] | None = None
) -> tuple[RulePlan, ...]:
    """Return the blocks of the rules of `model` (of those named in `only`, when given), in the model's order.

    Raises:
        LinkageError: the rules together exceed the model's pair budget; said before any pair is built.
    """
    rules = [rule for rule in model.blocking if only is None or rule.name in only]
    plans = tuple(on_all_cores(lambda rule: _known_plan(rule, encoded), rules))
    total = sum(plan.pairs for plan in plans)
    if total > model.pair_budget:
        worst = max(plans, key=lambda plan: plan.pairs)
        raise LinkageError(
            f"blocking would build up to {total} pairs, the model's pair_budget is {model.pair_budget}; "
            f"the largest rule is {worst.rule} with {worst.pairs}, its largest block holds"
            f" {worst.largest[0]} records: lower its maximum_block or give it narrow_with"
        )
    return plans


@dataclass(frozen=True)
class _Rows:
    """Distinct (record, key) rows of one rule."""

    record: Codes
    key: Ints

    def where(self, rows: np.ndarray) -> _Rows:
        return _Rows(self.record[rows], self.key[rows])


def _known_plan(rule: BlockingRule, encoded: Encoded) -> RulePlan:
    """Return the plan of a rule: training asks for most of those that scoring asks for again."""
    known = _PLANS.setdefault(encoded, {})
    key = rule.model_dump_json()
    if key not in known:
        known[key] = _plan(rule, encoded)
    return known[key]


def forget_plans(encoded: Encoded) -> None:
    """Let go of the plans for records that have been scored: they are as large as the records."""
    _PLANS.pop(encoded, None)


def _plan(rule: BlockingRule, encoded: Encoded) -> RulePlan:
    rows = _rule_rows(rule.keys, encoded)
    order, starts, group = group_keys(rows.key)
    sizes = np.diff(starts)
    too_large = sizes > rule.maximum_block
    if not bool(too_large.any()):
        return _planned(rule.name, encoded.size, rows.record[order], starts, (0, 0, 0))
    inside = (group >= 0) & too_large[np.maximum(group, 0)]
    rest = _Rows(rows.record[inside], group[inside].astype(np.int64))
    if rule.narrow_with is not None:
        rest = _with_key(rest, encoded.features[rule.narrow_with])
    narrow_order, narrow_starts, _ = group_keys(rest.key)
    still = np.diff(narrow_starts) > rule.maximum_block
    skipped = rest.record[narrow_order][np.repeat(still, np.diff(narrow_starts))]
    blocks = (
        (rows.record[order], starts, ~too_large),
        (rest.record[narrow_order], narrow_starts, ~still),
    )
    members, bounds = _joined(blocks)
    counts = int(too_large.sum()), int(still.sum()), len(np.unique(skipped))
    return _planned(rule.name, encoded.size, members, bounds, counts)


def _joined(parts: Sequence[tuple[Codes, Ints, np.ndarray]]) -> tuple[Codes, Ints]:
    """Return the members and starts of the blocks that are kept in each part, one part after the other."""
    members, sizes = [], []
    for records, starts, kept in parts:
        size = np.diff(starts)
        members.append(records[np.repeat(kept, size)])
        sizes.append(size[kept])
    return np.concatenate(members), np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64)


def _planned(rule: str, total: int, members: Codes, starts: Ints, counts: tuple[int, int, int]) -> RulePlan:
    block = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    keys = make_feature(members.astype(np.int64), block, len(starts) - 1, total)
    return RulePlan(rule, members.astype(np.int32), starts, keys, *counts)


def _rule_rows(parts: Sequence[str], encoded: Encoded) -> _Rows:
    first = encoded.features[parts[0]]
    rows = _Rows(first.record_of_each().astype(np.int32), first.rows[1].astype(np.int64))
    for part in parts[1:]:
        rows = _with_key(rows, encoded.features[part])
    return rows


def _with_key(rows: _Rows, feature: Feature) -> _Rows:
    """Return the rows combined with each of the record's values of one more feature."""
    size = max(feature.size, 1)
    key = rows.key
    if len(key) and int(key.max()) >= LARGEST_KEY // size:
        key = renumber(key)[0].astype(np.int64)
    if feature.offsets is None:
        code = feature.codes[rows.record]
        present = code >= 0
        return _Rows(rows.record[present], key[present] * size + code[present])
    counts = feature.counts[rows.record]
    row = np.repeat(np.arange(len(rows.record)), counts)
    at = feature.offsets[rows.record][row] + ragged_range(counts)
    return _Rows(rows.record[row], key[row] * size + feature.codes[at])


@dataclass(frozen=True)
class RuleMet:
    """How many of a rule's keys two records share, of how many; whether they share the key that narrows it."""

    shared: int
    keys: int
    narrowed_too: bool

    @property
    def is_met(self) -> bool:
        """Whether all keys are shared."""
        return self.shared == self.keys


def rules_met(model: LinkageModel, encoded: Encoded, a: int, b: int) -> dict[str, RuleMet]:
    """Return how far two records meet each rule. A block that was too large may have been narrowed or left out."""

    def share(key: str) -> bool:
        feature = encoded.features[key]
        rows = expand(feature, feature, np.array([a]), np.array([b]))
        return bool((rows.left == rows.right).any())

    return {
        rule.name: RuleMet(
            sum(share(key) for key in rule.keys),
            len(rule.keys),
            rule.narrow_with is None or share(rule.narrow_with),
        )
        for rule in model.blocking
    }
