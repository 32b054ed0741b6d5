"""Rows of texts into batches of bounded size, as every reader gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.agency import AgencyFile
from pipelines.ingest.readers.base import Batch, SetAsideRow, landed_schema

ROWS_PER_BATCH = 10_000
TEXT_PER_BATCH = 8_000_000  # characters; wide rows make smaller batches
LONGEST_FIELD = 131_072
LONGEST_KEPT = 1 << 20  # characters of a row that is set aside


@dataclass
class RowBatch:
    """The rows of the batch that is being filled; the contract's null literals become null.

    A row has a text for each landed column; or, where `positions` are given, for each field of the file, and they
    say which field each landed column is: -1 for one that this file does not have, which is null.
    """

    file: AgencyFile
    positions: tuple[int, ...] | None = None
    _numbers: list[int] = field(default_factory=list)
    _rows: list[Sequence[str | None]] = field(default_factory=list)
    _set_aside: list[SetAsideRow] = field(default_factory=list)
    _text: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the batch should be handed on."""
        return len(self._rows) + len(self._set_aside) >= ROWS_PER_BATCH or self._text >= TEXT_PER_BATCH

    def add(self, number: int, texts: Sequence[str | None], size: int) -> None:
        """Add a row that can be landed; `size` is its characters."""
        self._numbers.append(number)
        self._rows.append(texts)
        self._text += size

    def set_aside(self, number: int, reason: str, raw: str) -> None:
        """Add a row that cannot be landed, with the text as received."""
        row = SetAsideRow(number, reason, raw[:LONGEST_KEPT])
        self._set_aside.append(row)
        self._text += len(row.raw)

    def finish(self) -> Batch:
        """Return the batch."""
        schema = landed_schema(self.file)
        columns = list(zip(*self._rows, strict=True))
        positions = range(len(schema) - 1) if self.positions is None else self.positions
        nulls = pa.array(self.file.format.null_literals, pa.string())
        arrays: list[pa.Array] = [pa.array(self._numbers, pa.int64())]
        for position in positions:
            if position < 0 or not columns:
                arrays.append(pa.nulls(len(self._rows), pa.string()))
                continue
            texts = pa.array(columns[position], pa.string())
            arrays.append(pc.if_else(pc.is_in(texts, value_set=nulls), pa.scalar(None, pa.string()), texts))
        return Batch(pa.RecordBatch.from_arrays(arrays, schema=schema), tuple(self._set_aside))
