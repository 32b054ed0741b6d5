"""A trained model, told in words: every comparison and warning appears, and no term does."""

from __future__ import annotations

import pytest
from support.link_population import population

from pipelines.contracts.model import load_model
from pipelines.link import TrainedModel, train
from pipelines.link.describe import describe_model


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    tables, _ = population(households=200, seed=5)
    return train(load_model(), tables.data())


def test_it_names_every_comparison_level_and_pass(model: TrainedModel) -> None:
    told = describe_model(model)
    for comparison in model.definition.comparisons:
        assert comparison.name in told
        assert all(level.name in told for level in comparison.levels)
    assert all(each.rule in told for each in model.training.passes)


def test_it_tells_where_each_start_ended_and_both_priors_of_each_pair_of_sources(model: TrainedModel) -> None:
    lines = describe_model(model).splitlines()
    for each in model.training.starts:
        line = next(line for line in lines if line.strip().startswith(each.start))
        assert ("chosen" in line) == each.chosen
    assert sum("by EM over candidates" in line for line in lines) == len(model.training.priors) > 0


def test_it_repeats_every_warning(model: TrainedModel) -> None:
    told = describe_model(model)
    assert all(warning in told for warning in model.training.warnings)


def test_evidence_for_points_right_and_evidence_against_points_left(model: TrainedModel) -> None:
    lines = describe_model(model).splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("date_of_birth"))
    exact = next(line for line in lines[start:] if line.strip().startswith("exact"))
    other = next(line for line in lines[start:] if line.strip().startswith("else"))
    assert exact.endswith("+") and other.endswith("|")
