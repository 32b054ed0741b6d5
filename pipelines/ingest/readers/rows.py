"""What every reader of rows does with the fields of one: count it, take it, or set it aside, in bounded batches."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.agency import AgencyFile
from pipelines.ingest.readers.base import Batch, Findings, SetAsideRow, landed_schema

ROWS_PER_BATCH = 10_000
TEXT_PER_BATCH = 8_000_000  # characters; wide rows make smaller batches
LONGEST_FIELD = 131_072
LONGEST_KEPT = 1 << 20  # characters of a row that is set aside

RAGGED_ROW = "RAGGED_ROW"
REPEATED_HEADER = "REPEATED_HEADER"
OVERSIZED_FIELD = "OVERSIZED_FIELD"
TOTAL_ROW = "TOTAL_ROW"

_TOTAL = re.compile(r"(grand |sub-?)?totals?:?", re.IGNORECASE)


@dataclass
class _Pending:
    """The rows of the batch that is being filled."""

    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    set_aside: list[SetAsideRow] = field(default_factory=list)
    text: int = 0


class RowTaker:
    """Puts the rows of one file where they belong; the caller says of each what it found.

    `header` is what a row's fields are measured against, `positions` where the landed columns stand among them;
    -1 stands for a column that this file does not have, which is null.
    """

    def __init__(
        self, file: AgencyFile, findings: Findings, header: list[str], positions: tuple[int, ...]
    ) -> None:
        self._findings, self._header, self._positions = findings, header, positions
        self._schema = landed_schema(file)
        self._nulls = pa.array(file.format.null_literals, pa.string())
        self._pending = _Pending()

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
        self._pending.numbers.append(self._findings.rows)
        self._pending.rows.append(fields)
        self._pending.text += size

    def set_aside(self, reason: str, raw: str) -> None:
        """Set a row aside, with its text as received."""
        self._findings.rows += 1
        self._findings.set_aside += 1
        row = SetAsideRow(self._findings.rows, reason, raw[:LONGEST_KEPT])
        self._pending.set_aside.append(row)
        self._pending.text += len(row.raw)

    @property
    def is_full(self) -> bool:
        """Whether the batch should be handed on."""
        pending = self._pending
        return len(pending.rows) + len(pending.set_aside) >= ROWS_PER_BATCH or pending.text >= TEXT_PER_BATCH

    def hand_on(self) -> Batch | None:
        """Return the rows since the last batch, null literals as null; None once there is a problem."""
        pending, self._pending = self._pending, _Pending()
        if self._findings.problems:
            return None
        columns = list(zip(*pending.rows, strict=True)) or [()] * len(self._header)
        arrays: list[pa.Array] = [pa.array(pending.numbers, pa.int64())]
        for position in self._positions:
            arrays.append(
                self._texts(columns[position]) if position >= 0 else self._absent(len(pending.rows))
            )
        return Batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema), tuple(pending.set_aside))

    def _texts(self, values: tuple[str, ...]) -> pa.Array:
        texts = pa.array(values, pa.string())
        return pc.if_else(pc.is_in(texts, value_set=self._nulls), pa.scalar(None, pa.string()), texts)

    def _absent(self, count: int) -> pa.Array:
        return pa.nulls(count, pa.string())


def is_total(fields: list[str]) -> bool:
    """Return whether a row only counts the rows above it: its first word says so, and about half of it is empty."""
    first = next(filter(None, fields), "").strip()
    if "otal" not in first.lower() or not _TOTAL.fullmatch(first):
        return False
    return 2 * sum(map(bool, fields)) <= len(fields) + 1
