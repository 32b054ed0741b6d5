"""The reader for one sheet of a workbook (.xlsx): the header may stand below a title, and people retype it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from pipelines.contracts.agency import AgencyFile
from pipelines.errors import Problem
from pipelines.ingest.packing import PackingError
from pipelines.ingest.readers.base import Batch, Findings
from pipelines.ingest.readers.batches import LONGEST_FIELD
from pipelines.ingest.readers.cells import CellError, cell_text
from pipelines.ingest.readers.header import Layout, match_header
from pipelines.ingest.readers.rows import (
    OVERSIZED_FIELD,
    RAGGED_ROW,
    REPEATED_HEADER,
    TOTAL_ROW,
    RowTaker,
    is_total,
)
from pipelines.ingest.readers.sheets import Cells, find_sheet, has_macros, opened_workbook, sheet_rows

CELL_ERROR = "CELL_ERROR"
ROWS_ABOVE_HEADER = 50  # the header is looked for in so many rows that are not blank


class WorkbookReader:
    """Reads one sheet of a workbook as its contract describes it; see `Reader`.

    Rows above the header count as blank. Of merged cells the first holds the value, formulas give the value that
    was stored with them, and hidden sheets are not read.
    """

    def __init__(self, path: Path, name: str, file: AgencyFile) -> None:
        self.findings = Findings()
        self._path, self._name, self._file = path, name, file
        self._own_names = {name.casefold(): name for name in file.columns}
        self._formats: list[str | None] = []

    def batches(self) -> Iterator[Batch]:
        """Yield the sheet's rows; to be used once."""
        with opened_workbook(self._path) as book:
            if has_macros(book):
                message = "the workbook carries macros; they were not run"
                self.findings.warnings.append(Problem(self._name, "MACROS", message))
            rows = sheet_rows(book, find_sheet(book, self._file.format.sheet))
            try:
                yield from self._read(rows)
            except PackingError as error:
                self.findings.broke_off = True
                row = self.findings.rows + 1
                self.findings.problems.append(Problem(self._name, error.rule, error.message, row))

    def _read(self, rows: Iterator[Cells]) -> Iterator[Batch]:
        layout = self._find_header(rows)
        if layout is None:
            self.findings.problems.append(Problem(self._name, "EMPTY_FILE", "the sheet holds no row"))
            return
        self.findings.problems.extend(layout.problems)
        self.findings.warnings.extend(layout.warnings)
        if layout.problems:
            return
        self._formats = self._date_formats(layout)
        taker = RowTaker(self._file, self.findings, layout.header, layout.positions)
        for cells in rows:
            self._take(cells, layout, taker)
            if taker.is_full and (batch := taker.hand_on()):
                yield batch
        if batch := taker.hand_on():
            yield batch

    def _find_header(self, rows: Iterator[Cells]) -> Layout | None:
        """Return the first header that fits the contract; where none does, another file's, or the first row."""
        layouts: list[Layout] = []
        for cells in rows:
            header = self._as_header(cells)
            if not any(header):
                self.findings.blank_rows += 1
                continue
            layout = match_header(header, self._name, self._file)
            if layout.is_of_this_file:
                self.findings.blank_rows += len(layouts)
                return layout
            layouts.append(layout)
            if len(layouts) == ROWS_ABOVE_HEADER:
                break
        others = (each for each in layouts if any(problem.rule == "WRONG_FILE" for problem in each.problems))
        return next(chain(others, layouts), None)

    def _as_header(self, cells: Cells) -> list[str]:
        """Return a row as a header: with the contract's names whatever their case, no blanks at the end."""
        names = [self._as_name(cells.get(position)) for position in range(max(cells, default=-1) + 1)]
        while names and not names[-1]:
            names.pop()
        return names

    def _as_name(self, value: Any) -> str:
        try:
            text = cell_text(value).strip()
        except CellError:
            return ""
        return self._own_names.get(text.casefold(), text)

    def _date_formats(self, layout: Layout) -> list[str | None]:
        """Return the format in which dates of each column are written; None where none is declared."""
        formats: list[str | None] = [None] * len(layout.header)
        for name, position in zip(self._file.landed_columns, layout.positions, strict=True):
            declared = self._file.columns[name].date
            if position >= 0 and declared:
                formats[position] = declared[0]
        return formats

    def _take(self, cells: Cells, layout: Layout, taker: RowTaker) -> None:
        """Put one row where it belongs: to the rows, to those set aside, or nowhere when it is blank."""
        width = len(layout.header)
        fields, failed = self._fields(cells, width)
        reason = CELL_ERROR if failed.intersection(layout.positions) else _flaw_of(fields, width)
        if reason is None and self._is_header(fields, layout):
            reason = REPEATED_HEADER
        if reason is not None:
            taker.set_aside(reason, self._as_line(fields))
        elif any(fields):
            taker.take(fields, sum(map(len, fields)))
        else:
            taker.skip_blank()

    def _fields(self, cells: Cells, width: int) -> tuple[list[str], set[int]]:
        """Return the texts of a row, as many as the header has or more, and where formulas failed."""
        fields, failed = [""] * width, set()
        for position, value in cells.items():
            try:
                text = cell_text(value, self._formats[position] if position < width else None)
            except CellError:
                failed.add(position)
                continue
            if position >= len(fields) and text:
                fields += [""] * (position + 1 - len(fields))
            if text:
                fields[position] = text
        return fields, failed

    def _is_header(self, fields: list[str], layout: Layout) -> bool:
        return all(self._as_name(text) == name for text, name in zip(fields, layout.header, strict=True))

    def _as_line(self, fields: list[str]) -> str:
        """Return a row that is set aside as one line of delimited text."""
        line = io.StringIO()
        form = self._file.format
        csv.writer(line, delimiter=form.delimiter, quotechar=form.quote, lineterminator="").writerow(fields)
        return line.getvalue()


def _flaw_of(fields: list[str], width: int) -> str | None:
    """Return why a row cannot be landed; None when it can, or is the header again."""
    if len(fields) > width:
        return RAGGED_ROW
    if max(map(len, fields), default=0) > LONGEST_FIELD:
        return OVERSIZED_FIELD
    return TOTAL_ROW if is_total(fields) else None
