"""The short forms of a contract mean what the long ones say, and a wrong one is told with its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.contracts.agency import Contract
from pipelines.contracts.loader import read_contract
from pipelines.errors import ContractError

WHO = """
agency: library
title: Library service
publisher: Northshire Libraries (synthetic)
source_system: lending system
owner: library-data
agreement:
  reference: NS-DSA-020
  lawful_basis: public task
  condition: safeguarding
  dpa_part: 2
  purposes: [safeguarding]
  starts: 2026-01-01
  ends: 2028-12-31
"""
SHORT = (
    WHO
    + r"""
defaults: {date: "%d/%m/%Y", local_id: Card, delimiter: ";", constants: {person_address.address_type: HOME}}
files:
  member:
    title: Members
    pattern: 'MEMBERS_(?P<period>\d{6})\.csv'
    columns:
      Card:
      Forename: person_name.given
      Surname: person_name.family
      Born: person_date_of_birth.date_of_birth
      Sex: {to: person_record.sex, codes: sex.pds}
      NHS: person_identifier.NHS
      Mobile: person_contact.MOBILE
      Mail: person_contact.EMAIL
      Street: person_address.line1
      Postcode: person_address.postcode
      Joined: [person_address.valid_from, event.event_date]
      Branch: event.attributes
    constants: {event.event_type: LIBRARY.MEMBERSHIP, person_identifier.verification: "03"}
  loan:
    title: Loans
    pattern: 'LOANS_(?P<period>\d{4}-\d{2})\.csv'
    mode: delta
    key: [Loan]
    columns:
      Loan: event.source_event_id
      Card:
      Lent: {to: event.event_date, date: "%Y%m%d", required: true}
    constants: {event.event_type: LIBRARY.LOAN}
"""
)
LONG = (
    WHO
    + r"""
version: 1
cadence: monthly
due_day: 5
cut_off_day: 12
required: true
files:
  member:
    title: Members
    pattern: 'MEMBERS_(?P<period>\d{6})\.csv'
    period_format: "%Y%m"
    mode: snapshot
    holds_people: true
    format: {delimiter: ";"}
    local_id: Card
    key: [Card]
    columns:
      Card: {required: true}
      Forename:
      Surname:
      Born: {date: "%d/%m/%Y"}
      Sex: {codes: sex.pds}
      NHS:
      Mobile:
      Mail:
      Street:
      Postcode:
      Joined: {date: "%d/%m/%Y"}
      Branch:
    emits:
      - {table: person_name, set: {given: Forename, family: Surname}}
      - {table: person_date_of_birth, set: {date_of_birth: Born}}
      - {table: person_record, set: {sex: Sex}}
      - table: person_identifier
        set: {identifier_type: {value: NHS}, value: NHS, verification: {value: "03"}}
      - {table: person_contact, set: {contact_type: {value: MOBILE}, value: Mobile}}
      - {table: person_contact, set: {contact_type: {value: EMAIL}, value: Mail}}
      - table: person_address
        set: {line1: Street, postcode: Postcode, valid_from: Joined, address_type: {value: HOME}}
      - table: event
        set: {event_date: Joined, event_type: {value: LIBRARY.MEMBERSHIP}}
        attributes: [Branch]
  loan:
    title: Loans
    pattern: 'LOANS_(?P<period>\d{4}-\d{2})\.csv'
    period_format: "%Y-%m"
    mode: delta
    format: {delimiter: ";"}
    local_id: Card
    key: [Loan]
    columns:
      Loan:
      Card: {required: true}
      Lent: {date: "%Y%m%d", required: true}
    emits:
      - table: event
        set: {source_event_id: Loan, event_date: Lent, event_type: {value: LIBRARY.LOAN}}
"""
)


def read(folder: Path, text: str) -> Contract:
    path = folder / "library.yaml"
    path.write_text(text, encoding="utf-8")
    return read_contract(path)


def test_the_short_form_means_what_the_long_one_says(tmp_path: Path) -> None:
    assert read(tmp_path, SHORT).model_dump() == read(tmp_path, LONG).model_dump()


def test_a_file_says_otherwise_than_the_defaults(tmp_path: Path) -> None:
    text = SHORT.replace("    key: [Loan]", "    key: [Loan]\n    format: {delimiter: '|'}")
    files = read(tmp_path, text).files
    assert (files["member"].format.delimiter, files["loan"].format.delimiter) == (";", "|")


def test_a_file_of_people_makes_records_though_no_column_says_anything_about_one(tmp_path: Path) -> None:
    text = SHORT.replace("      Sex: {to: person_record.sex, codes: sex.pds}\n", "")
    text = text.replace("    title: Members", "    title: Members\n    holds_people: true")
    emits = read(tmp_path, text).files["member"].emits
    assert [emit.table for emit in emits].count("person_record") == 1
    assert read(tmp_path, text).people_files == ("member",)


def test_what_stands_for_nothing_stays_when_the_row_needs_no_local_id(tmp_path: Path) -> None:
    text = SHORT.replace("      Card:\n      Forename", "      Card: {required: false}\n      Forename")
    columns = [file.columns["Card"].required for file in read(tmp_path, text).files.values()]
    assert columns == [False, True]


MISTAKES = {
    "a default that does not exist": (
        SHORT.replace("defaults: {", "defaults: {colour: red, "),
        "defaults.colour",
        "expected one of",
    ),
    "a table that does not exist": (
        SHORT.replace("person_name.given", "person_nickname.given"),
        "files.member.columns.Forename.to",
        "the table one of",
    ),
    "an input that does not exist": (
        SHORT.replace("person_name.given", "person_name.forename"),
        "files.member.columns.Forename.to",
        "one of name_type, title, given",
    ),
    "an identifier of no kind": (
        SHORT.replace("person_identifier.NHS", "person_identifier.value"),
        "files.member.columns.NHS.to",
        "NHS, UPN",
    ),
    "two columns for one target": (
        SHORT.replace("person_name.family", "person_name.given"),
        "files.member.columns.Surname.to",
        "each target once",
    ),
    "a date without a format": (
        SHORT.replace('date: "%d/%m/%Y", ', ""),
        "files.member.columns.Born.date",
        "defaults.date",
    ),
    "a constant of a table that no column is mapped to": (
        SHORT.replace("constants: {event.event_type: LIBRARY.LOAN}", "constants: {person_name.title: MR}"),
        "files.loan.constants.person_name.title",
        "a column that is mapped to person_name",
    ),
    "a constant that does not exist": (
        SHORT.replace("{event.event_type: LIBRARY.LOAN}", "{event.kind: LIBRARY.LOAN}"),
        "files.loan.constants.event.kind",
        "TABLE.INPUT",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda name: name.replace(" ", "_"))
def test_a_wrong_short_form_is_told_with_its_key(mistake: str, tmp_path: Path) -> None:
    text, key, expected = MISTAKES[mistake]
    with pytest.raises(ContractError) as refused:
        read(tmp_path, text)
    assert refused.value.key == key
    assert expected in refused.value.expected
