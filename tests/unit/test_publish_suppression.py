"""No count below 5 can be worked out from the published table and the number of people in it."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.publish.suppression import round_to_base, suppress

tables = st.lists(st.integers(0, 40), min_size=1, max_size=9).map(lambda counts: dict(enumerate(counts)))


def counts_shown_as(value: int) -> list[int]:
    """Every count of 5 or more that is published as `value`, found by trying them."""
    return [count for count in range(5, value + 6) if round_to_base(count) == value]


def possible_sums(shown: list[int]) -> set[int]:
    """Every sum that the published cells may have in truth."""
    sums = {0}
    for value in shown:
        sums = {total + count for total, count in product(sums, counts_shown_as(value))}
    return sums


def values_a_reader_must_allow(table: dict[int, int | None], people: int) -> set[int]:
    """Every value that a withheld cell may have, given the table and the number of people in it."""
    withheld = sum(value is None for value in table.values())
    left = {people - known for known in possible_sums([v for v in table.values() if v is not None])}
    left = {rest for rest in left if rest >= 0}
    if withheld == 1:
        return left
    return {value for rest in left for value in range(rest + 1)}


@given(tables)
@example({0: 4, 1: 7, 2: 7, 3: 12})
@example({0: 0, 1: 0})
@settings(max_examples=400, deadline=None)
def test_each_withheld_count_may_be_any_number_below_five(counts: dict[int, int]) -> None:
    table = suppress(counts)
    people = sum(counts.values())
    if None in table.values() and people >= 9:
        assert {0, 1, 2, 3, 4} <= values_a_reader_must_allow(table, people)


@given(tables)
def test_nothing_below_five_is_shown_and_the_rest_is_off_by_two_at_most(counts: dict[int, int]) -> None:
    for cell, shown in suppress(counts).items():
        assert shown is None or (counts[cell] >= 5 and shown % 5 == 0 and abs(shown - counts[cell]) <= 2)
        assert shown is None or counts[cell] >= 5


@given(tables)
def test_a_table_without_small_counts_is_shown_whole(counts: dict[int, int]) -> None:
    table = suppress({cell: count + 5 for cell, count in counts.items()})
    assert None not in table.values()


@given(tables, st.randoms(use_true_random=False))
def test_it_does_not_withhold_more_cells_in_another_order(counts: dict[int, int], random: object) -> None:
    cells = list(counts)
    random.shuffle(cells)  # type: ignore[attr-defined]
    shuffled = suppress({cell: counts[cell] for cell in cells})
    assert sorted(map(str, shuffled.values())) == sorted(map(str, suppress(counts).values()))


@pytest.mark.parametrize(
    ("counts", "shown", "why"),
    [
        (
            {"a": 100, "b": 43, "c": 3},
            {"a": 100, "b": 45, "c": None},
            "146 people leave -3 to 5 for c: anything",
        ),
        (
            {"a": 102, "b": 42, "c": 3},
            {"a": 100, "b": None, "c": None},
            "147 people leave 3 or more for c: too much",
        ),
        ({"a": 100, "b": 43}, {"a": 100, "b": 45}, "nothing is small"),
        ({"a": 12, "b": 3, "c": 4}, {"a": 10, "b": None, "c": None}, "3 and 4 hide each other"),
        ({"a": 50, "b": 0}, {"a": None, "b": None}, "a zero is withheld, and 50 - 50 would give it away"),
        ({}, {}, "no agency, no people"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_examples(counts: dict[str, int], shown: dict[str, int | None], why: str) -> None:
    assert suppress(counts) == shown, why
