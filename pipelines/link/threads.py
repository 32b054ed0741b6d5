"""Work on all cores of this machine: NumPy and compiled code let go of the interpreter while they work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def core_count() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def on_all_cores(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Iterator[Result]:
    """Yield `function` of each item, in their order; on as many threads as there are cores, or on so many."""
    with ThreadPoolExecutor(threads or core_count()) as pool:
        yield from pool.map(function, items)
