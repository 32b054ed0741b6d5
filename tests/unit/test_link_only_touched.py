"""A run that looks at what changed: the pairs of touched records and no others; blocks narrowed as the model has it."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.link_population import population
from support.link_worlds import World, worlds

from pipelines.contracts.model import BlockingRule, load_model
from pipelines.errors import LinkageError
from pipelines.link.block import found_narrowing, plan_blocks
from pipelines.link.encode import encode
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.engines.recordlinkage_engine import RecordLinkageEngine
from pipelines.link.trained import TrainedModel

ENGINES = [RecordLinkageEngine(), FusedEngine(threads=2)]
of_each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
EVERYTHING = -1e9


@of_each_engine
@settings(max_examples=40, deadline=None)
@given(worlds(), st.integers(0, 2**31), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_pairs_with_a_touched_record_are_found_and_no_others(engine, world: World, seed, share):
    touched = np.random.default_rng(seed).random(world.encoded.size) < share
    whole = engine.find(world.trained, world.encoded, EVERYTHING)
    part = engine.find(world.trained, world.encoded, EVERYTHING, touched=touched)
    wanted = touched[whole.a] | touched[whole.b]
    expected = sorted(zip(whole.a[wanted].tolist(), whole.b[wanted].tolist(), strict=True))
    assert sorted(zip(part.a.tolist(), part.b.tolist(), strict=True)) == expected
    assert part.pairs == len(expected)
    assert (part.a < part.b).all()
    of_pair = {
        pair: tuple(levels)
        for pair, levels in zip(
            zip(whole.a.tolist(), whole.b.tolist(), strict=True), whole.levels.tolist(), strict=True
        )
    }
    pairs = zip(part.a.tolist(), part.b.tolist(), strict=True)
    assert all(
        of_pair[pair] == tuple(levels) for pair, levels in zip(pairs, part.levels.tolist(), strict=True)
    )


def pairs_of(trained: TrainedModel, tables, records: frozenset[str]) -> set[tuple[str, str]]:
    """The candidate pairs among some records, by their ids."""
    encoded = encode(trained.definition, tables.data().only(records))
    found = FusedEngine(threads=2).find(trained, encoded, EVERYTHING)
    ids = encoded.record_ids.to_pylist()
    return {(ids[a], ids[b]) for a, b in zip(found.a.tolist(), found.b.tolist(), strict=True)}


@pytest.fixture(scope="module")
def narrowed():
    """A model whose blocks of 3 and more are narrowed, frozen on the first half of a population."""
    tables, _ = population(120, seed=4)
    ids = sorted(tables.data().records["record_id"].to_pylist())
    first = frozenset(ids[::2])
    rules = tuple(
        rule.model_copy(update={"maximum_block": 3, "narrow_with": "sex" if rule.narrow_with else None})
        for rule in load_model().blocking
    )
    definition = load_model().model_copy(update={"blocking": rules})
    half = encode(definition, tables.data().only(first))
    narrowing = found_narrowing(plan_blocks(definition, half))
    assert narrowing, "some block is too large, or nothing is shown"
    return replace(TrainedModel.untrained(definition), narrowing=narrowing), tables, ids


@pytest.mark.parametrize("seed", range(5))
def test_whether_a_pair_is_compared_does_not_depend_on_who_came_in_with_it(narrowed, seed):
    trained, tables, ids = narrowed
    some = frozenset(random.Random(seed).sample(ids, len(ids) // 2))
    among_all = {pair for pair in pairs_of(trained, tables, frozenset(ids)) if set(pair) <= some}
    assert pairs_of(trained, tables, some) == among_all


def test_with_the_records_it_was_frozen_on_a_model_narrows_as_when_it_was_trained(narrowed):
    trained, tables, ids = narrowed
    first = frozenset(ids[::2])
    assert pairs_of(trained, tables, first) == pairs_of(replace(trained, narrowing=None), tables, first)


def test_narrowing_is_part_of_the_version_and_is_kept(narrowed):
    trained, _, _ = narrowed
    again = TrainedModel.from_json(trained.to_json())
    assert (again.version, again.narrowing) == (trained.version, trained.narrowing)
    assert replace(trained, narrowing=None).version != trained.version


def test_blocks_that_grew_beyond_the_budget_are_refused_and_training_is_advised(narrowed):
    trained, tables, _ = narrowed
    rule = BlockingRule(name="sex", keys=("sex",), maximum_block=2)
    definition = trained.definition.model_copy(update={"blocking": (rule,), "pair_budget": 10})
    with pytest.raises(LinkageError, match="or train anew, since the blocks have grown"):
        plan_blocks(definition, encode(definition, tables.data()), {})
