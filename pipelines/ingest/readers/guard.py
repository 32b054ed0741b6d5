"""What guards every reader: a file of another kind is told at once, and one that cannot be unpacked by its rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.contracts.columns import Kind
from pipelines.errors import Problem
from pipelines.ingest.content import packing_of
from pipelines.ingest.packing import PackingError
from pipelines.ingest.readers.base import Batch, Findings, Reader

WORKBOOK_KIND: Kind = "xlsx"


class GuardedReader:
    """A reader whose file is looked at before it is read; see `Reader`."""

    def __init__(self, reader: Reader, path: Path, name: str, kind: Kind) -> None:
        self._reader, self._path, self._name, self._kind = reader, path, name, kind

    @property
    def findings(self) -> Findings:
        """What was found so far."""
        return self._reader.findings

    def batches(self) -> Iterator[Batch]:
        """Yield the file's rows; to be used once."""
        try:
            if self._kind != WORKBOOK_KIND and packing_of(self._path) in {"workbook", "old_office"}:
                raise PackingError("WRONG_KIND", f"this is an Office file, expected {self._kind}")
            yield from self._reader.batches()
        except PackingError as error:
            self.findings.broke_off = True
            self.findings.problems.append(Problem(self._name, error.rule, error.message))
