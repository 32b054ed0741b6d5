"""The ladder of addresses: postcode, number, flat, UPRN; what is uncertain, and what is former."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from support.link_population import Tables

from pipelines.contracts.model import load_model
from pipelines.link import LinkData
from pipelines.link.compare import compare_pairs
from pipelines.link.encode import encode
from pipelines.link.encode.dwellings import covered_numbers

Row = dict[str, Any]
SCHEMA = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("record_id", "building_number", "flat", "building_name", "postcode")
        ),
        *((name, pa.string()) for name in ("postcode_status", "outward", "uprn", "address_type")),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
    ]
)
NUMBERED: Row = {"building_number": "12"}


def address(record: str, **given: Any) -> Row:
    row = {"postcode": "BD1 1AA", "postcode_status": "LIVE", "address_type": "HOME", **given}
    row["outward"] = row["postcode"] and row["postcode"].split()[0]
    return {name: row.get(name) for name in SCHEMA.names} | {"record_id": record}


def records_at(*rows: Row) -> LinkData:
    tables = Tables()
    for record in sorted({row["record_id"] for row in rows}):
        tables.record(record)
    return replace(tables.data(), addresses=pa.Table.from_pylist(list(rows), SCHEMA))


def level_of(*rows: Row) -> str:
    model = load_model()
    encoded = encode(model, records_at(*rows))
    at = encoded.positions(["a", "b"])
    position = [each.name for each in model.comparisons].index("address")
    level = compare_pairs(model, encoded, (at[:1], at[1:]))[0, position]
    return (*model.comparisons[position].level_names(), "null")[level]


LADDER: list[tuple[Row, Row, str]] = [
    ({"uprn": "1001"}, {"uprn": "1001", "postcode": "LS1 4AP"}, "same_uprn"),
    ({"uprn": "1001", "postcode": None, "postcode_status": "MISSING"}, {"uprn": "1001"}, "same_uprn"),
    ({"uprn": "1001", "postcode_status": "CONFIDENTIAL"}, {"uprn": "1001"}, "null"),
    (NUMBERED, NUMBERED, "same_dwelling"),
    ({**NUMBERED, "flat": "FLAT 2"}, {**NUMBERED, "flat": "FLAT 2"}, "same_dwelling"),
    ({"building_name": "ROSE COTTAGE"}, {"building_name": "ROSE COTTAGE"}, "same_dwelling"),
    ({**NUMBERED, "building_name": "THE MILL"}, {"building_name": "THE MILL"}, "same_dwelling"),
    ({**NUMBERED, "flat": "FLAT 2"}, NUMBERED, "uncertain_dwelling"),
    ({"building_name": "THE MILL", "flat": "FLAT 2"}, {"building_name": "THE MILL"}, "uncertain_dwelling"),
    ({"building_number": "12-16"}, {"building_number": "14"}, "uncertain_dwelling"),
    ({"building_number": "12-16", "flat": "FLAT 1"}, {"building_number": "14", "flat": "FLAT 1"}, "uncertain_dwelling"),
    ({"building_number": "12-16"}, {"building_number": "13"}, "same_postcode"),
    ({**NUMBERED, "flat": "FLAT 2"}, {**NUMBERED, "flat": "FLAT 3"}, "same_building"),
    (NUMBERED, {"building_number": "12A"}, "same_postcode"),
    (NUMBERED, {}, "same_postcode"),
    (NUMBERED, {**NUMBERED, "postcode": "BD1 9ZZ"}, "same_outward"),
    (NUMBERED, {**NUMBERED, "postcode": "LS1 4AP"}, "else"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "level"), LADDER)
def test_how_two_addresses_agree(one: Row, other: Row, level: str) -> None:
    assert level_of(address("a", **one), address("b", **other)) == level
    assert level_of(address("a", **other), address("b", **one)) == level


ELSEWHERE: Row = {"building_number": "1", "postcode": "LS1 4AP"}
HISTORIES: list[tuple[list[Row], str]] = [
    # what record a has besides the present address of record b, and that one
    ([{**NUMBERED, "valid_to": date(2020, 5, 1)}, ELSEWHERE], "former_dwelling"),
    ([{**NUMBERED, "address_type": "PREVIOUS"}, ELSEWHERE], "former_dwelling"),
    ([{**NUMBERED, "valid_from": date(2019, 1, 1)}, {**ELSEWHERE, "valid_from": date(2022, 1, 1)}], "former_dwelling"),
    ([{**NUMBERED, "valid_from": date(2022, 1, 1)}, {**ELSEWHERE, "valid_from": date(2019, 1, 1)}], "same_dwelling"),
    ([{**NUMBERED, "valid_to": date(2020, 5, 1)}], "same_dwelling"),  # the last that is known
    ([NUMBERED, {**ELSEWHERE, "address_type": "WORK", "valid_from": date(2022, 1, 1)}], "same_dwelling"),
    ([NUMBERED, ELSEWHERE], "same_dwelling"),  # nothing tells which is older
]  # fmt: skip


@pytest.mark.parametrize(("rows", "level"), HISTORIES)
def test_a_former_address_is_weaker_than_the_current_one(rows: list[Row], level: str) -> None:
    assert level_of(*(address("a", **row) for row in rows), address("b", **NUMBERED)) == level


def test_a_former_uprn_is_a_former_address() -> None:
    moved = [address("a", uprn="1001", valid_to=date(2020, 5, 1)), address("a", **ELSEWHERE)]
    assert level_of(*moved, address("b", uprn="1001", postcode="BD1 1AB")) == "former_dwelling"


def test_the_shipped_levels_start_from_best_to_worst() -> None:
    levels = load_model().comparison("address").levels
    weights = [level.m / level.u for level in levels]
    assert [level.name for level in levels[:5]] == [
        "same_uprn", "same_dwelling", "former_dwelling", "uncertain_dwelling", "same_building",
    ]  # fmt: skip
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize(
    ("number", "covered"),
    [
        ("12", ("12",)),
        ("12-16", ("12-16", "12", "14", "16")),
        ("12-13", ("12-13", "12", "13")),
        ("12A-14", ("12A-14", "12", "14")),
        ("16-12", ("16-12",)),
        ("1-999", ("1-999",)),
    ],
)
def test_numbers_inside_a_range(number: str, covered: tuple[str, ...]) -> None:
    assert covered_numbers(number) == covered
