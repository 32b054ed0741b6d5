"""What decoys and groups need to know of each record: names, sex, birth date, as codes and never as text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.link.data import LinkData
from pipelines.link.thresholds.edges import Bools, Ints
from pipelines.link.thresholds.tables import (
    has_rows,
    hash_numbers,
    positions,
    record_ids,
    rows_by_record,
)


@dataclass(frozen=True)
class People:
    """Per record: a code for its first given name (-1 none), sex (-1 unknown), birth date in days (0 unknown)."""

    size: int
    ids: list[str]
    shuffle: Ints
    given: Ints
    sex: Ints
    born: Ints
    has_birth: Bools
    has_family: Bools
    every_given: tuple[Ints, Ints]

    def shares_given(self, home: Ints, donor: Ints) -> Bools:
        """Return where the donor's first given name is any of the home's given names."""
        records, codes = self.every_given
        width = int(max(codes.max(initial=0), self.given.max(initial=0))) + 1
        known = np.unique(records * width + codes)
        return np.asarray(np.isin(home * width + self.given[donor], known))


def look_at(data: LinkData) -> People:
    """Return the codes of every record."""
    size, ids = data.records.num_rows, record_ids(data)
    codes = pd.factorize(np.asarray(data.names["given"].to_pylist(), dtype=object))[0].astype(np.int64)
    first = rows_by_record(data, data.names).first(np.arange(size))
    given = np.where(first >= 0, codes[first], -1) if len(codes) else np.full(size, -1, dtype=np.int64)
    named = codes >= 0
    sex = pd.factorize(np.asarray(data.records["sex"].to_pylist(), dtype=object))[0].astype(np.int64)
    return People(
        size=size,
        ids=ids,
        shuffle=hash_numbers(ids, "shuffle"),
        given=given,
        sex=sex,
        born=_days(data, size),
        has_birth=has_rows(data, "births", "earliest"),
        has_family=has_rows(data, "names", "family"),
        every_given=(positions(data, data.names)[named], codes[named]),
    )


def _days(data: LinkData, size: int) -> Ints:
    """Return days since the year 1 of the earliest full birth date of each record; 0 where it has none."""
    dates = data.births["date_of_birth"].cast(pa.date32())
    known = dates.is_valid().to_numpy(zero_copy_only=False)
    days = dates.cast(pa.int32()).fill_null(0).to_numpy().astype(np.int64) + 719_163
    result = np.full(size, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(result, positions(data, data.births)[known], days[known])
    result[result == np.iinfo(np.int64).max] = 0
    return result
