"""A delivery normalised: small tables in, tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.loader import column_name, load_contract
from pipelines.contracts.shared import record_tables
from pipelines.normalise.assemble.context import NormaliseContext
from pipelines.normalise.assemble.delivery import FileOutcome, NormalisedDelivery, normalise_files

KEY = b"a key that is used in tests only"


def landed(agency: str, file: str, rows: Sequence[Mapping[str, str | None]], extract_id: int = 1) -> pa.Table:
    """The landed rows of a file; columns that a row leaves out are empty."""
    headers = load_contract(agency).files[file].landed_columns
    columns: dict[str, Any] = {
        "extract_id": pa.array([extract_id] * len(rows), pa.int64()),
        "row_number": pa.array(range(1, len(rows) + 1), pa.int64()),
    }
    for header in headers:
        columns[column_name(header)] = pa.array([row.get(header) for row in rows], pa.string())
    return pa.table(columns)


def normalise(agency: str, **files: Sequence[Mapping[str, str | None]]) -> NormalisedDelivery:
    context = NormaliseContext(load_contract(agency), date(2026, 9, 30), KEY, allow_synthetic=True)
    tables = {name: landed(agency, name, rows, 10 + n) for n, (name, rows) in enumerate(files.items())}
    return normalise_files(context, tables)


def outcome(delivery: NormalisedDelivery, file: str) -> FileOutcome:
    return next(found for found in delivery.files if found.file == file)


def rows_of(delivery: NormalisedDelivery, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in delivery.tables[table].to_pylist()]


PATIENT = {"LOCAL_PATIENT_ID": "L1", "FAMILY_NAME": "O'Brien-Smith", "GIVEN_NAME": "Seán Paul", "GENDER": "1"}


def test_a_patient_becomes_a_record_with_a_name_a_birth_an_identifier_and_an_address() -> None:
    patient = PATIENT | {
        "DATE_OF_BIRTH": "20150304",
        "NHS_NO": "943 476 5870",
        "ADDRESS_LINE1": "12 High Street",
        "POSTCODE": "SW1A 1AA",
        "MOBILE_NUMBER": "07700 900123",
    }
    delivery = normalise("health", demographics=[patient])
    assert rows_of(delivery, "person_record", "agency", "source_person_id", "sex") == [("health", "L1", "M")]
    assert rows_of(delivery, "person_name", "given", "middle", "family") == [("SEAN", "PAUL", "OBRIEN SMITH")]
    assert rows_of(delivery, "person_date_of_birth", "date_of_birth", "precision") == [
        (date(2015, 3, 4), "DAY")
    ]
    assert rows_of(delivery, "person_identifier", "identifier_type", "value", "status", "verification") == [
        ("NHS", "9434765870", "SYNTHETIC", "01")
    ]
    assert rows_of(delivery, "person_address", "postcode", "building_number") == [("SW1A 1AA", "12")]
    assert rows_of(delivery, "person_contact", "contact_type", "status")[0][0] == "MOBILE"


def test_a_person_without_a_local_id_is_quarantined_and_says_why() -> None:
    delivery = normalise("health", demographics=[PATIENT | {"LOCAL_PATIENT_ID": None}])
    found = outcome(delivery, "demographics")
    assert (found.rows_in, found.contributed) == (1, 0)
    assert found.quarantined[0].reasons == ("REQUIRED_MISSING:LOCAL_PATIENT_ID",)
    assert delivery.tables["person_record"].num_rows == 0


def test_a_child_row_of_a_quarantined_person_is_an_orphan() -> None:
    delivery = normalise(
        "childrens_services",
        person=[
            {"pers_person_id": "1", "pers_surname": "Test"},
            {"pers_person_id": "P9", "pers_surname": "Ito"},
        ],
        cp_plans=[
            {"cppl_cp_plan_id": "A", "cppl_person_id": "1", "cppl_cp_plan_start_date": "2026-01-02 00:00:00"},
            {
                "cppl_cp_plan_id": "B",
                "cppl_person_id": "P9",
                "cppl_cp_plan_start_date": "2026-01-02 00:00:00",
            },
        ],
    )
    assert [row.reasons for row in outcome(delivery, "person").quarantined] == [("TEST_RECORD",)]
    assert [row.reasons for row in outcome(delivery, "cp_plans").quarantined] == [("ORPHAN",)]
    assert rows_of(delivery, "event", "event_type", "event_date") == [("CSC.CPP", date(2026, 1, 2))]


def test_a_row_sent_twice_is_a_duplicate_of_the_first_and_one_that_differs_is_a_conflict() -> None:
    delivery = normalise("health", demographics=[PATIENT, PATIENT, PATIENT | {"GIVEN_NAME": "Aoife"}])
    found = outcome(delivery, "demographics")
    assert found.duplicate_of == {2: 1}
    assert [row.reasons for row in found.quarantined] == [("KEY_CONFLICT",)]
    assert found.contributed == 1


def test_aliases_of_a_nominal_are_further_names_of_one_record() -> None:
    primary = {"NominalRef": "N1", "NameType": "PRIMARY", "Surname": "Khan", "Forename1": "Ali"}
    alias = {"NominalRef": "N1", "NameType": "ALIAS", "Surname": "Cann", "Forename1": "Alan"}
    delivery = normalise("police", nominal=[primary, alias])
    assert delivery.tables["person_record"].num_rows == 1
    assert rows_of(delivery, "person_name", "name_type", "family") == [("USUAL", "KHAN"), ("ALIAS", "CANN")]


@pytest.mark.parametrize(
    ("second", "third", "middle", "raw"),
    [
        ("Omar", "Idris", "OMAR IDRIS", "Omar Idris"),
        ("Omar", None, "OMAR", "Omar"),
        (None, "Idris", "IDRIS", "Idris"),
        (None, None, None, None),
    ],
)
def test_a_third_forename_follows_the_second(
    second: str | None, third: str | None, middle: str | None, raw: str | None
) -> None:
    nominal = {"NominalRef": "N1", "NameType": "PRIMARY", "Surname": "Khan", "Forename1": "Ali"}
    delivery = normalise("police", nominal=[nominal | {"Forename2": second, "Forename3": third}])
    assert rows_of(delivery, "person_name", "given", "middle", "middle_raw") == [("ALI", middle, raw)]


def test_an_alias_without_its_nominal_is_an_orphan() -> None:
    delivery = normalise("police", nominal=[{"NominalRef": "N7", "NameType": "ALIAS", "Surname": "Cann"}])
    assert [row.reasons for row in outcome(delivery, "nominal").quarantined] == [("ORPHAN",)]


def test_an_involvement_borrows_the_date_of_its_occurrence() -> None:
    delivery = normalise(
        "police",
        nominal=[{"NominalRef": "N1", "NameType": "PRIMARY", "Surname": "Khan"}],
        occurrence=[
            {"OccurrenceRef": "O1", "ReportedDateTime": "05/09/2026 13:40", "OccurrenceType": "MISSING"}
        ],
        involvement=[
            {"OccurrenceRef": "O1", "NominalRef": "N1", "Role": "MISPER"},
            {"OccurrenceRef": "O2", "NominalRef": "N1", "Role": "VIC"},
        ],
    )
    assert rows_of(delivery, "event", "event_type", "event_date", "category") == [
        ("POLICE.MISSING", date(2026, 9, 5), "MISSING")
    ]
    assert [row.reasons for row in outcome(delivery, "involvement").quarantined] == [("ORPHAN",)]


def test_a_closed_adoption_seals_the_record_and_a_flag_restricts_it() -> None:
    adopted = normalise(
        "childrens_services",
        person=[{"pers_person_id": "P9", "pers_surname": "Ito"}],
        cin_episodes=[
            {
                "cine_referral_id": "R1",
                "cine_person_id": "P9",
                "cine_referral_date": "2024-01-02 00:00:00",
                "cine_close_reason": "RC1",
                "cine_close_date": "2025-02-03 00:00:00",
            }
        ],
    )
    flagged = normalise(
        "health",
        demographics=[PATIENT],
        protected=[{"LOCAL_PATIENT_ID": "L1", "CONFIDENTIALITY_CODE": "R"}],
    )
    assert rows_of(adopted, "person_protection", "level", "reason") == [("SEALED", "ADOPTION")]
    assert rows_of(flagged, "person_protection", "level") == [("RESTRICTED",)]


@pytest.mark.parametrize(("day", "precision"), [("15", "MONTH"), ("14", "DAY")])
def test_the_fifteenth_of_an_unaccompanied_minor_means_the_month(day: str, precision: str) -> None:
    delivery = normalise(
        "childrens_services",
        person=[{"pers_person_id": "P9", "pers_surname": "Ito", "pers_dob": f"2010-06-{day} 00:00:00"}],
        linked_identifiers=[
            {
                "link_table_id": "K1",
                "link_person_id": "P9",
                "link_identifier_type": "Home Office Registration",
                "link_identifier_value": "A1234567",
            }
        ],
    )
    assert rows_of(delivery, "person_date_of_birth", "precision") == [(precision,)]


def test_problems_of_single_fields_are_counted_and_the_row_is_kept() -> None:
    delivery = normalise(
        "health",
        demographics=[PATIENT | {"NHS_NO": "9999999999", "GENDER": "?", "DATE_OF_BIRTH": "20159999"}],
    )
    issues = outcome(delivery, "demographics").issues
    assert issues["NHS_NO", "IDENTIFIER_PLACEHOLDER"] == 1
    assert issues["GENDER", "UNMAPPED_CODE"] == 1
    assert any(column == "DATE_OF_BIRTH" for column, _ in issues)
    assert outcome(delivery, "demographics").contributed == 1


def test_fields_that_contradict_each_other_are_counted_under_the_agency_s_own_columns() -> None:
    delivery = normalise(
        "childrens_services",
        person=[
            {
                "pers_person_id": "P7",
                "pers_surname": "Ito",
                "pers_sex": "F",
                "pers_expected_dob": "2026-12-01 00:00:00",
            },
            {"pers_person_id": "P8", "pers_surname": "Ito"},
            {
                "pers_person_id": "P9",
                "pers_surname": "Ito",
                "pers_dob": "2015-03-04 00:00:00",
                "pers_death_date": "2015-03-03 00:00:00",
                "pers_upn": "L801200015001",
                "pers_upn_unknown": "UN1",
            },
        ],
        cin_episodes=[
            {"cine_referral_id": "R1", "cine_person_id": "P9", "cine_referral_date": "2014-12-01 00:00:00"},
            {"cine_referral_id": "R2", "cine_person_id": "P9", "cine_referral_date": "2013-12-01 00:00:00"},
            {"cine_referral_id": "R3", "cine_person_id": "P7", "cine_referral_date": "2025-12-01 00:00:00"},
        ],
        missing=[
            {
                "miss_table_id": "M1",
                "miss_person_id": "P9",
                "miss_missing_episode_start_date": "2014-12-01 00:00:00",
            }
        ],
    )
    assert outcome(delivery, "person").issues == {
        ("pers_sex", "UNBORN_WITH_A_SEX"): 1,
        ("pers_dob", "NEITHER_BORN_NOR_EXPECTED"): 1,
        ("pers_death_date", "DEATH_BEFORE_BIRTH"): 1,
        ("pers_upn", "UPN_AND_REASON_FOR_NONE"): 1,
    }
    assert outcome(delivery, "cin_episodes").issues == {
        ("cine_referral_date", "EVENT_OVER_40_WEEKS_BEFORE_BIRTH"): 2
    }
    assert outcome(delivery, "missing").issues == {
        ("miss_missing_episode_start_date", "EVENT_BEFORE_BIRTH"): 1
    }
    assert all(not found.quarantined for found in delivery.files)


def test_an_alias_s_later_birth_date_makes_no_contradiction() -> None:
    nominal = {"NominalRef": "N1", "Surname": "Khan"}
    delivery = normalise(
        "police",
        nominal=[
            nominal | {"NameType": "PRIMARY", "DateOfBirth": "02/03/1980"},
            nominal | {"NameType": "ALIAS", "DateOfBirth": "02/03/2026"},
        ],
        occurrence=[{"OccurrenceRef": "O1", "ReportedDateTime": "05/01/2026 13:40"}],
        involvement=[{"OccurrenceRef": "O1", "NominalRef": "N1", "Role": "VIC"}],
    )
    assert outcome(delivery, "involvement").issues == {}


TEXT = st.none() | st.sampled_from(["L1", "L2", "1", "-", " ", "R"]) | st.text(max_size=8)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=8), st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_rows_balance_whatever_is_sent(
    people: list[tuple[str | None, ...]], flags: list[tuple[str | None, ...]]
) -> None:
    delivery = normalise(
        "health",
        demographics=[{"LOCAL_PATIENT_ID": a, "FAMILY_NAME": b, "DATE_OF_BIRTH": c} for a, b, c in people],
        protected=[{"LOCAL_PATIENT_ID": a, "CONFIDENTIALITY_CODE": b} for a, b in flags],
    )
    for file in delivery.files:
        assert file.rows_in == file.contributed + len(file.quarantined) + len(file.duplicate_of)
    records = set(delivery.tables["person_record"]["record_id"].to_pylist())
    for name, table in delivery.tables.items():
        if name not in record_tables():
            continue
        assert set(table["record_id"].to_pylist()) <= records


def test_an_address_has_its_parts_and_a_uprn_that_is_a_filler_is_counted() -> None:
    home = {
        "NameType": "PRIMARY",
        "NominalRef": "N1",
        "Surname": "Ash",
        "Address1": "Flat 2",
        "Address2": "12-14 High St",
        "Postcode": "LS1 4AP",
    }
    rows = [{**home, "UPRN": uprn} for uprn in ("000100012345", "999999999999", "12X")]
    delivery = normalise("police", nominal=[{**row, "NominalRef": f"N{at}"} for at, row in enumerate(rows)])
    found = delivery.tables["person_address"].to_pylist()
    assert [row["uprn"] for row in found] == ["100012345", None, None]
    assert {(row["flat"], row["building_number"], row["street"]) for row in found} == {
        ("FLAT 2", "12-14", "HIGH STREET")
    }
    issues = outcome(delivery, "nominal").issues
    assert issues["UPRN", "UPRN_PLACEHOLDER"] == issues["UPRN", "UPRN_INVALID_FORMAT"] == 1
