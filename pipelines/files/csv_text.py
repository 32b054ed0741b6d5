"""What has to be known about a CSV file before it is read: its encoding, its delimiter, its header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipelines.errors import FilesRejected, Problem

DELIMITERS = (",", ";", "\t", "|")
HEAD_BYTES = 1 << 18
SNIFFED_ROWS = 50
PROBLEMS_SHOWN = 5
_OTHER_ENCODINGS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_A_VALUE = re.compile(r"[\d/.:+-][\d\s/.:+-]*|.*@.*")

csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class CsvShape:
    """How a file is to be read: the delimiter, the columns of its header, and whether it has rows."""

    delimiter: str
    header: tuple[str, ...]
    has_rows: bool


def csv_shape(path: Path) -> CsvShape:
    """Return the delimiter and the header of a file.

    Raises:
        FilesRejected: the file is empty, or not in UTF-8.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for mark, encoding in _OTHER_ENCODINGS.items():
        if head.startswith(mark):
            raise rejected(path, "NOT_UTF8", f"the file is in {encoding}; save it as UTF-8")
    # The cut may fall inside a character: what is wrong further down is found when the file is read.
    text = codecs.getincrementaldecoder("utf-8-sig")(errors="replace").decode(head)
    if not text.strip():
        raise rejected(path, "EMPTY_FILE", "expected a header and rows")
    delimiter = sniff_delimiter(text)
    rows = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), 2))
    return CsvShape(delimiter, tuple(rows[0]), len(rows) > 1)


def sniff_delimiter(text: str) -> str:
    """Return the delimiter that splits the most rows into as many cells as the header, then the most cells."""

    def fit(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in _complete_rows(text, delimiter)]
        return (sum(width == widths[0] for width in widths), widths[0]) if widths[0] > 1 else (0, 0)

    return max(DELIMITERS, key=fit)


def _complete_rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows of a text; the last one may be cut off, so it only counts when it is the only one."""
    rows = [row for row in islice(csv.reader(io.StringIO(text), delimiter=delimiter), SNIFFED_ROWS) if row]
    return rows[:-1] if len(rows) > 1 and len(rows) < SNIFFED_ROWS and not text.endswith("\n") else rows


def looks_like_header(names: tuple[str, ...]) -> bool:
    """Whether a first line names columns; where it may be a person's row, its cells must not be shown."""
    return not any(_A_VALUE.fullmatch(name) for name in names)


def rejected(path: Path, rule: str, message: str, column: str | None = None) -> FilesRejected:
    """Return the error for one problem of a file."""
    return FilesRejected([Problem(path.name, rule, message, column=column)])


def explain_unreadable(path: Path, shape: CsvShape) -> FilesRejected:
    """Return what is wrong with a file that could not be parsed: rows of another width, or bytes not in UTF-8."""
    problems: list[Problem] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=shape.delimiter)
            next(reader, None)
            for number, row in enumerate((row for row in reader if row), start=1):
                if len(row) != len(shape.header):
                    message = f"{len(row)} cells, but the header has {len(shape.header)}"
                    problems.append(Problem(path.name, "ROW_WIDTH", message, row=number))
                if len(problems) == PROBLEMS_SHOWN:
                    break
    except UnicodeDecodeError:
        problems.append(
            Problem(path.name, "NOT_UTF8", "not in UTF-8; save it as UTF-8", row=_line_not_utf8(path))
        )
    except csv.Error:
        problems.append(Problem(path.name, "NOT_CSV", "a quote is opened and never closed, or is misplaced"))
    return FilesRejected(problems or [Problem(path.name, "NOT_CSV", "the rows could not be told apart")])


def _line_not_utf8(path: Path) -> int | None:
    """Return the first line, counted from the header as 0, that is not in UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return None
