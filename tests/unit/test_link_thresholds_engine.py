"""The threshold and its checks with a trained model and an engine, on a population with households."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from support.link_population import population, quick_model

from pipelines.contracts.model import LinkageModel
from pipelines.link import FusedEngine, train
from pipelines.link.data import LinkData
from pipelines.link.thresholds.assess import Frozen, Objective, assess_threshold, choose_threshold
from pipelines.link.thresholds.curve import clusters_at
from pipelines.link.thresholds.decoys import RANDOM, SIBLING
from pipelines.link.thresholds.edges import Edges, Score, score_with

HOUSEHOLDS = 500


@cache
def linked() -> tuple[Frozen, LinkData, Edges, np.ndarray]:
    tables, truth = population(HOUSEHOLDS, seed=21)
    data = tables.data()
    trained = train(quick_model(), data)

    def fit(model: LinkageModel, records: LinkData) -> Score:
        return score_with(FusedEngine(), train(model, records))

    frozen = Frozen(trained.definition, trained.parameters, score_with(FusedEngine(), trained), fit)
    person = np.array([int(truth[each]) for each in data.records["record_id"].to_pylist()])
    return frozen, data, frozen.score(data), person


def pairs(labels: np.ndarray) -> int:
    sizes = np.unique(labels, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def quality(clusters: np.ndarray, person: np.ndarray) -> tuple[float, float]:
    """Return the true false-link rate and F1."""
    found, true = pairs(clusters), pairs(person)
    both = pairs(clusters.astype(np.int64) * (int(person.max()) + 1) + person)
    return 1 - both / max(found, 1), 2 * both / (found + true)


def test_edges_stand_at_the_rows_of_the_records():
    _, _, edges, person = linked()
    sure = edges.probability > 0.999
    assert sure.sum() > 500
    assert (person[edges.a[sure]] == person[edges.b[sure]]).mean() > 0.99


def test_at_the_default_target_the_true_false_link_rate_is_at_most_one_per_cent():
    _, data, edges, person = linked()
    threshold = choose_threshold(edges, data, Objective())
    assert threshold.attained
    false_rate, _ = quality(clusters_at(edges, threshold.weight), person)
    assert false_rate <= 0.01


def test_the_threshold_of_highest_expected_f1_comes_within_a_point_of_the_best():
    _, data, edges, person = linked()
    chosen = choose_threshold(edges, data, Objective("expected_f1"))
    best = max(quality(clusters_at(edges, weight), person)[1] for weight in np.arange(-4.0, 14.0, 1.0))
    assert quality(clusters_at(edges, chosen.weight), person)[1] >= best - 0.01


@pytest.mark.slow
def test_every_check_is_made_against_the_frozen_model():
    frozen, data, edges, person = linked()
    threshold = choose_threshold(edges, data, Objective())
    report = assess_threshold(frozen, data, edges, threshold)
    assert report.decoys.of(SIBLING).decoys > 100
    links = edges.weight >= threshold.weight
    false = int((person[edges.a[links]] != person[edges.b[links]]).sum())
    assert false <= report.decoys.implied_false_links.high < links.sum() / 10
    assert report.decoys.of(RANDOM).links_elsewhere <= 5
    assert [each.kind for each in report.hidden] == ["NHS"]
    assert report.hidden[0].recall.estimate > 0.8
    assert report.unique is None and any("each person once" in note for note in report.notes)


@pytest.mark.slow
def test_links_inside_a_source_that_holds_each_person_once_show_in_a_pass_of_their_own():
    frozen, data, edges, _ = linked()
    health = LinkData(
        **{name: getattr(data, name) for name in ("records", "names", "births", "identifiers")},
        addresses=data.addresses,
        contacts=data.contacts,
        unique_sources=frozenset({"health"}),
    )
    threshold = choose_threshold(edges, health, Objective())
    inside = np.array(health.records["agency"].to_pylist()) == "health"
    kept = frozen.score(health)
    assert not (inside[kept.a] & inside[kept.b]).any()
    report = assess_threshold(frozen, health, kept, threshold).unique
    assert report.sources[0].records == inside.sum()
    assert report.false_links == int(
        (inside[edges.a] & inside[edges.b] & (edges.weight >= threshold.weight)).sum()
    )
