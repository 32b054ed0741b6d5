"""Candidate pairs: every pair of records that meets a blocking rule, once, however often it meets one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import recordlinkage

from pipelines.contracts.model import BlockingRule, LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.encode import Encoded
from pipelines.link.features import Ints, expand

# How a comparison's field is fixed by a key: training on a rule leaves these fields out.
KEY_FIELDS: dict[str, tuple[str, ...]] = {
    "nhs_number": ("nhs_number",),
    "identifier": ("identifier",),
    "date_of_birth": ("birth",),
    "birth_either_order": ("birth",),
    "birth_year": ("birth",),
    "birth_month": ("birth",),
    "given": ("given",),
    "given_phonetic": ("given",),
    "given_initial": ("given",),
    "family": ("family",),
    "family_phonetic": ("family",),
    "family_initial": ("family",),
    "sorted_names": ("given", "family"),
    "postcode": ("address",),
    "outward": ("address",),
    "place": ("address",),
    "contact": ("contact",),
    "sex": ("sex",),
}


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


@dataclass(frozen=True)
class Candidates:
    """Distinct pairs (a < b, positions in record order), the rules each meets as bits, and a report per rule."""

    a: Ints
    b: Ints
    rules: Ints
    report: tuple[RuleReport, ...]

    def meeting(self, rule: int) -> Ints:
        """Return the positions of the pairs that meet the rule with this index."""
        return np.flatnonzero(self.rules & (1 << rule))


@dataclass(frozen=True)
class _Keys:
    """Distinct (record, key) rows of one rule."""

    record: Ints
    key: Ints

    def sizes(self) -> Ints:
        return np.bincount(self.key) if len(self.key) else np.empty(0, np.int64)


def block_pairs(model: LinkageModel, encoded: Encoded, only: Sequence[str] | None = None) -> Candidates:
    """Return the candidate pairs of the rules of `model` (of those named in `only`, when given).

    Raises:
        LinkageError: the rules together exceed the model's pair budget; said before any pair is built.
    """
    size = len(encoded.record_ids)
    chosen = [(bit, rule) for bit, rule in enumerate(model.blocking) if only is None or rule.name in only]
    planned = [(bit, rule, *_plan(rule, encoded)) for bit, rule in chosen]
    _check_budget(model, [(rule.name, keys) for _, rule, keys, _ in planned])
    found: Ints = np.empty(0, np.int64)
    bits: Ints = np.empty(0, np.int64)
    reports = []
    for bit, rule, keys, narrowing in planned:
        pairs = _pairs_of(keys, size)
        known = np.isin(pairs, found, assume_unique=True)
        bits[np.searchsorted(found, pairs[known])] |= 1 << bit
        merged = np.concatenate([found, pairs[~known]])
        merged_bits = np.concatenate([bits, np.full(int((~known).sum()), 1 << bit, dtype=np.int64)])
        order = np.argsort(merged, kind="stable")
        found, bits = merged[order], merged_bits[order]
        largest = tuple(int(n) for n in np.sort(keys.sizes())[::-1][:5])
        reports.append(RuleReport(rule.name, int((~known).sum()), len(pairs), largest, *narrowing))
    width = max(size, 1)
    return Candidates(found // width, found % width, bits, tuple(reports))


def _plan(rule: BlockingRule, encoded: Encoded) -> tuple[_Keys, tuple[int, int, int]]:
    """Return the keys of a rule after narrowing, with (blocks narrowed, blocks skipped, records in those)."""
    keys = _rule_keys(rule.keys, encoded)
    sizes = keys.sizes()
    if not len(sizes) or sizes.max() <= rule.maximum_block:
        return keys, (0, 0, 0)
    large = sizes[keys.key] > rule.maximum_block
    narrowed = int((sizes > rule.maximum_block).sum())
    small = _Keys(keys.record[~large], keys.key[~large])
    rest = _Keys(keys.record[large], keys.key[large])
    if rule.narrow_with is not None:
        rest = _add_key(rest, rule.narrow_with, encoded)
    rest_sizes = rest.sizes()
    over = rest_sizes[rest.key] > rule.maximum_block
    skipped = len(np.unique(rest.key[over])), len(np.unique(rest.record[over]))
    joined = _compact(
        np.concatenate([small.record, rest.record[~over]]),
        np.concatenate([small.key, rest.key[~over] + len(sizes)]),
    )
    return joined, (narrowed, *skipped)


def _rule_keys(parts: Sequence[str], encoded: Encoded) -> _Keys:
    first = encoded.features[parts[0]]
    keys = _compact(first.record_of_each(), first.codes)
    for part in parts[1:]:
        keys = _add_key(keys, part, encoded)
    return keys


def _add_key(keys: _Keys, part: str, encoded: Encoded) -> _Keys:
    """Return the keys combined with each of the record's values of one more part."""
    feature = encoded.features[part]
    counts = feature.counts[keys.record]
    row = np.repeat(np.arange(len(keys.record)), counts)
    starts = feature.offsets[keys.record][row]
    step = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return _compact(
        keys.record[row], keys.key[row] * max(len(feature.values), 1) + feature.codes[starts + step]
    )


def _compact(record: Ints, key: Ints) -> _Keys:
    """Return distinct rows with keys renumbered from 0."""
    numbers = np.unique(key, return_inverse=True)[1].astype(np.int64)
    width = int(numbers.max()) + 1 if len(numbers) else 1
    rows = np.unique(record * width + numbers)
    return _Keys(rows // width, rows % width)


def _check_budget(model: LinkageModel, keys: list[tuple[str, _Keys]]) -> None:
    counts = {name: int((sizes * (sizes - 1) // 2).sum()) for name, each in keys for sizes in [each.sizes()]}
    total = sum(counts.values())
    if total > model.pair_budget:
        worst = max(counts, key=lambda name: counts[name])
        raise LinkageError(
            f"blocking would build up to {total} pairs, the model's pair_budget is {model.pair_budget}; "
            f"the largest rule is {worst} with {counts[worst]}: lower its maximum_block or give it narrow_with"
        )


def _pairs_of(keys: _Keys, size: int) -> Ints:
    """Return the distinct pairs that share a key, each as a * size + b with a < b, sorted."""
    frame = pd.DataFrame({"key": keys.key, "record": keys.record})
    sizes = keys.sizes()
    frame = frame.loc[sizes[keys.key] > 1].reset_index(drop=True) if len(sizes) else frame
    if frame.empty:
        return np.empty(0, np.int64)
    indexer = recordlinkage.Index()
    indexer.block("key")
    pairs = indexer.index(frame)
    record = frame["record"].to_numpy(dtype=np.int64)
    left, right = record[pairs.get_level_values(0)], record[pairs.get_level_values(1)]
    return np.unique(np.minimum(left, right) * size + np.maximum(left, right))


def rules_met(model: LinkageModel, encoded: Encoded, a: int, b: int) -> dict[str, tuple[int, int]]:
    """Return, per rule, how many of its keys two records share and how many it has."""
    first, second = np.array([a]), np.array([b])
    met = {}
    for rule in model.blocking:
        shared = 0
        for part in rule.keys:
            rows = expand(encoded.features[part], encoded.features[part], first, second)
            shared += bool((rows.left == rows.right).any())
        met[rule.name] = (shared, len(rule.keys))
    return met
