"""Every defect: what is done to a sound table or to its bytes, in which kinds of file, and what must come of it."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from support.formats import in_zip
from support.hostile.cases import Outcome, rejected
from support.hostile.tables import (
    COUNT,
    DOCUMENTS,
    HEADER,
    SECRET,
    TEXT,
    WITH_HEADER,
    Sheet,
    every_kind,
)

from pipelines.contracts.columns import Kind

WHOLE = Outcome(COUNT)
LONG = 10_000_000
MANY = 100_000
MOST_COLUMNS_OF_A_SHEET = 16_384


@dataclass(frozen=True)
class Defect:
    """A change of the table, or of the bytes that it became, and the outcome in each kind of file that can have it.

    `is_large` marks what takes long to write: it is tried once, not in every packing.
    """

    outcomes: Mapping[Kind, Outcome]
    table: Callable[[Sheet], Sheet] = lambda sheet: sheet
    content: Callable[[bytes], bytes] = lambda content: content
    is_large: bool = False


def everywhere(outcome: Outcome, **others: Outcome) -> dict[Kind, Outcome]:
    """The same outcome in every kind, but for those that are named."""
    return {kind: others.get(kind, outcome) for kind in every_kind()}


def among(kinds: tuple[Kind, ...], outcome: Outcome, **others: Outcome) -> dict[Kind, Outcome]:
    """The same outcome in some kinds, but for those that are named."""
    return {kind: others.get(kind, outcome) for kind in kinds}


def lost(reason: str, warnings: frozenset[str] = frozenset()) -> Outcome:
    """One row is set aside, and all others are taken."""
    return Outcome(COUNT - 1, set_aside=(reason,), warnings=warnings)


def _cells(**values: str) -> Callable[[Sheet], Sheet]:
    """Put values into the fourth row."""

    def change(sheet: Sheet) -> Sheet:
        for column, value in values.items():
            sheet = sheet.with_cell(3, column, value)
        return sheet

    return change


def _in_cell(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old, new, 1)


def _one_too_many(sheet: Sheet) -> Sheet:
    return sheet.with_row(3, *sheet.rows[3], f"{SECRET}more")


def _of_a_workbook(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Put bytes into the parts of a workbook, which no program that writes workbooks would."""

    def change(content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            parts = {name: book.read(name).replace(old, new) for name in book.namelist()}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed:
            for name, part in parts.items():
                changed.writestr(name, part)
        return out.getvalue()

    return change


def _declaring(entities: str) -> Callable[[bytes], bytes]:
    """Put a document type in front of the document, and use what it declares."""

    def change(content: bytes) -> bytes:
        declaration, _, rest = content.partition(b"\n")
        return declaration + f"<!DOCTYPE extract [{entities}]>".encode() + rest.replace(CELL, b"&a;")

    return change


def _many_columns(count: int) -> Callable[[Sheet], Sheet]:
    def change(sheet: Sheet) -> Sheet:
        more = tuple(f"c{number}" for number in range(count - len(HEADER)))
        return Sheet((*sheet.header, *more), tuple((*row, *["v"] * len(more)) for row in sheet.rows[:3]))

    return change


CELL = f"{SECRET}1r5".encode()  # the surname in the sixth row
TOO_LONG = lost("OVERSIZED_FIELD")
SET_ASIDE = Outcome(COUNT, set_aside=("RAGGED_ROW",))

DEFECTS: dict[str, Defect] = {
    "nothing wrong": Defect(everywhere(WHOLE)),
    # Values: they are text, and what they mean is found out when they are normalised.
    "NULL, N/A and - for nothing": Defect(
        everywhere(WHOLE), _cells(surname="NULL", nhs_number="N/A", postcode="-")
    ),
    "formulas in cells": Defect(
        everywhere(WHOLE), _cells(surname='=HYPERLINK("http://x","y")', postcode="@SUM(A1)", born="+1-1")
    ),
    "a number in scientific notation": Defect(everywhere(WHOLE), _cells(nhs_number="9.43E+09")),
    "a number that lost its leading zeros": Defect(everywhere(WHOLE), _cells(nhs_number="12345")),
    "a field of ten million signs": Defect(among(TEXT, TOO_LONG), _cells(surname="x" * LONG), is_large=True),
    "a cell of ten million signs": Defect(
        {"xlsx": TOO_LONG}, content=_of_a_workbook(CELL, b"x" * LONG), is_large=True
    ),
    # Rows.
    "blank rows": Defect(
        everywhere(Outcome(COUNT, blank_rows=2)),
        lambda sheet: sheet.with_row(5, *[""] * len(HEADER)).with_row(2, *[""] * len(HEADER)),
    ),
    "no row at all": Defect(
        everywhere(Outcome(0), json_lines=rejected("WRONG_FILE"), xml=rejected("WRONG_FILE")),
        lambda sheet: Sheet(sheet.header, ()),
    ),
    "a row with a field too many": Defect(
        among(("delimited", "fixed_width", "xlsx"), SET_ASIDE),
        _one_too_many,
    ),
    "a row with a field too few": Defect(
        among(("delimited",), SET_ASIDE), lambda sheet: sheet.with_row(3, *sheet.rows[3][:-1])
    ),
    "a row that lacks what is required": Defect(
        among(("fixed_width",), SET_ASIDE), lambda sheet: sheet.with_row(3, "  x")
    ),
    "a total below the rows": Defect(
        among(WITH_HEADER, Outcome(COUNT, set_aside=("TOTAL_ROW",))),
        lambda sheet: sheet.with_row(COUNT, "Total", "", "", "", str(COUNT)),
    ),
    # Headers.
    "no header": Defect(
        among(WITH_HEADER, rejected("NO_HEADER")), lambda sheet: Sheet(sheet.rows[0], sheet.rows[1:])
    ),
    "a header that lacks a column": Defect(
        among(WITH_HEADER, rejected("MISSING_COLUMN")), lambda sheet: sheet.with_columns([0, 1, 2, 3])
    ),
    "a header with a column twice": Defect(
        among(WITH_HEADER, rejected("DOUBLED_COLUMN")), lambda sheet: sheet.with_columns([0, 1, 2, 3, 4, 1])
    ),
    "a header with a column renamed": Defect(
        among(WITH_HEADER, rejected("MISSING_COLUMN")), lambda sheet: sheet.named(surname="sur_name")
    ),
    "a header in another order": Defect(
        among(WITH_HEADER, Outcome(COUNT, warnings=frozenset({"REORDERED_COLUMNS"}))),
        lambda sheet: sheet.with_columns([4, 3, 2, 1, 0]),
    ),
    "a header with a column more": Defect(
        among(WITH_HEADER, Outcome(COUNT, warnings=frozenset({"UNEXPECTED_COLUMN"}))),
        lambda sheet: Sheet((*sheet.header, "colour"), tuple((*row, SECRET) for row in sheet.rows)),
    ),
    "the header again amid the rows": Defect(
        among(WITH_HEADER, Outcome(COUNT, set_aside=("REPEATED_HEADER",))),
        lambda sheet: sheet.with_row(6, *sheet.header),
    ),
    "another agency's header": Defect(
        among(WITH_HEADER, rejected("NO_HEADER")),
        lambda sheet: sheet.named(id="a", surname="b", nhs_number="c", born="d", postcode="e"),
    ),
    "a hundred thousand columns": Defect(
        among(("delimited",), Outcome(3, warnings=frozenset({"UNEXPECTED_COLUMN"}))),
        _many_columns(MANY),
        is_large=True,
    ),
    "as many columns as a sheet can have": Defect(
        among(("xlsx",), Outcome(3, warnings=frozenset({"UNEXPECTED_COLUMN"}))),
        _many_columns(MOST_COLUMNS_OF_A_SHEET),
        is_large=True,
    ),
    # Bytes.
    "cut in the last row": Defect(everywhere(rejected("TRUNCATED")), content=lambda text: text[:-25]),
    "no content": Defect(
        {"delimited": rejected("EMPTY_FILE"), "fixed_width": Outcome(0), "xlsx": rejected("WRONG_KIND")},
        content=lambda _: b"",
    ),
    "a NUL byte": Defect(among(TEXT, rejected("NUL_BYTES")), content=_in_cell(CELL, b"a\0b")),
    "a row in another encoding": Defect(
        among(TEXT, rejected("BAD_BYTES")), content=_in_cell(CELL, "Zoë".encode("cp1252"))
    ),
    "UTF-16 where UTF-8 is agreed": Defect(
        {"delimited": rejected("BAD_BYTES", "NUL_BYTES", "NO_HEADER", "TRUNCATED")},
        content=lambda text: text.decode().encode("utf-16"),
    ),
    "a quote that is never closed": Defect(
        among(("delimited",), rejected("TRUNCATED")), content=lambda text: text[:-60] + b',"open\n'
    ),
}


def _bomb(content: bytes) -> bytes:
    return content + (b"a" * 999 + b"\n") * 30_000


DEFECTS |= {
    "an element that nobody knows": Defect(
        among(DOCUMENTS, Outcome(COUNT, warnings=frozenset({"UNEXPECTED_ELEMENT"}))),
        lambda sheet: Sheet((*sheet.header, "colour"), tuple((*row, SECRET) for row in sheet.rows)),
    ),
    "an element renamed": Defect(
        among(DOCUMENTS, Outcome(COUNT, warnings=frozenset({"UNEXPECTED_ELEMENT"}))),
        lambda sheet: sheet.named(surname="sur_name"),
    ),
    "elements in another order": Defect(
        among(DOCUMENTS, WHOLE), lambda sheet: sheet.with_columns([4, 3, 2, 1, 0])
    ),
    "a document cut short": Defect(
        {
            "json": rejected("TRUNCATED"),
            "xml": rejected("TRUNCATED"),
            "json_lines": rejected("TRUNCATED"),
        },
        content=lambda text: text[:-25],
    ),
    "an empty document": Defect(
        among(DOCUMENTS, rejected("EMPTY_FILE"), json_lines=rejected("WRONG_FILE")), content=lambda _: b""
    ),
    "a NUL byte in a document": Defect(
        # A bad line costs no other line; and NUL is no sign of XML, whatever its encoding.
        {"json": rejected("NUL_BYTES"), "json_lines": lost("NUL_BYTES"), "xml": rejected("BAD_BYTES")},
        content=_in_cell(CELL, b"a\0b"),
    ),
    "a document in two encodings": Defect(
        among(DOCUMENTS, rejected("BAD_BYTES"), json_lines=lost("BAD_BYTES")),
        content=_in_cell(CELL, "Zoë".encode("cp1252")),
    ),
    # Where the elements are and hold nothing that is known, no row is left: the contract's least number refuses it.
    "another agency's document": Defect(
        among(
            DOCUMENTS,
            Outcome(0, warnings=frozenset({"UNEXPECTED_ELEMENT"}), blank_rows=COUNT),
            json_lines=rejected("WRONG_FILE"),
        ),
        lambda sheet: sheet.named(id="a", surname="b", nhs_number="c", born="d", postcode="e"),
    ),
    "a value of ten million signs": Defect(
        among(DOCUMENTS, TOO_LONG, json=rejected("OVERSIZED_FIELD")),
        _cells(surname="x" * LONG),
        is_large=True,
    ),
    "a hundred thousand elements in each other": Defect(
        {
            "json": rejected("TOO_DEEP"),
            "json_lines": lost("TOO_DEEP", warnings=frozenset({"UNEXPECTED_ELEMENT"})),
        },
        content=_in_cell(b'"' + CELL + b'"', b'{"a":' * MANY + b"1" + b"}" * MANY),
        is_large=True,
    ),
    "entities in entities": Defect(
        {"xml": rejected("XML_ENTITIES")},
        content=_declaring(
            '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">'
        ),
    ),
    "an entity from elsewhere": Defect(
        {"xml": rejected("XML_ENTITIES")}, content=_declaring('<!ENTITY a SYSTEM "file:///etc/hostname">')
    ),
}

# Packed files: each of these is refused before a row is read.
REFUSED_PACKINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a zip of two files": (lambda content: in_zip(content, other=content), "ZIP_MEMBERS"),
    "a zip in a zip": (lambda content: in_zip(in_zip(content)), "NESTED_ARCHIVE"),
    "a zip cut short": (lambda content: in_zip(content)[:-30], "TRUNCATED"),
    "a gzip cut short": (lambda content: gzip.compress(content)[:-9], "TRUNCATED"),
    "a gzip that is damaged": (lambda content: gzip.compress(content)[:-8] + bytes(8), "DAMAGED_ARCHIVE"),
    "a gzip in a gzip": (lambda content: gzip.compress(gzip.compress(content)), "NESTED_ARCHIVE"),
    "a gzip that is a bomb": (lambda content: gzip.compress(_bomb(content)), "ZIP_BOMB"),
    "a zip that is a bomb": (lambda content: in_zip(_bomb(content)), "ZIP_BOMB"),
}
