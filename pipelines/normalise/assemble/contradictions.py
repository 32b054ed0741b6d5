"""Counting contradictions between the fields of a delivery, across its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from pipelines.normalise.assemble.distinct import map_distinct_rows
from pipelines.normalise.assemble.outcomes import FileRows
from pipelines.normalise.cross_field import RecordFacts, event_contradiction, record_contradictions

# The input of a shared table at which a rule is told: the agency's own column behind it is named.
TOLD_AT: Mapping[str, tuple[str, str]] = {
    "BORN_AND_EXPECTED": ("person_record", "expected_date_of_birth"),
    "NEITHER_BORN_NOR_EXPECTED": ("person_date_of_birth", "date_of_birth"),
    "UNBORN_WITH_A_SEX": ("person_record", "sex"),
    "DEATH_BEFORE_BIRTH": ("person_record", "date_of_death"),
    "UPN_AND_REASON_FOR_NONE": ("person_identifier", "value"),
}
UPN_TYPES = ("UPN", "UPN_TEMP")
Frames = Mapping[str, pd.DataFrame]


def count_contradictions(frames: Frames, files: Iterable[FileRows]) -> None:
    """Add to each file's issues how often its rows contradict themselves or the record they belong to."""
    by_extract = {int(rows.raw["extract_id"].iloc[0]): rows for rows in files if len(rows.raw)}
    records = frames.get("person_record")
    if records is None or records.empty:
        return
    births = _earliest_births(frames)
    _count_in_records(frames, records, births, by_extract)
    _count_in_events(frames, records, births, by_extract)


def _count_in_records(
    frames: Frames, records: pd.DataFrame, births: dict[str, date], by_extract: Mapping[int, FileRows]
) -> None:
    ids = records["record_id"]
    stated, upns, reasons = _stated_births(frames), *_upn_holders(frames)
    asked = {extract: _header(rows, *TOLD_AT["BORN_AND_EXPECTED"]) for extract, rows in by_extract.items()}
    broken = map_distinct_rows(
        [
            ids.map(births),
            ids.isin(stated),
            records["expected_date_of_birth"],
            records["extract_id"].map(lambda extract: asked[extract] is not None),
            records["sex"],
            records["date_of_death"],
            ids.isin(upns),
            ids.isin(reasons),
        ],
        lambda *facts: record_contradictions(RecordFacts(*facts)),
    )
    for (extract, rule), count in _tally(records["extract_id"], broken.explode()):
        rows = by_extract[extract]
        rows.issues[_header(rows, *TOLD_AT[rule]) or TOLD_AT[rule][1], rule] += count


def _count_in_events(
    frames: Frames, records: pd.DataFrame, births: dict[str, date], by_extract: Mapping[int, FileRows]
) -> None:
    events = frames.get("event")
    if events is None or events.empty:
        return
    expected = records.dropna(subset=["expected_date_of_birth"])
    begun = dict(zip(expected["record_id"], expected["expected_date_of_birth"], strict=True)) | births
    born = events["record_id"].map(begun)
    broken = map_distinct_rows([events["event_type"], events["event_date"], born], event_contradiction)
    for (extract, rule), count in _tally(events["extract_id"], broken):
        rows = by_extract[extract]
        rows.issues[_header(rows, "event", "event_date") or "event_date", rule] += count


def _tally(extracts: pd.Series[Any], rules: pd.Series[Any]) -> Iterable[tuple[tuple[int, str], int]]:
    """Return how often each rule is broken in each extract."""
    broken = rules.dropna()
    return Counter(zip(extracts.reindex(broken.index).astype(int), broken, strict=True)).items()


def _earliest_births(frames: Frames) -> dict[str, date]:
    """Return the earliest day on which each record's person can have been born, by any of its dates."""
    births = frames.get("person_date_of_birth")
    if births is None:
        return {}
    known = births.dropna(subset=["earliest"]).sort_values("earliest", ascending=False)
    return dict(zip(known["record_id"], known["earliest"], strict=True))  # the earliest comes last and stays


def _stated_births(frames: Frames) -> set[str]:
    """Return the records with anything in the place of a date of birth."""
    births = frames.get("person_date_of_birth")
    return set() if births is None else set(births["record_id"])


def _upn_holders(frames: Frames) -> tuple[set[str], set[str]]:
    """Return the records with a pupil number, and those with a reason for having none."""
    identifiers = frames.get("person_identifier")
    if identifiers is None:
        return set(), set()
    upns = identifiers[identifiers["identifier_type"].isin(UPN_TYPES)]
    gives_reason = upns["unknown_reason"].notna()
    return set(upns.loc[~gives_reason, "record_id"]), set(upns.loc[gives_reason, "record_id"])


def _header(rows: FileRows, table: str, name: str) -> str | None:
    """Return the agency's column behind an input of a shared table; None when the file maps none."""
    sources = (emit.set[name] for emit in rows.file.emits if emit.table == table and name in emit.set)
    return next((source.column for source in sources if source.column), None)
