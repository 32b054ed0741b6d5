"""The stages of a run as they happen: told to whoever watches, timed, and with the memory that they needed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

Detail = Callable[[str], None]
Show = Callable[[str], AbstractContextManager[Detail]]


@contextmanager
def show_nothing(title: str) -> Iterator[Detail]:
    """Show a stage to nobody."""
    yield lambda detail: None


@dataclass
class Stages:
    """Runs stages one after the other; `show` opens a stage on the screen and returns how to tell its details."""

    show: Show = show_nothing
    began: float = field(default_factory=time.monotonic)
    done: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Detail]:
        """Run a stage, then note its seconds and the highest memory so far."""
        started = time.monotonic()
        with self.show(name) as detail:
            yield detail
        self.done.append(
            {"stage": name, "seconds": round(time.monotonic() - started, 3), "memory_mb": peak_memory_mb()}
        )

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return round(time.monotonic() - self.began, 3)


def peak_memory_mb() -> int | None:
    """Return the most memory that this process has held so far, in MB; None where the system does not say."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))
