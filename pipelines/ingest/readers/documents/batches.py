"""Rows of texts into batches, as every reader gives them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.agency import AgencyFile
from pipelines.ingest.readers.base import Batch, SetAsideRow, landed_schema
from pipelines.ingest.readers.delimited import ROWS_PER_BATCH, TEXT_PER_BATCH


@dataclass
class RowBatch:
    """The rows of the batch that is being filled; the contract's null literals become null."""

    file: AgencyFile
    _numbers: list[int] = field(default_factory=list)
    _rows: list[tuple[str | None, ...]] = field(default_factory=list)
    _set_aside: list[SetAsideRow] = field(default_factory=list)
    _text: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the batch should be handed on."""
        return len(self._rows) + len(self._set_aside) >= ROWS_PER_BATCH or self._text >= TEXT_PER_BATCH

    def add(self, number: int, texts: tuple[str | None, ...]) -> None:
        """Add a row that can be landed."""
        self._numbers.append(number)
        self._rows.append(texts)
        self._text += sum(len(text) for text in texts if text)

    def set_aside(self, number: int, reason: str, raw: str) -> None:
        """Add a row that cannot be landed, with the text as received."""
        self._set_aside.append(SetAsideRow(number, reason, raw))
        self._text += len(raw)

    def finish(self) -> Batch:
        """Return the batch."""
        schema = landed_schema(self.file)
        columns = list(zip(*self._rows, strict=True)) or [()] * (len(schema) - 1)
        nulls = pa.array(self.file.format.null_literals, pa.string())
        arrays: list[pa.Array] = [pa.array(self._numbers, pa.int64())]
        for column in columns:
            texts = pa.array(column, pa.string())
            arrays.append(pc.if_else(pc.is_in(texts, value_set=nulls), pa.scalar(None, pa.string()), texts))
        return Batch(pa.RecordBatch.from_arrays(arrays, schema=schema), tuple(self._set_aside))
