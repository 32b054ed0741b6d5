"""Small worlds for property tests of engines: any model that all engines can express, and records that coincide."""

from __future__ import annotations

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
SHARES = st.sampled_from((0.9, 0.6, 0.3, 0.1, 0.01, 0.001, 0.00001))
SOURCES = ("here", "there", "yonder")


@dataclass(frozen=True)
class World:
    """A trained model and records that it speaks about."""

    trained: TrainedModel
    encoded: Encoded


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return a world: comparisons with levels in any order, aliases, silences, frequencies, priors, unique sources."""
    model = draw(_models())
    data = draw(_data())
    encoded = encode(model, data)
    trained = TrainedModel.untrained(model)
    priors = {
        source_pair(one, other): SourcePrior(draw(SHARES) / 2, draw(SHARES) / 10)
        for one in SOURCES
        for other in SOURCES
        if one <= other and draw(st.booleans())
    }
    parameters = replace(trained.parameters, priors=priors)
    return World(replace(trained, parameters=parameters, terms=common_terms(model, encoded)), encoded)


@st.composite
def _models(draw: st.DrawFn) -> LinkageModel:
    chosen = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=5, unique=True))
    comparisons: list[dict[str, Any]] = []
    for at, (name, kind, field) in enumerate(chosen):
        later = [other for other, _, _ in chosen[at + 1 :]]
        comparisons.append(
            {
                "name": name,
                "kind": kind,
                "field": field,
                "types": TYPES.get(field, {}),
                "former_types": ["UPN_FORMER"] if field == "identifier" else [],
                "levels": draw(_levels(kind, later)),
            }
        )
    open_keys = [field for _, _, field in chosen if "." in field or field in {"nhs_number", "identifier"}]
    first = comparisons[0]
    content = load_model().model_dump(mode="json") | {
        "comparisons": comparisons,
        "blocking": draw(_rules((*KEYS, *open_keys))),
        "household": None,
        "hard_bar": None,
        "prior": draw(SHARES) / 2,
        "minimum_frequency": draw(st.sampled_from((0.0001, 0.1, 0.3))),
        "deterministic": {"assumed_recall": 0.5, "rules": [{first["name"]: [first["levels"][0]["name"]]}]},
    }
    return LinkageModel.model_validate(content)


@st.composite
def _levels(draw: st.DrawFn, kind: str, later: list[str]) -> list[dict[str, Any]]:
    last = LAST_CONDITION.get(kind, "else")
    others = [when for when in CONDITIONS[kind] if when != last]
    whens = draw(st.lists(st.sampled_from(others), min_size=1, max_size=5, unique=True))
    levels = []
    for when in [*whens, last]:
        level: dict[str, Any] = {"name": when, "when": when, "m": draw(SHARES), "u": draw(SHARES)}
        needed = NEEDS_VALUE.get(when)
        if needed == "at_least":
            level["at_least"] = draw(st.sampled_from((0.6, 0.7, 0.8, 0.88, 0.95, 1.0)))
        if needed == "years":
            level["years"] = draw(st.integers(0, 5))
        if when != last:
            level["term_frequency"] = draw(st.booleans())
            level["silences"] = draw(st.sampled_from((None, *later)))
        levels.append(level)
    return levels


@st.composite
def _rules(draw: st.DrawFn, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    rules = draw(
        st.lists(
            st.tuples(
                st.lists(st.sampled_from(keys), min_size=1, max_size=2, unique=True),
                st.integers(2, 12),
                st.sampled_from((None, *keys)),
            ),
            min_size=1,
            max_size=12,
        )
    )
    return [
        {"name": f"rule_{number}", "keys": chosen, "maximum_block": largest, "narrow_with": narrow}
        for number, (chosen, largest, narrow) in enumerate(rules)
    ]


def _some(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from((None, *values))


ROWS: dict[str, st.SearchStrategy[Any]] = {
    "names": st.tuples(_some(GIVEN), _some(MIDDLE), _some(FAMILY)),
    "births": st.tuples(st.sampled_from(DAYS), st.sampled_from(("DAY", "DAY", "YEAR", "AGE_RANGE", "NONE"))),
    "identifiers": st.tuples(
        st.sampled_from(("NHS", "UPN", "UPN_FORMER", "PNC", "SSN")),
        st.sampled_from(NUMBERS),
        st.sampled_from(("VALID", "UNVERIFIED", "INVALID")),
        st.sampled_from((None, DAYS[0])),
    ),
    "addresses": st.tuples(
        _some(("1", "2")), st.sampled_from(POSTCODES), st.sampled_from(("LIVE", "PSEUDO")), _some(LINES)
    ),
    "contacts": st.tuples(st.sampled_from(EMAILS), st.sampled_from(("VALID", "INVALID"))),
    "extras": st.sampled_from(TEXTS).map(lambda value: ("trade", value)),
}


@st.composite
def _data(draw: st.DrawFn) -> LinkData:
    size = draw(st.integers(2, 12))
    records = [(draw(st.sampled_from(SOURCES)), draw(_some(("M", "F")))) for _ in range(size)]
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in ROWS}
    for at in range(size):
        for name, strategy in ROWS.items():
            rows[name] += [(f"r{at:03d}", *each) for each in draw(st.lists(strategy, max_size=2))]
    unique = draw(st.frozensets(st.sampled_from(SOURCES), max_size=2))
    return LinkData(
        records=_table(
            "records", [(f"r{at:03d}", source, "PERSON", sex) for at, (source, sex) in enumerate(records)]
        ),
        names=_table("names", [(*row, False) for row in rows["names"]]),
        births=_table("births", [_birth(*row) for row in rows["births"]]),
        identifiers=_table("identifiers", [(*row[:4], None, row[4]) for row in rows["identifiers"]]),
        addresses=_addresses(rows["addresses"]),
        contacts=_table("contacts", [(row[0], "ANY", *row[1:]) for row in rows["contacts"]]),
        extras=_made(rows["extras"], [(name, pa.string()) for name in ("record_id", "field", "value")]),
        unique_sources=unique,
    )


def _birth(record: str, day: date, precision: str) -> tuple[Any, ...]:
    if precision == "DAY":
        return record, day, precision, day, day
    if precision == "NONE":
        return record, None, precision, None, None
    years = 3 if precision == "AGE_RANGE" else 0
    return record, None, precision, date(day.year - years, 1, 1), date(day.year + years, 12, 31)


def _addresses(rows: list[tuple[Any, ...]]) -> pa.Table:
    made = [
        (record, number, code, status, out, None, lines)
        for record, number, (code, out), status, lines in rows
    ]
    return _made(made, [*SCHEMAS["addresses"], ("lines", pa.string())])


def _table(name: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    return _made(rows, SCHEMAS[name])


def _made(rows: list[tuple[Any, ...]], schema: list[tuple[str, pa.DataType]]) -> pa.Table:
    columns = [[row[at] for row in rows] for at in range(len(schema))]
    arrays = [pa.array(column, kind) for column, (_, kind) in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(schema))
