"""MHSDS tables normalised: numbers with their status, no names, and a patient who is that of the referral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from test_assemble_delivery import normalise, outcome, rows_of

PATIENT = {"LocalPatientId": "M1", "NHSNumber": "943 476 5870", "NHSNumberStatus": "01", "Gender": "2"}
REFERRAL = {"ServiceRequestId": "S1", "LocalPatientId": "M1", "ReferralRequestReceivedDate": "2026-08-03"}


def identifiers(**patient: str) -> list[tuple[object, ...]]:
    delivery = normalise("mental_health", patients=[PATIENT | patient])
    return rows_of(delivery, "person_identifier", "identifier_type", "value", "verification")


@pytest.mark.parametrize(
    ("written", "verification"),
    [
        ("01", "01"),
        ("1", "01"),
        ("02", "02"),
        ("3", "03"),
        ("04 - No match", "04"),
        ("05", "05"),
        ("06", "06"),
    ],
)
def test_a_number_keeps_the_status_that_its_trust_gives_it(written: str, verification: str) -> None:
    assert identifiers(NHSNumberStatus=written) == [("NHS", "9434765870", verification)]


def test_a_number_without_a_status_counts_as_never_traced() -> None:
    assert identifiers(NHSNumberStatus="") == [("NHS", "9434765870", "02")]


@pytest.mark.parametrize("status", ["07", "08", "99"])
def test_a_number_whose_status_says_that_there_is_none_or_nothing_known_is_not_taken(status: str) -> None:
    assert identifiers(NHSNumberStatus=status) == []


def test_a_patient_is_a_record_without_a_name() -> None:
    patient = PATIENT | {"PersonBirthDate": "2009-03-04", "Postcode": "ZZ99 3VZ", "EthnicCategory": "A1"}
    delivery = normalise("mental_health", patients=[patient])
    assert rows_of(delivery, "person_record", "source_person_id", "sex", "ethnicity_16") == [
        ("M1", "F", "W1")
    ]
    assert delivery.tables["person_name"].num_rows == 0
    assert rows_of(delivery, "person_address", "address_type", "postcode", "postcode_status") == [
        ("NFA", None, "NFA")
    ]


def test_contacts_and_stays_are_those_of_the_referral_s_patient() -> None:
    delivery = normalise(
        "mental_health",
        patients=[PATIENT],
        referrals=[REFERRAL],
        contacts=[{"CareContactId": "C1", "ServiceRequestId": "S1", "CareContDate": "2026-09-02"}],
        spells=[
            {"HospProvSpellID": "H1", "ServiceRequestId": "S1", "StartDateHospProvSpell": "2026-09-05"},
        ],
        act_periods=[
            {
                "MHActLegalStatusClassPeriodId": "A1",
                "LocalPatientId": "M1",
                "StartDateMHActLegalStatusClass": "2026-09-05",
            }
        ],
    )
    (record,) = rows_of(delivery, "person_record", "record_id")
    events = rows_of(delivery, "event", "event_type", "source_event_id", "record_id")
    assert sorted(events) == [
        ("MH.CONTACT", "C1", *record),
        ("MH.MHA_PERIOD", "A1", *record),
        ("MH.REFERRAL", "S1", *record),
        ("MH.SPELL", "H1", *record),
    ]


@pytest.mark.parametrize(
    ("patients", "referrals"),
    [([PATIENT], []), ([PATIENT | {"LocalPatientId": "M2"}], [REFERRAL])],
    ids=["the referral is not there", "the referral's patient is not there"],
)
def test_a_contact_that_leads_to_nobody_is_set_aside(
    patients: Sequence[Mapping[str, str]], referrals: Sequence[Mapping[str, str]]
) -> None:
    contact = {"CareContactId": "C1", "ServiceRequestId": "S1", "CareContDate": "2026-09-02"}
    delivery = normalise("mental_health", patients=patients, referrals=referrals, contacts=[contact])
    (aside,) = outcome(delivery, "contacts").quarantined
    assert "ORPHAN" in aside.reasons
    assert delivery.tables["event"].num_rows == 0
