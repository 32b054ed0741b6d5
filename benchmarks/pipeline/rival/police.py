"""What the police send, as rows of the shared schema; a nominal has a row for each of its names."""

from __future__ import annotations

import pandas as pd

from benchmarks.pipeline.rival import clean, tables
from benchmarks.pipeline.rival.tables import Tables

AGENCY, ISSUER = "police", "NORTHSHIRE"
DAY, MINUTE = "%d/%m/%Y", "%d/%m/%Y %H:%M"
IDENTIFIERS = {"PNC": "pncid", "CRO": "cronumber", "DRIVER": "drivernumber", "NINO": "nino"}


def normalise(landed: dict[str, pd.DataFrame]) -> list[Tables]:
    """Return the tables that the landed files make."""
    nominal = tables.with_records(landed["nominal"], AGENCY, "nominalref")
    involved = tables.with_records(landed["involvement"], AGENCY, "nominalref")
    return [_nominal(nominal), {"event": _involvement(involved, landed["occurrence"])}]


def _nominal(frame: pd.DataFrame) -> Tables:
    primary = frame[frame["nametype"] == "PRIMARY"]
    stated = clean.mapped(primary["ethnicityselfdefined"].fillna(""), "ethnicity_16", "sde", "UN")
    records = tables.record_rows(
        primary, AGENCY, ("sex", "police"), stated, ethnicity_raw=primary["ethnicityselfdefined"]
    )
    seen = clean.mapped(primary["ethnicappearance"].fillna(""), "ethnicity_5", "ic", "NOT_KNOWN")
    observed = (records["ethnicity_basis"] == "UNKNOWN") & (seen != "NOT_KNOWN")
    records["ethnicity_5"] = records["ethnicity_5"].mask(observed, seen)
    records["ethnicity_basis"] = records["ethnicity_basis"].mask(observed, "OBSERVED")
    records["ethnicity_raw"] = records["ethnicity_raw"].fillna(primary["ethnicappearance"])
    kinds = clean.mapped(frame["nametype"].fillna(""), "name_type", "police", "USUAL")
    middle = frame["forename2"].fillna("") + " " + frame["forename3"].fillna("")
    return {
        "person_record": records,
        "person_name": tables.name_rows(frame, kinds, "forename1", "surname", clean.text(middle), "title"),
        "person_date_of_birth": tables.birth_rows(frame, "dateofbirth", DAY),
        "person_identifier": pd.concat(
            [tables.identifier_rows(frame, kind, column, ISSUER) for kind, column in IDENTIFIERS.items()]
        ),
        "person_address": _addresses(primary),
        "person_contact": pd.concat(
            [tables.contact_rows(frame, kind, kind.lower()) for kind in ("MOBILE", "EMAIL")]
        ),
    }


def _addresses(frame: pd.DataFrame) -> pd.DataFrame:
    return tables.address_rows(
        frame,
        clean.mapped(frame["addresstype"].fillna(""), "address_type", "police", "UNKNOWN"),
        tuple(frame[f"address{number}"] for number in range(1, 6)),
        "postcode",
        uprn=frame["uprn"],
        valid_from=clean.date(frame["updated"], DAY),
    )


def _involvement(frame: pd.DataFrame, occurrences: pd.DataFrame) -> pd.DataFrame:
    columns = ["occurrenceref", "occurrencetype", "reporteddatetime", "daflag", "outcometype", "outcomedate"]
    known = frame.merge(occurrences[columns].drop_duplicates("occurrenceref"), on="occurrenceref", how="left")
    return tables.event_rows(
        known,
        AGENCY,
        clean.mapped(known["role"].fillna(""), "event_type", "police_role", "POLICE.OCCURRENCE"),
        "occurrenceref",
        clean.date(known["reporteddatetime"], MINUTE),
        clean.date(known["outcomedate"], DAY),
        category=known["occurrencetype"],
        outcome=known["outcometype"],
        attributes=known[["daflag"]],
    )
