"""How a delimited file is written: its encoding, its delimiter, its header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipelines.contracts.column_hints import hint_for
from pipelines.contracts.columns import LONGEST_HEADER
from pipelines.contracts.loader import column_name
from pipelines.errors import FilesRejected, Problem
from pipelines.ingest.content import open_content, packing_of
from pipelines.ingest.packing import PackingError

DELIMITERS = (",", ";", "\t", "|", "^", "~")
HEAD_BYTES = 1 << 18
SNIFFED_ROWS = 50
MOST_COLUMNS = 500
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_A_VALUE = re.compile(r"[\d/.:+-][\d\s/.:+-]*|.*@.*|.*\d{4,}.*")
_DOCUMENTS = (b"{", b"[{", b"<")


@dataclass(frozen=True)
class Shape:
    """How a file is written."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]


def sniff(path: Path, number: int) -> Shape:
    """Return how the file is written; `number` names it in errors, for a file's name may tell of a person.

    Raises:
        FilesRejected: it is not delimited text with a header.
    """
    try:
        if packing_of(path) in ("workbook", "old_office"):
            raise refused(number, "NOT_DELIMITED", _ONLY_DELIMITED)
        with open_content(path) as content:
            head = content.read(HEAD_BYTES)
        encoding = _encoding_of(path, head)
    except PackingError as error:
        raise refused(number, error.rule, error.message) from None
    except OSError:
        raise refused(number, "NOT_READABLE", "the file cannot be opened") from None
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(_DOCUMENTS):
        raise refused(number, "NOT_DELIMITED", _ONLY_DELIMITED)
    text = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)("replace").decode(
        head
    )
    if "\0" in text:
        raise refused(number, "NOT_DELIMITED", _ONLY_DELIMITED)
    delimiter = _delimiter_of(text)
    header = next((tuple(row) for row in _rows(text, delimiter) if any(row)), ())
    _require_header(header, number)
    return Shape(encoding, delimiter, header)


_ONLY_DELIMITED = (
    "only delimited text is drafted; write the contract of other kinds by hand, see docs/engineer.md, Formats"
)


def refused(number: int, rule: str, message: str) -> FilesRejected:
    """Return the error for one problem of one of the files."""
    return FilesRejected([Problem(f"file {number}", rule, message)])


def _encoding_of(path: Path, head: bytes) -> str:
    """Return utf-16 by its mark, utf-8 where all bytes are, else windows-1252."""
    if head.startswith(_UTF16_MARKS):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open_content(path) as content:
            while block := content.read(HEAD_BYTES):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows of a text."""
    try:
        return list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), SNIFFED_ROWS))
    except csv.Error:
        return []


def _delimiter_of(text: str) -> str:
    """Return the delimiter that splits the most rows into as many cells as the header, then the most cells."""

    def fit(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in _rows(text, delimiter) if row]
        if not widths or widths[0] == 1:
            return (0, 0)
        return sum(width == widths[0] for width in widths), widths[0]

    return max(DELIMITERS, key=fit)


def _require_header(header: tuple[str, ...], number: int) -> None:
    """Refuse a first line that may be a person's row: its cells would be written down as names of columns."""
    if len(header) < 2 or len(header) > MOST_COLUMNS:
        raise refused(number, "NOT_DELIMITED", _ONLY_DELIMITED)
    if any(_A_VALUE.fullmatch(name) for name in header) or not any(map(hint_for, header)):
        raise refused(number, "NO_HEADER", "the first line does not seem to name columns")
    repeated = Counter(column_name(name.strip()) for name in header)
    for position, name in enumerate(header, 1):
        if not name.strip() or len(name) > LONGEST_HEADER or not name.isprintable():
            raise refused(number, "BAD_HEADER", f"column {position} has no name that could be used")
        if repeated[column_name(name.strip())] > 1:
            raise refused(number, "BAD_HEADER", f"column {position} has the name of another column")
