"""The joined view's columns: how many records each agency holds of a person, and the headlines about the person."""

from __future__ import annotations

import json

import pandas as pd

from benchmarks.pipeline.rival.tables import PERIOD_END

YEAR = pd.DateOffset(years=1)
POLICE = ("CRIME_VICTIM", "CRIME_SUSPECT", "WITNESS", "OCCURRENCE", "MISSING")
KNOWN = {
    "known_to_childrens_services": "childrens_services",
    "known_to_health": "health",
    "known_to_police": "police",
}
OPEN = {
    "open_child_in_need_episode": "CSC.REFERRAL",
    "child_protection_plan": "CSC.CPP",
}
COUNT = {"child_in_need_episodes": "CSC.REFERRAL", "police_missing_reports": "POLICE.MISSING"}
COUNT_LAST_YEAR = {
    "missing_episodes_last_year": "CSC.MISSING_EPISODE",
    "emergency_attendances_last_year": "NHS.ED_ATTENDANCE",
    "victim_of_crime_last_year": "POLICE.CRIME_VICTIM",
}
LATEST = {
    "latest_child_protection_plan_start": ("CSC.CPP",),
    "latest_emergency_attendance": ("NHS.ED_ATTENDANCE",),
    "latest_police_contact": tuple(f"POLICE.{kind}" for kind in POLICE),
}


def headlines(members: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return person_pseudonym, records_by_agency and headlines, the latter two as JSON."""
    held = members.groupby(["person_pseudonym", "agency"]).size().unstack(fill_value=0)
    found = pd.DataFrame(index=held.index)
    for column, agency in KNOWN.items():
        found[column] = held[agency] > 0 if agency in held else False
    is_open = events["event_end_date"].isna() | (events["event_end_date"] > PERIOD_END)
    for column, kind in OPEN.items():
        found[column] = _count(events[is_open], kind, found.index) > 0
    for column, kind in COUNT.items():
        found[column] = _count(events, kind, found.index)
    recent = events[events["event_date"] > PERIOD_END - YEAR]
    for column, kind in COUNT_LAST_YEAR.items():
        found[column] = _count(recent, kind, found.index)
    for column, kinds in LATEST.items():
        days = events[events["event_type"].isin(kinds)].groupby("person_pseudonym")["event_date"].max()
        days = days.dt.strftime("%Y-%m-%d").reindex(found.index)
        found[column] = days.astype(object).where(days.notna(), None)
    return pd.DataFrame(
        {
            "person_pseudonym": found.index,
            "records_by_agency": [_filled(each) for each in held.to_dict("records")],
            "headlines": [json.dumps(each) for each in found.to_dict("records")],
        }
    )


def _count(events: pd.DataFrame, kind: str, people: pd.Index) -> pd.Series:
    found = events[events["event_type"] == kind].groupby("person_pseudonym").size()
    return found.reindex(people, fill_value=0)


def _filled(counts: dict[str, int]) -> str:
    return json.dumps({agency: count for agency, count in counts.items() if count})
