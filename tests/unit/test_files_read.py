"""Reading files for linking: every kind of CSV and Parquet as the same text, and what is wrong told by place."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ContractError, FilesRejected
from pipelines.files.assemble import record_ids
from pipelines.files.csv_text import sniff_delimiter
from pipelines.files.mapping import SourceMapping
from pipelines.files.read import RawSource, Wanted, read_source

SURNAME = "Featherstonehaugh"
PLAIN = SourceMapping.model_validate({"record_id": "id", "fields": {"forename": "first", "surname": "last"}})


def read(path: Path, mapping: SourceMapping = PLAIN) -> RawSource:
    return read_source(Wanted("census", path, mapping, Path("mapping.yaml")))


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "census.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiters_byte_order_mark_and_quoted_newlines(
    delimiter: str, mark: bytes, ending: str, tmp_path: Path
) -> None:
    rows = [["id", "first", "other", "last"], ["1", "Zoë", "x", "Two\nLines"], ["2", "", "a;b,c|d", 'Q"uote']]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ending).writerows(rows)
    raw = read(written(tmp_path, mark + text.getvalue().encode()))
    assert raw.rows == 2
    assert raw.columns["first"].to_pylist() == ["Zoë", None]
    assert raw.columns["last"].to_pylist() == ["Two\nLines", 'Q"uote']
    assert set(raw.columns) == {"id", "first", "last"}


def test_a_delimiter_inside_quotes_is_no_delimiter() -> None:
    assert sniff_delimiter('name;note\n"a";"x,y,z"\n"b";"x,y,z"\n') == ";"


def test_parquet_gives_the_same_text_as_csv(tmp_path: Path) -> None:
    mapping = SourceMapping.model_validate(
        {"record_id": "id", "fields": {"surname": "last", "date_of_birth": "born", "identifier.n": "number"}}
    )
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "last": pa.array(["A", ""]).dictionary_encode(),
            "born": pa.array([date(1980, 2, 3), None]),
            "number": pa.array([9434765870.0, None]),
        }
    )
    path = tmp_path / "census.parquet"
    pyarrow.parquet.write_table(table, path)
    raw = read(path, mapping)
    assert {name: column.to_pylist() for name, column in raw.columns.items()} == {
        "id": ["1", "2"],
        "last": ["A", None],
        "born": ["1980-02-03", None],
        "number": ["9434765870", None],
    }
    assert raw.iso_dates == {"born"}


def test_a_missing_column_is_told_with_the_nearest_and_the_key(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refused:
        read(written(tmp_path, "id,first,last_name\n1,a,b\n"))
    said = str(refused.value)
    assert "mapping.yaml: sources.census.fields.surname" in said
    assert "census.csv has no column last among its 3; did you mean last_name?" in said


def test_a_file_without_a_header_shows_nobody_s_row(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refused:
        read(written(tmp_path, f"17,{SURNAME},last\n18,b,c\n"))
    assert SURNAME not in str(refused.value)
    assert "does not look like a header" in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "expected a header and rows"),
        ("id,first,last\n", "no row"),
        (f"id,first,last\n1,a,b\n2,{SURNAME}\n3,a,b,c\n", "row 2: 2 cells, but the header has 3"),
        (b"id,first,last\n1,a,b\n2,\xff\xfe,c\n", "row 2: not in UTF-8"),
        ("id,first,last\n1,a,b\n".encode("utf-16"), "UTF-16"),
        ("id,first,last,last\n1,a,b,c\n", "2 columns of census.csv are called last"),
    ],
)
def test_what_cannot_be_read_is_told_by_row_and_never_by_value(
    content: str | bytes, told: str, tmp_path: Path
) -> None:
    with pytest.raises((FilesRejected, ContractError)) as refused:
        read(written(tmp_path, content))
    assert told in str(refused.value)
    assert SURNAME not in str(refused.value)


@pytest.mark.parametrize(
    ("ids", "told"),
    [(["a", "b", "a", "b"], ["row 1", "row 3"]), (["a", None, " ", "b"], ["row 2", "row 3", "no record id"])],
)
def test_record_ids_are_there_and_stand_once(ids: list[str | None], told: list[str]) -> None:
    raw = RawSource("census", Path("census.csv"), len(ids), {"id": pa.chunked_array([pa.array(ids)])})
    with pytest.raises(FilesRejected) as refused:
        record_ids(raw, "id")
    assert all(part in str(refused.value) for part in told)


def test_a_repeated_id_is_found_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.files.duplicates.FEW_ROWS", 10)
    ids = [f"P{number}" for number in range(500)]
    chunks = pa.chunked_array([pa.array(["skipped", *ids]).slice(1), pa.array(["new"])])
    raw = RawSource("census", Path("census.csv"), len(chunks), {"id": chunks})
    assert record_ids(raw, "id").to_pylist() == [*ids, "new"]
    again = RawSource("c", Path("c.csv"), 502, {"id": pa.chunked_array([*chunks.chunks, pa.array(["P77"])])})
    with pytest.raises(FilesRejected, match="row 78"):
        record_ids(again, "id")


cells = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=8
)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=20))
def test_every_row_that_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(
        [("id", "first", "last"), *((str(at), *row) for at, row in enumerate(rows))]
    )
    raw = read(written(tmp_path_factory.mktemp("files"), text.getvalue()))
    assert raw.columns["last"].to_pylist() == [last or None for _, last in rows]
