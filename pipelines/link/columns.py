"""Arrow columns as integer codes: each distinct value once, nulls and empty texts as -1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.features import NONE, Bools, Codes
from pipelines.link.fused.grouping import renumber
from pipelines.link.fused.hashing import hash_strings
from pipelines.link.fused.strings import are_same, text_buffers

LOOKED_AT = 2**16

Column: TypeAlias = pa.Array | pa.ChunkedArray


def code_columns(columns: Sequence[Column]) -> tuple[list[Codes], pa.Array]:
    """Return the codes of several text columns into one table of distinct values, and that table."""
    coded = [_coded(column) for column in columns]
    tables = [table for _, table in coded]
    if len(tables) == 1:
        values, places = tables[0], np.arange(len(tables[0]), dtype=np.int32)
    else:
        places, values = code_texts(whole(pa.chunked_array(tables, pa.string())))
    empty = pc.index(values, "").as_py() if len(values) else NONE
    result, start = [], 0
    for codes, table in coded:
        # The last entry stands for a null.
        place = np.append(places[start : start + len(table)], np.int32(NONE))
        start += len(table)
        place[place == empty] = NONE
        result.append(place[codes])
    return result, values


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


def _coded(column: Column) -> tuple[Codes, pa.Array]:
    """Return the codes of a column, -1 for a null, and its table of distinct values."""
    if not pa.types.is_dictionary(column.type):
        return code_texts(whole(column.cast(pa.large_string())))
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    tables = [each.dictionary.cast(pa.large_string()) for each in chunks]
    places, values = code_texts(whole(pa.chunked_array(tables, pa.large_string())))
    starts = np.cumsum([0, *(len(each) for each in tables)])
    codes = [
        np.append(places[start:end], np.int32(NONE))[_indices(each)]
        for each, start, end in zip(chunks, starts[:-1], starts[1:], strict=True)
    ]
    return np.concatenate([*codes, np.empty(0, np.int32)]), values


def _indices(chunk: pa.DictionaryArray) -> Codes:
    return np.asarray(pc.fill_null(chunk.indices.cast(pa.int64()), NONE).to_numpy(zero_copy_only=False))


def code_texts(texts: pa.Array) -> tuple[Codes, pa.Array]:
    """Return the codes of texts by order of first appearance, -1 for a null, and the distinct texts.

    Where few texts repeat, by sorting their hashes: a table of millions of texts is larger than any cache. That
    equal hashes are equal texts is looked up; were it ever not so, the table is made after all.
    """
    known = texts.drop_null()
    codes, values = _by_table(known) if _repeats(known) else _by_hash(known)
    if texts.null_count:
        all_codes: Codes = np.full(len(texts), NONE, dtype=np.int32)
        all_codes[texts.is_valid().to_numpy(zero_copy_only=False)] = codes
        return all_codes, values
    return codes, values


def _repeats(texts: pa.Array) -> bool:
    """Return whether a few distinct texts come again and again, by the first ones."""
    return len(texts) <= LOOKED_AT or len(texts[:LOOKED_AT].unique()) < LOOKED_AT // 4


def _by_table(texts: pa.Array) -> tuple[Codes, pa.Array]:
    encoded = texts.dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int32), encoded.dictionary.cast(pa.string())


def _by_hash(texts: pa.Array) -> tuple[Codes, pa.Array]:
    strings = text_buffers(texts)
    codes, _ = renumber((hash_strings(texts) >> np.uint64(1)).view(np.int64))
    first = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=NONE))
    if not are_same(strings.data, strings.offsets, first[codes]):
        return _by_table(texts)
    return codes, texts.take(pa.array(first)).cast(pa.string())


def as_mask(column: Column, values: Sequence[str]) -> Bools:
    """Return where a text column holds one of these values; a null never does."""
    found = pc.is_in(column, value_set=pa.array(sorted(values), pa.string()))
    return np.asarray(
        found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy()
    )
