"""The sheets of a workbook, and the rows of one of them, one by one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._reader import WorkSheetParser

from pipelines.contracts.columns import fits_whole
from pipelines.ingest.content import BLOCK, open_content
from pipelines.ingest.packing import PackingError
from pipelines.ingest.readers.package import check_parts, require_workbook, told_as_damage
from pipelines.ingest.zip_file import open_zip

MOST_ROWS = 1_048_576  # of a sheet; https://support.microsoft.com "Excel specifications and limits"
LARGEST_ROW = 64 << 20  # bytes of XML
_MACROS = "xl/vbaproject.bin"

Cells = dict[int, Any]


@contextmanager
def opened_workbook(path: Path) -> Iterator[Any]:
    """Give the workbook in a file, itself perhaps packed; nothing of its sheets is read yet.

    Raises:
        PackingError: it is no workbook, cannot be opened, or would grow too much.
    """
    with ExitStack() as files:
        file = files.enter_context(open_content(path, holds_zip=True))
        require_workbook(file)
        if not file.seekable():  # as a zip must be
            spool = files.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, spool, BLOCK)
            file = spool
        file.seek(0)
        with open_zip(file) as package:
            check_parts(package, file)
        with told_as_damage():
            reader = _Reader(file, read_only=True, data_only=True, keep_links=False)
            files.callback(reader.archive.close)
            reader.read()
        yield reader.wb


class _Reader(ExcelReader):  # type: ignore[misc]
    """openpyxl's reader of workbooks, without the parts that hold no rows."""

    def read_properties(self) -> None:
        """Leave out who wrote it when."""

    def read_custom(self) -> None:
        """Leave out further properties."""

    def read_theme(self) -> None:
        """Leave out colours."""

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """Leave out sheets that hold a chart."""


class _RowByRow:
    """A sheet as a stream of XML; it ends when a row of it, or what follows the rows, is larger than any may be."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self._since_row = source, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        block = self._source.read(size)
        self._since_row += len(block)
        if self._since_row > LARGEST_ROW:
            raise PackingError("ZIP_BOMB", f"a row of the sheet is larger than {LARGEST_ROW >> 20} MiB")
        return block

    def begin_row(self) -> None:
        """Count anew."""
        self._since_row = 0


def has_macros(book: Any) -> bool:
    """Return whether a workbook carries macros; they are never run."""
    return any(name.lower() == _MACROS for name in book._archive.namelist())


def find_sheet(book: Any, pattern: str | None) -> Any:
    """Return the one visible sheet whose name fits the pattern; the only one where there is no pattern.

    Raises:
        PackingError: there is none, it is hidden, or there are several.
    """
    fitting = [sheet for sheet in book.worksheets if pattern is None or fits_whole(pattern, sheet.title)]
    visible = [sheet for sheet in fitting if sheet.sheet_state == "visible"]
    wanted = "sheet" if pattern is None else f"sheet named {pattern}"
    if not visible:
        state = "it is hidden" if fitting else "there is none"
        raise PackingError("MISSING_SHEET", f"the workbook should hold a {wanted}; {state}")
    if len(visible) > 1:
        raise PackingError("TWO_SHEETS", f"{len(visible)} sheets of the workbook are the {wanted}")
    return visible[0]


def sheet_rows(book: Any, sheet: Any) -> Iterator[Cells]:
    """Yield the rows of a sheet in the order of the file, each as values by column, from 0.

    openpyxl's own iterator makes up rows that the sheet leaves out, and leaves out those with a number that it
    has had: its parser is used, which does neither.

    Raises:
        PackingError: the sheet is damaged, or has more rows than a sheet can have.
    """
    with ExitStack() as files:
        with told_as_damage():
            source = _RowByRow(files.enter_context(sheet._get_source()))
            parser = WorkSheetParser(
                source,
                sheet._shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            rows = parser.parse()
        count = 0
        while True:
            with told_as_damage():
                found = next(rows, None)
            if found is None:
                return
            if (count := count + 1) > MOST_ROWS:
                raise PackingError("TOO_MANY_ROWS", f"the sheet has more than {MOST_ROWS:,} rows")
            source.begin_row()
            parser.row_dimensions.clear()  # heights and the like, which would be kept for every row
            yield {cell["column"] - 1: cell["value"] for cell in found[1] if cell["value"] is not None}
