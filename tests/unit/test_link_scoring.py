"""Scoring: weights add up, missing says nothing, and twins, namesakes and siblings stay apart."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from support.link_population import Tables, population, trained_on_population

from pipelines.link import RecordLinkageEngine, explain_pair
from pipelines.link.engines.base import edge_schema

ENGINE = RecordLinkageEngine()


def family_member(
    tables: Tables, record: str, given: str, born: str, agency: str = "police", sex: str = "M"
) -> None:
    tables.record(record, agency, sex)
    tables.name(record, given, "LORHOLTON")
    tables.birth(record, born)
    tables.address(record, "21", "NS9 9ZZ")
    tables.contact(record, "+447700900123")


def weight(tables: Tables, a: str = "a", b: str = "b") -> float:
    return explain_pair(trained_on_population(), tables.data(), a, b).total


def test_the_same_person_is_a_link():
    tables = Tables()
    family_member(tables, "a", "FINBA", "2001-04-17")
    family_member(tables, "b", "FINBA", "2001-04-17", "health")
    assert explain_pair(trained_on_population(), tables.data(), "a", "b").is_link


@pytest.mark.parametrize("sex", ["M", "F"])
def test_twins_at_one_address_with_one_phone_are_no_link(sex):
    tables = Tables()
    family_member(tables, "a", "FINBA", "2001-04-17")
    family_member(tables, "b", "ROSTA", "2001-04-17", "health", sex)
    assert not explain_pair(trained_on_population(), tables.data(), "a", "b").is_link


def test_a_namesake_father_and_son_are_no_link():
    tables = Tables()
    family_member(tables, "a", "FINBA", "1968-12-30")
    family_member(tables, "b", "FINBA", "2001-04-17", "health")
    assert not explain_pair(trained_on_population(), tables.data(), "a", "b").is_link


def test_siblings_are_far_from_a_link():
    tables = Tables()
    family_member(tables, "a", "FINBA", "1998-12-30")
    family_member(tables, "b", "ROSTA", "2001-04-17", "health")
    assert weight(tables) < -5


def test_more_shared_household_evidence_never_makes_siblings_one_person():
    plain, rich = Tables(), Tables()
    for tables in (plain, rich):
        for record, given, born in (("a", "FINBA", "1998-12-30"), ("b", "ROSTA", "2001-04-17")):
            tables.record(record)
            tables.name(record, given, "LORHOLTON")
            tables.birth(record, born)
            if tables is rich:
                tables.address(record, "21", "NS9 9ZZ")
                tables.contact(record, "+447700900123")
    assert weight(rich) < 0 > weight(plain)


def test_a_null_weighs_nothing():
    tables = Tables()
    tables.record("a")
    tables.record("b")
    waterfall = explain_pair(trained_on_population(), tables.data(), "a", "b")
    assert {(term.level, term.weight) for term in waterfall.terms} == {("null", 0.0)}


def test_the_waterfall_sums_to_the_weight_of_the_edge():
    trained, (tables, _) = trained_on_population(), population(60, seed=8)
    data = tables.data()
    edges = ENGINE.score(trained, data).edges.to_pylist()[:40]
    assert edges
    for edge in edges:
        waterfall = explain_pair(trained, data, edge["record_b"], edge["record_a"])
        total = waterfall.prior + sum(term.weight for term in waterfall.terms) + waterfall.household
        assert total == pytest.approx(edge["match_weight"], abs=1e-9)
        assert waterfall.probability == pytest.approx(edge["match_probability"])
        assert waterfall.is_link == edge["is_link"]
        for term in waterfall.terms:
            if term.m is not None and term.u is not None:
                assert np.log2(term.m / term.u) == pytest.approx(term.weight)


def test_a_waterfall_prints_levels_and_never_values():
    tables = Tables()
    family_member(tables, "a", "FINBA", "2001-04-17")
    family_member(tables, "b", "ROSTA", "1998-12-30")
    text = explain_pair(trained_on_population(), tables.data(), "a", "b").render()
    assert "household correction" in text
    assert "prior" in text
    for value in ("FINBA", "ROSTA", "LORHOLTON", "2001", "NS9", "77009"):
        assert value not in text


def test_a_pair_that_was_never_compared_names_the_rule_that_nearly_met_it():
    tables = Tables()
    for record, given in (("a", "FINBA"), ("b", "ROSTA")):
        tables.record(record)
        tables.name(record, given, "LORHOLTON")
        tables.birth(record, "2001-04-17" if record == "a" else "1998-12-30")
    waterfall = explain_pair(trained_on_population(), tables.data(), "a", "b")
    assert waterfall.rules == ()
    assert waterfall.nearest_rule == "the nearest rule is birth_family, 1 of its 2 keys agree"


def test_two_verified_nhs_numbers_that_differ_are_never_a_link():
    tables = Tables()
    for record, number in (("a", "9000000001"), ("b", "9000000002")):
        family_member(tables, record, "FINBA", "2001-04-17", "health")
        tables.identifier(record, "PNC", "2001/1")
        tables.identifier(record, "NHS", number, "SYNTHETIC", "01")
    waterfall = explain_pair(trained_on_population(), tables.data(), "a", "b")
    assert waterfall.is_barred
    assert not waterfall.is_link
    (edge,) = ENGINE.score(trained_on_population(), tables.data()).edges.to_pylist()
    assert (edge["is_barred"], edge["is_link"]) == (True, False)


def test_unverified_numbers_that_differ_weigh_against_but_do_not_bar():
    tables = Tables()
    for record, number in (("a", "9000000001"), ("b", "9000000002")):
        family_member(tables, record, "FINBA", "2001-04-17", "health")
        tables.identifier(record, "NHS", number, "SYNTHETIC")
    waterfall = explain_pair(trained_on_population(), tables.data(), "a", "b")
    nhs = next(term for term in waterfall.terms if term.comparison == "nhs_number")
    assert (nhs.level, waterfall.is_barred) == ("conflict", False)
    assert nhs.weight < -4


def test_a_common_name_weighs_less_than_a_rare_one():
    trained = trained_on_population()
    given = [row[1] for row in population(900, seed=11)[0].rows["names"]]
    common = max(set(given), key=given.count)
    rare = Tables()
    family_member(rare, "a", "ZZYXO", "2001-04-17")
    family_member(rare, "b", "ZZYXO", "2001-04-17")
    usual = Tables()
    family_member(usual, "a", common, "2001-04-17")
    family_member(usual, "b", common, "2001-04-17")
    weights = [explain_pair(trained, tables.data(), "a", "b").terms[0].weight for tables in (rare, usual)]
    assert weights[0] > weights[1] + 3


def test_edges_are_the_same_for_any_order_of_rows():
    trained, (tables, _) = trained_on_population(), population(80, seed=5)
    first = ENGINE.score(trained, tables.data())
    second = ENGINE.score(trained, tables.data(random.Random(1)))
    assert first.edges.equals(second.edges)
    assert first.edges.schema == edge_schema(trained.definition)
    edges = first.edges.to_pylist()
    assert all(edge["record_a"] < edge["record_b"] for edge in edges)
    assert all(edge["match_probability"] >= 0.99 for edge in edges if edge["is_link"])


def test_a_pair_between_joining_and_parting_is_told_as_one_that_stays():
    trained = trained_on_population()
    tables = Tables()
    family_member(tables, "a", "FINBA", "2001-04-17")
    family_member(tables, "b", "FINBA", "2001-04-17", "health")
    found = explain_pair(trained, tables.data(), "a", "b")
    between = replace(found, is_link=False)
    assert found.may_stay and "stay so" in between.render()
    assert "stay so" not in found.render()
    assert "stay so" not in replace(between, may_stay=False).render()
