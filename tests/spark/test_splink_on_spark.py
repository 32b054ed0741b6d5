"""Splink on a real Spark cluster of two workers gives the answer that the reference gives.

Runs in an environment of its own (`make spark`): Spark does not go with Great Expectations in one environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.link_population import population, trained_on_population
from support.link_worlds import World, make_world
from support.spark_cluster import WORKERS, executors, spark_cluster, spark_session

pytest.importorskip("pyspark")

from pipelines.link import RecordLinkageEngine
from pipelines.link.encode import encode
from pipelines.link.engines.base import Found, score_levels
from pipelines.link.engines.splink_engine import SplinkEngine
from pipelines.link.splink_bridge.backends import Spark

REFERENCE = RecordLinkageEngine()
WORLDS = range(8)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with spark_cluster(tmp_path_factory.mktemp("spark")) as address, spark_session(address) as session:
        yield session


@pytest.fixture
def engine(session: Any, tmp_path: Path) -> SplinkEngine:
    return SplinkEngine(Spark(session, tmp_path, partitions=4))


def in_order(found: Found) -> tuple[Any, Any, Any]:
    order = np.lexsort((found.b, found.a))
    return found.a[order], found.b[order], found.levels[order]


def assert_same(engine: SplinkEngine, world: World, bound: float) -> None:
    ours, reference = (each.find(world.trained, world.encoded, bound) for each in (engine, REFERENCE))
    for mine, theirs in zip(in_order(ours), in_order(reference), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    weights = [
        score_levels(world.trained, world.encoded, (found.a, found.b), found.levels).scores.total
        for found in (ours, reference)
    ]
    np.testing.assert_allclose(*(np.sort(each) for each in weights), atol=1e-6)
    assert (ours.pairs, ours.rules) == (reference.pairs, reference.rules)


def test_the_cluster_has_two_workers(session: Any) -> None:
    assert executors(session) == WORKERS


def test_a_population_has_the_same_pairs_levels_and_weights(engine: SplinkEngine) -> None:
    trained = trained_on_population()
    encoded = encode(trained.definition, population(250, seed=7)[0].data())
    assert_same(engine, World(trained, encoded), -10.0)


@pytest.mark.parametrize("number", WORLDS)
def test_any_world_has_the_same_pairs_levels_and_weights(engine: SplinkEngine, number: int) -> None:
    assert_same(engine, make_world(number), -20.0)


def test_any_pair_has_the_same_levels(engine: SplinkEngine) -> None:
    world = make_world(3)
    a, b = np.triu_indices(world.encoded.size, 1)
    mine, theirs = (
        each.levels(world.trained.definition, world.encoded, (a, b)) for each in (engine, REFERENCE)
    )
    np.testing.assert_array_equal(mine, theirs)
