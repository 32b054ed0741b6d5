"""The readers of documents on files as agencies send them."""

from __future__ import annotations

import json

import pytest
from support.document_files import (
    NHS,
    STATUS,
    UPRN,
    as_json,
    document_file,
    fixture,
    read_document,
    rules,
    unexpected,
)

CIN = {
    "child": "../ChildIdentifiers/LAchildID",
    "upn": "../ChildIdentifiers/UPN",
    "disabilities": "../ChildCharacteristics/Disabilities/Disability*",
    "CINreferralDate": None,
    "factors": "Assessments*/FactorsIdentifiedAtAssessment/AssessmentFactors*",
    "first_factors": "Assessments/FactorsIdentifiedAtAssessment/AssessmentFactors*",
    "nfa": "ReferralNFA",
    "year": "/Header/CollectionDetails/Year",
}
CIN_REST = (
    "../ChildIdentifiers/PersonBirthDate",
    "../ChildIdentifiers/UPNunknown",
    "../ChildIdentifiers/ExpectedPersonBirthDate",
    "../ChildCharacteristics/Ethnicity",
    "ReferralSource",
    "PrimaryNeedCode",
    "/Header",
)


def cin_file(sex: str, **form: object) -> object:
    return document_file(
        "xml",
        "Children/Child/CINdetails",
        {**CIN, "sex": f"../ChildIdentifiers/{sex}"},
        ignored=CIN_REST,
        **form,
    )


@pytest.mark.parametrize(
    ("year", "sex", "codes"), [(2024, "GenderCurrent", ["2", "2", "1"]), (2025, "Sex", ["F", "F", "M"])]
)
def test_a_census_of_children_in_need_is_read_by_referral(year: int, sex: str, codes: list[str]) -> None:
    rows, set_aside, findings = read_document(fixture(f"cin_{year}.xml"), cin_file(sex))  # type: ignore[arg-type]
    before, text = str(year - 1), str(year)
    assert [row[:-1] for row in rows] == [
        ("C1", "A838000000001", "HAND VIS", f"{before}-06-01", "2B 3A 21", "2B 3A", "false", text),
        ("C1", "A838000000001", "HAND VIS", f"{text}-01-09", None, None, "1", text),
        ("C3", None, None, f"{before}-11-30", None, None, "0", text),
    ]
    assert [row[-1] for row in rows] == codes
    assert (set_aside, findings.problems) == ([], [])
    assert unexpected(findings) == (
        ["Children/Child/CINdetails/PreProceedingsandFGDM"] if year == 2025 else []
    )


def test_a_child_without_the_row_element_gives_no_row_but_is_a_row_of_a_file_of_children() -> None:
    file = document_file(
        "xml", "Children/Child", {"id": "ChildIdentifiers/LAchildID"}, ignored=("CINdetails",)
    )
    rows, _, _ = read_document(fixture("cin_2025.xml"), file)
    assert rows == [("C1",), ("C2",), ("C3",)]


def test_a_document_that_is_not_what_the_contract_expects_is_the_wrong_file() -> None:
    expected = {"/Header/CollectionDetails/Collection": "CIN", "/Header/CollectionDetails/Year": "2026"}
    _, _, findings = read_document(fixture("cin_2025.xml"), cin_file("Sex", expect=expected))  # type: ignore[arg-type]
    assert [(problem.rule, "CollectionDetails/Year" in problem.message) for problem in findings.problems] == [
        ("WRONG_FILE", True)
    ]
    expected["/Header/CollectionDetails/Year"] = "2025"
    rows, _, findings = read_document(fixture("cin_2025.xml"), cin_file("Sex", expect=expected))  # type: ignore[arg-type]
    assert (len(rows), findings.problems) == (3, [])


EPISODES = {
    "child": "../la_child_id",
    "la": "/la_code",
    "name": "../child_details/first_name",
    "episode": "social_care_episode_id",
    "closed": "closure_date",
    "purge": None,
    "child_purged": "../purge",
    "disabilities": "../child_details/disabilities*",
}
CHILD_REST = (
    "../mis_child_id",
    "../child_details",
    "referral_date",
    "referral_source",
    "care_worker_details",
)


def test_the_csc_api_is_read_by_episode_with_true_and_false_as_text() -> None:
    file = document_file("json", "Children/social_care_episodes", EPISODES, ignored=CHILD_REST)
    rows, set_aside, findings = read_document(fixture("csc_api.json"), file)
    assert rows == [
        ("C1", "838", "Zoë", "E1", None, "false", "false", "HAND VIS"),
        ("C1", "838", "Zoë", "E2", None, "true", "false", "HAND VIS"),
    ]
    assert (set_aside, findings.problems, findings.warnings) == ([], [], [])


def test_a_child_that_is_to_be_deleted_is_a_row_with_purge_true() -> None:
    columns = {"la": "/la_code", "id": "la_child_id", "purge": None, "surname": "child_details/surname"}
    file = document_file(
        "json", "Children", columns, ignored=("child_details", "social_care_episodes", "mis_child_id")
    )
    rows, _, findings = read_document(fixture("csc_api.json"), file)
    assert rows == [("838", "C1", "false", "O’Neill"), ("838", "C2", "true", None)]
    assert findings.warnings == []


def test_one_document_to_a_line_reads_as_the_same_rows() -> None:

    columns = {"la": "/la_code", "id": "la_child_id", "purge": None}
    documents = json.loads(fixture("csc_api.json"))
    lines = "\n".join(as_json(document) for document in documents) + "\n"
    rows, _, _ = read_document(lines, document_file("json_lines", "Children", columns))
    assert rows == read_document(fixture("csc_api.json"), document_file("json", "Children", columns))[0]
    assert len(rows) == 2


PATIENT = {
    "nhs_number": f"{NHS}/value",
    "status": STATUS,
    "security": "meta/security/code",
    "family": "name[use=usual]/family",
    "given": "name[use=usual]/given*",
    "birthDate": None,
    "multipleBirthInteger": None,
    "deceasedDateTime": None,
    "line": "address[use=home][period/end=]/line*",
    "postcode": "address[use=home][period/end=]/postalCode",
    "uprn": f"address[use=home][period/end=]/{UPRN}",
}
JANE = ("9990000018", "01", "U", "Smith", "Jane", "2010-10-22", "1", "2025-10-22T00:00:00+00:00",
        "1 Trevelyan Square Boar Lane City Centre", "LS1 6AE", "100000000001")  # fmt: skip
SAM = ("9990000026", None, "R", "Adeyemi", "Sam", "2010-10", None, None, None, None, None)


def test_a_bundle_of_patients_is_read_and_an_invalid_one_set_aside_by_its_path_alone() -> None:
    rows, set_aside, findings = read_document(
        fixture("pds_bundle.json"), document_file("fhir", "entry/resource", PATIENT)
    )
    assert rows == [JANE, SAM]
    assert [(row.row_number, row.reason) for row in set_aside] == [(3, "FHIR_INVALID:birthDate")]
    assert "Broken" in set_aside[0].raw
    assert "Broken" not in str(findings)
    assert findings.problems == []


def test_every_name_of_a_patient_is_a_row_of_a_file_of_names() -> None:
    columns = {
        "nhs": f"../{NHS}/value",
        "use": None,
        "family": None,
        "given": "given*",
        "until": "period/end",
    }
    rows, set_aside, _ = read_document(
        fixture("pds_bundle.json"), document_file("fhir", "entry/resource/name", columns)
    )
    assert rows == [
        ("9990000018", "old", "Jones", "Jane Marie Anne", "2019-12-31"),
        ("9990000018", "usual", "Smith", "Jane", None),
        ("9990000026", "usual", "Adeyemi", "Sam", None),
    ]
    assert [row.reason for row in set_aside] == ["FHIR_INVALID:birthDate"]


def test_a_bulk_export_and_a_single_resource_are_read_by_the_contract_of_the_bundle() -> None:

    file = document_file("fhir", "entry/resource", PATIENT)
    patients = [entry["resource"] for entry in json.loads(fixture("pds_bundle.json"))["entry"]]
    lines = [as_json(patient) for patient in patients]
    rows, set_aside, _ = read_document("\n".join([*lines, '{"resourceType": "Patient", oh', ""]), file)
    assert rows == [JANE, SAM]
    assert [row.reason for row in set_aside] == ["FHIR_INVALID:birthDate", "BAD_JSON"]
    alone, _, findings = read_document(json.dumps(patients[0], indent=1), file)
    assert (alone, findings.problems) == ([JANE], [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"birthDate": "22/10/2010"}, "FHIR_INVALID:birthDate"),
        ({"Smith": 1}, "FHIR_INVALID:?"),
        ({"resourceType": "Person9"}, "FHIR_INVALID:resourceType"),
        ({"resourceType": "HumanName"}, "FHIR_INVALID:resourceType"),
        ({"resourceType": 5}, "FHIR_INVALID:resourceType"),
        ({"multipleBirthBoolean": True, "multipleBirthInteger": 1}, "FHIR_INVALID"),
        ({"gender": 5}, "FHIR_INVALID:gender"),
        ({"name": [{"9434765919": "x"}]}, "FHIR_INVALID:name.0.?"),
    ],
)
def test_what_fhir_does_not_allow_is_told_without_what_stands_there(change: dict, reason: str) -> None:
    patient = {"resourceType": "Patient", "id": "x", **change}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}
    _, set_aside, _ = read_document(as_json(bundle), document_file("fhir", "entry/resource", {"id": None}))
    assert [row.reason for row in set_aside] == [reason]


def test_online_crime_reports_are_read_by_person_whatever_the_order_of_the_document() -> None:
    columns = {
        "incident": "/data/id",
        "id": None,
        "given": "attributes/givenName*",
        "middle": "attributes/middleName*",
        "surname": "attributes/surname",
        "known": "attributes/dateofBirthKnown",
        "age_from": "attributes/approximateAgeFrom",
        "address": "relationships/currentAddress/data/id",
    }
    file = document_file("json", "included[type=person]", columns)
    rows, _, findings = read_document(fixture("sdm.json"), file)
    assert rows == [
        ("0b9f0d3e-0000", "0b9f0d3e-0001", "Ada May", None, "Quist", "true", None, "0b9f0d3e-0003"),
        ("0b9f0d3e-0000", "0b9f0d3e-0002", "Bo", None, "Quist", "false", "30", None),
    ]
    assert rules(findings) == []
    assert "included/attributes/postcode" in unexpected(findings)
