"""Records without a name: linked by a sound number and what goes with it, and never where nothing says who they are."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.link_population import Tables, population, trained_on_population

from pipelines.contracts.model import load_model
from pipelines.link import FusedEngine, hold_together
from pipelines.link.encode import encode
from pipelines.link.engines.base import Scored, score_encoded
from pipelines.link.explain import Waterfall, explain_pair
from pipelines.link.judged import SAME, Judged, Ruling
from pipelines.link.linkable import linkable
from pipelines.link.thresholds.identifiers import carried

ENGINE = FusedEngine()
BORN, HOME = "2009-04-17", "NS9 9ZZ"
NUMBER, TWINS_NUMBER = "9000000001", "9000000002"


def nameless(tables: Tables, record: str, number: str | None = None, status: str | None = "01") -> None:
    """Add a record as a mental health trust sends it."""
    tables.record(record, "mental_health", "F")
    tables.birth(record, BORN)
    tables.address(record, None, HOME)
    if number is not None:
        tables.identifier(record, "NHS", number, "SYNTHETIC", status)


def named(
    tables: Tables, record: str, given_name: str, number: str | None = None, agency: str = "health"
) -> None:
    """Add a record with a name, of the same birth date and household."""
    tables.record(record, agency, "F")
    tables.name(record, given_name, "LORHOLTON")
    tables.birth(record, BORN)
    tables.address(record, "21", HOME)
    if number is not None:
        tables.identifier(record, "NHS", number, "SYNTHETIC", "01")


def scored(tables: Tables) -> Scored:
    trained = trained_on_population()
    return score_encoded(ENGINE, trained, encode(trained.definition, tables.data()))


def together(tables: Tables, judged: list[Ruling] | None = None) -> list[set[str]]:
    """The clusters of more than one record."""
    found = scored(tables)
    held = hold_together(ENGINE, found, Judged.compiled(judged or [], found.encoded))
    clusters: dict[str, set[str]] = {}
    for row in held.table.to_pylist():
        clusters.setdefault(row["cluster_id"], set()).add(row["record_id"])
    return sorted((each for each in clusters.values() if len(each) > 1), key=sorted)


def explained(tables: Tables, a: str, b: str) -> Waterfall:
    return explain_pair(trained_on_population(), tables.data(), a, b)


def test_a_verified_number_links_a_record_without_a_name() -> None:
    tables = Tables()
    named(tables, "h", "FINBA", NUMBER)
    nameless(tables, "m", NUMBER)
    assert together(tables) == [{"h", "m"}]


def test_several_local_ids_of_one_patient_are_linked_by_their_number() -> None:
    tables = Tables()
    for record in ("m1", "m2", "m3"):
        nameless(tables, record, NUMBER)
    assert together(tables) == [{"m1", "m2", "m3"}]


@pytest.mark.parametrize(
    ("number", "status"),
    [(None, None), (NUMBER, "02"), (NUMBER, "03"), (NUMBER, "04"), (NUMBER, "05"), (NUMBER, "06")],
)
def test_without_a_name_and_a_verified_number_a_record_stands_alone_whatever_agrees(
    number: str | None, status: str | None
) -> None:
    tables = Tables()
    named(tables, "h", "FINBA", NUMBER)
    nameless(tables, "m", number, status)
    nameless(tables, "n", NUMBER)
    assert together(tables) == [{"h", "n"}]
    for other in ("h", "n"):
        pair = explained(tables, "m", other)
        assert (pair.is_linkable, pair.is_link) == (False, False)
        assert "neither a name nor a number" in pair.render()


def test_it_would_have_been_linked_by_weight_alone() -> None:
    """The rule is needed: birth date, sex, postcode and a number that nobody verified weigh enough."""
    tables = Tables()
    named(tables, "h", "FINBA", NUMBER)
    nameless(tables, "m", NUMBER, "02")
    assert explained(tables, "h", "m").probability > trained_on_population().link_probability


def test_somebody_who_knows_may_judge_whose_it_is() -> None:
    tables = Tables()
    named(tables, "h", "FINBA", NUMBER)
    nameless(tables, "m")
    assert together(tables, [Ruling("h", "m", SAME, 1)]) == [{"h", "m"}]


def test_twins_without_names_are_told_apart_by_their_numbers_and_not_joined_where_one_has_none() -> None:
    tables = Tables()
    nameless(tables, "a", NUMBER)
    nameless(tables, "b", TWINS_NUMBER)
    nameless(tables, "c")
    assert together(tables) == []
    assert explained(tables, "a", "b").is_barred


def test_of_named_twins_a_record_goes_to_the_one_whose_number_it_carries() -> None:
    tables = Tables()
    named(tables, "h1", "FINBA", NUMBER)
    named(tables, "h2", "ROSTA", TWINS_NUMBER)
    named(tables, "p1", "FINBA", agency="police")
    named(tables, "p2", "ROSTA", agency="police")
    nameless(tables, "m", TWINS_NUMBER)
    assert together(tables) == [{"h1", "p1"}, {"h2", "m", "p2"}]


def test_an_unverified_number_of_somebody_with_a_name_is_weak_evidence_and_no_conflict() -> None:
    tables = Tables()
    named(tables, "h", "FINBA", NUMBER)
    for record, number in (("same", NUMBER), ("other", TWINS_NUMBER)):
        named(tables, record, "FINBA", agency="mental_health")
        tables.identifier(record, "NHS", number, "SYNTHETIC", "02")
    levels = {
        record: next(
            term.level for term in explained(tables, "h", record).terms if term.comparison == "nhs_number"
        )
        for record in ("same", "other")
    }
    assert levels == {"same": "equal_unverified", "other": "differ_unverified"}


def test_a_number_whose_agency_says_nothing_about_it_is_taken_at_its_word() -> None:
    tables = Tables()
    named(tables, "h", "FINBA", NUMBER)
    nameless(tables, "m", NUMBER, None)
    assert together(tables) == [{"h", "m"}]


def test_who_carries_a_number_is_asked_of_sound_numbers_only() -> None:
    tables = Tables()
    nameless(tables, "a", NUMBER)
    nameless(tables, "b", NUMBER, "02")
    nameless(tables, "c", NUMBER, None)
    bearing = carried(load_model(), tables.data(), "NHS").bearing()
    records = tables.data().records["record_id"].to_pylist()
    assert {record for record, bears in zip(records, bearing, strict=True) if bears} == {"a", "c"}


@cache
def _everybody() -> tuple[Tables, list[str]]:
    tables, _ = population(60, seed=21)
    return tables, [row[0] for row in tables.rows["records"]]


def without(tables: Tables, records: set[str], parts: tuple[str, ...]) -> Tables:
    """The tables without these records' rows in some of them."""
    kept = {
        name: [row for row in rows if name not in parts or row[0] not in records]
        for name, rows in tables.rows.items()
    }
    return Tables(kept)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_record_that_says_nothing_is_in_no_edge_and_changes_no_other(seed: int) -> None:
    everybody, records = _everybody()
    silent = set(random.Random(seed).sample(records, 12))
    told = scored(without(everybody, silent, ("names", "identifiers")))
    assert (
        set(told.encoded.record_ids.filter(~linkable(told.trained.definition, told.encoded)).to_pylist())
        == silent
    )
    absent = scored(without(everybody, silent, tuple(everybody.rows)))
    assert told.edges.to_pylist() == absent.edges.to_pylist()
