"""A feature: for each record the set of its values for one thing, as codes into a table of distinct values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NONE = -1


@dataclass(frozen=True)
class Feature:
    """The codes of each record's values.

    Without `offsets` every record has one value at most, and `codes[i]` is the one of record i, -1 when it has
    none. With them, record i has `codes[offsets[i]:offsets[i + 1]]`, distinct and in order. `values` is the table
    that codes point into, or None where only their being equal counts; `size` is its length.
    """

    codes: Codes
    offsets: Ints | None
    size: int
    values: pa.Array | Ints | None = None

    @property
    def records(self) -> int:
        """How many records there are."""
        return len(self.codes) if self.offsets is None else len(self.offsets) - 1

    @cached_property
    def rows(self) -> tuple[Ints, Codes]:
        """Offsets and codes, whichever way the feature is kept."""
        if self.offsets is not None:
            return self.offsets, self.codes
        present = self.codes >= 0
        return np.concatenate([[0], np.cumsum(present)]).astype(np.int64), self.codes[present]

    @property
    def counts(self) -> Ints:
        """How many values each record has."""
        if self.offsets is None:
            return (self.codes >= 0).astype(np.int64)
        return np.diff(self.offsets)

    def record_of_each(self) -> Ints:
        """Return, for each code of `rows`, the record that it belongs to."""
        if self.offsets is None:
            return np.flatnonzero(self.codes >= 0).astype(np.int64)
        return np.repeat(np.arange(self.records, dtype=np.int64), self.counts)

    def has_value(self, records: Ints) -> Bools:
        """Return which of `records` have at least one value."""
        if self.offsets is None:
            return np.asarray(self.codes[records] >= 0)
        return np.asarray(self.offsets[records + 1] > self.offsets[records])

    def frequency(self) -> Floats:
        """Return, for each distinct value, the share of records with any value that hold it."""
        holders = int((self.counts > 0).sum())
        return np.bincount(self.rows[1], minlength=self.size) / max(holders, 1)

    def texts(self) -> list[str]:
        """Return the distinct values as text; raises TypeError where they are kept as numbers or not at all."""
        if not isinstance(self.values, pa.Array):
            raise TypeError("this feature keeps no texts")
        texts: list[str] = self.values.to_pylist()
        return texts


def make_feature(
    records: Ints, codes: Codes, size: int, total: int, values: pa.Array | Ints | None = None
) -> Feature:
    """Return the feature of `total` records from (record, code) rows; negative codes are left out."""
    present = codes >= 0
    if not bool(present.all()):
        records, codes = records[present], codes[present]
    single: Codes = np.full(total, NONE, dtype=np.int32)
    single[records] = codes
    if bool((single[records] == codes).all()):
        return Feature(single, None, size, values)
    rows = np.unique(records * max(size, 1) + codes)
    found = rows // max(size, 1)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(found, minlength=total))]).astype(np.int64)
    return Feature((rows % max(size, 1)).astype(np.int32), offsets, size, values)


def empty_feature(total: int) -> Feature:
    """Return a feature of which no record has a value."""
    return Feature(np.full(total, NONE, dtype=np.int32), None, 0, pa.array([], pa.string()))


@dataclass(frozen=True)
class Derived:
    """For each distinct value what is derived from it: `codes[offsets[v]:offsets[v + 1]]`, into `values`."""

    offsets: Ints
    codes: Codes
    values: pa.Array

    def single(self) -> Codes | None:
        """Return one code per value, -1 for none; None when some value has several."""
        lengths = np.diff(self.offsets)
        if len(lengths) and lengths.max() > 1:
            return None
        result = np.full(len(lengths), NONE, dtype=np.int32)
        result[lengths == 1] = self.codes
        return result


def derive_values(values: list[str], function: Callable[[str], tuple[str, ...]]) -> Derived:
    """Return what `function` makes of each distinct value; each may give none, one or several texts."""
    made = [function(value) for value in values]
    lengths = np.array([len(each) for each in made], dtype=np.int64)
    flat = pa.array([text for each in made for text in each], pa.string()).dictionary_encode()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Derived(offsets, flat.indices.to_numpy(zero_copy_only=False).astype(np.int32), flat.dictionary)


def apply_derived(feature: Feature, derived: Derived) -> Feature:
    """Return the feature whose values are those derived from the values of another."""
    single = derived.single()
    if feature.offsets is None and single is not None:
        # The last entry stands for -1, a record without a value.
        codes = np.append(single, np.int32(NONE))[feature.codes]
        return Feature(codes, None, len(derived.values), derived.values)
    codes = feature.rows[1]
    per_row = np.diff(derived.offsets)[codes]
    positions = np.repeat(derived.offsets[:-1][codes], per_row) + ragged_range(per_row)
    records = np.repeat(feature.record_of_each(), per_row)
    return make_feature(
        records, derived.codes[positions], len(derived.values), feature.records, derived.values
    )


def derive(feature: Feature, function: Callable[[str], tuple[str, ...]]) -> Feature:
    """Return a feature whose values are `function` of the distinct values; each may give none, one or several."""
    return apply_derived(feature, derive_values(feature.texts(), function))


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
    left: Codes
    right: Codes


def expand(left: Feature, right: Feature, a: Ints, b: Ints) -> Expanded:
    """Return all combinations of a value of `left` of record a and a value of `right` of record b, per pair."""
    (left_offsets, left_codes), (right_offsets, right_codes) = left.rows, right.rows
    left_count = left_offsets[a + 1] - left_offsets[a]
    right_count = right_offsets[b + 1] - right_offsets[b]
    total = left_count * right_count
    pair = np.repeat(np.arange(len(a)), total)
    step = ragged_range(total)
    width = right_count[pair]
    return Expanded(
        pair,
        left_codes[left_offsets[a][pair] + step // np.maximum(width, 1)],
        right_codes[right_offsets[b][pair] + step % np.maximum(width, 1)],
    )


def rarest_shared(left: Feature, right: Feature, pairs: tuple[Ints, Ints], frequency: Floats) -> Floats:
    """Return, per pair, the frequency of the rarest value that both records hold; NaN where they share none."""
    a, b = pairs
    if left.offsets is None and right.offsets is None:
        x, y = left.codes[a], right.codes[b]
        return np.where((x == y) & (x >= 0), np.append(frequency, np.nan)[x], np.nan)
    result = np.full(len(a), np.inf)
    both = np.flatnonzero(left.has_value(a) & right.has_value(b))
    if len(both):
        rows = expand(left, right, a[both], b[both])
        same = rows.left == rows.right
        np.minimum.at(result, both[rows.pair[same]], frequency[rows.left[same]])
    result[np.isinf(result)] = np.nan
    return result
