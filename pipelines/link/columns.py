"""Arrow columns as integer codes: each distinct value once, nulls and empty texts as -1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.features import NONE, Bools, Codes

Column: TypeAlias = pa.Array | pa.ChunkedArray


def code_columns(columns: Sequence[Column]) -> tuple[list[Codes], pa.Array]:
    """Return the codes of several text columns into one table of distinct values, and that table."""
    encoded = [_encoded(column) for column in columns]
    tables = [each.dictionary.cast(pa.string()) for each in encoded]
    together = whole(pa.chunked_array(tables, pa.string())).dictionary_encode()
    places = together.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    empty = pc.index(together.dictionary, "").as_py() if len(together.dictionary) else NONE
    result, start = [], 0
    for each, table in zip(encoded, tables, strict=True):
        # The last entry stands for a null.
        place = np.append(places[start : start + len(table)], np.int32(NONE))
        start += len(table)
        place[place == empty] = NONE
        indices = pc.fill_null(each.indices.cast(pa.int64()), NONE).to_numpy(zero_copy_only=False)
        result.append(place[indices])
    return result, together.dictionary


def code_column(column: Column) -> tuple[Codes, pa.Array]:
    """Return the codes of one text column, and its table of distinct values."""
    codes, values = code_columns([column])
    return codes[0], values


def whole(column: Column) -> pa.Array:
    """Return a column as one array."""
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _encoded(column: Column) -> pa.DictionaryArray:
    """Return a column as one dictionary array; null when it is of type null."""
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return whole(column.unify_dictionaries() if isinstance(column, pa.ChunkedArray) else column)


def as_mask(column: Column, values: Sequence[str]) -> Bools:
    """Return where a text column holds one of these values; a null never does."""
    found = pc.is_in(column, value_set=pa.array(sorted(values), pa.string()))
    return np.asarray(
        found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy()
    )
