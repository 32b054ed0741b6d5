"""Small worlds for property tests of engines: any model that all engines can express, and records that coincide."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st
from support.link_population import SCHEMAS

from pipelines.contracts.conditions import CONDITIONS, LAST_CONDITION, NEEDS_VALUE
from pipelines.contracts.model import LinkageModel, load_model
from pipelines.link import LinkData, TrainedModel
from pipelines.link.encode import Encoded, encode
from pipelines.link.terms import common_terms
from pipelines.link.trained import SourcePrior, source_pair

# Few values, near to each other, so that a dozen of records meet in every way.
GIVEN = (
    "ROBERT",
    "BOB",
    "ROBERTA",
    "RUPERT",
    "R",
    "MARTHA",
    "MARHTA",
    "ANNE MARIE",
    "MARIE",
    "SMITH",
    "XI",
    "DIXON",
)
FAMILY = ("SMITH", "SMYTHE", "SMITH JONES", "JONES", "ROBERT", "DICKSONX", "DIXON", "DICKSON", "XI", "MARTHA")
MIDDLE = ("BOB", "R", "ANNE MARIE", "MARIE R", "SMITH")
DAYS = tuple(date.fromisoformat(f"{day}") for day in ("2001-04-07", "2001-07-04", "2001-04-17", "2001-04-08",
             "2010-04-07", "2004-02-29", "1999-12-31", "2001-04-12", "2001-04-21"))  # fmt: skip
EMAILS = ("MARTHA@EXAMPLE.ORG", "MARHTA@EXAMPLE.ORG", "MARTHA@EXAMPLE.NET", "X@EXAMPLE.ORG", "+447700900123",
          "+447700900124")  # fmt: skip
NUMBERS = ("9000000009", "9000000017", "900000009", "A123456", "A123465")
LINES = ("1 HIGH STREET", "1 HIGH STRETE", "12 LOW ROAD", "1 HIGH STREET LEEDS")
POSTCODES = (("NS1 1AA", "NS1"), ("NS1 1AB", "NS1"), ("NS2 1AA", "NS2"))
STAYS = ((None, None), (DAYS[0], None), (DAYS[4], None), (DAYS[0], DAYS[4]))
FURTHER = [("lines", pa.string()), ("flat", pa.string()), ("building_name", pa.string()), ("address_type", pa.string()),
           ("valid_from", pa.date32()), ("valid_to", pa.date32())]  # fmt: skip
TEXTS = ("BAKER", "BAKRE", "BAKER STREET", "STREET", "B")
FIELDS: tuple[tuple[str, str, str], ...] = (
    ("given_name", "name", "given"), ("family_name", "name", "family"), ("middle_name", "middle", "middle"),
    ("birth", "date", "birth"), ("sex", "code", "sex"), ("nhs", "identifier", "nhs_number"),
    ("number", "identifier", "identifier"), ("ssn", "identifier", "identifier.ssn"),
    ("address", "address", "address"), ("contact", "contact", "contact"), ("trade", "text", "extra.trade"),
)  # fmt: skip
TYPES = {
    "nhs_number": {"NHS": "NHS"},
    "identifier": {"UPN": "UPN", "UPN_FORMER": "UPN", "PNC": "PNC"},
    "identifier.ssn": {"SSN": "SSN"},
}
KEYS = ("given", "given_phonetic", "given_initial", "family", "family_phonetic", "family_initial", "sorted_names",
        "date_of_birth", "birth_either_order", "birth_year", "birth_month", "postcode", "outward", "place", "lines",
        "contact", "sex")  # fmt: skip
SHARES = (0.9, 0.6, 0.3, 0.1, 0.01, 0.001, 0.00001)
SOURCES = ("here", "there", "yonder")


@dataclass(frozen=True)
class World:
    """A trained model and records that it speaks about."""

    trained: TrainedModel
    encoded: Encoded


def worlds() -> st.SearchStrategy[World]:
    """Return worlds by their number: comparisons with levels in any order, aliases, silences, frequencies, priors."""
    return st.integers(0, 2**32 - 1).map(make_world)


def make_world(number: int) -> World:
    """Return the world of this number."""
    dice = random.Random(number)
    model = _model(dice)
    encoded = encode(model, _data(dice))
    trained = TrainedModel.untrained(model)
    priors = {
        source_pair(one, other): SourcePrior(dice.choice(SHARES) / 2, dice.choice(SHARES) / 10)
        for one in SOURCES
        for other in SOURCES
        if one <= other and dice.random() < 0.6
    }
    parameters = replace(trained.parameters, priors=priors)
    return World(replace(trained, parameters=parameters, terms=common_terms(model, encoded)), encoded)


def _model(dice: random.Random) -> LinkageModel:
    chosen = dice.sample(FIELDS, dice.randint(1, 6))
    comparisons: list[dict[str, Any]] = []
    for at, (name, kind, field) in enumerate(chosen):
        # Only the first silences others: what is silenced itself has nothing to say.
        later = [other for other, _, _ in chosen[1:]] if at == 0 else []
        comparisons.append(
            {
                "name": name,
                "kind": kind,
                "field": field,
                "types": TYPES.get(field, {}),
                "former_types": ["UPN_FORMER"] if field == "identifier" else [],
                "levels": _levels(dice, kind, later),
            }
        )
    open_keys = [field for _, _, field in chosen if "." in field or field in {"nhs_number", "identifier"}]
    first = comparisons[0]
    content = load_model().model_dump(mode="json") | {
        "comparisons": comparisons,
        "blocking": _rules(dice, (*KEYS, *open_keys)),
        "household": None,
        "hard_bar": None,
        "hubs": dice.choice((None, {"address": 2, "postcode": 4})),
        "linkable_by": [],
        "prior": dice.choice(SHARES) / 2,
        "minimum_frequency": dice.choice((0.0001, 0.1, 0.3)),
        "deterministic": {"assumed_recall": 0.5, "rules": [{first["name"]: [first["levels"][0]["name"]]}]},
    }
    return LinkageModel.model_validate(content)


def _levels(dice: random.Random, kind: str, later: list[str]) -> list[dict[str, Any]]:
    last = LAST_CONDITION.get(kind, "else")
    others = [when for when in CONDITIONS[kind] if when != last]
    whens = dice.sample(others, dice.randint(1, len(others)))
    levels = []
    for when in [*whens, last]:
        level: dict[str, Any] = {
            "name": when,
            "when": when,
            "m": dice.choice(SHARES),
            "u": dice.choice(SHARES),
        }
        needed = NEEDS_VALUE.get(when)
        if needed == "at_least":
            level["at_least"] = dice.choice((0.6, 0.7, 0.8, 0.88, 0.95, 1.0))
        if needed == "years":
            level["years"] = dice.randint(0, 5)
        if when != last:
            level["term_frequency"] = dice.random() < 0.5
            level["silences"] = dice.choice(later) if later and dice.random() < 0.2 else None
        levels.append(level)
    return levels


def _rules(dice: random.Random, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return rules, now and then more than ten; most blocks are small enough, some are narrowed or left out."""
    return [
        {
            "name": f"rule_{number}",
            "keys": dice.sample(keys, dice.choice((1, 1, 2))),
            "maximum_block": dice.choice((2, 4, 20, 20)),
            "narrow_with": dice.choice((None, *keys)),
        }
        for number in range(dice.choice((1, 2, 3, 4, 12)))
    ]


def _row(dice: random.Random, table: str) -> tuple[Any, ...]:
    """Return what stands in a row after its record."""
    match table:
        case "names":
            return tuple(dice.choice((None, *values)) for values in (GIVEN, MIDDLE, FAMILY))
        case "births":
            return dice.choice(DAYS), dice.choice(("DAY", "DAY", "DAY", "YEAR", "AGE_RANGE", "NONE"))
        case "identifiers":
            return (
                dice.choice(("NHS", "UPN", "UPN_FORMER", "PNC", "SSN")),
                dice.choice(NUMBERS),
                dice.choice(("VALID", "UNVERIFIED", "INVALID")),
                None,
                dice.choice((None, None, DAYS[0])),
            )
        case "addresses":
            code, outward = dice.choice(POSTCODES)
            status, lines = dice.choice(("LIVE", "LIVE", "PSEUDO")), dice.choice((None, *LINES))
            return (
                dice.choice((None, "1", "2", "1-3")), code, status, outward, dice.choice((None, None, "11", "12")), lines,
                dice.choice((None, None, "FLAT 1", "ROOM 2")), dice.choice((None, "THE MILL")),
                dice.choice(("HOME", "HOME", "TEMP", "PREVIOUS")), *dice.choice(STAYS),
            )  # fmt: skip
        case "contacts":
            return "ANY", dice.choice(EMAILS), dice.choice(("VALID", "VALID", "INVALID"))
        case _:
            return "trade", dice.choice(TEXTS)


def _data(dice: random.Random) -> LinkData:
    ids = [f"r{at:03d}" for at in range(dice.randint(2, 16))]
    rows = {
        table: [
            (record, *_row(dice, table)) for record in ids for _ in range(dice.choice((0, 1, 1, 1, 2, 3)))
        ]
        for table in ("names", "births", "identifiers", "addresses", "contacts", "extras")
    }
    records = [(record, dice.choice(SOURCES), "PERSON", dice.choice((None, "M", "F"))) for record in ids]
    return LinkData(
        records=_table(records, SCHEMAS["records"]),
        names=_table([(*row, False) for row in rows["names"]], SCHEMAS["names"]),
        births=_table([_birth(*row) for row in rows["births"]], SCHEMAS["births"]),
        identifiers=_table(rows["identifiers"], SCHEMAS["identifiers"]),
        addresses=_table(rows["addresses"], [*SCHEMAS["addresses"], *FURTHER]),
        contacts=_table(rows["contacts"], SCHEMAS["contacts"]),
        extras=_table(rows["extras"], [(name, pa.string()) for name in ("record_id", "field", "value")]),
        unique_sources=frozenset(source for source in SOURCES if dice.random() < 0.2),
    )


def _birth(record: str, day: date, precision: str) -> tuple[Any, ...]:
    if precision == "DAY":
        return record, day, precision, day, day
    if precision == "NONE":
        return record, None, precision, None, None
    years = 3 if precision == "AGE_RANGE" else 0
    return record, None, precision, date(day.year - years, 1, 1), date(day.year + years, 12, 31)


def _table(rows: list[tuple[Any, ...]], schema: list[tuple[str, pa.DataType]]) -> pa.Table:
    columns = [[row[at] for row in rows] for at in range(len(schema))]
    arrays = [pa.array(column, kind) for column, (_, kind) in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(schema))
