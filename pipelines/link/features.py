"""A feature: for each record the set of its values for one thing, as codes into a table of distinct values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Feature:
    """The values of record i are `values[codes[offsets[i]:offsets[i + 1]]]`, distinct and sorted by code."""

    offsets: Ints
    codes: Ints
    values: Texts

    @property
    def counts(self) -> Ints:
        """How many values each record has."""
        return np.diff(self.offsets)

    def record_of_each(self) -> Ints:
        """Return, for each code, the record that it belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts)

    def has_value(self, records: Ints) -> Bools:
        """Return which of `records` have at least one value."""
        return np.asarray(self.counts[records] > 0)

    def frequency(self) -> Floats:
        """Return, for each distinct value, the share of records with any value that hold it."""
        holders = int((self.counts > 0).sum())
        return np.bincount(self.codes, minlength=len(self.values)) / max(holders, 1)


def make_feature(records: Ints, values: pd.Series[Any], size: int) -> Feature:
    """Return the feature of `size` records from (record, value) rows; null and empty values are left out."""
    features = make_paired({"only": (records, values)}, size)
    return features["only"]


def make_paired(columns: Mapping[str, tuple[Ints, pd.Series[Any]]], size: int) -> dict[str, Feature]:
    """Return several features that share one table of distinct values, so that their codes can be compared."""
    kept = {}
    for name, (records, values) in columns.items():
        present = (values.notna() & (values != "")).to_numpy(dtype=bool)
        kept[name] = (records[present], np.asarray(values, dtype=object)[present])
    everything = np.concatenate([texts for _, texts in kept.values()]) if kept else np.empty(0, object)
    codes, distinct = pd.factorize(everything, sort=True)
    features, start = {}, 0
    for name, (records, texts) in kept.items():
        mine = codes[start : start + len(texts)].astype(np.int64)
        start += len(texts)
        features[name] = _from_codes(records, mine, np.asarray(distinct, dtype=object), size)
    return features


def _from_codes(records: Ints, codes: Ints, distinct: Texts, size: int) -> Feature:
    width = max(len(distinct), 1)
    rows = np.unique(records.astype(np.int64) * width + codes)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows // width, minlength=size))]).astype(np.int64)
    return Feature(offsets, rows % width, distinct)


def derive(feature: Feature, function: Callable[[str], tuple[str, ...]]) -> Feature:
    """Return a feature whose values are `function` of the distinct values; each may give none, one or several."""
    made = [function(value) for value in feature.values]
    lengths = np.array([len(values) for values in made], dtype=np.int64)
    flat = pd.Series([value for values in made for value in values], dtype=object)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    per_row = lengths[feature.codes] if len(feature.codes) else np.empty(0, np.int64)
    positions = np.repeat(starts[feature.codes], per_row) + ragged_range(per_row)
    records = np.repeat(feature.record_of_each(), per_row)
    return make_feature(records, flat.iloc[positions].reset_index(drop=True), len(feature.offsets) - 1)


def ragged_range(lengths: Ints) -> Ints:
    """Return 0..n-1 for each n of `lengths`, one after the other."""
    total = int(lengths.sum())
    if total == 0:
        return np.empty(0, np.int64)
    return np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)


@dataclass(frozen=True)
class Expanded:
    """Every (value of a, value of b) of each pair of records: `pair` says which pair a row belongs to."""

    pair: Ints
    left: Ints
    right: Ints


def expand(left: Feature, right: Feature, a: Ints, b: Ints) -> Expanded:
    """Return all combinations of a value of `left` of record a and a value of `right` of record b, per pair."""
    left_count, right_count = left.counts[a], right.counts[b]
    total = left_count * right_count
    if bool((total == 1).all()):
        pair = np.arange(len(a))
        return Expanded(pair, left.codes[left.offsets[a]], right.codes[right.offsets[b]])
    pair = np.repeat(np.arange(len(a)), total)
    step = ragged_range(total)
    width = right_count[pair]
    return Expanded(
        pair,
        left.codes[left.offsets[a][pair] + step // np.maximum(width, 1)],
        right.codes[right.offsets[b][pair] + step % np.maximum(width, 1)],
    )


def rarest_shared(left: Feature, right: Feature, pairs: tuple[Ints, Ints], frequency: Floats) -> Floats:
    """Return, per pair, the frequency of the rarest value that both records hold; NaN where they share none."""
    a, b = pairs
    result = np.full(len(a), np.inf)
    both = np.flatnonzero(left.has_value(a) & right.has_value(b))
    if len(both):
        rows = expand(left, right, a[both], b[both])
        same = rows.left == rows.right
        np.minimum.at(result, both[rows.pair[same]], frequency[rows.left[same]])
    result[np.isinf(result)] = np.nan
    return result
