"""Writes the files of one period, chunk after chunk, so that memory does not grow with the population."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from pipelines.synth.layouts import LAYOUTS
from pipelines.synth.records import Row

TRUTH_HEADER = ("agency", "source_person_id", "true_person_id", "is_sealed", "household_id")


class PeriodFiles:
    """The open files of one period: every layout and the truth. Use as a context manager."""

    def __init__(self, inbox: Path, truth: Path, period: str) -> None:
        self.period = period
        self.rows: dict[str, int] = {layout.file_name(period): 0 for layout in LAYOUTS}
        self._layouts = {layout.file: layout for layout in LAYOUTS}
        self._handles: list[io.TextIOWrapper] = []
        self._writers = {}
        for layout in LAYOUTS:
            path = inbox / layout.agency / layout.file_name(period)
            self._writers[layout.file] = self._open(path, layout.encoding, layout.header)
        self._truth = self._open(truth / f"{period}.csv", "utf-8", TRUTH_HEADER)

    def _open(self, path: Path, encoding: str, header: tuple[str, ...]) -> Any:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w", encoding=encoding, newline="")
        self._handles.append(handle)
        writer = csv.writer(handle, lineterminator="\r\n")
        writer.writerow(header)
        return writer

    def write(self, file: str, rows: list[Row]) -> None:
        """Append rows to a file of the period."""
        self._writers[file].writerows(rows)
        self.rows[self._layouts[file].file_name(self.period)] += len(rows)

    def write_truth(self, rows: Iterable[tuple[str, str, str, int, str]]) -> None:
        """Append rows to the truth of the period."""
        self._truth.writerows(rows)

    def __enter__(self) -> PeriodFiles:
        """Return the files."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every file."""
        for handle in self._handles:
            handle.close()
