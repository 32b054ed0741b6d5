"""Sheets of workbooks: which one, where its header is, what its cells mean, and what is refused."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.xml.constants import SHARED_STRINGS
from support.formats import HEADER, file_of, in_zip, read_bytes, rules, saved, workbook

from pipelines.contracts.columns import Column
from pipelines.ingest.readers import sheets

FILE = file_of("xlsx")
legal = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=20)
MIDNIGHT, AFTERNOON = datetime.fromisoformat("2026-09-01"), datetime.fromisoformat("2026-09-01T13:45")
ROWS = [("a", "b", "c"), ("d", "e", "f")]


def changed(content: bytes, change: Callable[[str, bytes], bytes | None], **more: bytes) -> bytes:
    """The workbook with each of its parts changed; None leaves a part out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = change(name, old.read(name))
            if part is not None:
                new.writestr(name, part)
        for name, part in more.items():
            new.writestr(name, part)
    return out.getvalue()


def with_sheet(xml: str) -> bytes:
    """A workbook whose sheet holds this XML as its rows."""
    start = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    header = "".join(inline(name) for name in HEADER)
    sheet = f"{start}<row>{header}</row>{xml}</sheetData></worksheet>".encode()
    return changed(workbook(ROWS), lambda name, part: sheet if name.startswith("xl/worksheets/") else part)


def inline(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def test_cells_become_the_text_that_the_contract_can_parse() -> None:
    values = [
        (1, "1"),
        (7.0, "7"),
        (0.1 + 0.2, "0.3"),
        (9434765919.0, "9434765919"),
        (1.5e18, "1.5e+18"),
        (True, "TRUE"),
        (False, "FALSE"),
        (MIDNIGHT, "2026-09-01"),
        (date(2026, 9, 1), "2026-09-01"),
        (AFTERNOON, "2026-09-01 13:45:00"),
        (time(13, 45), "13:45:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
        ("0012", "0012"),
        (" as typed ", " as typed "),
        ("_x000D_", "\r"),
    ]
    rows, _, _ = read_bytes(workbook([("x", value, "z") for value, _ in values]), FILE)
    assert [row[1] for row in rows] == [text for _, text in values]


def test_a_date_is_written_in_the_format_that_its_column_declares() -> None:
    columns = {
        "first": Column(date=("%d/%m/%Y", "%Y")),
        "second": Column(date="%Y-%m-%d %H:%M:%S"),
        "third": Column(),
    }
    day = AFTERNOON
    rows, _, _ = read_bytes(workbook([(day, day, day)]), file_of("xlsx", columns))
    assert rows == [("01/09/2026", "2026-09-01 13:45:00", "2026-09-01 13:45:00")]


def test_a_title_and_blank_rows_may_stand_above_the_header_and_blank_rows_below() -> None:
    content = workbook([(), HEADER, (), ROWS[0], (None, "", None), ROWS[1], ()], header=("Annex A, list 1",))
    rows, set_aside, findings = read_bytes(content, FILE)
    assert (rows, set_aside, findings.problems) == (ROWS, [], [])
    assert findings.rows == 2


def test_headers_are_known_whatever_their_case_and_by_the_contracts_patterns() -> None:
    columns = {"first": Column(), "second": Column(header=r"(date of )?birth( date)?"), "third": Column()}
    content = workbook(ROWS, header=(" FIRST", "Date of  birth".replace("  ", " ") + " ", "Third "))
    assert read_bytes(content, file_of("xlsx", columns))[0] == ROWS


def test_two_headers_that_fit_one_column_are_a_problem() -> None:
    columns = {"first": Column(header="id|key"), "second": Column(), "third": Column()}
    _, _, findings = read_bytes(
        workbook([], header=("ID", "Key", "second", "third")), file_of("xlsx", columns)
    )
    assert [(problem.rule, problem.column) for problem in findings.problems] == [("DOUBLED_COLUMN", "first")]


def test_total_rows_repeated_headers_and_rows_that_are_too_long_are_set_aside() -> None:
    content = workbook([ROWS[0], HEADER, (*ROWS[1], None, "beyond"), ("Grand total", 2), (None, "Total:", 7)])
    rows, set_aside, findings = read_bytes(content, FILE)
    assert rows == ROWS[:1]
    assert [row.reason for row in set_aside] == ["REPEATED_HEADER", "RAGGED_ROW", "TOTAL_ROW", "TOTAL_ROW"]
    assert (set_aside[1].raw, findings.rows) == ("d,e,f,,beyond", 5)


def test_a_failed_formula_costs_its_row_when_its_column_is_needed_and_not_available_is_no_value() -> None:
    columns = {**FILE.columns, "third": Column(ignored="not needed")}
    content = workbook([("a", "#N/A", "c"), ("b", "#REF!", "c"), ("c", "d", "#VALUE!")])
    rows, set_aside, _ = read_bytes(content, file_of("xlsx", columns, null_literals=("",)))
    assert rows == [("a", None), ("c", "d")]
    assert [(row.row_number, row.reason) for row in set_aside] == [(2, "CELL_ERROR")]


def test_formulas_give_the_values_that_were_stored_with_them() -> None:
    cells = '<c><f>1+1</f><v>2</v></c><c t="str"><f>A1</f><v>text</v></c><c><f>NOW()</f></c>'
    assert read_bytes(with_sheet(f"<row>{cells}</row>"), FILE)[0] == [("2", "text", "")]


def with_shared_texts(texts: list[str], rows: list[list[int]]) -> bytes:
    """A workbook as spreadsheet programs write it: cells hold the numbers of texts that all sheets share."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    items = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in texts)
    shared = f'<sst xmlns="{space}">{items}<si><r><t>two </t></r><r><t>parts</t></r></si></sst>'.encode()
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SHARED_STRINGS}"/></Types>'.encode()
    cells = ("".join(f'<c t="s"><v>{number}</v></c>' for number in row) for row in rows)
    content = with_sheet("".join(f"<row>{row}</row>" for row in cells))
    return changed(
        content,
        lambda name, old: old.replace(b"</Types>", part) if name == "[Content_Types].xml" else old,
        **{"xl/sharedStrings.xml": shared},
    )


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(legal.filter(lambda text: not text.startswith("#") and "_x" not in text), min_size=1))
def test_texts_that_sheets_share_are_found_by_their_number(texts: list[str]) -> None:
    rows = [[number, len(texts), number] for number in range(len(texts))]
    found, set_aside, _ = read_bytes(with_shared_texts(texts, rows), FILE)
    expected = [(text, "two parts", text) for text in texts]
    totals = [row for row in expected if row[0].strip().strip(":").casefold().endswith("total")]
    assert (found, len(set_aside)) == ([row for row in expected if row not in totals], len(totals))


def test_of_merged_cells_the_first_holds_the_value() -> None:
    book = Workbook()
    for row in (HEADER, ("a", "b", "c")):
        book.active.append(row)
    book.active.merge_cells("A2:B2")
    assert read_bytes(saved(book), FILE)[0] == [("a", "", "c")]


def book_of(*titles: str, hidden: tuple[str, ...] = ()) -> bytes:
    """A workbook whose sheets hold their own names."""
    book = Workbook()
    book.remove(book.active)
    for title in titles:
        sheet = book.create_sheet(title)
        sheet.append(HEADER)
        sheet.append([title] * 3)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
    return saved(book)


@pytest.mark.parametrize(
    ("pattern", "hidden", "expected"),
    [
        ("list 2", (), "List 2"),
        (r"list \d", ("List 1",), "List 2"),
        (None, ("List 1", "Notes"), "List 2"),
        (r"list \d", (), "TWO_SHEETS"),
        (None, (), "TWO_SHEETS"),
        ("list 3", (), "MISSING_SHEET"),
        ("list 2", ("List 2",), "MISSING_SHEET"),
    ],
)
def test_exactly_one_visible_sheet_is_read(
    pattern: str | None, hidden: tuple[str, ...], expected: str
) -> None:
    content = book_of("List 1", "List 2", "Notes", hidden=hidden)
    rows, _, findings = read_bytes(content, file_of("xlsx", sheet=pattern))
    assert [row[0] for row in rows] + rules(findings) == [expected]


def test_a_sheet_without_the_header_is_refused_and_its_rows_are_not_repeated() -> None:
    _, _, findings = read_bytes(workbook(ROWS, header=("Smith", "Zoe", "Leeds")), FILE)
    assert rules(findings) == ["NO_HEADER"]
    assert "Smith" not in str(findings.problems[0])


def test_macros_are_told_and_never_run() -> None:
    content = changed(workbook(ROWS), lambda _, part: part, **{"xl/vbaProject.bin": b"macros"})
    rows, _, findings = read_bytes(content, FILE)
    assert (rows, [warning.rule for warning in findings.warnings]) == (ROWS, ["MACROS"])


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000)
DOCTYPE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


def with_entities(part: str) -> bytes:
    def change(name: str, content: bytes) -> bytes:
        return content.replace(b"<", DOCTYPE + b"<", 1) if name == part else content

    return changed(workbook(ROWS), change)


REFUSED: dict[str, tuple[bytes, str]] = {
    "text": (b"first,second,third\n", "WRONG_KIND"),
    "nothing": (b"", "WRONG_KIND"),
    "a zip of something else": (in_zip(b"first,second,third\n"), "WRONG_KIND"),
    "an old workbook": (OLE, "WRONG_KIND"),
    "a workbook with a password": (OLE + "EncryptedPackage".encode("utf-16-le"), "ENCRYPTED"),
    "entities in a sheet": (with_entities("xl/worksheets/sheet1.xml"), "XML_ENTITIES"),
    "entities in the styles": (with_entities("xl/styles.xml"), "XML_ENTITIES"),
    "a part that is missing": (
        changed(workbook(ROWS), lambda name, part: None if name == "xl/workbook.xml" else part),
        "DAMAGED_WORKBOOK",
    ),
    "a sheet that breaks off": (
        changed(workbook(ROWS), lambda name, part: part[:-30] if "worksheets" in name else part),
        "DAMAGED_WORKBOOK",
    ),
    "a cell that is nowhere": (with_sheet('<row><c r="ZZZZZ1"><v>1</v></c></row>'), "DAMAGED_WORKBOOK"),
    "a number of ten thousand digits": (
        with_sheet(f"<row><c><v>{'9' * 10_000}</v></c></row>"),
        "DAMAGED_WORKBOOK",
    ),
    "a text that is not in the list": (with_sheet('<row><c t="s"><v>99</v></c></row>'), "DAMAGED_WORKBOOK"),
    "styles that fill the memory": (
        changed(workbook(ROWS), lambda name, part: part + b" " * (5 << 20) if "styles" in name else part),
        "ZIP_BOMB",
    ),
    "blanks without end": (
        changed(
            workbook(ROWS), lambda name, part: part + b" " * (40 << 20) if "worksheets" in name else part
        ),
        "ZIP_BOMB",
    ),
}


@pytest.mark.parametrize(("content", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(content: bytes, rule: str) -> None:
    rows, _, findings = read_bytes(content, FILE)
    assert (rules(findings), rows, findings.broke_off) == ([rule], [], True)


def test_a_row_that_is_larger_than_any_row_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "LARGEST_ROW", 100_000)
    small = "".join(f"<row>{inline('a') * 3}</row>" for _ in range(5_000))
    assert rules(read_bytes(with_sheet(small), FILE)[2]) == []
    large = f"<row>{''.join(inline(str(place)) for place in range(9_000))}</row>"
    assert rules(read_bytes(with_sheet(large), FILE)[2]) == ["ZIP_BOMB"]


def test_row_numbers_of_a_sheet_make_no_rows_up_and_lose_none() -> None:
    row = "".join(map(inline, ROWS[0]))
    xml = "".join(f'<row r="{number}">{row}</row>' for number in (1, 1, 999_999_999_999, 2))
    assert read_bytes(with_sheet(xml), FILE)[0] == [ROWS[0]] * 4


def test_a_sheet_has_no_more_rows_than_a_sheet_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    assert rules(read_bytes(workbook(ROWS), FILE)[2]) == []
    assert rules(read_bytes(workbook(ROWS * 2), FILE)[2]) == ["TOO_MANY_ROWS"]


def test_a_monstrous_text_is_set_aside() -> None:
    xml = f"<row>{inline('x' * 10_000_000)}</row><row>{''.join(map(inline, ROWS[0]))}</row>"
    rows, set_aside, _ = read_bytes(with_sheet(xml), FILE)
    assert (rows, [row.reason for row in set_aside]) == (ROWS[:1], ["OVERSIZED_FIELD"])
    assert len(set_aside[0].raw) <= 1 << 20


def test_a_very_wide_sheet_is_read_and_its_other_columns_counted() -> None:
    header = (*HEADER, *(f"more {number}" for number in range(16_000)))
    rows, _, findings = read_bytes(workbook(ROWS, header=header), FILE)
    assert rows == ROWS
    assert len(findings.warnings) == 51
    assert "15950 more" in str(findings.warnings[-1])


def test_a_date_that_is_none_warns_nobody_in_words_that_hold_it() -> None:
    content = workbook([(date(2026, 9, 1), "b", "c")])
    broken = changed(content, lambda name, part: part.replace(b"<v>46266</v>", b"<v>99999999</v>"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, set_aside, _ = read_bytes(broken, FILE)
    assert [row.reason for row in set_aside] == ["CELL_ERROR"]
