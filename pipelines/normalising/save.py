"""Keeping what normalising made of a delivery: part by part, in the transaction of the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipelines.normalise.assemble.delivery import FileOutcome
from pipelines.normalising.part import NormalisedPart
from pipelines.warehouse.normalised import (
    add_normalised,
    add_quarantined,
    analyse_normalised,
    clear_normalised,
    save_issues,
)


@dataclass
class FileTotals:
    """What became of a file's rows, over all parts; the counts balance. `left_out` are rows of purged records."""

    rows_in: int = 0
    contributed: int = 0
    quarantined: int = 0
    left_out: int = 0
    duplicate_of: dict[int, int] = field(default_factory=dict)
    issues: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, outcome: FileOutcome) -> None:
        """Count the rows of one part."""
        self.rows_in += outcome.rows_in
        self.contributed += outcome.contributed
        self.quarantined += len(outcome.quarantined)
        self.duplicate_of |= outcome.duplicate_of
        self.issues.update(outcome.issues)


def save_normalised(
    connection: Connection, extracts: Mapping[str, int], parts: Iterable[NormalisedPart]
) -> dict[str, FileTotals]:
    """Return what became of each file's rows; the parts' rows stand where the extracts' earlier ones stood."""
    clear_normalised(connection, extracts)
    totals: dict[str, FileTotals] = {}
    for part in parts:
        add_normalised(connection, part.tables)
        for outcome in part.files:
            add_quarantined(connection, outcome)
            totals.setdefault(outcome.file, FileTotals()).add(outcome)
        for file, rows in part.left_out.items():
            totals.setdefault(file, FileTotals()).left_out += rows
    for file, found in totals.items():
        save_issues(connection, extracts[file], found.issues)
    analyse_normalised(connection)
    return totals
