"""What of all judgements counts: the latest that has not expired, pair by pair."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identity.judgements import Judgement, as_run_input, judged_at, rulings_of, states_of
from pipelines.link.judged import DIFFERENT, SAME, UNSURE

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def judgement(number: int, verdict: str, *records: str, expires_in: float | None = None) -> Judgement:
    """A judgement; the later ones have the higher numbers. It expires in so many days, or never."""
    until = None if expires_in is None else NOW + timedelta(days=expires_in)
    return Judgement(number, verdict, records, "ann", NOW, expires_at=until)


def counting(*judgements: Judgement, at: datetime = NOW) -> dict[str, tuple[str, int]]:
    return {f"{each.record_a}{each.record_b}": each[2:] for each in rulings_of(judgements, at)}


def test_the_latest_judgement_about_a_pair_counts_in_whatever_order_they_are_read():
    first, second = judgement(1, SAME, "a", "b"), judgement(2, DIFFERENT, "b", "a")
    assert counting(first, second) == counting(second, first) == {"ab": (DIFFERENT, 2)}


def test_a_judgement_about_a_set_is_about_each_of_its_pairs():
    assert counting(judgement(1, SAME, "c", "a", "b")) == {each: (SAME, 1) for each in ("ab", "ac", "bc")}


def test_a_later_judgement_about_one_pair_leaves_the_rest_of_a_set():
    found = counting(judgement(1, SAME, "a", "b", "c"), judgement(2, DIFFERENT, "a", "c"))
    assert found == {"ab": (SAME, 1), "ac": (DIFFERENT, 2), "bc": (SAME, 1)}


def test_unsure_takes_an_earlier_judgement_back():
    assert counting(judgement(1, SAME, "a", "b"), judgement(2, UNSURE, "a", "b")) == {"ab": (UNSURE, 2)}


def test_one_that_has_expired_does_not_count_and_the_one_before_it_counts_again():
    judgements = judgement(1, SAME, "a", "b"), judgement(2, DIFFERENT, "a", "b", expires_in=1)
    assert counting(*judgements) == {"ab": (DIFFERENT, 2)}
    assert counting(*judgements, at=NOW + timedelta(days=1)) == {"ab": (SAME, 1)}


def test_the_state_of_each_is_told():
    judgements = [
        judgement(1, SAME, "a", "b"),
        judgement(2, SAME, "a", "b", "c"),
        judgement(3, DIFFERENT, "a", "c"),
        judgement(4, DIFFERENT, "x", "y", expires_in=-1),
    ]
    assert states_of(judgements, NOW) == {1: "superseded", 2: "live in part", 3: "live", 4: "expired"}


def test_a_run_knows_its_judgements_apart_from_those_of_later_and_of_expired_ones():
    one, two = judgement(1, SAME, "a", "b"), judgement(2, SAME, "c", "d", expires_in=1)
    inputs = [as_run_input(judged_at(each, NOW)) for each in ([], [one], [one, two], [two, one])]
    assert inputs[0] is None
    assert inputs[1] != inputs[2] == inputs[3]
    expired = as_run_input(judged_at([one, two], NOW + timedelta(days=2)))
    assert expired not in inputs, "not taken for the run from before it was made"


@given(st.permutations(range(6)), st.integers(0, 2**30))
def test_the_order_in_which_judgements_are_read_is_irrelevant(order: list[int], number: int):
    verdicts = (SAME, DIFFERENT, UNSURE)
    made = [
        judgement(at, verdicts[(number >> at) % 3], *{"abcd"[(number >> 2 * at) % 4], "abcd"[at % 4], "e"})
        for at in range(6)
    ]
    assert rulings_of([made[at] for at in order], NOW) == rulings_of(made, NOW)


@pytest.mark.parametrize("days", [-1, 0])
def test_a_judgement_counts_until_its_time_and_not_at_it(days: int):
    assert counting(judgement(1, SAME, "a", "b", expires_in=days)) == {}
