"""Features of dates of birth: each distinct date, or span of days, once; keys made from those known to the day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.columns import as_mask
from pipelines.link.dates import Spans, pack_spans, unpack_spans
from pipelines.link.encode.placing import Placing
from pipelines.link.features import NONE, Codes, Feature, Ints, make_feature

NOT_A_DAY = -(2**31)


class BirthFeatures:
    """The dates of birth of all records, and what is derived from them."""

    def __init__(self, placing: Placing) -> None:
        table = placing.data.births
        codes, distinct = pd.factorize(_packed(table))
        at_none = np.flatnonzero(distinct == NOT_A_DAY)
        found: Codes = np.where(np.isin(codes, at_none), NONE, codes).astype(np.int32)
        self.spans = unpack_spans(np.asarray(distinct, dtype=np.int64))
        self.birth = make_feature(
            placing.rows("births"), found, len(distinct), placing.size, np.asarray(distinct, dtype=np.int64)
        )

    def feature(self, name: str) -> Feature:
        """Return `birth`, or a key derived from it; raises KeyError for any other name."""
        return self.birth if name == "birth" else self._derived(KEYS[name])

    def _derived(self, key: Callable[[Spans], Ints]) -> Feature:
        codes, values = pd.factorize(key(self.spans))
        values = np.asarray(values, dtype=np.int64)
        none = np.flatnonzero(values == NONE)
        table = np.append(np.where(np.isin(codes, none), NONE, codes), NONE).astype(np.int32)
        if self.birth.offsets is None:
            return Feature(table[self.birth.codes], None, len(values), values)
        records = self.birth.record_of_each()
        return make_feature(records, table[self.birth.rows[1]], len(values), self.birth.records, values)


def _packed(table: pa.Table) -> Ints:
    """Return one number per row: the span of days it may be, and whether it is known to the day."""
    is_day = as_mask(table["precision"], ["DAY"]) & pc.is_valid(table["date_of_birth"]).to_numpy()
    first = _days(table["date_of_birth"])
    last, other = first.copy(), np.flatnonzero(~is_day)
    rest = table.select(["precision", "earliest", "latest"]).take(pa.array(other))
    first[other], last[other] = _days(rest["earliest"]), _days(rest["latest"])
    unknown = as_mask(rest["precision"], ["NONE"]) | (first[other] == NOT_A_DAY) | (last[other] == NOT_A_DAY)
    packed = pack_spans(first, last, is_day)
    packed[other[unknown]] = NOT_A_DAY
    return packed


def _days(column: pa.ChunkedArray) -> Ints:
    days = pc.fill_null(column.cast(pa.date32()).cast(pa.int32()), NOT_A_DAY)
    return np.array(days.to_numpy(), dtype=np.int64)


def _day(spans: Spans) -> Ints:
    return np.where(spans.exact, spans.first + 2**24, NONE)


def _year(spans: Spans) -> Ints:
    first, last = spans.digits // 10_000, spans.last_digits // 10_000
    return np.where(first == last, first, NONE)


def _month(spans: Spans) -> Ints:
    return np.where(spans.exact, spans.digits // 100, NONE)


def _either_order(spans: Spans) -> Ints:
    year, month, day = spans.digits // 10_000, spans.digits // 100 % 100, spans.digits % 100
    return np.where(spans.exact, year * 10_000 + np.minimum(month, day) * 100 + np.maximum(month, day), NONE)


KEYS: dict[str, Callable[[Spans], Ints]] = {
    "date_of_birth": _day,
    "birth_year": _year,
    "birth_month": _month,
    "birth_either_order": _either_order,
}
