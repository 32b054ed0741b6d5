"""Opening a workbook that may be hostile, and the rows of one of its sheets, one by one."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import ARC_STYLE, ARC_WORKBOOK, ARC_WORKBOOK_RELS, SHARED_STRINGS
from openpyxl.xml.functions import fromstring

from pipelines.contracts.columns import fits_whole
from pipelines.ingest.content import BLOCK, OLE_MARK, WORKBOOK_PART, open_content
from pipelines.ingest.packing import PackingError, check_growth, told_as_packing_error
from pipelines.ingest.zip_file import ZIP_MARKS, open_zip, require_readable
from pipelines.settings import load_settings

MOST_ROWS = 1_048_576  # of a sheet; https://support.microsoft.com "Excel specifications and limits"
LARGEST_TEXTS = 128 << 20  # bytes of the texts that all sheets share: they are held in memory
LARGEST_PART = 4 << 20  # bytes of the other parts that are read whole: styles, names, where the sheets are
LARGEST_ROW = 64 << 20  # bytes of XML
_MACROS = "xl/vbaproject.bin"
_READ_WHOLE = {WORKBOOK_PART, ARC_STYLE, ARC_WORKBOOK, ARC_WORKBOOK_RELS}
_WORKBOOK_TYPE = ".main+xml"
_XML = (".xml", ".rels")
_PASSWORD = "EncryptedPackage".encode("utf-16-le")  # how an Office file with a password names what is in it

Cells = dict[int, Any]


@contextmanager
def opened_workbook(path: Path) -> Iterator[Any]:
    """Give the workbook in a file, itself perhaps packed; nothing of its sheets is read yet.

    Raises:
        PackingError: it is no workbook, cannot be opened, or would grow too much.
    """
    with ExitStack() as files:
        file = files.enter_context(open_content(path, holds_zip=True))
        _require_workbook(file)
        if not _can_be_reread(file):
            spool = files.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, spool, BLOCK)
            file = spool
        file.seek(0)
        with open_zip(file) as package:
            _check_parts(package, file)
        with _told_as_damage():
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
        with _told_as_damage():
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
            with _told_as_damage():
                found = next(rows, None)
            if found is None:
                return
            if (count := count + 1) > MOST_ROWS:
                raise PackingError("TOO_MANY_ROWS", f"the sheet has more than {MOST_ROWS:,} rows")
            source.begin_row()
            parser.row_dimensions.clear()  # heights and the like, which would be kept for every row
            yield {cell["column"] - 1: cell["value"] for cell in found[1] if cell["value"] is not None}


def _require_workbook(file: IO[bytes]) -> None:
    """Raise PackingError, saying what it is, when a file is no workbook; the file stays where it stood."""
    first = file.peek(len(OLE_MARK)) if hasattr(file, "peek") else b""
    if first.startswith(OLE_MARK):
        if _holds(file, _PASSWORD):
            raise PackingError("ENCRYPTED", "the workbook is protected by a password; send it without")
        raise PackingError(
            "WRONG_KIND", "this is an old Office file, such as .xls; expected a workbook, .xlsx"
        )
    if not first.startswith(ZIP_MARKS):
        raise PackingError("WRONG_KIND", "this is no workbook; expected one, .xlsx")


def _holds(file: IO[bytes], wanted: bytes) -> bool:
    """Return whether bytes stand anywhere in a file, read block by block."""
    kept = b""
    while block := file.read(BLOCK):
        if wanted in kept + block:
            return True
        kept = block[-len(wanted) :]
    return False


def _can_be_reread(file: IO[bytes]) -> bool:
    """Return whether a stream can be read from anywhere, as a zip must be."""
    return file.seekable()


def _check_parts(package: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Raise PackingError for parts that cannot be read, are too large, or declare entities."""
    members = {member.filename: member for member in package.infolist()}
    if WORKBOOK_PART not in members:
        raise PackingError("WRONG_KIND", "this is a zip, and no workbook is in it; expected one, .xlsx")
    file.seek(0, os.SEEK_END)
    check_growth(file.tell(), sum(member.file_size for member in package.infolist()), load_settings())
    for name, member in members.items():
        require_readable(member)
        if name in _READ_WHOLE:
            _check_size(member, LARGEST_PART)
        if name.lower().endswith(_XML):
            with told_as_packing_error(), package.open(member) as part:
                if _declares_entities(part.read(BLOCK)):
                    raise PackingError("XML_ENTITIES", "a part of the workbook declares a document type")
    with _told_as_damage():
        declared = Manifest.from_tree(fromstring(package.read(WORKBOOK_PART))).Override
    for part in declared:
        held = members.get(part.PartName[1:])
        if held is not None and part.ContentType == SHARED_STRINGS:
            _check_size(held, LARGEST_TEXTS)
        elif held is not None and part.ContentType.endswith(_WORKBOOK_TYPE):
            _check_size(held, LARGEST_PART)
    file.seek(0)


def _check_size(member: zipfile.ZipInfo, largest: int) -> None:
    if member.file_size > largest:
        raise PackingError("ZIP_BOMB", f"a part of the workbook is larger than {largest >> 20} MiB")


def _declares_entities(beginning: bytes) -> bool:
    """Return whether XML declares a document type, which no workbook may; ECMA-376 Part 2, 8.1.4."""
    text = beginning.replace(b"\0", b"")  # as in UTF-16
    return b"<!DOCTYPE" in text or b"<!ENTITY" in text


@contextmanager
def _told_as_damage() -> Iterator[None]:
    """Turn whatever openpyxl raises for a damaged workbook into a PackingError; its words may hold a value.

    Its parsers were not made for damaged files and raise what Python happens to, so all of it is caught; it also
    warns of cells in words that hold what stands in them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except PackingError:
        raise
    except Exception as error:
        if type(error).__module__.startswith("defusedxml"):
            raise PackingError("XML_ENTITIES", "a part of the workbook declares a document type") from None
        raise PackingError(
            "DAMAGED_WORKBOOK", "the workbook cannot be read; it seems to be damaged"
        ) from None
