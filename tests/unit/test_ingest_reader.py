"""The reader of delimited text: what is written is read back, and every row is accounted for."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.columns import Column, FileFormat
from pipelines.ingest.readers import open_reader
from pipelines.ingest.readers.base import Findings, SetAsideRow

HEADER = ["first", "second", "third"]


def contract_file(encoding: str = "utf-8", delimiter: str = ",", nulls: tuple[str, ...] = ()) -> AgencyFile:
    return AgencyFile(
        title="A file",
        pattern=r"file_(?P<period>\d{6})\.csv",
        period_format="%Y%m",
        mode="snapshot",
        format=FileFormat(encoding=encoding, delimiter=delimiter, null_literals=nulls),
        columns={name: Column() for name in HEADER},
    )


def read(
    content: str | bytes, file: AgencyFile | None = None
) -> tuple[list[tuple], list[SetAsideRow], Findings]:
    """Return the rows (number first), the rows set aside and the findings."""
    file = file or contract_file()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(file.format.encoding))
        reader = open_reader(path, "file", file)
        batches = list(reader.batches())
    rows = [tuple(row.values()) for batch in batches for row in batch.rows.to_pylist()]
    return rows, [row for batch in batches for row in batch.set_aside], reader.findings


def lines(*rows: str) -> str:
    return "\n".join([",".join(HEADER), *rows]) + "\n"


def written(rows: Sequence[Sequence[str]], delimiter: str, line_end: str) -> str:
    out = io.StringIO()
    # With "\n" as line end some versions of the writer leave a lone "\r" unquoted.
    quoting = csv.QUOTE_ALL if line_end == "\n" else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([HEADER, *rows])
    return out.getvalue()


signs = st.characters(codec="utf-8", exclude_characters="\0")
cells = st.text(signs, max_size=12)
tables = st.lists(st.lists(cells, min_size=3, max_size=3), max_size=8)


@settings(max_examples=150, deadline=None)
@given(tables, st.sampled_from(",;|\t"), st.sampled_from(["\n", "\r\n"]))
def test_any_table_of_text_is_read_back_as_it_was_written(
    rows: list[list[str]], delimiter: str, line_end: str
) -> None:
    found, set_aside, findings = read(written(rows, delimiter, line_end), contract_file(delimiter=delimiter))
    expected = [tuple(row) for row in rows if any(row) and row != HEADER]
    assert [row[1:] for row in found] == expected
    assert [row.reason for row in set_aside] == ["REPEATED_HEADER"] * rows.count(HEADER)
    assert findings.problems == []


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(['"', ",", "\n", "\r", "a", "é"]), max_size=60))
def test_the_rows_of_any_text_balance_and_every_sign_is_kept_somewhere(body: str) -> None:
    found, set_aside, findings = read(lines() + body)
    if findings.problems:
        assert {problem.rule for problem in findings.problems} == {"TRUNCATED"}
        return
    assert findings.rows == len(found) + len(set_aside)
    numbers = sorted([row[0] for row in found] + [row.row_number for row in set_aside])
    assert numbers == list(range(1, findings.rows + 1))
    kept = "".join("".join(row[1:]) for row in found) + "".join(row.raw for row in set_aside)
    assert kept.count("a") == body.count("a")
    assert kept.count("é") == body.count("é")


def test_a_stray_quote_costs_its_own_row_and_no_other() -> None:
    good = [f"a{number},b,c" for number in range(6)]
    found, set_aside, findings = read(lines(*good[:2], '"open,b,c', *good[2:]))
    assert [row[1] for row in found] == [f"a{number}" for number in range(6)]
    assert [(row.row_number, row.reason, row.raw) for row in set_aside] == [
        (3, "MALFORMED_QUOTE", '"open,b,c')
    ]
    assert findings.problems == []


def test_a_stray_quote_before_quoted_rows_costs_its_own_row_and_no_other() -> None:
    found, set_aside, _ = read(lines("a,b,c", '"open,b,c', 'd,"e, f",g', "h,i,j"))
    assert [row[1:] for row in found] == [("a", "b", "c"), ("d", "e, f", "g"), ("h", "i", "j")]
    assert [row.reason for row in set_aside] == ["MALFORMED_QUOTE"]


def test_a_line_break_inside_quotes_is_part_of_the_value() -> None:
    found, set_aside, _ = read(lines('a,"12 High Street\nFlat 3",c', "d,e,f"))
    assert found == [(1, "a", "12 High Street\nFlat 3", "c"), (2, "d", "e", "f")]
    assert set_aside == []


def test_rows_without_any_value_are_not_rows() -> None:
    found, _, findings = read(lines("a,b,c", "", ",,", "d,e,f"))
    assert [row[0] for row in found] == [1, 2]
    assert (findings.rows, findings.blank_rows) == (2, 2)


def test_a_total_row_at_the_end_is_set_aside() -> None:
    found, set_aside, findings = read(lines("a,b,c", "Total,1"))
    assert len(found) == 1
    assert [(row.row_number, row.reason) for row in set_aside] == [(2, "RAGGED_ROW")]
    assert findings.problems == []


@pytest.mark.parametrize("size", [140_000, 3_000_000], ids=["a long field", "a line longer than any row"])
def test_a_row_of_monstrous_size_is_set_aside(size: int) -> None:
    found, set_aside, findings = read(lines("a,b,c", "x" * size + ",b,c", "d,e,f"))
    assert [row[0] for row in found] == [1, 3]
    assert [(row.row_number, row.reason) for row in set_aside] == [(2, "OVERSIZED_FIELD")]
    assert len(set_aside[0].raw) <= 1 << 20
    assert findings.problems == []


def test_a_monstrous_value_inside_quotes_is_set_aside() -> None:
    found, set_aside, _ = read(lines("a,b,c", '"' + "x" * 200_000 + '",b,c', "d,e,f"))
    assert [row[1] for row in found] == ["a", "d"]
    assert [row.reason for row in set_aside] == ["OVERSIZED_FIELD"]


def test_null_literals_become_null_and_other_text_stays_as_it_is() -> None:
    found, _, _ = read(lines("NULL,-, - ", "x,N/A,"), contract_file(nulls=("", "NULL", "N/A", "-")))
    assert found == [(1, None, None, " - "), (2, "x", None, None)]


def test_ignored_columns_are_not_read_out() -> None:
    file = contract_file()
    file = file.model_copy(update={"columns": {**file.columns, "second": Column(ignored="not needed")}})
    found, _, _ = read(lines("a,b,c"), file)
    assert found == [(1, "a", "c")]


def test_the_first_undecodable_byte_is_found_in_its_row() -> None:
    content = lines("a,b,c", "d,e,f").encode() + b"g,\xe9,i\n" + b"j,\xe9,k\n"
    found, _, findings = read(content)
    assert found == []
    assert [(problem.rule, problem.row) for problem in findings.problems] == [("BAD_BYTES", 3)]


def test_windows_1252_is_read_where_it_is_agreed() -> None:
    found, _, findings = read(
        "first,second,third\nZoë,O’Neill,£\n".encode("cp1252"), contract_file("windows-1252")
    )
    assert found == [(1, "Zoë", "O’Neill", "£")]
    assert findings.problems == []


def test_utf_16_is_read_where_it_is_agreed() -> None:
    found, _, _ = read(lines("Zoë,b,c").encode("utf-16"), contract_file("utf-16"))
    assert found == [(1, "Zoë", "b", "c")]


@pytest.mark.parametrize(
    ("end", "is_truncated"),
    [
        ("g,h", True),
        ('g,"h', True),
        ('g,"h\n', True),
        ('g,"h\ni', True),
        ("g,h,i", False),
        ("g,h\n", False),
        ("g,h,i,j", False),
        ('g,"h\nj,k,l\n', False),
    ],
)
def test_a_file_that_breaks_off_is_noticed(end: str, is_truncated: bool) -> None:
    _, _, findings = read(lines("a,b,c", "d,e,f") + end)
    assert [problem.rule for problem in findings.problems] == (["TRUNCATED"] if is_truncated else [])


def test_columns_are_found_by_name_in_any_order() -> None:
    found, _, findings = read("third,first,second\nc,a,b\n")
    assert found == [(1, "a", "b", "c")]
    assert [warning.rule for warning in findings.warnings] == ["REORDERED_COLUMNS"]


def test_a_value_that_slipped_into_the_header_is_not_repeated() -> None:
    _, _, findings = read("first,second,third,9434765919,jo@example.org\na,b,c,d,e\n")
    assert [warning.column for warning in findings.warnings] == ["number 4", "number 5"]


def test_a_first_row_of_data_is_not_repeated() -> None:
    _, _, findings = read("Zoe,Smith,2001\n")
    assert [problem.rule for problem in findings.problems] == ["NO_HEADER"]
    assert "Smith" not in str(findings.problems[0])


def test_unnamed_columns_at_the_end_are_told_by_their_place() -> None:
    found, _, findings = read("first,second,third,,\na,b,c,,\n")
    assert found == [(1, "a", "b", "c")]
    assert [(warning.rule, warning.column) for warning in findings.warnings] == [
        ("UNEXPECTED_COLUMN", "number 4"),
        ("UNEXPECTED_COLUMN", "number 5"),
    ]


def test_a_renamed_column_is_told_with_its_near_name() -> None:
    _, _, findings = read("first,secnd,third\na,b,c\n")
    assert "is 'secnd' what it is called now?" in str(findings.problems[0])
