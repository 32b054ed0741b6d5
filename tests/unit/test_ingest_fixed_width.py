"""Lines of fixed width: columns by place, blanks that were cut off, first and last lines that are no rows."""

from __future__ import annotations

import pytest
from support.formats import file_of, read_bytes, rules

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.columns import Column

COLUMNS = {"id": Column(at=(1, 3), required=True), "name": Column(at=(4, 5)), "town": Column(at=(11, 4))}


def fixed(**form: object) -> AgencyFile:
    return file_of("fixed_width", COLUMNS, **form)


def test_columns_are_where_their_signs_stand() -> None:
    rows, _, findings = read_bytes(b"001Smith  Leds\n  2 Zoe   York\n", fixed())
    assert rows == [("001", "Smith", "Leds"), ("2", "Zoe", "York")]
    assert findings.warnings == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "windows-1252"])
def test_signs_are_counted_after_decoding(encoding: str) -> None:
    rows, _, _ = read_bytes("001Zoë’s  Leds\n".encode(encoding), fixed(encoding=encoding))
    assert rows == [("001", "Zoë’s", "Leds")]


def test_blanks_cut_off_the_end_of_a_line_are_no_loss() -> None:
    rows, set_aside, _ = read_bytes(b"001Smith  Leds\n002Lee\n003\n", fixed())
    assert rows == [("001", "Smith", "Leds"), ("002", "Lee", ""), ("003", "", "")]
    assert set_aside == []


@pytest.mark.parametrize(
    "line", ["002 ", "002Lee  ", "001Smith  Leds and more"], ids=["blank", "blanks", "longer"]
)
def test_a_line_of_another_length_is_set_aside(line: str) -> None:
    rows, set_aside, findings = read_bytes(f"001Smith  Leds\n{line}\n".encode(), fixed())
    assert [(row.row_number, row.reason, row.raw) for row in set_aside] == [(2, "RAGGED_ROW", line)]
    assert (len(rows), findings.rows, findings.problems) == (1, 2, [])


def test_a_line_that_ends_before_a_required_column_is_set_aside() -> None:
    columns = {**COLUMNS, "town": Column(at=(11, 4), required=True)}
    _, set_aside, _ = read_bytes(b"001Smith  Leds\n002Lee\n", file_of("fixed_width", columns))
    assert [row.reason for row in set_aside] == ["RAGGED_ROW"]


def test_blank_lines_are_no_rows_and_blanks_behind_the_columns_no_flaw() -> None:
    rows, set_aside, findings = read_bytes(b"001Smith  Leds    \n\n         \n", fixed())
    assert (len(rows), set_aside, findings.blank_rows) == (1, [], 2)


def test_signs_between_the_columns_are_told_once() -> None:
    _, _, findings = read_bytes(b"001Smith  Leds\n001Smithx Leds\n001Smithx Leds\n", fixed())
    assert [(warning.rule, warning.row) for warning in findings.warnings] == [("UNEXPECTED_COLUMN", 2)]


def test_a_last_row_that_breaks_off_is_noticed() -> None:
    assert rules(read_bytes(b"001Smith  Leds\n002Smi", fixed())[2]) == ["TRUNCATED"]
    assert rules(read_bytes(b"001Smith  Leds\n002Smi\n", fixed())[2]) == []
    assert rules(read_bytes(b"001Smith\n002Smi", fixed())[2]) == []  # blanks are cut off here


FRAMED = {"first_line": r"H\d{6}", "last_line": r"T(?P<rows>\d{5})"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("H202609\n001Smith  Leds\nT00001\n", []),
        ("H202609\nT00000\n", []),
        ("H202609\n001Smith  Leds\nT00002\n", ["ROW_COUNT"]),
        ("H202609\n001Smith  Leds\n", ["TRUNCATED"]),
        ("H202609\n", ["TRUNCATED"]),
        ("001Smith  Leds\nT00001\n", ["NO_HEADER", "ROW_COUNT"]),
        ("", ["EMPTY_FILE", "TRUNCATED"]),
    ],
)
def test_first_and_last_lines_frame_the_rows(content: str, expected: list[str]) -> None:
    rows, _, findings = read_bytes(content.encode(), fixed(**FRAMED))
    assert rules(findings) == expected
    if not expected:
        assert len(rows) == findings.rows == content.count("Smith")


def test_a_column_that_a_layout_does_not_have_is_null() -> None:
    columns = {**COLUMNS, "town": Column(absent=True)}
    assert read_bytes(b"001Smith\n", file_of("fixed_width", columns))[0] == [("001", "Smith", None)]


@pytest.mark.parametrize("size", [10_000_000, 2 << 20])
def test_a_line_of_monstrous_size_is_set_aside(size: int) -> None:
    content = b"001Smith  Leds\n" + b"x" * size + b"\n003Smith  Leds\n"
    rows, set_aside, findings = read_bytes(content, fixed())
    assert [row[0] for row in rows] == ["001", "003"]
    assert [(row.row_number, row.reason) for row in set_aside] == [(2, "OVERSIZED_FIELD")]
    assert (len(set_aside[0].raw) <= 1 << 20, findings.problems) == (True, [])


def test_a_nul_byte_is_told_with_its_row() -> None:
    (problem,) = read_bytes(b"001Smith  Leds\n002\0\n", fixed())[2].problems
    assert (problem.rule, problem.row) == ("NUL_BYTES", 2)
