"""The rules for values, as tables that a domain expert can read: `tables/*.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.contracts.codes import load_code_map
from pipelines.normalise.addresses import normalise_address, normalise_uprn
from pipelines.normalise.codes import map_code
from pipelines.normalise.contacts import normalise_email, normalise_phone
from pipelines.normalise.cross_field import RecordFacts, event_contradiction, record_contradictions
from pipelines.normalise.dates import NormalisedDate, age_range, normalise_date_of_birth
from pipelines.normalise.identifiers import normalise_identifier
from pipelines.normalise.names import normalise_name, parse_full_name
from pipelines.normalise.postcodes import normalise_postcode

TABLES = Path(__file__).parent / "tables"

Case = dict[str, Any]
Table = dict[str, Any]
IDENTIFIER_TABLES = {"nhs_number": "NHS", "upn": "UPN", "uln": "ULN", "pnc": "PNC", "cro": "CRO"}


def _identifier(table: Table, case: Case, identifier_type: str) -> tuple[Case, Case]:
    found = normalise_identifier(
        identifier_type,
        case["raw"],
        reference_year=table.get("reference_year", 2026),
        allow_synthetic=case.get("synthetic_allowed", True),
    )
    expected = {
        "identifier_type": case.get("type", identifier_type),
        "value": case["value"],
        "status": case["status"],
        "unknown_reason": case.get("reason"),
    }
    return asdict(found), expected


def _named_identifier(identifier_type: str) -> Callable[[Table, Case], tuple[Case, Case]]:
    return lambda table, case: _identifier(table, case, identifier_type)


def _typed_identifier(table: Table, case: Case) -> tuple[Case, Case]:
    return _identifier(table, case, case["type"])


def _postcode(_: Table, case: Case) -> tuple[Case, Case]:
    return asdict(normalise_postcode(case["raw"])), {key: case[key] for key in ("value", "status", "outward")}


def _date_of_birth(table: Table, case: Case) -> tuple[Case, Case]:
    declared = case["format"]
    found = normalise_date_of_birth(
        case["raw"],
        declared if isinstance(declared, str) else tuple(declared),
        reference=table["reference"],
        is_uasc=case.get("uasc", False),
        has_january_peak=case.get("january_peak", False),
    )
    expected = {key: case.get(key) for key in ("value", "precision", "problem")}
    return _stated(found, case, expected)


def _age_range(table: Table, case: Case) -> tuple[Case, Case]:
    found = age_range(case["from"], case["to"], reference=table["reference"])
    expected = {key: case.get(key) for key in ("precision", "problem", "earliest", "latest")}
    return _stated(found, case, expected)


def _stated(found: NormalisedDate, case: Case, expected: Case) -> tuple[Case, Case]:
    expected |= {key: case[key] for key in ("earliest", "latest") if key in case}
    return {key: value for key, value in asdict(found).items() if key in expected}, expected


def _name(_: Table, case: Case) -> tuple[Case, Case]:
    fields = [case["in"].get(field) for field in ("title", "given", "middle", "family")]
    found = asdict(normalise_name(*fields))
    return {key: found[key] for key in case["out"]}, case["out"]


def _full_name(_: Table, case: Case) -> tuple[Case, Case]:
    readings = [list(reading) for reading in parse_full_name(case["full"])]
    if "readings" in case:
        return {"readings": readings}, {"readings": case["readings"]}
    if "first" in case:
        return {"first": readings[0]}, {"first": case["first"]}
    return {"includes": case["includes"] in readings}, {"includes": True}


def _address(_: Table, case: Case) -> tuple[Case, Case]:
    expected = {
        "text": case["text"],
        "building_number": case["number"],
        "is_no_fixed_abode": case.get("nfa", False),
    }
    found = asdict(normalise_address(case["lines"]))
    return {name: found[name] for name in expected}, expected


def _address_parts(_: Table, case: Case) -> tuple[Case, Case]:
    """One line with commas and a line for each segment give the same parts."""
    expected = {part: case.get(part) for part in ("flat", "number", "name", "street")}
    known = [line for line in case["lines"] if line]
    for lines in (case["lines"], [", ".join(known)]):
        found = normalise_address(lines)
        parts = (found.flat, found.building_number, found.building_name, found.street)
        if dict(zip(expected, parts, strict=True)) != expected:
            break
    return dict(zip(expected, parts, strict=True)), expected


def _uprn(_: Table, case: Case) -> tuple[Case, Case]:
    found = normalise_uprn(case["raw"])
    return asdict(found), {"value": case["value"], "status": case["status"]}


def _contact(_: Table, case: Case) -> tuple[Case, Case]:
    found = asdict((normalise_phone if case["kind"] == "phone" else normalise_email)(case["raw"]))
    expected = {"value": case["value"], "status": case["status"]}
    if "type" in case:
        expected["contact_type"] = case["type"]
    return {key: found[key] for key in expected}, expected


def _codes(_: Table, case: Case) -> tuple[Case, Case]:
    code_map = load_code_map(case["list"], case["scheme"])
    found = {raw: map_code(code_map, raw) for raw in case["codes"]}
    assert all(mapped.is_mapped == (mapped.value is not None) for mapped in found.values())
    return {raw: mapped.value for raw, mapped in found.items()}, case["codes"]


def _cross_field_record(_: Table, case: Case) -> tuple[Case, Case]:
    facts = RecordFacts(
        born=case.get("born"),
        is_birth_stated="born" in case or case.get("unreadable_birth", False),
        expected=case.get("expected"),
        is_expected_asked=case.get("asked", False),
        sex=case.get("sex", "U"),
        died=case.get("died"),
        has_upn=case.get("upn", False),
        has_reason_for_no_upn=case.get("upn_reason", False),
    )
    return {"breaks": list(record_contradictions(facts))}, {"breaks": case["breaks"]}


def _cross_field_event(_: Table, case: Case) -> tuple[Case, Case]:
    found = event_contradiction(case["type"], case["day"], case["born"])
    return {"breaks": found}, {"breaks": case["breaks"]}


RULES: dict[str, Callable[[Table, Case], tuple[Case, Case]]] = {
    **{name: _named_identifier(identifier_type) for name, identifier_type in IDENTIFIER_TABLES.items()},
    "other_identifiers": _typed_identifier,
    "postcode": _postcode,
    "date_of_birth": _date_of_birth,
    "age_range": _age_range,
    "name": _name,
    "full_name": _full_name,
    "address": _address,
    "address_parts": _address_parts,
    "uprn": _uprn,
    "contact": _contact,
    "codes": _codes,
    "cross_field_record": _cross_field_record,
    "cross_field_event": _cross_field_event,
}


def _every_case() -> Iterator[Any]:
    for path in sorted(TABLES.glob("*.yaml")):
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        for number, case in enumerate(table["cases"], start=1):
            yield pytest.param(path.stem, table, case, id=f"{path.stem}-{number}")


@pytest.mark.parametrize(("rule", "table", "case"), list(_every_case()))
def test_value_follows_the_rule(rule: str, table: Table, case: Case) -> None:
    found, expected = RULES[rule](table, case)
    assert found == expected


def test_every_table_states_its_rule_and_source() -> None:
    for path in TABLES.glob("*.yaml"):
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert table["rule"].strip(), path.name
        assert table["source"].strip(), path.name


def test_every_rule_has_a_table() -> None:
    assert {path.stem for path in TABLES.glob("*.yaml")} == set(RULES)
