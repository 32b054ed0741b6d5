"""Compare pairs of records: the best level over all values of both, and how common is what they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.contracts.model import Comparison, LinkageModel
from pipelines.link.encode import Encoded
from pipelines.link.features import Bools, Feature, Floats, Ints, expand, rarest_shared
from pipelines.link.levels import ValueLevels, ValuePairs, date_levels, name_levels

NULL = -1
Levels = npt.NDArray[np.int8]
Pairs = tuple[Ints, Ints]
Frequencies = Mapping[str, Floats]

TERM_FEATURE = {"same_address": "place", "same_postcode": "postcode"}
DAYS_IN_A_YEAR = 365.25


@dataclass(frozen=True)
class Compared:
    """Level per pair and comparison (-1 is null), and the frequency of the shared value where a level uses it."""

    levels: Levels
    frequency: Floats


def term_feature(comparison: Comparison, when: str) -> str:
    """Return the feature whose values' frequencies adjust the level with this condition."""
    if comparison.kind == "date":
        return "birth_year"
    return TERM_FEATURE.get(when, comparison.field)


def compare_pairs(model: LinkageModel, encoded: Encoded, pairs: Pairs, frequencies: Frequencies) -> Compared:
    """Return the comparison vectors of `pairs`; `frequencies` gives the frequency of each value of a feature."""
    levels = np.full((len(pairs[0]), len(model.comparisons)), NULL, dtype=np.int8)
    for column, comparison in enumerate(model.comparisons):
        levels[:, column] = COMPARATORS[comparison.kind](comparison, encoded, pairs)
    _silence_swapped(model, levels)
    frequency = np.full(levels.shape, np.nan)
    for column, comparison in enumerate(model.comparisons):
        for position, level in enumerate(comparison.levels):
            feature = term_feature(comparison, level.when)
            if not level.term_frequency or feature not in frequencies:
                continue
            rows = np.flatnonzero(levels[:, column] == position)
            values = encoded.features[feature]
            some = (pairs[0][rows], pairs[1][rows])
            share = rarest_shared(values, values, some, frequencies[feature])
            # A date is as common as its year, spread over the days of a year: single dates are too rare to count.
            frequency[rows, column] = share / DAYS_IN_A_YEAR if comparison.kind == "date" else share
    return Compared(levels, frequency)


def _silence_swapped(model: LinkageModel, levels: Levels) -> None:
    """Set the family name to null where first and last name are swapped: the given name's level says it already."""
    for column, comparison in enumerate(model.comparisons):
        swapped = [comparison.index_of(when) for when in ("swapped", "swapped_phonetic")]
        if comparison.kind != "name" or comparison.field != "given":
            continue
        rows = np.isin(levels[:, column], [position for position in swapped if position is not None])
        for other, family in enumerate(model.comparisons):
            if family.kind == "name" and family.field == "family":
                levels[rows, other] = NULL


def _both(feature: Feature, pairs: Pairs) -> Bools:
    return feature.has_value(pairs[0]) & feature.has_value(pairs[1])


def _best_value_level(comparison: Comparison, feature: Feature, pairs: Pairs, judge: ValueLevels) -> Ints:
    """Return the best level over all value pairs, each distinct pair of values being judged once."""
    result = np.full(len(pairs[0]), NULL, dtype=np.int64)
    present = np.flatnonzero(_both(feature, pairs))
    if not len(present):
        return result
    rows = expand(feature, feature, pairs[0][present], pairs[1][present])
    width = len(feature.values)
    low, high = np.minimum(rows.left, rows.right), np.maximum(rows.left, rows.right)
    distinct, inverse = np.unique(low * width + high, return_inverse=True)
    judged = judge(comparison, ValuePairs(feature.values, distinct // width, distinct % width))
    starts = np.flatnonzero(np.diff(rows.pair, prepend=-1))
    result[present] = np.minimum.reduceat(judged[inverse], starts)
    return result


def _shares(left: Feature, right: Feature, pairs: Pairs) -> Bools:
    """Return where a value of `left` of the first record is a value of `right` of the second."""
    return ~np.isnan(rarest_shared(left, right, pairs, np.zeros(len(left.values))))


def _improve(result: Ints, comparison: Comparison, when: str, holds: Callable[[], Bools]) -> None:
    """Raise pairs to the level with this condition where it holds and is better than what they have."""
    position = comparison.index_of(when)
    if position is None:
        return
    result[holds() & (result > position)] = position


def compare_names(comparison: Comparison, encoded: Encoded, pairs: Pairs) -> Ints:
    """Return the levels of a given or family name over all names of both records."""
    features, reverse = encoded.features, (pairs[1], pairs[0])
    result = _best_value_level(comparison, features[comparison.field], pairs, name_levels)
    if comparison.field == "given":
        full, reversed_, given, middle = (
            features[name] for name in ("full", "reversed", "given", "middle_token")
        )
        sound, reversed_sound = features["full_phonetic"], features["reversed_phonetic"]
        _improve(result, comparison, "swapped", lambda: _shares(full, reversed_, pairs))
        _improve(result, comparison, "swapped_phonetic", lambda: _shares(sound, reversed_sound, pairs))
        _improve(
            result,
            comparison,
            "middle_used",
            lambda: _shares(given, middle, pairs) | _shares(given, middle, reverse),
        )
    return result


def compare_middle(comparison: Comparison, encoded: Encoded, pairs: Pairs) -> Ints:
    """Return the levels of the middle names: the same, one shared, an initial, or different."""
    return _best_value_level(comparison, encoded.features[comparison.field], pairs, name_levels)


def compare_dates(comparison: Comparison, encoded: Encoded, pairs: Pairs) -> Ints:
    """Return the levels of the dates of birth over all dates of both records."""
    return _best_value_level(comparison, encoded.features[comparison.field], pairs, date_levels)


def compare_codes(comparison: Comparison, encoded: Encoded, pairs: Pairs) -> Ints:
    """Return the levels of a value that is equal or not: a code such as sex, or any of several contacts."""
    feature = encoded.features[comparison.field]
    result = np.where(_both(feature, pairs), len(comparison.levels) - 1, NULL)
    _improve(result, comparison, "equal", lambda: _shares(feature, feature, pairs))
    return result


def compare_addresses(comparison: Comparison, encoded: Encoded, pairs: Pairs) -> Ints:
    """Return the levels of the addresses over all that both records ever had."""
    features = encoded.features
    has_postcode = _both(features["postcode"], pairs) | _both(features["outward"], pairs)
    result = np.where(has_postcode, len(comparison.levels) - 1, NULL)
    for when, name in (("same_outward", "outward"), ("same_postcode", "postcode"), ("same_address", "place")):
        _improve(result, comparison, when, lambda name=name: _shares(features[name], features[name], pairs))  # type: ignore[misc]
    return result


def compare_identifiers(comparison: Comparison, encoded: Encoded, pairs: Pairs) -> Ints:
    """Return the levels of an identifier: null unless both records carry a number of one kind.

    Two valid current numbers of one kind that differ are a conflict, unless any number is shared.
    """
    features, field = encoded.features, comparison.field
    firm, weak = features[field], features[f"{field}_weak"]
    kind, weak_kind = features[f"{field}_kind"], features[f"{field}_weak_kind"]
    result = np.full(len(pairs[0]), NULL, dtype=np.int64)
    # From the weakest claim to the strongest, so that the strongest stands.
    claims: tuple[tuple[str, Callable[[], Bools]], ...] = (
        ("differ_unverified", lambda: _shares(weak_kind, weak_kind, pairs)),
        ("conflict", lambda: _shares(kind, kind, pairs)),
        ("equal_unverified", lambda: _shares(weak, weak, pairs)),
        ("equal", lambda: _shares(firm, firm, pairs)),
    )
    for when, holds in claims:
        position = comparison.index_of(when)
        if position is not None:
            result[holds()] = position
    return result


COMPARATORS: dict[str, Callable[[Comparison, Encoded, Pairs], Ints]] = {
    "name": compare_names,
    "middle": compare_middle,
    "date": compare_dates,
    "code": compare_codes,
    "contact": compare_codes,
    "identifier": compare_identifiers,
    "address": compare_addresses,
}


def barred_pairs(model: LinkageModel, encoded: Encoded, pairs: Pairs) -> Bools:
    """Return which pairs may never be linked: both have verified current numbers, and none in common."""
    if model.hard_bar is None:
        return np.zeros(len(pairs[0]), dtype=bool)
    verified = encoded.features[f"{model.comparison(model.hard_bar).field}_verified"]
    return _both(verified, pairs) & ~_shares(verified, verified, pairs)
