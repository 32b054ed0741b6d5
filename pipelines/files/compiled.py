"""The compiled loops of reading files; apart, so that small files do not wait for the compiler to be loaded."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def hash_texts(positions: Any, content: Any, offset: Any, prime: Any) -> Any:
    """Return the FNV-1a hash of each text, from where each begins in the bytes of all."""
    hashes = np.empty(len(positions) - 1, dtype=np.uint64)
    for row in range(len(hashes)):
        value = offset
        for at in range(positions[row], positions[row + 1]):
            value = (value ^ np.uint64(content[at])) * prime
        hashes[row] = value
    return hashes
