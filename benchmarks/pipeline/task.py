"""What a contender is asked, and the journal in which it says what it does, also when it is killed."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PERIOD = "2026-09"
# Those that the rival was written for; the others' contracts and files take no part.
AGENCIES = ("childrens_services", "health", "police")
# Every phase in its order, and the one before that it cannot do without.
NEEDS: dict[str, str | None] = {
    "receive": None,
    "check landing": "receive",
    "normalise": "receive",
    "check normalised": "normalise",
    "link": "normalise",
    "check linked": "link",
    "build release": "link",
    "check release": "build release",
    "publish": "build release",
    "reports": "publish",
}
PHASES = tuple(NEEDS)


def with_needed(phases: Collection[str]) -> tuple[str, ...]:
    """Return these phases and those that they cannot do without, in order; all of them where none is named.

    Raises:
        ValueError: there is no phase of a name.
    """
    unknown = sorted(set(phases) - set(PHASES))
    if unknown:
        raise ValueError(f"no such phase: {', '.join(unknown)}; there are {', '.join(PHASES)}")
    wanted = set(phases or PHASES)
    for phase in reversed(PHASES):
        needed = NEEDS[phase]
        if phase in wanted and needed:
            wanted.add(needed)
    return tuple(phase for phase in PHASES if phase in wanted)


@dataclass(frozen=True)
class Task:
    """Which phases to go through, and how much memory everything together may take."""

    phases: tuple[str, ...]
    memory_gb: float


class Journal:
    """Where a contender writes when a phase begins and ends, and what it counted: JSON lines.

    `at` is the system's monotonic clock, which is the same for all processes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def timed(self, phase: str, agency: str = "") -> Iterator[None]:
        """Count what happens inside to a phase; several agencies add up."""
        if phase not in PHASES:
            raise ValueError(f"no such phase: {phase}")
        self._write(begin=phase)
        print(f"#   {phase} {agency}", file=sys.stderr, flush=True)
        yield
        self._write(end=phase)

    def tell(self, **facts: Any) -> None:
        """Keep what was counted; the clock does not run."""
        self._write(facts=facts)

    def _write(self, **line: Any) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": time.monotonic(), **line}) + "\n")


def read_facts(path: Path) -> dict[str, Any]:
    """Return what was told in a journal; of a thing that was told twice, the later."""
    facts: dict[str, Any] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            facts |= json.loads(line).get("facts", {})
    return facts


def contend(work: Callable[[Task, Journal], None]) -> None:
    """Do the task in the first argument, keeping the journal that the second names."""
    given = json.loads(sys.argv[1])
    task, journal = Task(**{**given, "phases": tuple(given["phases"])}), Journal(Path(sys.argv[2]))
    try:
        work(task, journal)
    except Exception as error:
        traceback.print_exc()
        journal.tell(problem=type(error).__name__)
        raise SystemExit(1) from None
