"""What every builder of rows needs to know besides the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pipelines.contracts.agency import Contract
from pipelines.contracts.emits import Emit, Source
from pipelines.normalise.assemble.columns import raw_values, source_values
from pipelines.normalise.assemble.distinct import constant
from pipelines.normalise.assemble.outcomes import FileRows


@dataclass(frozen=True)
class NormaliseContext:
    """The contract, the last day of the period, the key behind record ids, and what is allowed."""

    contract: Contract
    period_end: date
    key: bytes
    allow_synthetic: bool


@dataclass(frozen=True)
class EmitRows:
    """The rows of a file that one emit turns into rows of a shared table."""

    context: NormaliseContext
    rows: FileRows
    emit: Emit
    mask: np.ndarray[Any, Any]
    record_ids: pd.Series[Any]

    @property
    def index(self) -> pd.Index[Any]:
        """The index of the rows that are turned."""
        return self.rows.raw.index[self.mask]

    def value(self, name: str) -> pd.Series[Any]:
        """Return the parsed values for an input of the shared table; all missing when the contract maps none."""
        return self._column(name, source_values)

    def raw(self, name: str) -> pd.Series[Any]:
        """Return the values as received for an input of the shared table."""
        return self._column(name, raw_values)

    def date_formats(self, name: str) -> tuple[str, ...]:
        """Return the declared date formats of the column behind an input."""
        source = self.emit.set.get(name)
        if source is None or source.column is None:
            return ()
        column = self.rows.file.columns.get(source.column)
        return column.date if column else ()

    def _column(self, name: str, read: Any) -> pd.Series[Any]:
        source: Source | None = self.emit.set.get(name)
        if source is None:
            return constant(None, self.index)
        values: pd.Series[Any] = read(self.rows, source)[self.mask]
        return values

    def frame(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """Return a frame of provenance columns and the given ones, one row per turned row."""
        raw = self.rows.raw.loc[self.index]
        provenance = {
            "extract_id": raw["extract_id"],
            "row_number": raw["row_number"],
            "record_id": self.record_ids[self.mask],
        }
        return pd.DataFrame({**provenance, **columns}, index=self.index)
