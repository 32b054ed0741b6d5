"""Samples of pairs, drawn by a hash of record ids: the same pairs whatever the order of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.link.block import RulePlan
from pipelines.link.compare import Pairs
from pipelines.link.encode import Encoded
from pipelines.link.features import Ints
from pipelines.link.fused.enumerate import all_pairs, sampled_pairs
from pipelines.link.fused.hashing import hash_strings


def random_pairs(record_ids: pa.Array, wanted: int, seed: int) -> Pairs:
    """Return about `wanted` distinct pairs of positions (a < b): neighbours on circles made by hashing the ids."""
    size = len(record_ids)
    if size < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    hashes = hash_strings(record_ids, seed)
    # Of more records than pairs are wanted, those with the smallest hashes stand for all.
    chosen = np.argpartition(hashes, wanted)[:wanted] if size > wanted else np.arange(size)
    order = chosen[np.lexsort((chosen, hashes[chosen]))].astype(np.int64)
    size = len(order)
    steps = range(1, min(-(-wanted // size), (size - 1) // 2, size - 1) + 1) if size > 2 else range(1, 2)
    left = np.concatenate([order for _ in steps])
    right = np.concatenate([np.roll(order, -step) for step in steps])
    width = len(record_ids)
    return _distinct(np.minimum(left, right) * width + np.maximum(left, right), width)


def pairs_of_plan(plan: RulePlan, encoded: Encoded, wanted: int, seed: int) -> tuple[Pairs, float]:
    """Return the distinct pairs of a rule's blocks and the share of all that they are: 1, or about wanted / all."""
    rate = min(1.0, wanted / max(plan.pairs, 1))
    if rate < 1.0:
        a, b = sampled_pairs(plan.members, plan.starts, hash_strings(encoded.record_ids, seed), rate)
    else:
        a, b = all_pairs(plan.members, plan.starts)
    width = max(encoded.size, 1)
    return _distinct(a * width + b, width), rate


def thinned(pairs: Pairs, encoded: Encoded, wanted: int, seed: int, rate: float) -> tuple[Ints, float]:
    """Return the rows of about `wanted` of the pairs, and which share of all they are, `pairs` being `rate` of it.

    Rows are taken by a hash of both record ids.
    """
    size = len(pairs[0])
    if size <= wanted:
        return np.arange(size), rate
    hashes = hash_strings(encoded.record_ids, seed + 1)
    # The sum of two hashes (modulo 2**64) is as even as one, and the same for (a, b) and (b, a).
    limit = np.uint64(wanted / size * 2.0**64)
    rows = np.flatnonzero(hashes[pairs[0]] + hashes[pairs[1]] < limit)
    return rows, rate * len(rows) / size


def _distinct(pairs: Ints, width: int) -> Pairs:
    """Return distinct pairs in order, from one number each; sorting beats the hashing of `np.unique` here."""
    pairs = np.sort(pairs)
    pairs = pairs[np.concatenate([[True], pairs[1:] != pairs[:-1]])] if len(pairs) else pairs
    return pairs // width, pairs % width
