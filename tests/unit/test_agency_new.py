"""A contract is drafted from real files: what is told from them, what is asked, and no value of anybody."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from support.new_agency import CONTRACT
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.contracts.column_hints import hint_for, words_of
from pipelines.contracts.loader import read_contract
from pipelines.extracts.drafting.naming import file_key, pattern_of
from pipelines.extracts.drafting.write import scalar

FIRST = ("Aisha", "Thomas", "Catherine", "Mohammed", "William", "Elizabeth")
HEADER = "Client Ref;First Name;Last Name;Birth Date;Sex;NHS Number;Post Code;Case Notes;Favourite"
# As far as anybody knows, none of these stands in a word of ours.
CANARIES = {
    "Client Ref": "QXCL{0}",
    "First Name": "Zorabella",
    "Last Name": "Quillmarker",
    "Birth Date": "17/11/1987",
    "Sex": "Sexmarker",
    "NHS Number": "9434765870",
    "Post Code": "BD5 9LU",
    "Case Notes": "Notemarker went home",
    "Favourite": "Colourmarker",
}
MARKERS = [value.replace("{0}", "") for value in CANARIES.values()]


def person(number: int) -> str:
    day, month = number % 28 + 1, number % 12 + 1
    name = FIRST[number % len(FIRST)]
    return f"C{number};{name};Smith;{day:02}/{month:02}/1987;{'MF'[number % 2]};;BD5 9LU;;blue"


def write(
    folder: Path, *rows: str, name: str = "clients_202609.csv", header: str = HEADER, **how: Any
) -> Path:
    path = folder / name
    path.write_bytes("\r\n".join([header, *rows, ""]).encode(how.get("encoding", "utf-8")))
    return path


def new(folder: Path, *paths: Path, options: tuple[str, ...] = ()) -> Result:
    given_files = [word for path in paths for word in ("--from-file", str(path))]
    out = str(folder / "drafted.yaml")
    return CliRunner().invoke(app, ["agency", "new", "drafted", *given_files, "--out", out, *options])


def draft(folder: Path, *paths: Path) -> dict[str, Any]:
    """The files of the draft as they stand in it, after it was seen to load."""
    ran = new(folder, *paths, options=("--force",))
    assert ran.exit_code == 0, ran.output
    read_contract(folder / "drafted.yaml")
    files: dict[str, Any] = yaml.safe_load((folder / "drafted.yaml").read_text(encoding="utf-8"))["files"]
    return files


def comment_of(folder: Path, header: str) -> str:
    lines = (folder / "drafted.yaml").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"      {header}:")).partition("  # ")[2]


def test_a_file_of_people_is_mapped_with_how_sure_each_mapping_is(tmp_path: Path) -> None:
    file = draft(tmp_path, write(tmp_path, *map(person, range(40))))["clients"]
    columns = file["columns"]
    assert file["local_id"] == "Client Ref" and file["format"]["delimiter"] == ";"
    assert file["pattern"] == r"clients_(?P<period>\d{6})\.csv"
    assert columns["First Name"] == "person_name.given"
    assert columns["Birth Date"] == {"to": "person_date_of_birth.date_of_birth", "date": "%d/%m/%Y"}
    assert columns["Sex"]["to"] == "person_record.sex"
    assert columns["Case Notes"] == {"ignored": "free text"}
    assert columns["Favourite"] == {"ignored": "not looked at yet"}
    assert comment_of(tmp_path, "First Name").startswith("high: ")
    assert comment_of(tmp_path, "NHS Number").startswith("TODO: is it this? low: ")
    assert comment_of(tmp_path, "Favourite").startswith("TODO: ")


def test_a_handful_of_values_makes_nothing_sure(tmp_path: Path) -> None:
    draft(tmp_path, write(tmp_path, *map(person, range(5))))
    assert comment_of(tmp_path, "Birth Date").startswith("medium: ")
    assert "high: " not in (tmp_path / "drafted.yaml").read_text(encoding="utf-8")


def test_a_draft_never_ingests_anything_until_its_agreement_is_filled_in(tmp_path: Path) -> None:
    draft(tmp_path, write(tmp_path, *map(person, range(40))))
    contract = read_contract(tmp_path / "drafted.yaml")
    assert contract.agreement.ends.year == 2000 and contract.agreement.reference == "TODO"


def test_day_and_month_that_cannot_be_told_apart_are_asked_about(tmp_path: Path) -> None:
    rows = [person(number).replace(person(number).split(";")[3], "03/04/1987") for number in range(12)]
    draft(tmp_path, write(tmp_path, *rows))
    assert "TODO: ambiguous, %d/%m/%Y and %m/%d/%Y fit every date" in comment_of(tmp_path, "Birth Date")
    draft(tmp_path, write(tmp_path, *rows, person(20)))
    assert "ambiguous" not in comment_of(tmp_path, "Birth Date")


def test_a_column_without_a_telling_name_is_told_by_its_check_digits(tmp_path: Path) -> None:
    numbers = ["9434765870", "9000000009", "9912003888", *_nhs_numbers(30)]
    rows = [f"C{place};{number}" for place, number in enumerate(numbers)]
    columns = draft(tmp_path, write(tmp_path, *rows, header="Client Ref;Blob"))["clients"]["columns"]
    assert columns["Blob"] == "person_identifier.NHS"
    assert comment_of(tmp_path, "Blob").startswith("medium: by values alone")
    wrong = [f"C{place};{int(number) + 1}" for place, number in enumerate(numbers)]
    columns = draft(tmp_path, write(tmp_path, *wrong, header="Client Ref;Blob"))["clients"]["columns"]
    assert columns["Blob"] == {"ignored": "not looked at yet"}


def _nhs_numbers(count: int) -> list[str]:
    from pipelines.normalise.nhs import nhs_check_digit

    starts = (str(900_100_000 + 17 * number) for number in range(3 * count))
    return [start + digit for start in starts if (digit := nhs_check_digit(start))][:count]


def test_codes_that_are_in_no_scheme_are_counted_and_not_shown(tmp_path: Path) -> None:
    rows = [person(number) for number in range(40)]
    rows[3] = rows[3].replace(";F;", ";Sexmarker;")
    draft(tmp_path, write(tmp_path, *rows))
    assert "TODO: 1 distinct codes are in no line of this scheme" in comment_of(tmp_path, "Sex")


def test_events_find_their_people_and_leave_out_what_is_known_of_them(tmp_path: Path) -> None:
    people = write(tmp_path, *map(person, range(40)))
    visits = write(
        tmp_path,
        *(
            f"V{number};C{number % 7};2026-09-{number % 28 + 1:02};{number % 2 + 1};done"
            for number in range(40)
        ),
        name="calls_202609.csv",
        header="Call ID;Client Ref;Visit Date;Gender;Outcome",
    )
    calls = draft(tmp_path, people, visits)["calls"]
    assert (calls["local_id"], calls["key"]) == ("Client Ref", ["Call ID"])
    assert calls["columns"]["Visit Date"] == {"to": "event.event_date", "date": "%Y-%m-%d"}
    assert calls["columns"]["Gender"] == {"ignored": "the person is known by the local id"}
    assert calls["constants"] == {"event.event_type": "DRAFTED.CALLS"}


def test_a_file_that_says_nothing_known_still_makes_a_draft_that_loads(tmp_path: Path) -> None:
    file = draft(tmp_path, write(tmp_path, "a;b", "a;c", header="Title;Favourite"))["clients"]
    assert file["holds_people"] and file["local_id"]


def test_the_agency_that_the_tests_add_is_drafted_from_its_own_files(tmp_path: Path) -> None:
    files = draft(tmp_path, *sorted(CONTRACT.parent.glob("*.txt")))
    real = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["files"]["young_people"]["columns"]
    drafted = files["yjs_people"]["columns"]
    for header in ("Forename", "Surname", "NHS No", "Street", "Postcode", "Mobile"):
        assert drafted[header] == real[header]
    assert drafted["Born"]["date"] == "%d/%m/%Y"
    assert drafted["Worker"] == real["Worker"]
    assert files["yjs_people"]["local_id"] == files["yjs_orders"]["local_id"] == "Person"
    assert files["yjs_orders"]["columns"]["Kind"] == "event.category"


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("windows-1252", "windows-1252")],
)
def test_the_encoding_is_told_from_the_bytes(tmp_path: Path, encoding: str, told: str) -> None:
    rows = [person(number).replace("Smith", "Müller") for number in range(40)]
    assert draft(tmp_path, write(tmp_path, *rows, encoding=encoding))["clients"]["format"]["encoding"] == told


@pytest.mark.parametrize("packing", ["gz", "zip"])
def test_a_packed_file_is_drafted_as_what_is_in_it(tmp_path: Path, packing: str) -> None:
    plain = write(tmp_path, *map(person, range(40)))
    expected = draft(tmp_path, plain)
    packed = tmp_path / f"clients_202609.csv.{packing}"
    if packing == "gz":
        packed.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        with zipfile.ZipFile(packed, "w") as opened:
            opened.write(plain, "clients.csv")
    assert draft(tmp_path, packed) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps([{"Zorabella": 1}]).encode(), "only delimited text is drafted"),
        (b"<People><Zorabella/></People>", "only delimited text is drafted"),
        (b"Zorabella\nQuillmarker\n", "only delimited text is drafted"),
        (b"C1;Zorabella;Quillmarker;17/11/1987\nC2;A;B;18/11/1987\n", "does not seem to name columns"),
        (b"Zorabella;Quillmarker\nA;B\n", "does not seem to name columns"),
        (b"Surname;Surname\nA;B\n", "column 1 has the name of another column"),
        (b"", "only delimited text is drafted"),
    ],
)
def test_what_cannot_be_drafted_is_refused_in_words_that_show_nothing(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "Zorabella_202609.csv"
    path.write_bytes(content)
    ran = new(tmp_path, path)
    assert ran.exit_code != 0
    told = f"{ran.output} {ran.exception}"
    assert message in told
    assert not (tmp_path / "drafted.yaml").exists()
    assert not [marker for marker in MARKERS if marker in told]


def test_a_contract_that_is_there_is_only_overwritten_by_force(tmp_path: Path) -> None:
    path = write(tmp_path, *map(person, range(40)))
    assert new(tmp_path, path).exit_code == 0
    (tmp_path / "drafted.yaml").write_text("hours of work\n")
    again = new(tmp_path, path)
    assert again.exit_code != 0 and "--force" in f"{again.output} {again.exception}"
    assert (tmp_path / "drafted.yaml").read_text() == "hours of work\n"
    assert new(tmp_path, path, options=("--force",)).exit_code == 0


@pytest.mark.parametrize("rows", [1, 3, 60])
def test_no_value_stands_in_what_is_shown_or_written(tmp_path: Path, rows: int) -> None:
    canaries = [";".join(CANARIES.values()).replace("{0}", str(number)) for number in range(rows)]
    ran = new(tmp_path, write(tmp_path, *canaries))
    assert ran.exit_code == 0
    everything = ran.output + ran.stderr + (tmp_path / "drafted.yaml").read_text(encoding="utf-8")
    assert not [marker for marker in MARKERS if marker in everything]


def test_only_the_first_rows_are_looked_at_and_the_draft_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.extracts.drafting.facts.MOST_ROWS", 20)
    assert "20 rows" in new(tmp_path, write(tmp_path, *map(person, range(40)))).output
    assert "# 20 rows; only the first" in (tmp_path / "drafted.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "pattern", "key"),
    [
        ("FRS_VISITS_202609.csv", r"FRS_VISITS_(?P<period>\d{6})\.csv", "frs_visits"),
        ("ssd_person_2026-09.csv.gz", r"ssd_person_(?P<period>\d{4}-\d{2})\.csv", "ssd_person"),
        ("X_20260930.txt", r"X_(?P<period>\d{8})\.txt", "x"),
        ("a 2026-09-30.csv", r"a\ (?P<period>\d{4}-\d{2}-\d{2})\.csv", "a"),
        ("people.csv", r"people_(?P<period>\d{4}-\d{2})\.csv", "people"),
        ("v991234_people.csv", r"v991234_people_(?P<period>\d{4}-\d{2})\.csv", "v_people"),
    ],
)
def test_the_period_is_told_from_the_files_name(name: str, pattern: str, key: str) -> None:
    assert pattern_of(name)[0] == pattern
    assert file_key(name) == key


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("DateOfBirth", "person_date_of_birth.date_of_birth"),
        ("pers_expected_dob", "person_record.expected_date_of_birth"),
        ("NINo", "person_identifier.NINO"),
        ("HomeUPRN", "person_address.uprn"),
        ("Postcode_district", "ignored: a district is no property"),
    ],
)
def test_a_header_is_known_by_the_most_of_its_words(header: str, target: str) -> None:
    hint = hint_for(header)
    assert hint is not None and hint.target == target


@given(st.lists(st.sampled_from(["date", "birth", "of", "nhs", "number"]), min_size=1, max_size=5))
def test_the_words_of_a_header_do_not_depend_on_how_it_is_written(words: list[str]) -> None:
    joined = ["_".join(words), "-".join(words).upper(), " ".join(words), "".join(map(str.title, words))]
    assert {words_of(header) for header in joined} == {tuple(words)}


@given(
    st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40).filter(
        str.isprintable
    )
)
def test_any_header_comes_back_from_yaml_as_it_was(header: str) -> None:
    assert yaml.safe_load(f"{scalar(header)}:") == {header: None}
    assert yaml.safe_load(f"key: [{scalar(header)}]") == {"key": [header]}
