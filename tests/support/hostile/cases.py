"""A file of the corpus, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines.contracts.columns import Kind
from pipelines.ingest.readers.base import Findings


@dataclass(frozen=True)
class Outcome:
    """What becomes of a file, and what is said of it.

    `rows` are landed; a file with problems is rejected whole, one with rows set aside is accepted with errors.
    """

    rows: int
    problems: frozenset[str] = frozenset()
    set_aside: tuple[str, ...] = ()
    warnings: frozenset[str] = frozenset()
    blank_rows: int = 0

    @property
    def status(self) -> str:
        """Accepted, accepted with errors, or rejected."""
        if self.problems:
            return "rejected"
        return "accepted with errors" if self.set_aside else "accepted"


def rejected(*rules: str) -> Outcome:
    """Rejected whole, for these reasons."""
    return Outcome(0, problems=frozenset(rules))


def outcome_of(findings: Findings, landed: int, reasons: list[str]) -> Outcome:
    """What became of a file that was read."""
    problems = frozenset(problem.rule for problem in findings.problems)
    return Outcome(
        rows=0 if problems else landed,
        problems=problems,
        set_aside=() if problems else tuple(reasons),
        warnings=frozenset() if problems else frozenset(warning.rule for warning in findings.warnings),
        blank_rows=0 if problems else findings.blank_rows,
    )


@dataclass(frozen=True)
class Case:
    """One file: which defect in which kind of file, how it is packed, its bytes when asked, and its outcome."""

    defect: str
    kind: Kind
    packing: str
    make: Callable[[], bytes] = field(repr=False)
    outcome: Outcome

    @property
    def name(self) -> str:
        """The case in words, for the test's name."""
        return f"{self.defect}, {self.kind}, {self.packing}".replace(" ", "_")
