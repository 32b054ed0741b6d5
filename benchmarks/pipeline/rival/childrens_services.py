"""What children's services send, as rows of the shared schema."""

from __future__ import annotations

import json

import pandas as pd

from benchmarks.pipeline.rival import clean, tables
from benchmarks.pipeline.rival.tables import Tables

AGENCY, ISSUER = "childrens_services", "838"
TIME = "%Y-%m-%d %H:%M:%S"
TEST_IDS = tuple("123456")
ADOPTED = "RC1"


def normalise(landed: dict[str, pd.DataFrame]) -> list[Tables]:
    """Return the tables that the landed files make."""
    files = {name: tables.with_records(frame, AGENCY, _local_id(frame)) for name, frame in landed.items()}
    person = files["person"]
    duplicate = person["pers_forename"].str.contains("DUPLICATE", na=False)
    duplicate |= person["pers_surname"].str.contains("DUPLICATE", na=False)
    person = person[~person["local_id"].isin(TEST_IDS) & ~duplicate]
    episodes = files["cin_episodes"]
    return [
        _person(person),
        {"person_address": _addresses(files["address"])},
        {"person_identifier": _identifiers(files["linked_identifiers"])},
        {"event": _episodes(episodes), "person_protection": _adopted(episodes)},
        {"event": _plans(files["cp_plans"])},
        {"event": _missing(files["missing"])},
    ]


def _local_id(frame: pd.DataFrame) -> str:
    return next(column for column in frame.columns if column.endswith("_person_id"))


def _person(frame: pd.DataFrame) -> Tables:
    expected = clean.date(frame["pers_expected_dob"], TIME)
    groups = clean.mapped(frame["pers_ethnicity"].fillna(""), "ethnicity_16", "dfe", "UN")
    return {
        "person_record": tables.record_rows(
            frame,
            AGENCY,
            ("pers_sex", "ssd"),
            groups,
            record_type=expected.notna().map({True: "UNBORN", False: "PERSON"}),
            ethnicity_raw=frame["pers_ethnicity"],
            expected_date_of_birth=expected,
            date_of_death=clean.date(frame["pers_death_date"], TIME),
        ),
        "person_name": tables.name_rows(frame, "USUAL", "pers_forename", "pers_surname", None),
        "person_date_of_birth": tables.birth_rows(frame, "pers_dob", TIME),
        "person_identifier": pd.concat(
            [
                tables.identifier_rows(frame, "UPN", "pers_upn", ISSUER),
                tables.identifier_rows(frame, "UPN", "pers_upn_unknown", ISSUER).assign(
                    value=None, status="UNKNOWN", unknown_reason=frame["pers_upn_unknown"]
                ),
                tables.identifier_rows(frame, "NHS", "pers_common_child_id", ISSUER, verification="03"),
            ]
        ),
    }


def _addresses(frame: pd.DataFrame) -> pd.DataFrame:
    parts = pd.DataFrame.from_records(
        [json.loads(text) if isinstance(text, str) else {} for text in frame["addr_address_json"]],
        index=frame.index,
    ).reindex(columns=["FLAT", "BUILDING", "HOUSE", "STREET", "TOWN", "UPRN"])
    lines = tuple(
        parts[name].astype("string").astype(object)
        for name in ("FLAT", "BUILDING", "HOUSE", "STREET", "TOWN")
    )
    return tables.address_rows(
        frame,
        clean.mapped(frame["addr_address_type"].fillna(""), "address_type", "ssd", "UNKNOWN"),
        lines,
        "addr_address_postcode",
        uprn=parts["UPRN"],
        valid_from=clean.date(frame["addr_address_start_date"], TIME),
        valid_to=clean.date(frame["addr_address_end_date"], TIME),
    )


def _identifiers(frame: pd.DataFrame) -> pd.DataFrame:
    return tables.identifier_rows(
        frame,
        clean.mapped(frame["link_identifier_type"].fillna(""), "identifier_type", "ssd", "OTHER"),
        "link_identifier_value",
        ISSUER,
        valid_from=clean.date(frame["link_valid_from_date"], TIME),
        valid_to=clean.date(frame["link_valid_to_date"], TIME),
    )


def _episodes(frame: pd.DataFrame) -> pd.DataFrame:
    return tables.event_rows(
        frame,
        AGENCY,
        "CSC.REFERRAL",
        "cine_referral_id",
        clean.date(frame["cine_referral_date"], TIME),
        clean.date(frame["cine_close_date"], TIME),
        category=frame["cine_cin_primary_need_code"],
        outcome=frame["cine_close_reason"],
        attributes=frame[["cine_referral_source_code", "cine_referral_nfa"]],
    )


def _adopted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the records that an adoption order closes: they must not be found from the new identity."""
    closed = frame[frame["cine_close_reason"] == ADOPTED]
    since = clean.date(closed["cine_close_date"], TIME)
    return tables.rows(
        closed, level="SEALED", scope=closed["record_id"], effective_from=since, reason="ADOPTION"
    )


def _plans(frame: pd.DataFrame) -> pd.DataFrame:
    return tables.event_rows(
        frame,
        AGENCY,
        "CSC.CPP",
        "cppl_cp_plan_id",
        clean.date(frame["cppl_cp_plan_start_date"], TIME),
        clean.date(frame["cppl_cp_plan_end_date"], TIME),
        category=frame["cppl_cp_plan_latest_category"],
        attributes=frame[["cppl_cp_plan_initial_category"]],
    )


def _missing(frame: pd.DataFrame) -> pd.DataFrame:
    return tables.event_rows(
        frame,
        AGENCY,
        "CSC.MISSING_EPISODE",
        "miss_table_id",
        clean.date(frame["miss_missing_episode_start_date"], TIME),
        clean.date(frame["miss_missing_episode_end_date"], TIME),
        category=frame["miss_missing_episode_type"],
        attributes=frame[["miss_missing_rhi_offered", "miss_missing_rhi_accepted"]],
    )
