"""What an expectation report shows, as plain dataclasses: the reader fills them, the templates print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

State = Literal["passed", "warned", "stopped", "unchecked"]


@dataclass(frozen=True)
class TrendPoint:
    """One earlier result of an expectation: the share that was not as expected, or the number of rows."""

    run_id: int
    amount: float
    success: bool


@dataclass(frozen=True)
class OutcomeLine:
    """One expectation as the report shows it; `allowed` says in words how much it tolerates."""

    stage: str
    table: str
    agency: str | None
    expectation_id: str
    type: str
    column: str | None
    severity: str
    success: bool
    evaluated: int | None
    unexpected: int | None
    why: str
    allowed: str = ""
    trend: tuple[TrendPoint, ...] = ()

    @property
    def could_not_run(self) -> bool:
        """Whether the expectation failed without having counted anything."""
        return not self.success and self.evaluated is None

    @property
    def state(self) -> str:
        """What this result means: passed, noted, warned or stopped."""
        if self.success:
            return "passed"
        if self.severity == "critical" or self.could_not_run:
            return "stopped"
        return "warned" if self.severity == "warning" else "noted"


@dataclass(frozen=True)
class StageLine:
    """Where the rows of one file, or of one stage, went."""

    stage: str
    agency: str | None
    file: str | None
    period: str | None
    rows_in: int
    rows_out: int
    quarantined: int
    duplicates: int
    withheld: int
    seconds: float | None = None

    @property
    def balances(self) -> bool:
        """Whether every row that came in is accounted for, once."""
        return self.rows_in == self.rows_out + self.quarantined + self.duplicates + self.withheld


@dataclass(frozen=True)
class ReleaseLine:
    """The release of a publishing run, and who answered for it."""

    release_id: int
    as_of: date
    status: str
    approved_by: str | None
    approval_reason: str | None
    published_at: datetime | None


@dataclass(frozen=True)
class RunLine:
    """A run in a list: what it did and how its checks ended."""

    run_id: int
    kind: str
    period: str | None
    agencies: tuple[str, ...]
    started_at: datetime
    finished_at: datetime | None
    status: str
    passed: int
    noted: int
    warned: int
    stopped: int

    @property
    def checked(self) -> int:
        """How many expectations were checked."""
        return self.passed + self.noted + self.warned + self.stopped

    @property
    def seconds(self) -> float | None:
        """How long the run took; None while it is not over."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None

    @property
    def verdict(self) -> State:
        """How the run's checks ended, all in all."""
        if self.stopped:
            return "stopped"
        if self.warned:
            return "warned"
        return "passed" if self.checked else "unchecked"


@dataclass(frozen=True)
class LinkingFacts:
    """What a linkage run did, as plain data like that of `report.json`.

    The checks of a threshold are made once, when its model is trained: `checks` is the threshold report that has
    them, of run `checked_in`.
    """

    model: Mapping[str, Any]
    training: Mapping[str, Any]
    blocking: Mapping[str, Any]
    threshold_report: Mapping[str, Any]
    error_rates: Mapping[str, Any]
    cutting: Mapping[str, Any]
    checks: Mapping[str, Any]
    checked_in: int


@dataclass(frozen=True)
class RunPage:
    """Everything on the page of one run; `carried` are the warnings of the runs that a release stands on."""

    run: RunLine
    outcomes: tuple[OutcomeLine, ...]
    stages: tuple[StageLine, ...]
    settings: tuple[tuple[str, str, str], ...]
    written_at: datetime
    release: ReleaseLine | None = None
    stands_on: tuple[RunLine, ...] = ()
    carried: tuple[OutcomeLine, ...] = ()
    linking: LinkingFacts | None = None


@dataclass(frozen=True)
class IndexPage:
    """Everything on the list of all runs."""

    runs: tuple[RunLine, ...]
    settings: tuple[tuple[str, str, str], ...]
    written_at: datetime
    live: ReleaseLine | None = None
