"""Term frequencies: how common the value is that two records share, where a level asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.contracts.model import LinkageModel
from pipelines.link.compare import Levels, Pairs
from pipelines.link.encode import Encoded
from pipelines.link.features import Feature, Floats, rarest_shared
from pipelines.link.fused.hashing import hash_strings
from pipelines.link.predicates import compile_comparisons

# A date is as common as its year, spread over the days of a year: single dates are too rare to count.
DAYS_IN_A_YEAR = 365.25
SPREAD = {"birth_year": DAYS_IN_A_YEAR}
SEED = 20260930

Terms = dict[str, dict[str, float]]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Compared:
    """Level per pair and comparison (-1 is null), and by comparison the frequency of the shared value.

    The frequency is NaN where a pair's level does not use it; a comparison none of whose levels does has none.
    """

    levels: Levels
    frequency: Mapping[int, Floats]


def common_terms(model: LinkageModel, encoded: Encoded) -> Terms:
    """Return the frequencies of values more common than the model's minimum, by feature and hashed term."""
    terms: Terms = {}
    for name in term_features(model):
        feature = encoded.features[name]
        frequency = feature.frequency()
        common = np.flatnonzero(frequency > model.minimum_frequency)
        keys = _hashes(feature)[common]
        terms[name] = {
            f"{key:016x}": float(share) for key, share in zip(keys, frequency[common], strict=True)
        }
    return terms


def term_features(model: LinkageModel) -> tuple[str, ...]:
    """Return the features whose values' frequencies a model uses, in order of their names."""
    return tuple(sorted({name for each in compile_comparisons(model) for name in each.term if name}))


def frequencies(model: LinkageModel, terms: Terms, encoded: Encoded) -> dict[str, Floats]:
    """Return, per feature with term frequencies, what takes the place of u for each of its distinct values."""
    return {
        name: _frequencies(encoded.features[name], known, model.minimum_frequency) / SPREAD.get(name, 1.0)
        for name, known in terms.items()
    }


def _frequencies(feature: Feature, known: dict[str, float], floor: float) -> Floats:
    result = np.full(feature.size, floor)
    if not known or not feature.size:
        return result
    keys = np.array([int(key, 16) for key in known], dtype=np.uint64)
    shares = np.array(list(known.values()))
    order = np.argsort(keys)
    hashes = _hashes(feature)
    place = np.minimum(np.searchsorted(keys[order], hashes), len(keys) - 1)
    found = keys[order][place] == hashes
    result[found] = shares[order][place[found]]
    return result


def _hashes(feature: Feature) -> Hashes:
    """Return the hash that stands for each distinct value, so that no name is written out in a stored model."""
    values = feature.values
    if isinstance(values, pa.Array):
        return hash_strings(values, SEED)
    if values is None:
        raise TypeError("term frequencies need the values of their feature")
    return _mixed(values.astype(np.uint64))


def _mixed(numbers: Hashes) -> Hashes:
    """Return numbers scattered over 64 bits: the finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    mixed = numbers + np.uint64(SEED)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def shared_frequency(
    model: LinkageModel, encoded: Encoded, pairs: Pairs, levels: Levels, known: dict[str, Floats]
) -> dict[int, Floats]:
    """Return, by comparison, the frequency of the rarest value that a pair shares if its level asks, else NaN."""
    result: dict[int, Floats] = {}
    for column, comparison in enumerate(compile_comparisons(model)):
        for position, name in enumerate(comparison.term):
            if name is None or name not in known:
                continue
            frequency = result.setdefault(column, np.full(len(levels), np.nan))
            rows = np.flatnonzero(levels[:, column] == position)
            some = (pairs[0][rows], pairs[1][rows])
            feature = encoded.features[name]
            frequency[rows] = rarest_shared(feature, feature, some, known[name])
    return result
