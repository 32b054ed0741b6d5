"""What every reader gives: batches of rows as text, rows set aside, and what was found about the whole file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import column_name
from pipelines.errors import Problem

ROW_NUMBER = "row_number"


@dataclass(frozen=True)
class SetAsideRow:
    """A row that cannot be landed: its number, why, and the text as received (for the quarantine only)."""

    row_number: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: those to land (see `landed_schema`) and those set aside."""

    rows: pa.RecordBatch
    set_aside: tuple[SetAsideRow, ...]


@dataclass
class Findings:
    """What a reader found so far; complete once its batches are used up.

    A problem rejects the file, a warning does not. `rows` counts the rows of the file, set aside or not; the
    header and rows without any value are not rows. `broke_off` says that the rest of the file could not be read.
    """

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    rows: int = 0
    set_aside: int = 0
    blank_rows: int = 0
    broke_off: bool = False

    @property
    def landed(self) -> int:
        """The rows that are not set aside."""
        return self.rows - self.set_aside


class Reader(Protocol):
    """Reads one file in bounded memory, whatever its size.

    Row numbers count the rows of the file from 1. Once a problem is found no more batches come, but the file
    is read to its end, so that every problem is found.
    """

    @property
    def findings(self) -> Findings:
        """What was found so far."""
        ...

    def batches(self) -> Iterator[Batch]:
        """Yield the file's rows; to be used once."""
        ...


def landed_schema(file: AgencyFile) -> pa.Schema:
    """Return the schema of a batch's rows: the row number, then the landed columns as text, in contract order."""
    columns = [pa.field(column_name(header), pa.string()) for header in file.landed_columns]
    return pa.schema([pa.field(ROW_NUMBER, pa.int64(), nullable=False), *columns])
