"""Clusters, their quality, what holds a person together, and who is excluded before blocking."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from support.link_population import population, trained_on_population

from pipelines.link import (
    FusedEngine,
    evaluate_partition,
    explain_person,
    hold_together,
    seal_closure,
)

ENGINE = FusedEngine()


def links(*pairs: tuple[str, str, float]) -> pa.Table:
    return pa.table(
        {
            "record_a": pa.array([a for a, _, _ in pairs], pa.string()),
            "record_b": pa.array([b for _, b, _ in pairs], pa.string()),
            "match_weight": pa.array([weight for _, _, weight in pairs], pa.float64()),
            "match_probability": pa.array([0.999] * len(pairs), pa.float64()),
            "is_link": pa.array([True] * len(pairs), pa.bool_()),
        }
    )


def test_resolving_holds_no_barred_pair_and_does_not_depend_on_row_order():
    trained, (tables, truth) = trained_on_population(), population(150, seed=6)
    data = tables.data()
    scored = ENGINE.score(trained, data)
    first = hold_together(ENGINE, scored)
    shuffled = hold_together(ENGINE, ENGINE.score(trained, tables.data(random.Random(2))))
    assert shuffled.table.equals(first.table)
    assert shuffled.summaries.equals(first.summaries)
    numbers = {row[0]: row[2] for row in tables.rows["identifiers"] if row[4] == "01"}
    held: dict[str, set[str]] = {}
    for row in first.table.to_pylist():
        if row["record_id"] in numbers:
            held.setdefault(row["cluster_id"], set()).add(numbers[row["record_id"]])
    assert all(len(each) == 1 for each in held.values())
    agencies = {row[0]: row[1] for row in tables.rows["records"]}
    ids = sorted(truth)
    quality = evaluate_partition(
        first.table,
        pa.table(
            {
                "record_id": ids,
                "agency": [agencies[each] for each in ids],
                "person": [truth[each] for each in ids],
            }
        ),
    )
    assert quality.overall.precision >= 0.98
    assert quality.overall.recall >= 0.75


def test_pairs_are_counted_inside_clusters_overall_across_and_per_pair_of_agencies():
    truth = pa.table(
        {
            "record_id": ["a", "b", "c", "d", "e"],
            "agency": ["police", "police", "health", "health", "police"],
            "person": ["1", "1", "1", "2", "2"],
        }
    )
    clusters = pa.table({"record_id": ["a", "b", "c", "d"], "cluster_id": ["x", "x", "y", "y"]})
    quality = evaluate_partition(clusters, truth)
    assert (quality.overall.true_links, quality.overall.false_links, quality.overall.missed_links) == (
        1,
        1,
        3,
    )
    assert (quality.across.true_links, quality.across.false_links, quality.across.missed_links) == (0, 0, 3)
    assert quality.by_pair["health|health"].false_links == 1
    assert quality.by_pair["police|police"].precision == 1.0
    assert quality.overall.precision == 0.5
    assert quality.overall.recall == 0.25


def test_what_holds_a_person_together():
    explained = explain_person(
        ["a", "b", "c", "d"],
        links(("a", "b", 20.0), ("b", "c", 18.0), ("a", "c", 7.0), ("c", "d", 9.0), ("x", "y", 1.0)),
    )
    assert explained.weakest is not None
    assert (explained.weakest.match_weight, explained.weakest.is_bridge) == (7.0, False)
    assert explained.weakest_bridge is not None
    assert explained.weakest_bridge.record_b == "d"
    assert explained.density == pytest.approx(4 / 6)
    assert "without the bridge of 9.00 bits" in explained.render()


def test_a_person_of_one_record_has_no_link():
    assert explain_person(["a"], links()).weakest is None


def identifiers(*rows: tuple[str, str, str, str]) -> pa.Table:
    names = ("record_id", "identifier_type", "value", "status")
    return pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)})


def test_a_sealed_record_takes_along_everyone_who_shares_a_number_with_it_transitively():
    table = identifiers(
        ("sealed", "NHS", "1", "VALID"),
        ("near", "NHS", "1", "SYNTHETIC"),
        ("near", "UPN", "U", "VALID"),
        ("far", "UPN_FORMER", "U", "UNVERIFIED"),
        ("other", "NHS", "2", "VALID"),
        ("same digits", "ULN", "1", "VALID"),
        ("placeholder", "NHS", "1", "PLACEHOLDER"),
    )
    assert seal_closure(table, ["sealed"]) == {"sealed", "near", "far"}


def test_sealing_nobody_excludes_nobody_and_a_sealed_record_without_numbers_is_excluded():
    assert seal_closure(identifiers(("a", "NHS", "1", "VALID")), []) == frozenset()
    assert seal_closure(identifiers(("a", "NHS", "1", "VALID")), ["b"]) == {"b"}
