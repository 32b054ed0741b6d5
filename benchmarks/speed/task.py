"""What a contender is asked and what it answers, as JSON between processes; seconds by phase."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.case import Case


@dataclass(frozen=True)
class Task:
    """Link the records of a file by the model of a case.

    With `trained` (a file) the model is given, and the job ends with the edges; without, it is trained and the job
    ends with clusters. `edges`, where given, is the file that takes what was found.
    """

    data: str
    case: Case
    trained: str | None = None
    edges: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the job goes from training to clusters."""
        return self.trained is None


@dataclass
class Answer:
    """Seconds and processor seconds by phase, in order; how many pairs, edges and clusters."""

    phases: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    pairs: int = 0
    edges: int = 0
    clusters: int = 0

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Count what happens inside to a phase."""
        started, busy = time.perf_counter(), time.process_time()
        yield
        self.phases[phase] = self.phases.get(phase, 0.0) + time.perf_counter() - started
        self.processor[phase] = self.processor.get(phase, 0.0) + time.process_time() - busy


def contend(work: Callable[[Task, Answer], None]) -> None:
    """Do the task in the first argument, and write the answer where the second says."""
    task, answer = Task(**json.loads(sys.argv[1])), Answer()
    work(task, answer)
    Path(sys.argv[2]).write_text(json.dumps(asdict(answer)), encoding="utf-8")


def read_answer(path: Path) -> Answer:
    """Return the answer that a contender wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Answer(**content)
