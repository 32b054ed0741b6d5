"""The arrays that compiled code passes around, by the names of what they hold."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Positions = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]

AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])


def read_only(array: AnyArray) -> AnyArray:
    """Return a read-only view of an array, made contiguous if it is not.

    To Numba a read-only array is another type: where all inputs are, each function is compiled once.
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view  # type: ignore[return-value]
