"""Features as Arrow columns: one value per record where no record has more, else a list; null for no value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.link.dates import unpack_spans
from pipelines.link.encode import Adjacency
from pipelines.link.features import Codes, Derived, Feature, Floats, Ints, apply_derived


def code_column(feature: Feature) -> pa.Array:
    """Return the codes of each record's values as 32-bit integers."""
    return place_values(feature, pa.array(feature.rows[1], pa.int32()))


def text_column(feature: Feature) -> pa.Array:
    """Return each record's values as text."""
    texts = feature.values if isinstance(feature.values, pa.Array) else pa.array(feature.texts(), pa.string())
    return place_values(feature, texts.take(pa.array(feature.rows[1])))


def variant_feature(feature: Feature, variants: Adjacency) -> Feature:
    """Return the feature of the names that are variants of each record's names."""
    return apply_derived(feature, Derived(variants.offsets, variants.codes, feature.values))


def date_column(feature: Feature, as_list: bool | None = None) -> pa.Array:
    """Return each record's dates as structures: first and last day and year, digits, known to the day or not."""
    spans = unpack_spans(np.asarray(feature.values, dtype=np.int64))
    dates = pa.StructArray.from_arrays(
        [
            *(_numbers(each) for each in (spans.first, spans.last)),
            *(_numbers(each // 10_000) for each in (spans.digits, spans.last_digits)),
            pa.array([f"{digits:08d}" for digits in spans.digits.tolist()], pa.string()),
            pa.array(spans.exact),
        ],
        names=["day0", "day1", "year0", "year1", "digits", "exact"],
    )
    return place_values(feature, dates.take(pa.array(feature.rows[1])), as_list)


def rarest_column(feature: Feature, frequency: Floats) -> pa.Array:
    """Return the code of each record's rarest value: no value that it shares with another is rarer."""
    codes, records = feature.rows[1], feature.record_of_each()
    rarest: Codes = np.full(feature.records, -1, dtype=np.int32)
    order = np.argsort(-frequency[codes], kind="stable")
    rarest[records[order]] = codes[order]  # the last of a record's values to be written is its rarest
    return pa.array(rarest, mask=rarest < 0)


def place_values(feature: Feature, values: pa.Array, as_list: bool | None = None) -> pa.Array:
    """Return values, one for each of the feature's rows, by record: lists, or the first; as fits unless said."""
    offsets, empty = feature.rows[0], feature.counts == 0
    if as_list or (as_list is None and feature.offsets is not None):
        return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values, mask=pa.array(empty))
    return values.take(pa.array(np.where(empty, 0, offsets[:-1]), mask=empty))


def _numbers(values: Ints) -> pa.Array:
    return pa.array(values.astype(np.int32))
