"""The table that every file of the corpus is made from, the contract's file that it should be, and how it is written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lxml import etree
from support.formats import workbook

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.columns import Column, FileFormat, Kind

# Stands in every value: no message, and no name of a rule, may hold it.
SECRET = "Zyxwvut"  # noqa: S105 - what a value looks like, not a password
HEADER = ("id", "surname", "nhs_number", "born", "postcode")
WIDTH = 40
COUNT = 12


@dataclass(frozen=True)
class Sheet:
    """A header and rows of text; a row may be longer or shorter than the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def with_row(self, at: int, *row: str) -> Sheet:
        """Put a row before the one at a position."""
        return replace(self, rows=(*self.rows[:at], row, *self.rows[at:]))

    def with_cell(self, at: int, column: str, value: str) -> Sheet:
        """Put a value in the place of another."""
        place = self.header.index(column)
        row = (*self.rows[at][:place], value, *self.rows[at][place + 1 :])
        return replace(self, rows=(*self.rows[:at], row, *self.rows[at + 1 :]))

    def with_columns(self, order: Sequence[int]) -> Sheet:
        """Put columns in another order; one may be left out, or come twice."""
        rows = tuple(tuple(row[place] for place in order) for row in self.rows)
        return Sheet(tuple(self.header[place] for place in order), rows)

    def named(self, **names: str) -> Sheet:
        """Give columns other names."""
        return replace(self, header=tuple(names.get(name, name) for name in self.header))


def sound() -> Sheet:
    """A table with nothing wrong: a secret in every cell, each of them different."""
    rows = (tuple(f"{SECRET}{place}r{row}" for place in range(len(HEADER))) for row in range(COUNT))
    return Sheet(HEADER, tuple(rows))


def expected_file(kind: Kind) -> AgencyFile:
    """What the contract says of a file of a kind."""
    columns = {name: Column(required=name == "id") for name in HEADER}
    if kind == "fixed_width":
        columns = {
            name: Column(required=name == "id", at=(1 + place * WIDTH, WIDTH))
            for place, name in enumerate(HEADER)
        }
    return AgencyFile(
        title="People",
        pattern=r"people_(?P<period>\d{6})\.[a-z]+",
        period_format="%Y%m",
        mode="snapshot",
        format=FileFormat(kind=kind, rows=ROWS_AT.get(kind)),
        local_id="id",
        columns=columns,
    )


def _delimited(sheet: Sheet) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([sheet.header, *sheet.rows])
    return out.getvalue().encode()


def _fixed_width(sheet: Sheet) -> bytes:
    return "".join(_line(row) for row in sheet.rows).encode()


def _line(row: Sequence[str]) -> str:
    return "".join(cell.ljust(WIDTH) for cell in row) + "\n"


def _workbook(sheet: Sheet) -> bytes:
    return workbook(sheet.rows, sheet.header)


def _json(sheet: Sheet) -> bytes:
    return json.dumps({"people": list(_documents(sheet))}, ensure_ascii=False, indent=0).encode()


def _json_lines(sheet: Sheet) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _documents(sheet)).encode()


def _xml(sheet: Sheet) -> bytes:
    people = etree.Element("extract")
    for row in _documents(sheet):
        person = etree.SubElement(etree.SubElement(people, "people"), "person")
        for name, value in row.items():
            etree.SubElement(person, name).text = value
    return bytes(etree.tostring(people, encoding="utf-8", xml_declaration=True, pretty_print=True))


def _documents(sheet: Sheet) -> Iterator[dict[str, str]]:
    for row in sheet.rows:
        yield dict(zip(sheet.header, row, strict=False))


WRITERS: dict[Kind, Callable[[Sheet], bytes]] = {
    "delimited": _delimited,
    "fixed_width": _fixed_width,
    "xlsx": _workbook,
    "json": _json,
    "json_lines": _json_lines,
    "xml": _xml,
}
ROWS_AT: dict[Kind, str] = {"json": "people", "json_lines": ".", "xml": "people/person"}
DOCUMENTS: tuple[Kind, ...] = tuple(ROWS_AT)
WITH_HEADER: tuple[Kind, ...] = ("delimited", "xlsx")
TEXT: tuple[Kind, ...] = ("delimited", "fixed_width")


def every_kind() -> Iterator[Kind]:
    """Every kind that the corpus writes."""
    yield from WRITERS
