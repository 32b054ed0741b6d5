"""Random pairs of records, drawn by a hash of record ids: the same pairs whatever the order of rows."""

from __future__ import annotations

import hashlib

import numpy as np

from pipelines.link.compare import Pairs
from pipelines.link.features import Texts


def random_pairs(record_ids: Texts, wanted: int, seed: int) -> Pairs:
    """Return about `wanted` distinct pairs of positions (a < b): neighbours on circles made by hashing the ids."""
    size = len(record_ids)
    if size < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    salt = seed.to_bytes(8, "big", signed=True)
    hashes = [hashlib.blake2b(str(each).encode(), digest_size=8, salt=salt).digest() for each in record_ids]
    order = np.argsort(np.frombuffer(b"".join(hashes), dtype=">u8"), kind="stable").astype(np.int64)
    steps = range(1, min(-(-wanted // size), (size - 1) // 2, size - 1) + 1) if size > 2 else range(1, 2)
    left = np.concatenate([order for _ in steps])
    right = np.concatenate([np.roll(order, -step) for step in steps])
    pairs = np.unique(np.minimum(left, right) * size + np.maximum(left, right))
    return pairs // size, pairs % size
