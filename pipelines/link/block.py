"""Blocking: which records share a key of which rule, planned from key counts before any pair is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from pipelines.contracts.model import BlockingRule, LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.encode import Encoded
from pipelines.link.features import Bools, Codes, Feature, Ints, expand, make_feature, ragged_range
from pipelines.link.fused.arrays import Words
from pipelines.link.fused.grouping import group_keys, renumber
from pipelines.link.narrowing import Narrowed, Narrowing, among, hash_keys, named
from pipelines.link.threads import on_all_cores

LARGEST_KEY = 2**62
LARGEST_SHOWN = 5


@dataclass(frozen=True)
class RulePlan:
    """The blocks of one rule: block i holds the records `members[starts[i]:starts[i + 1]]`, two at least.

    `keys` are the blocks of each record, so that a later rule can tell what this one has met. `narrowed` blocks
    were too large and were divided; `skipped` ones stayed too large: the rule leaves out their `skipped_records`.
    `frozen` are the keys of both. Where `heads` is given, pairs begin only with so many first members of a block.
    """

    rule: str
    members: Codes
    starts: Ints
    keys: Feature
    narrowed: int
    skipped: int
    skipped_records: int
    frozen: Narrowed = Narrowed()
    heads: Ints | None = None

    @property
    def head_ends(self) -> Ints:
        """Where the first members end with which pairs begin, block by block."""
        return self.starts[1:] if self.heads is None else self.starts[:-1] + self.heads

    @property
    def pairs(self) -> int:
        """How many pairs the blocks hold; a pair that shares two keys is counted twice."""
        sizes, heads = np.diff(self.starts), self.head_ends - self.starts[:-1]
        return int((heads * sizes - heads * (heads + 1) // 2).sum())

    def touching(self, touched: Bools) -> RulePlan:
        """Return the plan of those pairs only of which one record or both are `touched`, one value per record."""
        block = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        is_head = touched[self.members]
        heads = np.bincount(block[is_head], minlength=len(self.starts) - 1)
        looked_at = np.flatnonzero((heads > 0)[block])
        # Blocks keep their numbers, by which a rule knows the first that two records share.
        members = self.members.copy()
        order = np.argsort(2 * block[looked_at] + ~is_head[looked_at], kind="stable")
        members[looked_at] = self.members[looked_at[order]]
        return replace(self, members=members, heads=heads)

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
    model: LinkageModel,
    encoded: Encoded,
    narrowing: Narrowing | None = None,
    touched: Bools | None = None,
) -> tuple[RulePlan, ...]:
    """Return the blocks of the rules of `model`, in its order.

    Args:
        model: whose rules.
        encoded: the records.
        narrowing: which blocks are narrowed, as a trained model has it; without it, those that are too large here.
        touched: when given, only pairs are planned of which one record or both are touched.

    Raises:
        LinkageError: the rules together exceed the model's pair budget; said before any pair is built.
    """

    def planned(rule: BlockingRule) -> RulePlan:
        frozen = None if narrowing is None else narrowing.get(rule.name, Narrowed())
        plan = _known_plan(rule, encoded, frozen)
        return plan if touched is None else plan.touching(touched)

    plans = tuple(on_all_cores(planned, model.blocking))
    total = sum(plan.pairs for plan in plans)
    if total > model.pair_budget:
        worst = max(plans, key=lambda plan: plan.pairs)
        raise LinkageError(
            f"blocking would build up to {total} pairs, the model's pair_budget is {model.pair_budget}; "
            f"the largest rule is {worst.rule} with {worst.pairs}, its largest block holds"
            f" {worst.largest[0]} records: lower its maximum_block or give it narrow_with"
            + ("" if narrowing is None else "; or train anew, since the blocks have grown")
        )
    return plans


def found_narrowing(plans: Sequence[RulePlan]) -> Narrowing:
    """Return what plans have narrowed, to be frozen with the model."""
    return {plan.rule: plan.frozen for plan in plans if plan.frozen.divided}


@dataclass(frozen=True)
class _Rows:
    """Distinct (record, key) rows of one rule; the codes that a key is made of, one column for each part."""

    record: Codes
    key: Ints
    codes: tuple[Codes, ...]

    def where(self, rows: np.ndarray) -> _Rows:
        return _Rows(self.record[rows], self.key[rows], tuple(each[rows] for each in self.codes))


def _known_plan(rule: BlockingRule, encoded: Encoded, frozen: Narrowed | None) -> RulePlan:
    """Return the plan of a rule: training asks for most of those that scoring asks for again."""
    known = _PLANS.setdefault(encoded, {})
    key = rule.model_dump_json()
    if key not in known or (frozen is not None and known[key].frozen != frozen):
        known[key] = _plan(rule, encoded, frozen)
    return known[key]


def forget_plans(encoded: Encoded) -> None:
    """Let go of the plans for records that have been scored: they are as large as the records."""
    _PLANS.pop(encoded, None)


def _plan(rule: BlockingRule, encoded: Encoded, frozen: Narrowed | None) -> RulePlan:
    rows = _rule_rows(rule.keys, encoded)
    order, starts, group = group_keys(rows.key)
    division = _Division(encoded, rule.maximum_block)
    too_large, divided = division.of(
        rows.where(order[starts[:-1]]), starts, rule.keys, frozen and frozen.divided
    )
    if not bool(too_large.any()):
        return _planned(rule.name, encoded.size, rows.record[order], starts, (0, 0, 0), frozen or Narrowed())
    inside = (group >= 0) & too_large[np.maximum(group, 0)]
    rest = rows.where(inside)
    rest = replace(rest, key=group[inside].astype(np.int64))
    keys = rule.keys
    if rule.narrow_with is not None:
        rest, keys = _with_key(rest, encoded.features[rule.narrow_with]), (*keys, rule.narrow_with)
    narrow_order, narrow_starts, _ = group_keys(rest.key)
    first = rest.where(narrow_order[narrow_starts[:-1]])
    still, left_out = division.of(first, narrow_starts, keys, frozen and frozen.left_out)
    skipped = rest.record[narrow_order][np.repeat(still, np.diff(narrow_starts))]
    blocks = (
        (rows.record[order], starts, ~too_large),
        (rest.record[narrow_order], narrow_starts, ~still),
    )
    members, bounds = _joined(blocks)
    counts = int(too_large.sum()), int(still.sum()), len(np.unique(skipped))
    narrowed = frozen or Narrowed(divided, left_out)
    return _planned(rule.name, encoded.size, members, bounds, counts, narrowed)


@dataclass(frozen=True)
class _Division:
    """Which blocks are too large: those that hold more records than they may, or those that a model names."""

    encoded: Encoded
    maximum: int

    def of(
        self, first: _Rows, starts: Ints, keys: Sequence[str], frozen: tuple[str, ...] | None
    ) -> tuple[Bools, tuple[str, ...]]:
        """Return which blocks are too large, and their keys as a model keeps them.

        `first` are the first rows of the blocks, from which their keys are told.
        """
        if frozen is not None:
            if not frozen:
                return np.zeros(len(starts) - 1, dtype=bool), frozen
            return among(self._hashes(first, keys), frozen), frozen
        too_large = np.diff(starts) > self.maximum
        return too_large, named(self._hashes(first.where(too_large), keys)) if too_large.any() else ()

    def _hashes(self, rows: _Rows, keys: Sequence[str]) -> Words:
        return hash_keys(
            [(self.encoded.features[key], codes) for key, codes in zip(keys, rows.codes, strict=True)]
        )


def _joined(parts: Sequence[tuple[Codes, Ints, np.ndarray]]) -> tuple[Codes, Ints]:
    """Return the members and starts of the blocks that are kept in each part, one part after the other."""
    members, sizes = [], []
    for records, starts, kept in parts:
        size = np.diff(starts)
        members.append(records[np.repeat(kept, size)])
        sizes.append(size[kept])
    return np.concatenate(members), np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64)


def _planned(
    rule: str,
    total: int,
    members: Codes,
    starts: Ints,
    counts: tuple[int, int, int],
    frozen: Narrowed,
) -> RulePlan:
    block = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    keys = make_feature(members.astype(np.int64), block, len(starts) - 1, total)
    return RulePlan(rule, members.astype(np.int32), starts, keys, *counts, frozen)


def _rule_rows(parts: Sequence[str], encoded: Encoded) -> _Rows:
    first = encoded.features[parts[0]]
    codes = first.rows[1]
    rows = _Rows(first.record_of_each().astype(np.int32), codes.astype(np.int64), (codes,))
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
        kept = rows.where(present)
        return _Rows(kept.record, key[present] * size + code[present], (*kept.codes, code[present]))
    counts = feature.counts[rows.record]
    row = np.repeat(np.arange(len(rows.record)), counts)
    at = feature.offsets[rows.record][row] + ragged_range(counts)
    kept, code = rows.where(row), feature.codes[at]
    return _Rows(kept.record, key[row] * size + code, (*kept.codes, code))


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
