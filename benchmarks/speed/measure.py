"""Run contenders, each in a process of its own, one after the other, several times: seconds, memory, answers."""

from __future__ import annotations

import json
import os
import subprocess  # noqa: S404 - contenders are our own modules
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil

from benchmarks.speed.task import Answer, Task, read_answer

CONTENDERS = {
    "fused": ("benchmarks.speed.ours", "fused"),
    "splink": ("benchmarks.speed.splink_contender",),
    "recordlinkage": ("benchmarks.speed.recordlinkage_contender",),
    "reference": ("benchmarks.speed.ours", "reference"),
    "enumeration": ("benchmarks.speed.enumeration",),
}
SECONDS_BETWEEN_LOOKS = 0.05
MEGABYTE = 2**20


@dataclass(frozen=True)
class Measured:
    """One run of a contender: its answer; seconds and processor seconds of the process; peak memory of its tree."""

    answer: Answer
    seconds: float
    processor: float
    peak_mb: float

    @property
    def job(self) -> float:
        """Seconds of all phases: what the process took without starting Python and loading modules."""
        return sum(self.answer.phases.values())


@dataclass(frozen=True)
class Summary:
    """The median of several runs of a contender."""

    name: str
    phases: dict[str, float]
    job: float
    processor: float
    peak_mb: float
    pairs: int
    edges: int
    clusters: int


def run(name: str, task: Task, folder: Path) -> Measured:
    """Return what one run of a contender took and answered.

    Raises:
        RuntimeError: the contender failed; what it said has gone to standard error.
    """
    module, *rest = CONTENDERS[name]
    reply = folder / "answer.json"
    command = [sys.executable, "-m", module, json.dumps(asdict(task)), str(reply), *rest]
    started = time.perf_counter()
    process = subprocess.Popen(command)  # noqa: S603 - our own modules
    code, used, peak = _watch(process)
    seconds = time.perf_counter() - started
    if code:
        raise RuntimeError(f"the contender {name} ended with {code}")
    return Measured(read_answer(reply), seconds, used, peak / MEGABYTE)


def _watch(process: subprocess.Popen[bytes]) -> tuple[int, float, float]:
    """Return exit code, processor seconds and peak memory of a process and its children.

    The kernel knows the peak of a process exactly; of a tree the sum is looked at again and again.
    """
    peak = 0
    tree = psutil.Process(process.pid)
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            peak = max(peak, usage.ru_maxrss * 1024)
            return process.returncode, usage.ru_utime + usage.ru_stime, peak
        peak = max(peak, _memory(tree))
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _memory(tree: psutil.Process) -> int:
    total = 0
    try:
        for each in [tree, *tree.children(recursive=True)]:
            total += each.memory_info().rss
    except psutil.NoSuchProcess:
        return total
    return total


def take_turns(
    names: Sequence[str], task_of: Callable[[str], Task], repeat: int, folder: Path
) -> dict[str, Summary]:
    """Return the median of `repeat` runs per contender; they take turns, so that none has the quieter machine."""
    runs: dict[str, list[Measured]] = {name: [] for name in names}
    for turn in range(repeat):
        for name in names:
            measured = run(name, task_of(name), folder)
            runs[name].append(measured)
            print(
                f"# run {turn + 1} of {repeat}, {name}: {measured.job:.1f} s, scoring"
                f" {measured.answer.phases['score']:.2f} s, {measured.peak_mb:,.0f} MB",
                file=sys.stderr,
                flush=True,
            )
    return {name: summarise(name, measured) for name, measured in runs.items()}


def summarise(name: str, runs: Sequence[Measured]) -> Summary:
    """Return the medians of several runs, each figure by itself.

    Raises:
        RuntimeError: the runs did not find the same pairs.
    """
    last = runs[-1].answer
    if any(each.answer.pairs != last.pairs for each in runs):
        raise RuntimeError(f"the contender {name} did not find the same pairs each time")
    return Summary(
        name=name,
        phases={phase: median(each.answer.phases[phase] for each in runs) for phase in last.phases},
        job=median(each.job for each in runs),
        processor=median(each.processor for each in runs),
        peak_mb=median(each.peak_mb for each in runs),
        pairs=last.pairs,
        edges=last.edges,
        clusters=last.clusters,
    )
