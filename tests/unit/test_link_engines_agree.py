"""One model, several engines, one answer: the same pairs, the same levels, the same weights, the same report."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.link_population import population, trained_on_population
from support.link_worlds import World, worlds

from pipelines.link import FusedEngine, RecordLinkageEngine
from pipelines.link.encode import encode
from pipelines.link.engines.base import Engine, Found, score_levels
from pipelines.link.engines.splink_engine import SplinkEngine

REFERENCE = RecordLinkageEngine()
HAS_SPLINK = find_spec("splink") is not None
# The engines to be held against the reference, and how many worlds each is shown: Splink takes a second for one.
ENGINES = [
    pytest.param(FusedEngine, 80, id="fused"),
    pytest.param(SplinkEngine, 20, id="splink", marks=pytest.mark.skipif(not HAS_SPLINK, reason="no Splink")),
]
on_every_engine = pytest.mark.parametrize(("engine", "examples"), ENGINES)
SLOW = {
    "deadline": None,
    "derandomize": True,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
}


def in_order(found: Found) -> tuple[Any, Any, Any]:
    order = np.lexsort((found.b, found.a))
    return found.a[order], found.b[order], found.levels[order]


def assert_same(engine: Engine, world: World, bound: float) -> None:
    """Both engines find the same pairs, levels and additive weights, and report the same."""
    ours, reference = (each.find(world.trained, world.encoded, bound) for each in (engine, REFERENCE))
    for mine, theirs in zip(in_order(ours), in_order(reference), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    weights = [
        score_levels(world.trained, world.encoded, (a, b), levels).scores.total
        for a, b, levels in (in_order(ours), in_order(reference))
    ]
    np.testing.assert_allclose(*weights, atol=1e-6)
    assert (ours.pairs, ours.rules) == (reference.pairs, reference.rules)
    assert (ours.a < ours.b).all()


@on_every_engine
def test_engines_find_the_same_pairs_and_levels_in_any_world(engine: type[Engine], examples: int) -> None:
    @settings(max_examples=examples, **SLOW)  # type: ignore[arg-type]
    @given(world=worlds(), bound=st.sampled_from((-60.0, -20.0, -8.0, -3.0, 0.0, 4.0)))
    def agree(world: World, bound: float) -> None:
        assert_same(engine(), world, bound)

    agree()


@on_every_engine
def test_engines_give_any_pair_the_same_levels(engine: type[Engine], examples: int) -> None:
    @settings(max_examples=examples, **SLOW)  # type: ignore[arg-type]
    @given(world=worlds())
    def agree(world: World) -> None:
        size = world.encoded.size
        a, b = (side.ravel() for side in np.meshgrid(np.arange(size), np.arange(size)))
        pairs = (a[a != b], b[a != b])
        mine, theirs = (
            each.levels(world.trained.definition, world.encoded, pairs) for each in (engine(), REFERENCE)
        )
        np.testing.assert_array_equal(mine, theirs)

    agree()


@on_every_engine
def test_engines_agree_on_a_population(engine: type[Engine], examples: int) -> None:
    trained = trained_on_population()
    encoded = encode(trained.definition, population(250, seed=7)[0].data())
    assert_same(engine(), World(trained, encoded), -10.0)
    assert REFERENCE.find(trained, encoded, -10.0).pairs > 1000
