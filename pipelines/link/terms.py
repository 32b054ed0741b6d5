"""Term frequencies: how common the value is that two records share, where a level asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.compare import Levels, Pairs
from pipelines.link.encode import Encoded
from pipelines.link.features import Feature, Floats, rarest_shared
from pipelines.link.predicates import compile_comparisons
from pipelines.link.values import value_hashes

# A date is as common as its year, spread over the days of a year: single dates are too rare to count.
DAYS_IN_A_YEAR = 365.25
SPREAD = {"birth_year": DAYS_IN_A_YEAR}

Terms = dict[str, dict[str, float]]


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
        keys = value_hashes(feature)[common]
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
    hashes = value_hashes(feature)
    place = np.minimum(np.searchsorted(keys[order], hashes), len(keys) - 1)
    found = keys[order][place] == hashes
    result[found] = shares[order][place[found]]
    return result


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
