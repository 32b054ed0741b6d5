"""Tables of text written in every format of rows, and read back through the readers."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from openpyxl import Workbook

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.columns import Column, FileFormat, Kind
from pipelines.ingest.readers import open_reader
from pipelines.ingest.readers.base import Findings, SetAsideRow

HEADER = ("first", "second", "third")
WIDTH = 20
Rows = Sequence[Sequence[str]]
Read = tuple[list[tuple[str | None, ...]], list[SetAsideRow], Findings]


def file_of(kind: Kind, columns: dict[str, Column] | None = None, **form: object) -> AgencyFile:
    """A contract's file of a kind, with three plain columns unless others are given, and no null literals."""
    at = {name: Column(at=(1 + place * WIDTH, WIDTH)) for place, name in enumerate(HEADER)}
    plain = at if kind == "fixed_width" else {name: Column() for name in HEADER}
    return AgencyFile(
        title="A file",
        pattern=r"file_(?P<period>\d{6})\.[a-z]+",
        period_format="%Y%m",
        mode="snapshot",
        format=FileFormat.model_validate({"kind": kind, "null_literals": (), **form}),
        columns=columns or plain,
    )


def delimited(rows: Rows, header: Sequence[str] = HEADER) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    return out.getvalue().encode()


def fixed_width(rows: Rows) -> bytes:
    return "".join("".join(cell.ljust(WIDTH) for cell in row) + "\n" for row in rows).encode()


def workbook(
    rows: Sequence[Sequence[object]], header: Sequence[object] = HEADER, title: str = "Sheet"
) -> bytes:
    """One sheet; texts stay texts, also those that look like formulas."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for number, row in enumerate([header, *rows], start=1):
        for place, value in enumerate(row, start=1):
            cell = sheet.cell(number, place, value)
            if isinstance(value, str):
                cell.data_type = "s"
    return saved(book)


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def in_zip(content: bytes, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("content", content)
        for name, more in members.items():
            packed.writestr(name, more)
    return out.getvalue()


WRITERS: dict[Kind, Callable[[Rows], bytes]] = {
    "delimited": delimited,
    "fixed_width": fixed_width,
    "xlsx": workbook,
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda content: content,
    "gzip": lambda content: gzip.compress(content, 1),
    "zip": in_zip,
}


def read_bytes(content: bytes, file: AgencyFile) -> Read:
    """The rows without their number, those set aside, and what was found."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        reader = open_reader(path, "file", file)
        batches = list(reader.batches())
    rows = [tuple(row.values())[1:] for batch in batches for row in batch.rows.to_pylist()]
    return rows, [row for batch in batches for row in batch.set_aside], reader.findings


def rules(findings: Findings) -> list[str]:
    return [problem.rule for problem in findings.problems]
