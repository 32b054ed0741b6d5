"""What a contender did, made of its journal and of what was weighed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.pipeline.task import read_facts

GIGABYTE = 2**30

# When memory was weighed, by the system's monotonic clock, and the bytes.
Samples = Sequence[tuple[float, int]]


@dataclass(frozen=True)
class Account:
    """Seconds and peak bytes by phase, what was counted, and why it stopped, where it did."""

    contender: str
    records: int
    seconds: Mapping[str, float]
    peaks: Mapping[str, int]
    facts: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None

    @property
    def total(self) -> float:
        """Seconds of all phases."""
        return sum(self.seconds.values())

    @property
    def peak(self) -> int:
        """Bytes of the phase that takes most."""
        return max(self.peaks.values(), default=0)


def make_account(
    contender: str, records: int, journal: Path, samples: Samples, problem: str | None
) -> Account:
    """Return the account of a run; a phase that did not come to its end is the one where it stopped."""
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    seconds: dict[str, float] = {}
    peaks: dict[str, int] = {}
    facts = read_facts(journal)
    open_since: dict[str, float] = {}
    for line in map(json.loads, lines):
        if "begin" in line:
            open_since[line["begin"]] = line["at"]
        if "end" in line:
            phase, begun = line["end"], open_since.pop(line["end"])
            seconds[phase] = seconds.get(phase, 0.0) + line["at"] - begun
            peaks[phase] = max(peaks.get(phase, 0), _peak(samples, begun, line["at"]))
    # What the contender says of itself comes first: what is found wrong afterwards may follow from it.
    problem = facts.pop("problem", None) or problem
    if problem and open_since:
        problem = f"{problem} in {', '.join(open_since)}"
    return Account(contender, records, seconds, peaks, facts, problem)


def _peak(samples: Samples, begin: float, end: float) -> int:
    """Return the most that was weighed between two moments; of a shorter phase, what was weighed last before."""
    inside = [weight for at, weight in samples if begin <= at <= end]
    before = [weight for at, weight in samples if at < begin]
    return max(inside, default=before[-1] if before else 0)


def middle(accounts: Sequence[Account]) -> Account:
    """Return the run that took the middle time of several; of an even number the quicker of the two."""
    return sorted(accounts, key=lambda each: (each.problem is not None, each.total))[(len(accounts) - 1) // 2]
