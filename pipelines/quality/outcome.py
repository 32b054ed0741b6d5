"""What a check looked at, and what it found: counts and reasons, never a value."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.contracts.expectations import Severity, Stage


@dataclass(frozen=True)
class CheckScope:
    """The run that asks for a check; agency is None where a stage concerns all of them."""

    run_id: int
    period: str
    agency: str | None = None


@dataclass(frozen=True)
class ExpectationOutcome:
    """What one expectation found; when it could not be evaluated, `problem` names the class of the error.

    `evaluated` and `unexpected` are rows, or what a share is of; None when nothing was counted.
    """

    expectation_id: str
    stage: Stage
    table: str
    agency: str | None
    period: str
    type: str
    column: str | None
    severity: Severity
    success: bool
    evaluated: int | None
    unexpected: int | None
    why: str
    problem: str | None = None

    @property
    def could_not_run(self) -> bool:
        """Whether the expectation itself is broken: it failed without having counted anything."""
        return self.problem is not None

    @property
    def stops_the_batch(self) -> bool:
        """Whether the batch may go no further: a critical failure, or a check that could not be made."""
        return not self.success and (self.severity == "critical" or self.could_not_run)

    def __str__(self) -> str:
        """Return one line for a log: table, rule, counts."""
        counts = f"could not be evaluated, {self.problem}"
        if not self.could_not_run:
            counts = f"{self.unexpected} of {self.evaluated}"
        return f"{self.table}: {self.expectation_id} ({self.severity}): {counts}"
