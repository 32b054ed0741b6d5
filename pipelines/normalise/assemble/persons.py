"""Building the rows that say who somebody is: record, names, dates of birth, identifiers, addresses, contacts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipelines.contracts.codes import load_code_map
from pipelines.keys import record_id
from pipelines.normalise.addresses import normalise_address, normalise_uprn
from pipelines.normalise.assemble.context import EmitRows
from pipelines.normalise.assemble.distinct import (
    constant,
    field,
    judge_distinct,
    judge_together,
    map_distinct,
)
from pipelines.normalise.dates import age_range, normalise_date_of_birth
from pipelines.normalise.identifiers import normalise_identifier
from pipelines.normalise.names import normalise_name
from pipelines.normalise.plain_contacts import reach_all
from pipelines.normalise.postcodes import normalise_postcode

NOT_STATED = frozenset({"UN", "NS", None})
LINES = ("line1", "line2", "line3", "line4", "line5")


def build_person_record(rows: EmitRows) -> pd.DataFrame:
    """Return one person_record row per turned row."""
    local_id = rows.rows.values[str(rows.rows.file.local_id)][rows.mask]
    ethnicity, observed = rows.value("ethnicity"), rows.value("ethnicity_observed")
    groups = load_code_map("ethnicity_5", "canon")
    birth = rows.value("expected_date_of_birth")
    stated = ~ethnicity.isin(list(NOT_STATED)) & ethnicity.notna()
    seen = observed.notna() & ~observed.isin(["NOT_KNOWN", "NOT_STATED"])
    broad = map_distinct(ethnicity, lambda code: groups.get(code, "NOT_KNOWN") if code else "NOT_KNOWN")
    broad = broad.where(stated | ~seen, observed)
    basis = constant("UNKNOWN", rows.index).mask(seen, "OBSERVED").mask(stated, "SELF")
    return rows.frame(
        {
            "agency": rows.context.contract.agency,
            "source_person_id": local_id,
            "record_type": map_distinct(birth, lambda day: "UNBORN" if day is not None else "PERSON"),
            "sex": map_distinct(rows.value("sex"), lambda code: code or "U"),
            "sex_raw": rows.raw("sex"),
            "ethnicity_16": map_distinct(ethnicity, lambda code: code or "UN"),
            "ethnicity_5": broad,
            "ethnicity_basis": basis,
            "ethnicity_raw": rows.raw("ethnicity").where(
                rows.raw("ethnicity").notna(), rows.raw("ethnicity_observed")
            ),
            "expected_date_of_birth": birth,
            "date_of_death": rows.value("date_of_death"),
            "multiple_birth_order": map_distinct(rows.value("multiple_birth_order"), _birth_order),
        }
    )


def _birth_order(text: str | None) -> int | None:
    """Return the order among a multiple birth (1 to 7); 8 and 9 mean not applicable and unknown."""
    return int(text) if text is not None and text in "1234567" and len(text) == 1 else None


def build_person_name(rows: EmitRows) -> pd.DataFrame:
    """Return one person_name row per turned row that has a name."""
    raw = {part: rows.raw(part) for part in ("title", "given", "middle", "family")}
    names = judge_distinct(list(raw.values()), normalise_name)
    kind = map_distinct(rows.value("name_type"), lambda code: code or "USUAL")
    built = rows.frame(
        {
            "name_type": kind,
            **{f"{part}_raw": values for part, values in raw.items()},
            **{
                part: field(names, part)
                for part in ("title", "given", "middle", "family", "suffix", "is_placeholder")
            },
            "valid_from": rows.value("valid_from"),
            "valid_to": rows.value("valid_to"),
        }
    )
    built = built[built[["given_raw", "middle_raw", "family_raw"]].notna().any(axis=1)]
    mothers = field(names, "maternal_name").reindex(built.index)
    maternal = built[mothers.notna()].copy()
    if maternal.empty:
        return built
    maternal["name_type"] = "MATERNAL"
    maternal["given"], maternal["middle"], maternal["is_placeholder"] = None, None, True
    maternal["family"] = mothers[mothers.notna()]
    return pd.concat([built, maternal])


def build_person_date_of_birth(rows: EmitRows) -> pd.DataFrame:
    """Return one person_date_of_birth row per turned row that has a date or an age."""
    formats = rows.date_formats("date_of_birth")
    raw, low, high = rows.raw("date_of_birth"), rows.value("age_from"), rows.value("age_to")
    column = rows.emit.set["date_of_birth"].column if "date_of_birth" in rows.emit.set else None

    def normalise(text: str | None, age_from: str | None, age_to: str | None) -> Any:
        if text is None and (age_from or age_to):
            return age_range(age_from, age_to, reference=rows.context.period_end)
        return normalise_date_of_birth(
            text, formats, reference=rows.context.period_end, has_january_peak=rows.rows.file.january_peak
        )

    births = judge_distinct([raw, low, high], normalise)
    problems = field(births, "problem")
    # What could not be parsed at all was counted when the column was parsed.
    implausible = problems[problems.notna() & rows.value("date_of_birth").notna()]
    for rule, count in implausible.value_counts().items():
        rows.rows.issues[str(column), f"BIRTH_{rule}"] += int(count)
    built = rows.frame(
        {
            "date_of_birth_raw": raw,
            "date_of_birth": field(births, "value"),
            "precision": field(births, "precision"),
            "earliest": field(births, "earliest"),
            "latest": field(births, "latest"),
        }
    )
    return built[(raw.notna() | low.notna() | high.notna()).reindex(built.index)]


def build_person_identifier(rows: EmitRows) -> pd.DataFrame:
    """Return one person_identifier row per turned row that has an identifier."""
    context = rows.context
    raw, kind = rows.raw("value"), rows.value("identifier_type")

    def normalise(identifier_type: str | None, text: str | None) -> Any:
        return normalise_identifier(
            identifier_type or "OTHER",
            text,
            reference_year=context.period_end.year,
            allow_synthetic=context.allow_synthetic,
        )

    parsed = judge_distinct([kind, raw], normalise)
    statuses = field(parsed, "status")
    source = rows.emit.set["value"].column
    bad = statuses[
        raw.notna() & statuses.isin(["INVALID_FORMAT", "INVALID_CHECK", "PLACEHOLDER", "WRONG_TYPE"])
    ]
    for status, count in bad.value_counts().items():
        rows.rows.issues[str(source), f"IDENTIFIER_{status}"] += int(count)
    built = rows.frame(
        {
            "identifier_type": field(parsed, "identifier_type"),
            "value_raw": raw,
            "value": field(parsed, "value"),
            "issuer": map_distinct(rows.value("issuer"), lambda issuer: issuer or context.contract.issuer),
            "status": statuses,
            "verification": rows.value("verification"),
            "unknown_reason": field(parsed, "unknown_reason"),
            "valid_from": rows.value("valid_from"),
            "valid_to": rows.value("valid_to"),
        }
    )
    return built[raw.notna().reindex(built.index)]


def build_person_address(rows: EmitRows) -> pd.DataFrame:
    """Return one person_address row per turned row that has any part of an address."""
    lines = {line: rows.value(line) for line in LINES}
    raw_postcode = rows.raw("postcode")
    places = judge_distinct(list(lines.values()), lambda *parts: normalise_address(parts))
    postcodes = judge_distinct([raw_postcode], normalise_postcode)
    kind = map_distinct(rows.value("address_type"), lambda code: code or "UNKNOWN")
    homeless = field(places, "is_no_fixed_abode").astype(bool) | (field(postcodes, "status") == "NFA")
    built = rows.frame(
        {
            "address_type": kind.mask(homeless, "NFA"),
            **lines,
            "address": field(places, "text"),
            "flat": field(places, "flat"),
            "building_number": field(places, "building_number"),
            "building_name": field(places, "building_name"),
            "street": field(places, "street"),
            "postcode_raw": raw_postcode,
            "postcode": field(postcodes, "value"),
            "postcode_status": field(postcodes, "status"),
            "outward": field(postcodes, "outward"),
            "uprn": _uprns(rows),
            "valid_from": rows.value("valid_from"),
            "valid_to": rows.value("valid_to"),
        }
    )
    return built[built[[*LINES, "postcode_raw", "uprn"]].notna().any(axis=1)]


def _uprns(rows: EmitRows) -> pd.Series[Any]:
    """Return the valid UPRNs; the others are counted by column and reason."""
    found = map_distinct(rows.value("uprn"), normalise_uprn)
    statuses = field(found, "status")
    for status, count in statuses[statuses.isin(["INVALID_FORMAT", "PLACEHOLDER"])].value_counts().items():
        rows.rows.issues[str(rows.emit.set["uprn"].column), f"UPRN_{status}"] += int(count)
    return field(found, "value")


def build_person_contact(rows: EmitRows) -> pd.DataFrame:
    """Return one person_contact row per turned row that has a phone number or an e-mail address."""
    raw, kind = rows.raw("value"), rows.value("contact_type")
    contacts = judge_together([kind, raw], reach_all)
    built = rows.frame(
        {
            "contact_type": kind,
            "value_raw": raw,
            "value": field(contacts, "value"),
            "status": field(contacts, "status"),
        }
    )
    return built[raw.notna().reindex(built.index)]


def build_person_protection(rows: EmitRows) -> pd.DataFrame:
    """Return one person_protection row per turned row; a sealed record without a scope is a scope of its own."""
    scope = rows.value("scope")
    return rows.frame(
        {
            "level": rows.value("level"),
            "scope": scope.where(scope.notna(), rows.record_ids[rows.mask]),
            "effective_from": rows.value("effective_from"),
            "reason": rows.value("reason"),
        }
    )


def build_relationship(rows: EmitRows) -> pd.DataFrame:
    """Return one relationship row per turned row that names another record of the same agency."""
    context, other = rows.context, rows.value("related_source_person_id")
    related = map_distinct(
        other, lambda local: record_id(context.key, context.contract.agency, local) if local else None
    )
    built = rows.frame(
        {
            "related_record_id": related,
            "relationship_type": map_distinct(rows.value("relationship_type"), lambda code: code or "OTHER"),
        }
    )
    return built[related.notna()]
