"""Clusters, their quality, what holds a person together, and who is excluded before blocking."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from support.link_population import population, trained_on_population

from pipelines.errors import LinkageError
from pipelines.link import (
    RecordLinkageEngine,
    cluster_edges,
    evaluate_partition,
    explain_person,
    resolve_clusters,
    seal_closure,
    settle_edges,
)
from pipelines.link.resolve import merge_parts


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


def test_a_cluster_is_named_by_its_smallest_record_and_singletons_stand_alone():
    table = cluster_edges(["d", "b", "a", "c"], links(("b", "c", 9.0), ("c", "d", 8.0)))
    assert table.to_pylist() == [
        {"record_id": "a", "cluster_id": "a"},
        {"record_id": "b", "cluster_id": "b"},
        {"record_id": "c", "cluster_id": "b"},
        {"record_id": "d", "cluster_id": "b"},
    ]


def test_no_edges_and_unknown_records():
    assert cluster_edges(["a"], links()).num_rows == 1
    with pytest.raises(LinkageError, match="not among the records"):
        cluster_edges(["a"], links(("a", "x", 9.0)))


def test_a_link_across_a_cut_is_no_longer_a_link():
    clusters = pa.table({"record_id": ["a", "b", "c"], "cluster_id": ["a", "a", "c"]})
    settled = settle_edges(links(("a", "b", 9.0), ("b", "c", 8.0)), clusters)
    assert settled["is_link"].to_pylist() == [True, False]
    assert settled.schema == links().schema


def matrix(weights: list[list[float]]) -> np.ndarray:
    return np.array(weights, dtype=float)


def test_a_record_that_bridges_two_people_goes_to_one_of_them():
    # 0 and 1 are one person, 3 and 4 another; record 2, with little in it, links to both.
    weights = matrix(
        [
            [0, 20, 12, -15, -15],
            [20, 0, 12, -15, -15],
            [12, 12, 0, 7, 7],
            [-15, -15, 7, 0, 20],
            [-15, -15, 7, 20, 0],
        ]
    )
    assert merge_parts(weights, weights > 6).tolist() == [0, 0, 0, 1, 1]


def test_a_barred_pair_keeps_two_parts_apart_however_strong_the_rest():
    weights = matrix([[0, 30, -np.inf], [30, 0, 25], [-np.inf, 25, 0]])
    assert merge_parts(weights, weights > 6).tolist() == [0, 0, 1]


def test_parts_without_a_link_between_them_are_not_merged():
    weights = matrix([[0, 3], [3, 0]])
    assert merge_parts(weights, weights > 6).tolist() == [0, 1]


def test_resolving_holds_no_barred_pair_and_does_not_depend_on_row_order():
    trained, (tables, truth) = trained_on_population(), population(150, seed=6)
    data = tables.data()
    scored = RecordLinkageEngine().score(trained, data)
    first = resolve_clusters(trained, data, scored.links())
    shuffled = tables.data(random.Random(2))
    assert resolve_clusters(trained, shuffled, scored.links()).table.equals(first.table)
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
