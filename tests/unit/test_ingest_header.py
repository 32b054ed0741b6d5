"""Headers against a contract that knows columns by patterns, and headers of hostile size."""

from __future__ import annotations

import time

import pytest
from support.formats import delimited, file_of, read_bytes

from pipelines.contracts.columns import Column
from pipelines.ingest.readers.header import match_header

COLUMNS = {"id": Column(header=r"(child )?id"), "born": Column(header=r"date of birth|dob"), "name": Column()}
FILE = file_of("delimited", COLUMNS)


@pytest.mark.parametrize(
    "header", [["id", "born", "name"], ["Child ID", " DOB ", "name"], ["ID", "Date of Birth", "name"]]
)
def test_a_column_is_known_by_its_name_or_its_pattern(header: list[str]) -> None:
    layout = match_header(header, "file", FILE)
    assert (layout.positions, layout.problems, layout.warnings) == ((0, 1, 2), (), ())


def test_rows_are_read_under_a_header_that_a_pattern_knows() -> None:
    content = delimited([("a", "b", "c")], header=("name", "Dob", "CHILD ID"))
    assert read_bytes(content, FILE)[0] == [("c", "b", "a")]


def test_a_pattern_fits_the_whole_header() -> None:
    layout = match_header(["old id", "born", "name"], "file", FILE)
    assert [(problem.rule, problem.column) for problem in layout.problems] == [("MISSING_COLUMN", "id")]
    assert "expected as id or (child )?id" in str(layout.problems[0])


def test_two_headers_for_one_column_are_a_problem() -> None:
    layout = match_header(["id", "born", "dob", "name"], "file", FILE)
    assert [(problem.rule, problem.column) for problem in layout.problems] == [("DOUBLED_COLUMN", "born")]


def test_one_header_for_two_columns_is_a_problem() -> None:
    file = file_of("delimited", {"one": Column(header="x.*"), "two": Column(header=".*y"), "name": Column()})
    layout = match_header(["xy", "name", "other"], "file", file)
    assert [(problem.rule, problem.column) for problem in layout.problems] == [("DOUBLED_COLUMN", "two")]


def test_a_header_that_is_a_columns_own_name_is_no_other_columns() -> None:
    file = file_of("delimited", {"date": Column(header=".*date"), "end date": Column(), "name": Column()})
    layout = match_header(["start date", "end date", "name"], "file", file)
    assert (layout.positions, layout.problems) == ((0, 1, 2), ())


def test_a_header_of_a_hundred_thousand_columns_is_told_in_a_few_warnings() -> None:
    header = ["id", "born", "name", *(f"m{number}" for number in range(100_000))]
    started = time.monotonic()
    rows, _, findings = read_bytes(delimited([["a"] * len(header)], header=header), FILE)
    assert rows == [("a", "a", "a")]
    assert len(findings.warnings) == 51
    assert time.monotonic() - started < 20


def test_a_header_of_ten_million_signs_is_refused() -> None:
    _, _, findings = read_bytes(b"x" * 10_000_000 + b"\n1,2,3\n", FILE)
    assert [problem.rule for problem in findings.problems] == ["NO_HEADER"]
