"""What the hospital trust sends, as rows of the shared schema."""

from __future__ import annotations

import pandas as pd

from benchmarks.pipeline.rival import clean, tables
from benchmarks.pipeline.rival.tables import Tables

AGENCY, ISSUER = "health", "RNS"
DAY = "%Y%m%d"
LEVELS = {
    "R": ("RESTRICTED", "S_FLAG"),
    "REDACTED": ("RESTRICTED", "S_FLAG"),
    "S": ("SEALED", "SEALED_IDENTITY"),
}


def normalise(landed: dict[str, pd.DataFrame]) -> list[Tables]:
    """Return the tables that the landed files make."""
    files = {name: tables.with_records(frame, AGENCY, "local_patient_id") for name, frame in landed.items()}
    attendances = files["ed_attendances"]
    attendances = attendances[~attendances["der_dupe_flag"].isin(["1", "Y"])]
    return [
        _demographics(files["demographics"]),
        {"event": _attendances(attendances)},
        {"person_protection": _protected(files["protected"])},
    ]


def _demographics(frame: pd.DataFrame) -> Tables:
    died = clean.date(frame["date_of_death"], DAY)
    lines = tuple(frame[f"address_line{number}"] for number in range(1, 6))
    contacts = {"HOME": "telephone_number", "MOBILE": "mobile_number", "EMAIL": "email_address"}
    return {
        "person_record": tables.record_rows(frame, AGENCY, ("gender", "pds"), None, date_of_death=died),
        "person_name": tables.name_rows(
            frame, "USUAL", "given_name", "family_name", frame["other_given_name"]
        ),
        "person_date_of_birth": tables.birth_rows(frame, "date_of_birth", DAY),
        "person_identifier": tables.identifier_rows(frame, "NHS", "nhs_no", ISSUER, verification="01"),
        "person_address": tables.address_rows(
            frame, "HOME", lines, "postcode", valid_from=clean.date(frame["address_date"], DAY)
        ),
        "person_contact": pd.concat(
            [tables.contact_rows(frame, kind, column) for kind, column in contacts.items()]
        ),
    }


def _attendances(frame: pd.DataFrame) -> pd.DataFrame:
    return tables.event_rows(
        frame,
        AGENCY,
        "NHS.ED_ATTENDANCE",
        "ec_ident",
        clean.date(frame["arrival_date"], DAY),
        clean.date(frame["ec_conclusion_date"], DAY),
        attributes=frame[["ec_attendancecategory", "ethnic_category"]],
    )


def _protected(frame: pd.DataFrame) -> pd.DataFrame:
    known = frame[frame["confidentiality_code"].isin(LEVELS)]
    levels = known["confidentiality_code"].map(LEVELS)
    return tables.rows(
        known,
        level=levels.str[0],
        scope=known["record_id"],
        effective_from=clean.date(known["effective_date"], DAY),
        reason=levels.str[1],
    )
