"""Blocking: every pair that meets a rule, once; blocks that explode are narrowed or refused, and said so."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.link_population import Tables, population

from pipelines.contracts.model import BlockingRule, LinkageModel, load_model
from pipelines.errors import LinkageError
from pipelines.link.encode import encode
from pipelines.link.engines.base import Engine, Found
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.engines.recordlinkage_engine import RecordLinkageEngine
from pipelines.link.trained import TrainedModel

ENGINES = [RecordLinkageEngine(), FusedEngine(threads=2)]
EVERYTHING = -1e9
of_each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


def found_by(engine: Engine, model: LinkageModel, tables: Tables) -> Found:
    """Every candidate pair, in order, as an engine finds them."""
    found = engine.find(TrainedModel.untrained(model), encode(model, tables.data()), EVERYTHING)
    order = np.lexsort((found.b, found.a))
    return replace(found, a=found.a[order], b=found.b[order], levels=found.levels[order])


def model_with(*rules: BlockingRule, budget: int = 10**6) -> LinkageModel:
    return load_model().model_copy(update={"blocking": rules, "pair_budget": budget})


POSTCODE = BlockingRule(name="postcode", keys=("postcode",), maximum_block=100)
CONTACT = BlockingRule(name="contact", keys=("contact",), maximum_block=100)


@of_each_engine
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from(["BD1 1AA", "BD1 1AB", "BD2 2BB"]), max_size=3),
            st.sets(st.sampled_from(["+441", "+442"]), max_size=2),
        ),
        min_size=2,
        max_size=12,
    )
)
def test_pairs_are_those_that_share_a_value_and_each_stands_once(engine, records):
    tables = Tables()
    for number, (postcodes, contacts) in enumerate(records):
        tables.record(f"r{number:02d}")
        for postcode in sorted(postcodes):
            tables.address(f"r{number:02d}", "1", postcode)
        for contact in sorted(contacts):
            tables.contact(f"r{number:02d}", contact)
    model = model_with(POSTCODE, CONTACT)
    found = found_by(engine, model, tables)
    pairs = list(zip(found.a.tolist(), found.b.tolist(), strict=True))
    expected = {
        (i, j)
        for i in range(len(records))
        for j in range(i + 1, len(records))
        if records[i][0] & records[j][0] or records[i][1] & records[j][1]
    }
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected
    assert sum(rule.new_pairs for rule in found.rules) == len(pairs)


def three_at_one_postcode() -> Tables:
    tables = Tables()
    for record in ("a", "b", "c"):
        tables.record(record, sex="M" if record == "c" else "F")
        tables.address(record, "1", "BD1 1AA")
    return tables


@of_each_engine
def test_a_pair_is_counted_to_the_first_rule_that_meets_it(engine):
    tables = three_at_one_postcode()
    tables.contact("a", "+441")
    tables.contact("b", "+441")
    model = model_with(CONTACT, POSTCODE)
    report = found_by(engine, model, tables).rules
    assert [(rule.rule, rule.new_pairs, rule.met_pairs) for rule in report] == [
        ("contact", 1, 1),
        ("postcode", 2, 3),
    ]


@of_each_engine
def test_a_block_that_is_too_large_is_narrowed_and_reported(engine):
    narrow = BlockingRule(name="narrow", keys=("postcode",), maximum_block=2, narrow_with="sex")
    model = model_with(narrow)
    found = found_by(engine, model, three_at_one_postcode())
    assert (found.a.tolist(), found.b.tolist()) == ([0], [1])
    assert found.rules[0].narrowed_blocks == 1
    assert found.rules[0].skipped_records == 0


@of_each_engine
def test_what_stays_too_large_is_left_out_and_reported(engine):
    model = model_with(BlockingRule(name="narrow", keys=("postcode",), maximum_block=2))
    found = found_by(engine, model, three_at_one_postcode())
    assert len(found.a) == 0
    assert (found.rules[0].skipped_blocks, found.rules[0].skipped_records) == (1, 3)


@of_each_engine
def test_more_pairs_than_the_budget_is_a_clear_error(engine):
    model = model_with(POSTCODE, budget=2)
    with pytest.raises(LinkageError, match="pair_budget is 2; the largest rule is postcode with 3"):
        found_by(engine, model, three_at_one_postcode())


@of_each_engine
def test_the_order_of_rows_does_not_matter(engine):
    tables, _ = population(60, seed=2)
    model = load_model()
    trained = TrainedModel.untrained(model)
    plain = engine.find(trained, encode(model, tables.data()), -20.0)
    mixed = engine.find(trained, encode(model, tables.data(random.Random(5))), -20.0)
    assert as_set(plain) == as_set(mixed)
    assert plain.rules == mixed.rules


def as_set(found: Found) -> set[tuple[int, ...]]:
    return set(zip(found.a.tolist(), found.b.tolist(), *found.levels.T.tolist(), strict=True))


def test_engines_agree_on_pairs_levels_and_counts():
    tables, _ = population(150, seed=3)
    model = load_model()
    encoded = encode(model, tables.data())
    for bound in (EVERYTHING, -10.0, 6.0):
        first, second = (engine.find(TrainedModel.untrained(model), encoded, bound) for engine in ENGINES)
        assert as_set(first) == as_set(second)
        assert first.rules == second.rules
        assert first.pairs == second.pairs
