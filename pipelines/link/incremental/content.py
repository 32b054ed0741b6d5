"""The content hash of a record: of all that linking reads about it, the same whatever the order of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.columns import whole
from pipelines.link.data import COLUMNS, OPTIONAL, LinkData
from pipelines.link.fused.arrays import Words
from pipelines.link.fused.hashing import hash_strings
from pipelines.link.threads import on_all_cores
from pipelines.link.values import fold_hashes, mixed

OF_THE_RECORD = ("record_id", "record")
# Linking reads an empty text as a missing one.
MISSING = ""
HAS_A_DAY = np.uint64(40)


def content_hashes(data: LinkData, seed: int = 0) -> Words:
    """Return the content hash of each row of `data.records`, in the order of the rows.

    A record's rows in one table count together whatever their order; each with all its columns. The seed keeps
    strangers from trying out guesses.
    """
    names = [name for name in (*COLUMNS, "extras") if getattr(data, name).num_rows]
    hashes = np.zeros(data.records.num_rows, dtype=np.uint64)
    of_rows = on_all_cores(lambda name: _row_hashes(name, getattr(data, name), seed), names)
    for name, rows in zip(names, of_rows, strict=True):
        # A sum, since it does not depend on the order, and does not forget a row that stands twice.
        np.add.at(hashes, data.positions(name), rows)
    return mixed(hashes)


def _row_hashes(name: str, table: pa.Table, seed: int) -> Words:
    """Return the hash of each row of a table: of its name, and of the columns that linking reads."""
    rows = np.full(table.num_rows, hash_strings(pa.array([name]), seed)[0])
    wanted = (*COLUMNS.get(name, ("field", "value")), *OPTIONAL.get(name, ()))
    for column in sorted(wanted):
        if column not in OF_THE_RECORD and column in table.column_names:
            rows = fold_hashes(rows, _hashed(whole(table[column]), seed))
    return rows


def _hashed(column: pa.Array, seed: int) -> Words:
    """Return the hash of each value of a column."""
    if isinstance(column, pa.DictionaryArray):
        codes = pc.fill_null(column.indices.cast(pa.int64()), len(column.dictionary))
        hashes = np.append(_hashed(column.dictionary, seed), _hashed(pa.array([MISSING]), seed))
        return np.asarray(hashes[codes.to_numpy(zero_copy_only=False)])
    if pa.types.is_date32(column.type):
        days = pc.fill_null(column.cast(pa.int32()).cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        is_known = column.is_valid().to_numpy(zero_copy_only=False).astype(np.uint64)
        return mixed(days.view(np.uint64) ^ (is_known << HAS_A_DAY))
    return hash_strings(pc.fill_null(column.cast(pa.large_string()), MISSING), seed)
