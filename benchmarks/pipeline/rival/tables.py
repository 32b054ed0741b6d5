"""Rows of the shared schema's tables, built from an agency's frame; every agency's module uses these."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from benchmarks.pipeline.rival import clean
from benchmarks.pipeline.task import PERIOD
from pipelines.keys import event_id, record_id
from pipelines.settings import load_settings

PERIOD_END = pd.Period(PERIOD).end_time.normalize()
OLDEST = pd.Timestamp("1905-01-01")
PROVENANCE = ["extract_id", "row_number", "record_id"]
LINES = ("line1", "line2", "line3", "line4", "line5")

# Table name -> its rows.
Tables = dict[str, pd.DataFrame]


def with_records(frame: pd.DataFrame, agency: str, local_id: str) -> pd.DataFrame:
    """Return the rows that have a local id, each once, with the id of their record."""
    local = clean.text(frame[local_id])
    kept = frame.assign(local_id=local)[local.notna()]
    kept = kept.drop_duplicates([column for column in kept.columns if column != "row_number"])
    key = load_settings().key
    ids = {each: record_id(key, agency, each) for each in kept["local_id"].unique()}
    return kept.assign(record_id=kept["local_id"].map(ids))


def rows(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Return these columns beside where each row came from."""
    return pd.DataFrame({**{name: frame[name] for name in PROVENANCE}, **columns})


def record_rows(
    frame: pd.DataFrame, agency: str, sex: tuple[str, str], ethnicity: pd.Series | None, **more: Any
) -> pd.DataFrame:
    """Return one row per record.

    `sex` is the column and the scheme of its codes; `ethnicity` is our code of 16 groups, where one is sent.
    """
    group = ethnicity if ethnicity is not None else pd.Series("UN", index=frame.index)
    built = rows(
        frame,
        agency=agency,
        source_person_id=frame["local_id"],
        record_type="PERSON",
        sex=clean.mapped(frame[sex[0]].fillna(""), "sex", sex[1], "U"),
        sex_raw=frame[sex[0]],
        ethnicity_16=group,
        ethnicity_5=group.map(clean.codes("ethnicity_5", "canon")),
        ethnicity_basis=group.isin(["UN", "NS"]).map({True: "UNKNOWN", False: "SELF"}),
    )
    return built.assign(**more).drop_duplicates("record_id")


def name_rows(
    frame: pd.DataFrame,
    kind: Any,
    given: str,
    family: str,
    middle: pd.Series | None,
    title: str | None = None,
) -> pd.DataFrame:
    """Return one row per name: the first given name, the others, the family name."""
    first = clean.name(frame[given])
    others = first.str.split(" ", n=1).str[1]
    if middle is not None:
        others = clean.text(others.fillna("") + " " + clean.name(middle).fillna(""))
    last = clean.name(frame[family])
    placeholder = clean.no_name(first) | clean.no_name(last)
    built = rows(
        frame,
        name_type=kind,
        title_raw=frame[title] if title else None,
        given_raw=frame[given],
        middle_raw=middle,
        family_raw=frame[family],
        title=clean.name(frame[title]) if title else None,
        given=first.str.split(" ", n=1).str[0].where(~placeholder),
        middle=others.where(~placeholder),
        family=last.where(~clean.no_name(last)),
        is_placeholder=placeholder,
    )
    return built[first.notna() | last.notna()]


def birth_rows(frame: pd.DataFrame, column: str, form: str) -> pd.DataFrame:
    """Return one row per date of birth, known to the day or not at all; usual fillers are no dates."""
    born = clean.date(frame[column], form)
    filler = born.isin(clean.NO_BIRTHDAYS)
    born = born.where((born <= PERIOD_END) & (born >= OLDEST) & ~filler)
    precision = born.notna().map({True: "DAY", False: "NONE"}).mask(filler, "DEFAULT")
    built = rows(
        frame,
        date_of_birth_raw=frame[column],
        date_of_birth=born,
        precision=precision,
        earliest=born,
        latest=born,
    )
    return built[clean.text(frame[column]).notna()]


def identifier_rows(frame: pd.DataFrame, kind: Any, column: str, issuer: str, **more: Any) -> pd.DataFrame:
    """Return one row per identifier; only NHS numbers have their check digit worked out."""
    value = clean.text(frame[column].str.upper())
    kinds = kind if isinstance(kind, pd.Series) else pd.Series(kind, index=frame.index)
    is_nhs = kinds == "NHS"
    value = value.mask(is_nhs, clean.digits(frame[column]))
    status = pd.Series("UNVERIFIED", index=frame.index).mask(is_nhs, "INVALID_CHECK")
    status[value.isin(clean.NO_NUMBERS)] = "PLACEHOLDER"
    status[is_nhs & clean.nhs_holds(value)] = "VALID"
    status[is_nhs & ~value.str.fullmatch(r"\d{10}", na=False)] = "INVALID_FORMAT"
    built = rows(
        frame,
        identifier_type=kinds,
        value_raw=frame[column],
        value=value.where(status.isin(["VALID", "UNVERIFIED"])),
        issuer=issuer,
        status=status,
    )
    return built.assign(**more)[clean.text(frame[column]).notna()]


def address_rows(
    frame: pd.DataFrame, kind: Any, lines: tuple[pd.Series, ...], postcode: str, **more: Any
) -> pd.DataFrame:
    """Return one row per address that says anything."""
    parts = [clean.text(line) for line in lines]
    whole = parts[0].fillna("").str.cat([part.fillna("") for part in parts[1:]], sep=" ")
    address = clean.text(whole.str.upper().str.replace(r"[^A-Z0-9]+", " ", regex=True))
    built = rows(
        frame,
        address_type=kind,
        **dict(zip(LINES, parts, strict=True)),
        address=address,
        building_number=address.str.extract(r"\b(\d+[A-Z]?)\b")[0],
        postcode_raw=frame[postcode],
        **clean.postcode(frame[postcode]),
    )
    return built.assign(**more)[address.notna() | clean.text(frame[postcode]).notna()]


def contact_rows(frame: pd.DataFrame, kind: str, column: str) -> pd.DataFrame:
    """Return one row per phone number or e-mail address."""
    value = clean.email(frame[column]) if kind == "EMAIL" else clean.phone(frame[column])
    status = value.notna().map({True: "VALID", False: "INVALID"})
    built = rows(frame, contact_type=kind, value_raw=frame[column], value=value, status=status)
    return built[clean.text(frame[column]).notna()]


def event_rows(
    frame: pd.DataFrame, agency: str, kind: Any, reference: str, begin: pd.Series, end: pd.Series, **more: Any
) -> pd.DataFrame:
    """Return one row per event that has a date, each once; `attributes`, columns of text, become one object."""
    attributes = more.pop("attributes", None)
    if attributes is not None:
        filled = attributes.astype(object).where(attributes.notna(), None)
        more["attributes"] = [json.dumps(each) for each in filled.to_dict("records")]
    built = rows(
        frame,
        agency=agency,
        event_type=kind,
        source_event_id=frame[reference],
        event_date=begin.dt.normalize(),
        event_end_date=end.dt.normalize(),
    ).assign(**more)
    built = built[built["event_date"].notna()].copy()
    key = load_settings().key
    named = zip(built["event_type"], built["source_event_id"], built["record_id"], strict=True)
    built["event_id"] = [event_id(key, agency, *each) for each in named]
    return built.drop_duplicates("event_id")
