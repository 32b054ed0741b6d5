"""How functions of this package are compiled: once, kept on disk, and free of the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Return `function` compiled on its first call; a later process finds the machine code beside the module.

    Numba renews kept code when the file of the function changes, not when a file does that it calls into: after
    editing a callee of another module, remove `__pycache__`.
    """
    return cast(Function, njit(cache=True, nogil=True)(function))
