"""Pairs of blocks as lists: for training, which looks at a sample of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelines.link.compiled import compiled
from pipelines.link.features import Ints
from pipelines.link.fused.hashing import pair_hash
from pipelines.link.fused.pack import Matrix

Hashes = npt.NDArray[np.uint64]


def all_pairs(members: Matrix, starts: Ints) -> tuple[Ints, Ints]:
    """Return all pairs a < b of positions inside blocks."""
    sizes = np.diff(starts)
    pairs = int((sizes * (sizes - 1) // 2).sum())
    a, b = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
    _list(members, starts, a, b)
    return np.minimum(a, b), np.maximum(a, b)


def sampled_pairs(members: Matrix, starts: Ints, hashes: Hashes, rate: float) -> tuple[Ints, Ints]:
    """Return pairs a < b of positions inside blocks: those whose hash falls into the share `rate`, below 1."""
    a, b = _sampled(members, starts, hashes, np.uint64(rate * 2.0**64))
    return np.minimum(a, b), np.maximum(a, b)


@compiled
def _list(members: Matrix, starts: Ints, a: Ints, b: Ints) -> None:
    filled = 0
    for block in range(len(starts) - 1):
        for i in range(starts[block], starts[block + 1]):
            for j in range(i + 1, starts[block + 1]):
                a[filled], b[filled] = members[i], members[j]
                filled += 1


@compiled
def _sampled(members: Matrix, starts: Ints, hashes: Hashes, limit: np.uint64) -> tuple[Ints, Ints]:
    room, kept = 1024, 0
    out_a, out_b = np.empty(room, np.int64), np.empty(room, np.int64)
    for block in range(len(starts) - 1):
        for i in range(starts[block], starts[block + 1]):
            for j in range(i + 1, starts[block + 1]):
                if pair_hash(hashes[members[i]], hashes[members[j]]) > limit:
                    continue
                if kept == room:
                    room *= 2
                    more_a, more_b = np.empty(room, np.int64), np.empty(room, np.int64)
                    more_a[:kept], more_b[:kept] = out_a[:kept], out_b[:kept]
                    out_a, out_b = more_a, more_b
                out_a[kept], out_b[kept] = members[i], members[j]
                kept += 1
    return out_a[:kept], out_b[:kept]
