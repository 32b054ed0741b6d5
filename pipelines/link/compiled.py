"""How functions are compiled: once, kept on disk, free of the interpreter's lock; and nameless instructions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])
Array = TypeVar("Array", bound=npt.NDArray[Any])
Built = tuple[Signature, Callable[..., Any]]


@cache
def _sources(package: Path) -> str:
    """Return a hash of all that a package compiles, and of how."""
    paths = [Path(__file__), *sorted(package.glob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def compiled(function: Function) -> Function:
    """Return `function` compiled on its first call, kept on disk, and without the interpreter's lock.

    Numba by itself renews a kept function when its own file changes, not when a file does that it calls into; here
    any change in the package of a function renews it.
    """
    dispatcher = njit(cache=True, nogil=True, error_model="numpy")(function)
    kept = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = _sources(Path(function.__code__.co_filename).parent)
    return cast(Function, dispatcher)


def step(function: Function) -> Function:
    """Return `function` compiled as part of whatever calls it: only what Python calls is kept on disk."""
    return cast(Function, njit(nogil=True, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """Return `function` compiled into each of its callers: for small steps, where a call would cost as much."""
    return cast(Function, njit(nogil=True, error_model="numpy", forceinline=True)(function))


def _instruction(build: Callable[..., Any]) -> Callable[[np.uint64], int]:
    return cast(Callable[[np.uint64], int], intrinsic(build))


@_instruction
def count_ones(typing_context: object, word: types.Type) -> Built | None:
    """Return how many bits of an unsigned 64-bit word are set."""
    if word != types.uint64:
        return None

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), build


@_instruction
def lowest_one(typing_context: object, word: types.Type) -> Built | None:
    """Return the position of the lowest set bit of an unsigned 64-bit word (64 when there is none)."""
    if word != types.uint64:
        return None

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.int64(types.uint64), build


def is_kept(function: object) -> bool:
    """Return whether a compiled function was kept on disk by an earlier run, or has been compiled in this one."""
    if getattr(function, "signatures", None):
        return True
    cache = str(getattr(getattr(function, "_cache", None), "cache_path", ""))
    name = getattr(function, "__name__", "")
    return bool(cache) and any(Path(cache).glob(f"*.{name}-*.nbi"))


class Borrow(Protocol):
    """Returns the same array without a share in its memory."""

    def __call__(self, array: Array, /) -> Array:
        """Return the same array."""
        ...


def _borrowed(typing_context: object, array: types.Type) -> Built | None:
    if not isinstance(array, types.Array):
        return None

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.return_type)(context, builder, arguments[0])
        view.meminfo = view.meminfo.type(None)
        view.parent = view.parent.type(None)
        return view._getvalue()

    return array(array), build


# For use inside a compiled function, of arrays that its caller keeps: passing such an array on costs no counting of
# owners. Each count is an atomic operation, and a pass over millions of pairs would spend most of its time on them.
borrowed = cast(Borrow, intrinsic(_borrowed))


class Fetch(Protocol):
    """Asks for a row of an array ahead of its use."""

    def __call__(self, array: npt.NDArray[Any], row: int, /) -> None:
        """Ask for the first bytes of a row."""
        ...


def _fetch(typing_context: object, array: types.Type, row: types.Type) -> Built | None:
    if not isinstance(array, types.Array) or not isinstance(row, types.Integer):
        return None

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = cgutils.unpack_tuple(builder, view.strides)[0]  # type: ignore[no-untyped-call]
        start = builder.ptrtoint(view.data, stride.type)
        place = builder.inttoptr(builder.add(start, builder.mul(arguments[1], stride)), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        # To read (0), to be kept in all caches (3), of data (1).
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], kind)
        builder.call(prefetch, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), build


# Rows of large tables that are met in no order come from main memory, and to wait for one takes longer than to
# compare it. The memory answers many questions at a time, if they are asked early. A row need not exist.
fetch_ahead = cast(Fetch, intrinsic(_fetch))
