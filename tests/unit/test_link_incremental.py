"""A run that goes on from an earlier one ends where a full run would, whatever came, changed and went meanwhile."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.link_deltas import VERSIONS, Runs, State, data_of, everybody
from support.link_population import Tables

from pipelines.contracts.model import load_model
from pipelines.link.incremental import content_hashes
from pipelines.link.judged import DIFFERENT, SAME, Ruling
from pipelines.link.trained import JoinThreshold, TrainedModel


def model(fracture_margin: float = 0.0, probability: float = 0.9) -> TrainedModel:
    """A model version; its join and fracture thresholds are equal unless a margin is given."""
    definition = load_model().model_copy(update={"fracture_margin": fracture_margin})
    join = JoinThreshold(probability, "by hand", None)
    return replace(TrainedModel.untrained(definition), join=join, narrowing={})


states = st.dictionaries(st.sampled_from(everybody()), st.sampled_from(VERSIONS), min_size=2, max_size=60)
everyone = {record: VERSIONS[0] for record in everybody()}


@settings(max_examples=25, deadline=None)
@given(st.lists(states, max_size=4), states)
def test_any_sequence_of_deltas_ends_where_one_full_run_does(steps: list[State], final: State):
    by_deltas, at_once = Runs.under(model()).over(*steps, final), Runs.under(model()).over(final)
    assert by_deltas.partition == at_once.partition
    assert by_deltas.edges == at_once.edges
    assert by_deltas.summaries == at_once.summaries


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_the_order_in_which_records_come_and_how_they_are_split_makes_no_difference(dice, parts):
    order = list(everybody())
    dice.shuffle(order)
    steps = [
        {record: VERSIONS[0] for record in order[: len(order) * part // parts]}
        for part in range(1, parts + 1)
    ]
    by_deltas, at_once = Runs.under(model()).over(*steps), Runs.under(model()).over(everyone)
    assert (by_deltas.partition, by_deltas.edges) == (at_once.partition, at_once.edges)


@settings(max_examples=15, deadline=None)
@given(states, states)
def test_deleting_what_was_added_restores_what_was(state: State, added: State):
    before = Runs.under(model()).over(state)
    after = Runs.under(model()).over(state, {**added, **state}, state)
    assert (after.partition, after.edges, after.summaries) == (
        before.partition,
        before.edges,
        before.summaries,
    )


@settings(max_examples=10, deadline=None)
@given(states, st.sampled_from([0.0, 3.0]))
def test_an_empty_delta_changes_nothing_and_compares_nobody(state: State, margin: float):
    runs = Runs.under(model(margin)).over(state)
    partition, edges = runs.partition, runs.edges
    runs.over(state)
    assert (runs.partition, runs.edges) == (partition, edges)
    assert runs.last is not None
    assert (runs.last.scored.pairs, len(runs.last.looked_at)) == (0, 0)
    assert runs.last.delta.counts == {"new": 0, "changed": 0, "unchanged": len(state), "vanished": 0}


@settings(max_examples=8, deadline=None)
@given(st.lists(states, min_size=2, max_size=4))
def test_with_a_lower_fracture_threshold_a_replay_gives_the_same(steps: list[State]):
    first, second = (Runs.under(model(4.0)).over(*steps) for _ in range(2))
    assert (first.partition, first.edges) == (second.partition, second.edges)


pairs = st.lists(st.sampled_from(everybody()), min_size=2, max_size=2, unique=True).map(
    lambda pair: tuple(sorted(pair))
)
decisions = st.dictionaries(pairs, st.sampled_from([SAME, DIFFERENT]), max_size=6)


def rulings(decided: dict[tuple[str, str], str]) -> list[Ruling]:
    return [Ruling(*pair, verdict, number) for number, (pair, verdict) in enumerate(sorted(decided.items()))]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(states, decisions), max_size=3), states, decisions)
def test_with_judgements_that_come_and_go_it_ends_where_a_full_run_does(steps, final: State, decided):
    """Also where a judgement was withdrawn: what it joined falls apart, and its pair is an edge no more."""
    by_deltas = Runs.under(model())
    for state, earlier in [*steps, (final, decided)]:
        by_deltas.judged(state, rulings(earlier))
    at_once = Runs.under(model()).judged(final, rulings(decided))
    assert by_deltas.partition == at_once.partition
    assert by_deltas.edges == at_once.edges
    assert by_deltas.summaries == at_once.summaries
    for (one, other), verdict in decided.items():
        if verdict == DIFFERENT:
            assert not any({one, other} <= each for each in by_deltas.partition)


def test_judging_a_pair_that_was_known_turns_that_pair_and_no_other():
    """Only the components of the two are looked at, and pairs lead from them to others."""
    runs = Runs.under(model()).over(everyone)
    for one, other, *_, is_link in sorted(runs.edges):
        if not is_link:
            kept = Runs.under(model()).over(everyone).judged(everyone, rulings({(one, other): SAME}))
            at_once = Runs.under(model()).judged(everyone, rulings({(one, other): SAME}))
            assert (kept.edges, kept.summaries) == (at_once.edges, at_once.summaries)


def two_records(given: str) -> Tables:
    """Two records of one person, whose weight falls with the given name of the second."""
    tables = Tables()
    for record, name in (("a", "JONATHAN"), ("b", given)):
        tables.record(record, sex="M")
        tables.name(record, name, "QUILLFEATHER")
        tables.birth(record, "1990-05-17")
    return tables


@pytest.mark.parametrize(("margin", "together"), [(0.0, False), (12.0, True)])
def test_joining_is_harder_than_staying(monkeypatch, margin: float, together: bool):
    told = {"as it was": two_records("JONATHAN").data(), "corrected": two_records("JONATHEN").data()}
    monkeypatch.setattr("support.link_deltas.versions", lambda: told)
    was = {record: "as it was" for record in "ab"}
    now = {record: "corrected" for record in "ab"}
    weights = [Runs.under(model()).over(state).last.known.weight[0] for state in (was, now)]
    assert weights[1] < weights[0] < weights[1] + 12.0
    between = 1 / (1 + 2 ** -((weights[0] + weights[1]) / 2))
    assert len(Runs.under(model(margin, between)).over(was, now).partition) == (1 if together else 2)
    assert len(Runs.under(model(margin, between)).over(now).partition) == 2, "it would not join so"


def test_only_what_changed_is_compared():
    runs = Runs.under(model()).over(everyone)
    assert runs.last is not None
    in_all, one = runs.last.scored.pairs, runs.before.ids(runs.before.edges.a)[0].as_py()
    runs.over({record: version for record, version in everyone.items() if record != one})
    assert runs.last.delta.counts == {"new": 0, "changed": 0, "unchanged": len(everyone) - 1, "vanished": 1}
    assert runs.last.scored.pairs == 0
    runs.over(everyone)
    assert runs.last.delta.counts == {"new": 1, "changed": 0, "unchanged": len(everyone) - 1, "vanished": 0}
    assert 0 < runs.last.scored.pairs < in_all / 5
    assert len(runs.last.looked_at) < len(everyone) / 2


@pytest.mark.parametrize("seed", range(3))
def test_the_content_of_a_record_does_not_depend_on_the_order_of_rows(seed: int):
    data = data_of(everyone)
    shuffled = replace(
        data,
        names=data.names.take(random.Random(seed).sample(range(data.names.num_rows), data.names.num_rows)),
    )
    assert (content_hashes(data) == content_hashes(shuffled)).all()
    assert (content_hashes(data) != content_hashes(data, seed=1)).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda tables: tables.name("a", "JON", "QUILLFEATHER"),
        lambda tables: tables.birth("a", "1990-05-18"),
        lambda tables: tables.identifier("a", "NHS", "9000000009"),
        lambda tables: tables.address("a", "1", "BD1 1AA"),
        lambda tables: tables.contact("a", "+447000000000"),
        lambda tables: tables.name("a", "JONATHAN", "QUILLFEATHER"),
    ],
)
def test_whatever_is_added_to_a_record_changes_its_content_and_no_other(change):
    before, tables = two_records("JONATHAN"), two_records("JONATHAN")
    change(tables)
    assert (content_hashes(before.data()) != content_hashes(tables.data())).tolist() == [True, False]


def test_the_same_content_in_another_column_is_another_content():
    one, other = Tables(), Tables()
    for tables, names in ((one, ("JAMES", "PAUL")), (other, ("PAUL", "JAMES"))):
        tables.record("a")
        tables.name("a", *names)
    assert not np.array_equal(content_hashes(one.data()), content_hashes(other.data()))
