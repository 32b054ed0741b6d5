"""Which ids of a file stand twice, without a table of all of them: ten million ids take a second and 160 MB."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# Below this a table of the distinct ids costs nothing, and nothing has to be compiled.
FEW_ROWS = 200_000
_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def repeated_ids(ids: pa.ChunkedArray) -> pa.Array:
    """Return the ids that stand at more than one row; `ids` has no null."""
    if len(ids) <= FEW_ROWS:
        return _counted(ids)
    hashes = np.concatenate([_hash_chunk(chunk) for chunk in ids.chunks])
    ordered = np.sort(hashes)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return pa.array([], pa.string())
    # Two ids may have one hash, so the few that do are compared as they stand.
    return _counted(ids.take(pa.array(np.flatnonzero(np.isin(hashes, twice)))))


def _counted(ids: pa.ChunkedArray) -> pa.Array:
    counts = pc.value_counts(ids)
    return counts.field("values").filter(pc.greater(counts.field("counts"), 1))


def _hash_chunk(chunk: pa.StringArray) -> npt.NDArray[np.uint64]:
    """Return the 64-bit FNV-1a hash of each text."""
    from pipelines.files.compiled import hash_texts

    _, offsets, data = chunk.buffers()
    positions = np.frombuffer(offsets, dtype=np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    content = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
    result: npt.NDArray[np.uint64] = hash_texts(
        positions, content, np.uint64(_FNV_OFFSET), np.uint64(_FNV_PRIME)
    )
    return result
