"""Layouts: a contract tells how its files were laid out in which periods, and its mistakes are told by key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from support.formats import delimited, read_bytes, rules

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import read_contract
from pipelines.errors import ContractError
from pipelines.normalise.assemble.columns import parse_columns

CONTRACT = """
agency: fire
version: 1
title: Fire and rescue
publisher: Northshire Fire and Rescue (synthetic)
source_system: incident recording
owner: fire-data
agreement:
  reference: NS-DSA-009
  lawful_basis: public task
  condition: safeguarding
  dpa_part: 2
  purposes: [safeguarding]
  starts: 2020-01-01
  ends: 2028-12-31
due_day: 5
cut_off_day: 12
files:
  visit:
    title: Home visits
    pattern: 'VISIT_(?P<period>\\d{6})\\.csv'
    period_format: "%Y%m"
    mode: snapshot
    holds_people: true
    local_id: Id
    key: [Id]
    columns:
      Id: {required: true}
      Sex: {codes: sex.pds}
      Seen: {date: "%Y-%m-%d"}
      Team:
    layouts:
      - until: 2024-12
        columns:
          Sex: {header: Gender ?Current, codes: sex.ssd}
          Team: {absent: true}
      - from: 2025-01
        until: 2025-06
        columns:
          Seen: {date: ["%d/%m/%Y", "%Y"]}
    emits:
      - {table: person_record, set: {sex: Sex, date_of_death: Seen}}
      - {table: person_name, set: {name_type: {value: USUAL}, family: Team}}
"""


def contract_of(folder: Path, text: str = CONTRACT) -> AgencyFile:
    path = folder / "fire.yaml"
    path.write_text(text, encoding="utf-8")
    return read_contract(path).files["visit"]


@pytest.mark.parametrize(
    ("period", "codes", "formats", "is_absent"),
    [
        ("1999-01", "sex.ssd", ("%Y-%m-%d",), True),
        ("2024-12", "sex.ssd", ("%Y-%m-%d",), True),
        ("2025-01", "sex.pds", ("%d/%m/%Y", "%Y"), False),
        ("2025-06", "sex.pds", ("%d/%m/%Y", "%Y"), False),
        ("2025-07", "sex.pds", ("%Y-%m-%d",), False),
    ],
)
def test_each_period_has_the_layout_that_holds_then(
    tmp_path: Path, period: str, codes: str, formats: tuple[str, ...], is_absent: bool
) -> None:
    file = contract_of(tmp_path).at(period)
    columns = file.columns
    assert (columns["Sex"].codes, columns["Seen"].date, columns["Team"].absent) == (codes, formats, is_absent)
    assert file.landed_columns == ("Id", "Sex", "Seen", "Team")


def test_a_contract_in_a_period_is_each_of_its_files_in_it(tmp_path: Path) -> None:
    contract_of(tmp_path)
    contract = read_contract(tmp_path / "fire.yaml")
    assert contract.at("2024-12").files["visit"] == contract.files["visit"].at("2024-12")
    assert contract.at("2024-12").at("2025-07").files["visit"].columns["Team"].absent  # in a period for good


OLD = delimited([("1", "2", "2024-03-01")], header=("Id", "GENDER CURRENT", "Seen"))
NEW = delimited([("1", "F", "2026-03-01", "Red")], header=("Id", "Sex", "Seen", "Team"))


def test_files_are_read_in_their_layout_into_the_same_columns(tmp_path: Path) -> None:
    file = contract_of(tmp_path)
    assert read_bytes(OLD, file.at("2024-03"))[0] == [("1", "2", "2024-03-01", None)]
    assert read_bytes(NEW, file.at("2026-03"))[0] == [("1", "F", "2026-03-01", "Red")]


def test_a_header_of_another_layout_is_told_with_what_this_one_expects(tmp_path: Path) -> None:
    _, _, findings = read_bytes(NEW, contract_of(tmp_path).at("2024-03"))
    (problem,) = findings.problems
    assert (problem.rule, problem.column) == ("MISSING_COLUMN", "Sex")
    assert "expected as Gender ?Current" in problem.message
    assert [warning.column for warning in findings.warnings] == ["Sex", "Team"]
    assert "files of this period have no such column" in findings.warnings[0].message
    assert rules(read_bytes(OLD, contract_of(tmp_path).at("2026-03"))[2]) == ["MISSING_COLUMN"] * 2


@pytest.mark.parametrize(("period", "expected"), [("2024-03", None), ("2025-03", date(2025, 3, 1))])
def test_values_are_parsed_by_the_formats_of_the_layout(
    tmp_path: Path, period: str, expected: date | None
) -> None:
    raw = pd.DataFrame({"Id": ["1"], "Sex": ["2"], "Seen": ["01/03/2025"], "Team": [None]}, dtype=object)
    rows = parse_columns("visit", contract_of(tmp_path).at(period), raw)
    assert rows.values["Seen"].tolist() == [expected]


MISTAKES = {
    "a period that is none": ("until: 2024-12", "until: 2024-13", "layouts.0.until", "YYYY-MM"),
    "a day instead of a month": ("until: 2024-12", "until: '2024-12-31'", "layouts.0.until", "YYYY-MM"),
    "an end before the beginning": ("until: 2025-06", "until: 2024-12", "layouts.1", "not to be later"),
    "periods that overlap": ("from: 2025-01", "from: 2024-12", "layouts.1", "overlap those of layouts.0"),
    "a beginning left out": ("from: 2025-01\n        until", "until", "layouts.1", "overlap"),
    "an unknown column": ("Team: {absent", "Teem: {absent", "layouts.0.columns.Teem", "not a column"),
    "nothing that differs": ("Team: {absent: true}", "Team: {}", "layouts.0.columns.Team", "what differs"),
    "an absent key": ("Team: {absent", "Id: {absent", "layouts.0.columns.Id", "may not be absent"),
    "an unknown rule": ("absent: true", "missing: true", "layouts.0.columns.Team.missing", "not permitted"),
    "a broken pattern": ("Gender ?Current", "'('", "layouts.0.columns.Sex.header", "regular expression"),
    "a place in delimited text": ("Team:\n", "Team: {at: [1, 2]}\n", "columns.Team.at", "fixed_width"),
}


@pytest.mark.parametrize(("old", "new", "key", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_told_by_file_and_key(
    tmp_path: Path, old: str, new: str, key: str, message: str
) -> None:
    assert old in CONTRACT
    with pytest.raises(ContractError) as caught:
        contract_of(tmp_path, CONTRACT.replace(old, new, 1))
    assert "fire.yaml" in str(caught.value)
    assert f"files.visit.{key}" in str(caught.value)
    assert message in str(caught.value)


FIXED = CONTRACT.partition("    layouts:")[0] + "    emits:" + CONTRACT.partition("    emits:")[2]
FIXED = (
    FIXED.replace("    columns:", "    format: {kind: fixed_width}\n    columns:")
    .replace("{required: true}", "{required: true, at: [1, 4]}")
    .replace("codes: sex.pds", "codes: sex.pds, at: [5, 1]")
    .replace('date: "%Y-%m-%d"', 'date: "%Y-%m-%d", at: [6, 10]')
    .replace("Team:\n", "Team: {at: [20, 5]}\n")
)
BASE = "      Team: {at: [20, 5]}\n"


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        (", at: [5, 1]", "", "columns.Sex.at", "expected, as [first sign"),
        ("at: [5, 1]", "at: [4, 2]", "columns.Sex.at", "overlaps Id"),
        ("at: [5, 1]", "at: [0, 1]", "columns.Sex.at", "greater than or equal to 1"),
        (BASE, BASE + "    layouts:\n      - {until: 2024-12, columns: {Team: {at: [8, 2]}}}\n",
         "layouts.0.columns.Team.at", "overlaps Seen"),
    ],
)  # fmt: skip
def test_places_of_fixed_width_are_stated_and_do_not_overlap(
    tmp_path: Path, old: str, new: str, key: str, message: str
) -> None:
    contract_of(tmp_path, FIXED)
    with pytest.raises(ContractError) as caught:
        contract_of(tmp_path, FIXED.replace(old, new, 1))
    assert f"files.visit.{key}" in str(caught.value)
    assert message in str(caught.value)
