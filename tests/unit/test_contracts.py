"""Contracts: the real ones load, and one with a mistake fails with the file, the key and what was expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.contracts import loader
from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import (
    agency_file,
    column_name,
    landing_table,
    landing_tables,
    load_contract,
    load_contracts,
    read_contract,
)
from pipelines.errors import ContractError
from pipelines.settings import load_settings

GOOD = """
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
  starts: 2026-01-01
  ends: 2028-12-31
due_day: 5
cut_off_day: 12
defaults: {encoding: windows-1252, delimiter: ";"}
files:
  visit:
    title: Home visits
    pattern: 'VISIT_(?P<period>\\d{6})\\.csv'
    period_format: "%Y%m"
    mode: snapshot
    holds_people: true
    local_id: VisitId
    key: [VisitId]
    format: {encoding: utf-8}
    columns:
      VisitId: {required: true}
      Surname:
      Gender: {codes: sex.pds}
      Notes: {ignored: free text}
    emits:
      - {table: person_record, set: {sex: Gender}}
      - {table: person_name, set: {name_type: {value: USUAL}, family: Surname}}
headlines:
  - {column: known_to_fire, title: Whether the fire service knows them, rule: known}
"""


def contract_file(folder: Path, text: str, name: str = "fire.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_every_contract_in_the_folder_loads_in_the_order_of_the_agencies() -> None:
    there = {path.stem for path in (load_settings().schemas_dir / "agencies").glob("*.yaml")}
    assert list(load_contracts()) == sorted(there)
    assert there >= {"childrens_services", "health", "mental_health", "police"}


def test_every_contract_has_files_with_people() -> None:
    people = {agency: contract.people_files for agency, contract in load_contracts().items()}
    assert people.items() >= {
        ("childrens_services", ("person",)),
        ("fire_rescue", ("casualties", "visits")),
        ("health", ("demographics",)),
        ("mental_health", ("patients",)),
        ("police", ("nominal",)),
    }


def test_every_file_of_the_shipped_contracts_states_how_many_rows_are_plausible() -> None:
    """The default for the most rows is a safety net, not an agreement."""
    safety_net = AgencyFile.model_fields["max_rows"].default
    for contract in load_contracts().values():
        for name, file in contract.files.items():
            assert 0 <= file.min_rows < file.max_rows < safety_net, name


def test_landing_tables_hold_every_column_but_the_ignored_ones() -> None:
    for agency, contract in load_contracts().items():
        for name, file in contract.files.items():
            landed = landing_tables()[landing_table(agency, name)]
            assert len(landed) == len(set(landed)) == len(file.landed_columns)
            ignored = {column_name(header) for header, column in file.columns.items() if column.ignored}
            assert not ignored & set(landed)


def test_a_good_contract_is_read_with_the_defaults_beneath_each_files_own_format(tmp_path: Path) -> None:
    contract = read_contract(contract_file(tmp_path, GOOD))
    form = contract.files["visit"].format
    assert (form.encoding, form.delimiter) == ("utf-8", ";")
    assert contract.files["visit"].landed_columns == ("VisitId", "Surname", "Gender")


def test_an_agreement_covers_its_first_and_last_day(tmp_path: Path) -> None:
    agreement = read_contract(contract_file(tmp_path, GOOD)).agreement
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2028, 12, 31), date(2029, 1, 1)]
    assert [agreement.is_live(day) for day in days] == [False, True, True, False]


MISTAKES: dict[str, tuple[str, str, str]] = {
    "an unknown key": (
        changed("owner: fire-data", "owner: fire-data\ncolour: red"),
        "colour",
        "not permitted",
    ),
    "a key written twice": (
        changed("version: 1", "version: 1\nversion: 2"),
        "(syntax)",
        "'version' stands twice",
    ),
    "a column written twice": (
        changed("Surname:\n", "Surname:\n      Surname:\n"),
        "(syntax)",
        "'Surname' stands twice",
    ),
    "a missing key": (
        changed("publisher: Northshire Fire and Rescue (synthetic)\n", ""),
        "publisher",
        "required",
    ),
    "no mapping at all": ("- just\n- a list\n", "(top)", "expected a mapping"),
    "broken YAML": ("agency: [fire\n", "(syntax)", "expected"),
    "another agency's name": (changed("agency: fire", "agency: police"), "agency", "expected 'fire'"),
    "an agency that cannot name a table": (
        changed("agency: fire", "agency: Fire Service"),
        "agency",
        "pattern",
    ),
    "an unknown mode": (
        changed("mode: snapshot", "mode: weekly"),
        "files.visit.mode",
        "'snapshot' or 'delta'",
    ),
    "no group named period": (
        changed("(?P<period>\\d{6})", "\\d{6}"),
        "files.visit.pattern",
        "group named period",
    ),
    "an unknown encoding": (
        changed("encoding: utf-8}", "encoding: latin-99}"),
        "files.visit.format.encoding",
        "name of an encoding",
    ),
    "a delimiter of two signs": (
        changed('delimiter: ";"', 'delimiter: "||"'),
        "files.visit.format.delimiter",
        "at most 1",
    ),
    "a code list without a scheme": (
        changed("sex.pds", "sex"),
        "files.visit.columns.Gender.codes",
        "pattern",
    ),
    "a column that nothing uses": (
        changed("Surname:\n", "Surname:\n      Shoe:\n"),
        "(top)",
        "columns.Shoe: expected to be mapped",
    ),
    "a column that is used but not declared": (
        changed("family: Surname", "family: LastName"),
        "(top)",
        "'LastName' is used but not declared",
    ),
    "a column that is ignored and used": (
        changed("      Surname:\n", "      Surname: {ignored: no need}\n"),
        "(top)",
        "columns.Surname: is ignored but also used",
    ),
    "an unknown shared table": (
        changed("table: person_name", "table: person_nickname"),
        "files.visit.emits.1",
        "table: expected one of",
    ),
    "an unknown target": (
        changed("family: Surname", "surname: Surname"),
        "files.visit.emits.1",
        "set.surname: expected one of",
    ),
    "a source without column and value": (
        changed("{value: USUAL}", "{}"),
        "files.visit.emits.1.set.name_type",
        "either a column or a value",
    ),
    "rows about people without a local id": (
        changed("    local_id: VisitId\n", ""),
        "(top)",
        "local_id: expected",
    ),
    "no file with people": (
        changed("holds_people: true", "holds_people: false"),
        "(top)",
        "at least one file is expected to have holds_people",
    ),
    "no file at all": (GOOD[: GOOD.index("files:")] + "files: {}\n", "files", "at least 1"),
    "an agreement that ends before it starts": (
        changed("ends: 2028-12-31", "ends: 2025-12-31"),
        "agreement",
        "ends is expected to be later",
    ),
    "law enforcement data without authority": (
        changed("dpa_part: 2", "dpa_part: 3"),
        "agreement",
        "authorised_by is expected",
    ),
    "an agreement without a purpose": (changed("[safeguarding]", "[]"), "agreement.purposes", "at least 1"),
    "a due day that February may not have": (
        changed("due_day: 5", "due_day: 30"),
        "due_day",
        "less than or equal to 28",
    ),
    "a headline with an unknown rule": (changed("rule: known", "rule: often"), "headlines.0.rule", "'known'"),
    "a headline that counts nothing": (
        changed("rule: known", "rule: count"),
        "headlines.0",
        "event_types is expected",
    ),
    "a lookup into a file that is not there": (
        changed("    format: {encoding: utf-8}\n", "    lookup: {file: nothing, by: VisitId}\n"),
        "(top)",
        "lookup.file: expected one of",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda name: name.replace(" ", "_"))
def test_a_contract_with_a_mistake_names_the_file_the_key_and_what_was_expected(
    mistake: str, tmp_path: Path
) -> None:
    text, key, expected = MISTAKES[mistake]
    with pytest.raises(ContractError) as refused:
        read_contract(contract_file(tmp_path, text))
    assert refused.value.file.endswith("fire.yaml")
    assert refused.value.key == key
    assert expected in refused.value.expected
    assert str(refused.value).startswith(f"{tmp_path / 'fire.yaml'}: {key}: ")


def test_every_mistake_of_a_contract_is_told_at_once(tmp_path: Path) -> None:
    text = changed("due_day: 5", "due_day: 30").replace("cut_off_day: 12", "cut_off_day: 40")
    with pytest.raises(ContractError, match=r"due_day: .*; cut_off_day: "):
        read_contract(contract_file(tmp_path, text))


@pytest.fixture
def schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Write contracts into a schemas folder of our own."""
    real = loader.load_settings().schemas_dir
    monkeypatch.setenv("JOINEDUP_SCHEMAS_DIR", str(tmp_path))
    (tmp_path / "agencies").mkdir()
    (tmp_path / "shared").symlink_to(real / "shared")

    def write(agency: str, text: str) -> None:
        contract_file(tmp_path / "agencies", text, f"{agency}.yaml")
        load_contracts.cache_clear()

    yield write
    load_contracts.cache_clear()


def test_a_headline_belongs_to_one_agency(schemas: Callable[[str, str], None]) -> None:
    schemas("fire", GOOD)
    schemas("rescue", changed("agency: fire", "agency: rescue"))
    with pytest.raises(ContractError) as refused:
        load_contracts()
    assert refused.value.file.endswith("rescue.yaml")
    assert (refused.value.key, refused.value.expected) == (
        "headlines.known_to_fire",
        "already declared by fire",
    )


def test_a_new_agency_needs_a_contract_and_no_code(schemas: Callable[[str, str], None]) -> None:
    schemas("fire", GOOD)
    assert landing_tables() == {"fire_visit": ("visitid", "surname", "gender")}


def test_an_agency_without_a_contract_is_told_with_those_that_have_one() -> None:
    with pytest.raises(ContractError, match=f"expected one of {', '.join(load_contracts())}"):
        load_contract("coastguard")


def test_a_file_without_a_contract_is_told_with_those_that_have_one() -> None:
    with pytest.raises(ContractError, match="expected one of nominal, occurrence, involvement"):
        agency_file("police", "custody")


def test_a_contract_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="expected this file to exist"):
        read_contract(tmp_path / "fire.yaml")
