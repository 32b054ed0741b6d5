"""Hashes of the values behind codes: the same in every run, whatever code a value has there."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.link.features import Feature
from pipelines.link.fused.arrays import Words
from pipelines.link.fused.hashing import hash_strings

SEED = 20260930
_FACTORS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_STEP = np.uint64(0x9E3779B97F4A7C15)


def value_hashes(feature: Feature) -> Words:
    """Return the hash that stands for each distinct value, so that no name is written out in a stored model.

    Raises:
        TypeError: the feature keeps no values.
    """
    values = feature.values
    if isinstance(values, pa.Array):
        return hash_strings(values, SEED)
    if values is None:
        raise TypeError("hashes of values need the values of their feature")
    return mixed(values.astype(np.uint64))


def mixed(numbers: Words) -> Words:
    """Return numbers scattered over 64 bits: the finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    scattered = numbers + np.uint64(SEED)
    for shift, factor in _FACTORS:
        scattered = (scattered ^ (scattered >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(scattered ^ (scattered >> np.uint64(31)))


def fold_hashes(first: Words, second: Words) -> Words:
    """Return one hash for each two, which depends on their order."""
    return mixed(first * _STEP ^ second)
