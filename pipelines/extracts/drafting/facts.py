"""What is counted about each column of a file, in one pass and in bounded memory."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.contracts.columns import FileFormat
from pipelines.extracts.drafting.sniff import Shape
from pipelines.ingest.readers.batches import LONGEST_FIELD
from pipelines.ingest.readers.lines import LineSource, OversizedLineError

MOST_ROWS = 200_000
DISTINCT_KEPT = 5_000  # values of a column whose content is looked at
LONGEST_KEPT = 200  # signs of a value
UNIQUE_AFTER = 1_000  # rows after which a column that repeats itself is no longer watched for uniqueness
NULLS = frozenset(FileFormat().null_literals)


@dataclass
class ColumnFacts:
    """A column while its file is read: its rows, those filled, and its first distinct values, counted."""

    header: str
    rows: int = 0
    filled: int = 0
    values: Counter[str] = field(default_factory=Counter)
    seen: set[int] | None = field(default_factory=set)

    def take(self, cell: str) -> None:
        """Count one cell."""
        self.rows += 1
        value = cell.strip()
        if value in NULLS:
            return
        self.filled += 1
        kept = value[:LONGEST_KEPT]
        if kept in self.values or len(self.values) < DISTINCT_KEPT:
            self.values[kept] += 1
        if self.seen is not None:
            self.seen.add(hash(value))
            if self.filled > UNIQUE_AFTER and len(self.seen) < 0.9 * self.filled:
                self.seen = None

    @property
    def share_filled(self) -> float:
        """The share of rows in which something stands."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def is_unique(self) -> bool:
        """Whether nearly every row has a value of its own: a few are repeated in any real file."""
        unique = self.seen is not None and len(self.seen) >= 0.98 * self.filled
        return self.filled > 0 and self.share_filled >= 0.98 and unique

    @property
    def is_complete(self) -> bool:
        """Whether every distinct value was kept."""
        return len(self.values) < DISTINCT_KEPT


@dataclass(frozen=True)
class FileFacts:
    """A file as it was looked at."""

    path: Path
    shape: Shape
    columns: Mapping[str, ColumnFacts]
    rows: int
    is_whole: bool


def read_facts(path: Path, shape: Shape) -> FileFacts:
    """Return what is counted about the columns, over at most `MOST_ROWS` rows; ragged rows are passed over."""
    columns = {name: ColumnFacts(name) for name in shape.header}
    counted, is_whole = 0, True
    for row in _rows(path, shape):
        if counted == MOST_ROWS:
            is_whole = False
            break
        if len(row) != len(shape.header):
            continue
        counted += 1
        for column, cell in zip(columns.values(), row, strict=True):
            column.take(cell)
    return FileFacts(path, shape, columns, counted, is_whole)


def _rows(path: Path, shape: Shape) -> Iterator[list[str]]:
    """Yield the rows below the header; what no reader could take is passed over."""
    csv.field_size_limit(LONGEST_FIELD)
    lines = LineSource(path, shape.encoding, lambda rule: None)
    rows = csv.reader(lines, delimiter=shape.delimiter)
    is_header = True
    try:
        while True:
            lines.begin_record()
            try:
                row = next(rows)
            except (csv.Error, OversizedLineError):
                continue
            if not any(row):
                continue
            if not is_header:
                yield row
            is_header = False
    except (StopIteration, UnicodeError):
        return
    finally:
        lines.close()
