"""Checks against a frozen model: sources that hold each person once, a hidden identifier, calibration, the report."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from support.link_population import Tables

from pipelines.contracts.model import load_model
from pipelines.link.data import LinkData
from pipelines.link.thresholds.assess import Frozen, Objective, assess_threshold, choose_threshold
from pipelines.link.thresholds.calibrate import calibrate
from pipelines.link.thresholds.edges import Edges, make_edges, probability_of
from pipelines.link.thresholds.hidden import (
    choose_identifier,
    hide_identifier,
    judge_hidden,
    without_identifier,
)
from pipelines.link.thresholds.identifiers import candidates, carried
from pipelines.link.thresholds.unique import judge_unique
from pipelines.link.trained import Parameters, SourcePrior

PEOPLE = 800


@cache
def couples() -> LinkData:
    """Return people of two records each, in health and police; NHS numbers on both, but for every eighth person.

    In 1 of 100 the police's number is another one: noise.
    """
    tables = Tables()
    for person in range(PEOPLE):
        for agency in ("health", "police"):
            record = f"{agency}{person:04d}"
            tables.record(record, agency, "F")
            tables.name(record, f"GIVEN{person}", f"FAMILY{person % 90}")
            tables.birth(record, f"{1950 + person % 60}-0{1 + person % 9}-{10 + person % 18}")
            wrong = agency == "police" and person % 100 == 99
            if person % 8:
                tables.identifier(record, "NHS", f"9{person:08d}{int(wrong)}", "VALID", "01")
            if person % 2:
                tables.address(record, str(person % 50), "BD1 1AA")
    return tables.data()


def score(data: LinkData, shift: float = 0.0) -> Edges:
    """Return edges whose posteriors are right, or too low by `shift` bits: everybody's own, and strangers."""
    dice = np.random.default_rng(5)
    rows = {record: at for at, record in enumerate(data.records["record_id"].to_pylist())}
    order = np.array(
        [[rows[f"{agency}{each:04d}"] for agency in ("health", "police")] for each in range(PEOPLE)]
    )
    strangers = np.roll(order[:, 1], 1)
    a = np.concatenate([order[:, 0], order[:, 0]])
    b = np.concatenate([order[:, 1], strangers])
    signal = dice.normal(np.repeat([2.0, 0.0], PEOPLE), 1.0)
    return make_edges(data.records.num_rows, a, b, (2.0 * signal - 2.0) / np.log(2) - shift)


def frozen() -> Frozen:
    parameters = Parameters({}, {}, {}, SourcePrior(0.001, 0.0001), None)
    return Frozen(load_model(), parameters, score, lambda model, data: score)


def test_links_inside_a_source_that_holds_each_person_once_are_counted_as_false():
    size = couples().records.num_rows
    rows = {record: at for at, record in enumerate(couples().records["record_id"].to_pylist())}
    inside = [(rows["health0000"], rows["health0001"]), (rows["health0002"], rows["health0003"])]
    across = [(rows[f"health{each:04d}"], rows[f"police{each:04d}"]) for each in range(100)]
    a, b = np.array(inside + across).T
    found = make_edges(size, a, b, np.array([9.0, 2.0] + [12.0] * 100))
    report = judge_unique(found, couples(), 8.0, frozenset({"health"}))
    assert (report.false_links, report.pairs, report.other_links) == (1, PEOPLE * (PEOPLE - 1) // 2, 100)
    assert report.rate.estimate == pytest.approx(1 / report.pairs)
    assert report.implied_rate.estimate == pytest.approx(report.other_pairs / report.pairs / 100)
    assert report.implied_rate.low < report.implied_rate.estimate < report.implied_rate.high


def test_without_a_source_that_holds_each_person_once_nothing_is_implied():
    report = judge_unique(score(couples()), couples(), 0.0, frozenset())
    assert report.implied_rate is None and report.rate is None


def test_the_identifier_that_most_pairs_agree_on_is_hidden():
    found = choose_identifier(load_model(), couples())
    assert found.kind == "NHS"
    numbered = [person for person in range(PEOPLE) if person % 8 and person % 100 != 99]
    assert found.agreeing == len(numbered)
    assert found.collisions == 0.0


def test_an_identifier_that_strangers_share_is_not_hidden():
    tables = Tables()
    for person in range(200):
        tables.record(f"r{person}", "health")
        tables.name(f"r{person}", f"GIVEN{person}", "FAMILY")
        tables.birth(f"r{person}", f"19{10 + person % 80}-01-01")
        tables.identifier(f"r{person}", "NHS", f"9{person // 2:09d}")
    best = next(each for each in candidates(load_model(), tables.data()) if each.kind == "NHS")
    assert best.agreeing == 100 and best.collisions == 1.0
    assert choose_identifier(load_model(), tables.data()) is None
    assert hide_identifier(load_model(), tables.data(), lambda model, data: score) is None


def test_a_number_of_many_records_is_nobodys_own():
    tables = Tables()
    for person in range(60):
        tables.record(f"r{person}", "health")
        tables.identifier(f"r{person}", "NHS", "9000000000")
    number = carried(load_model(), tables.data(), "NHS")
    assert len(number.agreeing()[0]) == 0 and not number.bearing().any()


def test_hiding_takes_comparison_blocking_rules_and_numbers_away():
    seen = []

    def fit(model, data):
        seen.append((model, data))
        return score

    hide_identifier(load_model(), couples(), fit)
    model, data = seen[0]
    assert "nhs_number" not in {each.name for each in model.comparisons}
    assert not any("nhs_number" in rule.keys for rule in model.blocking)
    assert not any("nhs_number" in rule for rule in model.deterministic.rules)
    assert model.hard_bar is None
    assert "NHS" not in data.identifiers["identifier_type"].to_pylist()


def test_hiding_one_of_several_kinds_in_a_comparison_leaves_the_others():
    model = without_identifier(load_model(), "PNC")
    kept = model.comparison("identifier").types
    assert "PNC" not in kept and "CRO" in kept
    assert len(model.blocking) == len(load_model().blocking)


def test_recall_among_pairs_that_carry_the_identifier_is_what_was_found_of_them():
    hidden = hide_identifier(load_model(), couples(), lambda model, data: score)
    report = judge_hidden(hidden, couples(), 0.0, score(couples()))
    truth = float((score(couples()).weight[:PEOPLE] >= 0.0).mean())
    assert report.recall.low < truth < report.recall.high
    assert report.recall.estimate == pytest.approx(report.found / report.pairs)
    assert report.covered == pytest.approx(1.0, abs=0.01)
    assert sum(each.share for each in report.groups) == pytest.approx(1.0)
    assert sum(each.pairs for each in report.groups) == report.pairs
    higher = judge_hidden(hidden, couples(), 4.0, score(couples()))
    assert higher.recall.estimate < report.recall.estimate


def test_recall_is_weighted_to_the_groups_of_the_expected_true_pairs():
    hidden = hide_identifier(load_model(), couples(), lambda model, data: score)
    full = score(couples())
    rows = [int(record[-4:]) for record in couples().records["record_id"].to_pylist()]
    with_address = np.array([rows[each] % 2 == 1 for each in full.a])
    with_address &= np.arange(len(full.a)) < PEOPLE
    report = judge_hidden(hidden, couples(), 0.0, full.where(with_address))
    group = next(each for each in report.groups if "addresses" in each.present and each.share > 0.9)
    assert report.reweighted.estimate == pytest.approx(group.found / group.pairs, abs=0.02)


def test_posteriors_that_are_right_are_left_alone_and_wrong_ones_are_corrected():
    right = calibrate(hide_identifier(load_model(), couples(), lambda model, data: score), couples(), 1.0)
    assert not right.advised
    assert right.correction.shift == pytest.approx(0.0, abs=0.5)
    wrong = calibrate(
        hide_identifier(load_model(), couples(), lambda model, data: lambda d: score(d, shift=4.0)),
        couples(),
        1.0,
    )
    assert wrong.advised and wrong.loss_after < wrong.loss_before
    assert wrong.correction.shift / wrong.correction.scale == pytest.approx(4.0, abs=0.8)
    for each in wrong.bins:
        if each.pairs > 100:
            assert abs(each.corrected - each.agreeing.estimate) < 0.1


def test_a_correction_is_not_advised_where_the_identifier_is_carried_in_few_groups():
    hidden = hide_identifier(load_model(), couples(), lambda model, data: lambda d: score(d, shift=4.0))
    report = calibrate(hidden, couples(), 0.3)
    assert not report.advised and report.chosen.shift == 0.0


def test_few_pairs_carry_no_correction():
    few = couples().only(
        frozenset(f"{agency}{each:04d}" for agency in ("health", "police") for each in range(80))
    )

    def few_edges(data: LinkData) -> Edges:
        rows = {record: at for at, record in enumerate(data.records["record_id"].to_pylist())}
        a = [rows[f"health{each:04d}"] for each in range(80)]
        return make_edges(len(rows), a, [rows[f"police{each:04d}"] for each in range(80)], np.full(80, 3.0))

    report = calibrate(hide_identifier(load_model(), few, lambda model, data: few_edges), few, 1.0)
    assert not report.advised and "too few" in report.reason


def test_the_report_is_json_and_holds_no_value_of_a_record():
    found = score(couples())
    threshold = choose_threshold(found, couples(), Objective(target=0.05))
    report = assess_threshold(frozen(), couples(), found, threshold, np.arange(found.size))
    content = json.loads(report.to_json())
    assert content["threshold"]["objective"] == "false_link_rate"
    assert content["held"] == {"pairs": 0, "false_link_rate_low": 0.0, "false_link_rate_high": 0.0}
    assert content["hidden"][0]["kind"] == "NHS"
    assert content["unique"] is None
    assert any("each person once" in note for note in report.notes)
    for personal in ("GIVEN1", "FAMILY1", "BD1", "health00", "900000"):
        assert personal not in report.to_json()


def test_the_objective_of_highest_f1_links_what_is_more_likely_than_half_of_it():
    threshold = choose_threshold(score(couples()), couples(), Objective("expected_f1"))
    assert 0.35 < threshold.probability < 0.65
    assert probability_of(np.array(threshold.weight)) == pytest.approx(threshold.probability)
