"""Which blocks are narrowed or left out: found once, when a model is trained, and frozen with it.

A block that is too large is divided, or left out. Were that decided by the records of each run, whether two records
are compared would depend on how many others came in with them. So a model version keeps the keys of the blocks that
were too large when it was trained, each as a hash of its values, and later runs treat those and no others so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipelines.link.features import Bools, Codes, Feature
from pipelines.link.fused.arrays import Words
from pipelines.link.values import fold_hashes, value_hashes


class Narrowed(NamedTuple):
    """Of one rule: keys whose blocks are divided, and keys of divided blocks that are left out; sorted hashes."""

    divided: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


Narrowing = Mapping[str, Narrowed]
"""By rule; a rule without a block that was too large is not there."""


def hash_keys(parts: Sequence[tuple[Feature, Codes]]) -> Words:
    """Return one hash per row of keys, from the values behind the codes of each part."""
    hashes = np.zeros(len(parts[0][1]), np.uint64)
    for feature, codes in parts:
        hashes = fold_hashes(hashes, value_hashes(feature)[codes])
    return hashes


def named(hashes: Words) -> tuple[str, ...]:
    """Return hashes as a model keeps them."""
    return tuple(f"{each:016x}" for each in np.unique(hashes).tolist())


def among(hashes: Words, kept: tuple[str, ...]) -> Bools:
    """Return which hashes are among those that a model keeps."""
    if not kept:
        return np.zeros(len(hashes), dtype=bool)
    return np.isin(hashes, np.array([int(each, 16) for each in kept], dtype=np.uint64))
