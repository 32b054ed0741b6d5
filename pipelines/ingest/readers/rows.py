"""What every reader of rows does with the fields of one: count it, take it, or set it aside, in bounded batches."""

from __future__ import annotations

import re

from pipelines.contracts.agency import AgencyFile
from pipelines.ingest.readers.base import Batch, Findings
from pipelines.ingest.readers.batches import RowBatch

RAGGED_ROW = "RAGGED_ROW"
REPEATED_HEADER = "REPEATED_HEADER"
OVERSIZED_FIELD = "OVERSIZED_FIELD"
TOTAL_ROW = "TOTAL_ROW"

_TOTAL = re.compile(r"(grand |sub-?)?totals?:?", re.IGNORECASE)


class RowTaker:
    """Puts the rows of one file where they belong; the caller says of each what it found.

    `header` is what a row's fields are measured against, `positions` where the landed columns stand among them;
    -1 stands for a column that this file does not have, which is null.
    """

    def __init__(
        self, file: AgencyFile, findings: Findings, header: list[str], positions: tuple[int, ...]
    ) -> None:
        self._file, self._findings, self._header, self._positions = file, findings, header, positions
        self._batch = RowBatch(file, positions)

    def flaw_of(self, fields: list[str]) -> str | None:
        """Return why a row cannot be landed; None when it can."""
        if fields == self._header:
            return REPEATED_HEADER
        if len(fields) != len(self._header):
            return RAGGED_ROW
        return TOTAL_ROW if is_total(fields) else None

    def skip_blank(self) -> None:
        """Count a row without any value."""
        self._findings.blank_rows += 1

    def take(self, fields: list[str], size: int) -> None:
        """Take a row, one field for each of the header; `size` is its characters."""
        self._findings.rows += 1
        self._batch.add(self._findings.rows, fields, size)

    def set_aside(self, reason: str, raw: str) -> None:
        """Set a row aside, with its text as received."""
        self._findings.rows += 1
        self._findings.set_aside += 1
        self._batch.set_aside(self._findings.rows, reason, raw)

    @property
    def is_full(self) -> bool:
        """Whether the batch should be handed on."""
        return self._batch.is_full

    def hand_on(self) -> Batch | None:
        """Return the rows since the last batch, null literals as null; None once there is a problem."""
        batch, self._batch = self._batch, RowBatch(self._file, self._positions)
        return None if self._findings.problems else batch.finish()


def is_total(fields: list[str]) -> bool:
    """Return whether a row only counts the rows above it: its first word says so, and about half of it is empty."""
    first = next(filter(None, fields), "").strip()
    if "otal" not in first.lower() or not _TOTAL.fullmatch(first):
        return False
    return 2 * sum(map(bool, fields)) <= len(fields) + 1
