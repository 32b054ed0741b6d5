"""The order of records: by their ids, whatever the order of rows; compiled, since ids may be tens of millions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.columns import whole
from pipelines.link.compiled import compiled
from pipelines.link.features import Ints
from pipelines.link.fused.strings import text_buffers

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
WORD = 8


def are_in_order(texts: pa.Array) -> bool:
    """Return whether texts stand in the order of their UTF-8 bytes."""
    return bool(pc.all(pc.less_equal(texts[:-1], texts[1:])).as_py())


def order_of_texts(texts: pa.Array | pa.ChunkedArray) -> Ints:
    """Return the positions of the texts in the order of their UTF-8 bytes.

    Eight bytes at a time, as one number; only texts that are still equal are looked at further.
    """
    data, offsets = text_buffers(whole(texts.cast(pa.large_string())))
    size = len(offsets) - 1
    lengths = np.diff(offsets)
    order = np.arange(size, dtype=np.int64)
    if size < 2:
        return order
    group = np.zeros(size, dtype=np.int64)
    open_places = order.copy()
    for at in range(_common_prefix(data, offsets), int(lengths.max()) + WORD, WORD):
        rows = order[open_places]
        word = _words(data, offsets, rows, at)
        ranked = np.lexsort((word, group[open_places])) if group.any() else np.argsort(word, kind="stable")
        order[open_places] = rows[ranked]
        word, kept = word[ranked], group[open_places][ranked]
        same = np.concatenate([[False], (word[1:] == word[:-1]) & (kept[1:] == kept[:-1])])
        tied = same | np.concatenate([same[1:], [False]])
        if not tied.any():
            break
        group[open_places] = np.cumsum(~same)
        open_places = open_places[tied]
    return order


@compiled
def _common_prefix(data: Bytes, offsets: Ints) -> int:
    """Return how many bytes all texts begin with in common."""
    common = offsets[1] - offsets[0]
    for row in range(1, len(offsets) - 1):
        common = min(common, offsets[row + 1] - offsets[row])
        for at in range(common):
            if data[offsets[row] + at] != data[offsets[0] + at]:
                common = at
                break
    return int(common)


@compiled
def _words(data: Bytes, offsets: Ints, rows: Ints, at: int) -> Words:
    """Return eight bytes of each text from a place on, as one number that sorts as they do; 0 beyond the end."""
    result = np.empty(len(rows), np.uint64)
    for place, row in enumerate(rows):
        word = np.uint64(0)
        start = offsets[row] + at
        for step in range(WORD):
            word <<= np.uint64(8)
            if start + step < offsets[row + 1]:
                word |= np.uint64(data[start + step])
        result[place] = word
    return result
