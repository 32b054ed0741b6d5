"""Who keeps the id: merges, splits, both at once, and what holds for any history."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ledger import Ledger

from pipelines.identity.causes import Cause
from pipelines.identity.changes import Kind
from pipelines.warehouse.tables_identity import CAUSES, CHANGES

RECORDS = 9
# For each record the cluster it is in, or none.
runs = st.lists(
    st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=RECORDS, max_size=RECORDS), max_size=6
)


def clusters(*members: Iterable[int]) -> list[frozenset[int]]:
    return [frozenset(each) for each in members]


def partition_of(run: list[int | None]) -> list[frozenset[int]]:
    found = {number: frozenset(r for r, c in enumerate(run) if c == number) for number in set(run) - {None}}
    return [found[number] for number in sorted(found)]


def ledger_after(*partitions: list[frozenset[int]]) -> Ledger:
    ledger = Ledger()
    for partition in partitions:
        ledger.assign(partition)
    return ledger


class TestAMerge:
    def test_the_one_with_most_records_lasts_though_it_is_younger(self) -> None:
        ledger = ledger_after(clusters([1]), clusters([1], [2, 3]))
        changes = ledger.assign(clusters([1, 2, 3]))
        assert changes == [("MERGED", "1/1", "2/2", None, 1)]
        assert ledger.living("1/1") == "2/2"

    def test_of_as_many_records_the_older_person_lasts(self) -> None:
        ledger = ledger_after(clusters([5]), clusters([5], [2]))
        assert ledger.assign(clusters([2, 5])) == [("MERGED", "2/2", "1/5", None, 1)]

    def test_of_one_run_and_as_many_records_the_one_with_the_oldest_record_lasts(self) -> None:
        ledger = ledger_after(clusters([2, 5], [3, 4]))
        assert ledger.assign(clusters([2, 3, 4, 5])) == [("MERGED", "1/3", "1/2", None, 2)]

    def test_a_retired_id_leads_to_who_lives_over_several_merges(self) -> None:
        ledger = ledger_after(clusters([1], [2, 3], [4, 5, 6]), clusters([1, 2, 3], [4, 5, 6]))
        ledger.assign(clusters([1, 2, 3, 4, 5, 6]))
        assert ledger.living("1/1") == ledger.living("1/2") == ledger.living("1/4") == "1/2"

    def test_parted_again_the_retired_id_does_not_come_back(self) -> None:
        ledger = ledger_after(clusters([1, 2], [3]), clusters([1, 2, 3]))
        assert ledger.assign(clusters([1, 2], [3])) == [("SPLIT", "3/3", "1/1", None, 1)]
        assert ledger.living("1/3") == "1/1"


class TestASplit:
    def test_the_larger_part_keeps_the_id(self) -> None:
        ledger = ledger_after(clusters([1, 2, 3]))
        assert ledger.assign(clusters([1], [2, 3])) == [("SPLIT", "2/1", "1/1", None, 1)]
        assert ledger.records("1/1") == {2, 3}

    def test_of_parts_of_one_size_the_one_with_the_oldest_record_keeps_it(self) -> None:
        ledger = ledger_after(clusters([1, 2, 3, 4]))
        assert ledger.assign(clusters([2, 3], [1, 4])) == [("SPLIT", "2/2", "1/1", None, 2)]

    def test_of_records_that_are_new_the_size_of_a_part_takes_no_notice(self) -> None:
        ledger = ledger_after(clusters([1, 2, 3]))
        ledger.assign(clusters([1, 2], [3, 4, 5, 6]))
        assert ledger.records("1/1") == {1, 2}


class TestBothAtOnce:
    def test_a_record_that_moves_is_told_of_where_it_left_and_where_it_joined(self) -> None:
        ledger = ledger_after(clusters([1, 2, 3], [4, 5]))
        assert ledger.assign(clusters([1, 2], [3, 4, 5])) == [
            ("JOINED", "1/4", "1/1", 3, 1),
            ("LEFT", "1/1", "1/4", 3, 1),
        ]

    def test_half_goes_to_another_and_half_becomes_somebody_new(self) -> None:
        ledger = ledger_after(clusters([1, 2, 3, 4], [5, 6, 7]))
        changes = ledger.assign(clusters([1, 2], [3, 5, 6, 7], [4, 8]))
        assert changes == [
            ("JOINED", "1/5", "1/1", 3, 1),
            ("JOINED", "2/4", None, 8, 1),
            ("LEFT", "1/1", "1/5", 3, 1),
            ("SPLIT", "2/4", "1/1", None, 1),
        ]

    def test_whoever_goes_to_two_others_went_into_the_one_with_most_of_the_records(self) -> None:
        ledger = ledger_after(clusters([1, 2, 3], [4, 5, 6, 7], [8, 9, 10]))
        changes = ledger.assign(clusters([3, 4, 5, 6, 7], [1, 2, 8, 9, 10]))
        assert changes == [
            ("JOINED", "1/4", "1/1", 3, 1),
            ("LEFT", "1/1", "1/4", 3, 1),
            ("MERGED", "1/1", "1/8", None, 2),
        ]


class TestComingAndGoing:
    def test_somebody_of_whom_all_is_gone_has_no_successor_and_may_return(self) -> None:
        ledger = ledger_after(clusters([1, 2], [3]))
        assert ledger.assign(clusters([3])) == [("RETIRED", "1/1", None, None, 2)]
        assert ledger.living("1/1") is None
        assert ledger.assign(clusters([1, 2], [3])) == [("RETURNED", "1/1", None, None, 2)]

    def test_a_record_that_comes_back_after_a_merge_is_the_one_it_was_merged_into(self) -> None:
        ledger = ledger_after(clusters([1, 2], [3, 4, 5]), clusters([1], [3, 4, 5]), clusters([1, 3, 4, 5]))
        assert ledger.assign(clusters([1, 3, 4, 5], [2])) == [("SPLIT", "4/2", "1/3", None, 1)]
        assert ledger.assign(clusters([1, 2, 3, 4, 5])) == [("MERGED", "4/2", "1/3", None, 1)]

    def test_somebody_gone_who_comes_back_as_part_of_another_leads_there(self) -> None:
        ledger = ledger_after(clusters([1], [2, 3]), clusters([2, 3]))
        assert ledger.assign(clusters([1, 2, 3])) == [("MERGED", "1/1", "1/2", None, 1)]

    def test_somebody_who_is_here_keeps_the_id_against_more_records_that_come_back(self) -> None:
        ledger = ledger_after(clusters([1, 2, 3]), clusters([3]))
        assert ledger.assign(clusters([1, 2], [3])) == [("SPLIT", "3/1", "1/1", None, 2)]

    def test_a_record_that_leaves_and_one_that_is_new_are_told_of_by_themselves(self) -> None:
        ledger = ledger_after(clusters([1, 2]))
        assert ledger.assign(clusters([1, 3])) == [
            ("JOINED", "1/1", None, 3, 1),
            ("LEFT", "1/1", None, 2, 1),
        ]


# Counterexamples are small, so few histories find them.
few = settings(max_examples=60)


@given(runs)
@few
def test_every_record_has_one_person_and_every_cluster_is_one(history: list[list[int | None]]) -> None:
    ledger = Ledger()
    for run in history:
        ledger.assign(partition_of(run))
        assert ledger.held.keys() == {record for record, cluster in enumerate(run) if cluster is not None}
        assert ledger.partition() == set(partition_of(run))
        assert {name for name, person in ledger.people.items() if person.retired is None} == set(
            ledger.held.values()
        )


@given(runs)
@few
def test_a_retired_id_leads_to_a_living_person_unless_all_are_gone(history: list[list[int | None]]) -> None:
    """Every id leads to the same end for ever, or further; and where it ends somebody lives, or nobody is left."""
    ledger = Ledger()
    for run in history:
        ledger.assign(partition_of(run))
        for name in ledger.people:
            end = ledger.living(name)
            present = [r for r in ledger.held if ledger.last[r] == name]
            assert end is not None or not present
        for record, person in ledger.held.items():
            assert ledger.living(person) == person, record


@given(runs)
@few
def test_a_person_whose_records_stay_and_come_keeps_its_id(history: list[list[int | None]]) -> None:
    """Whoever is one cluster again, with more records or fewer but nobody else's, is the same person."""
    ledger = Ledger()
    for run in history:
        partition = partition_of(run)
        before = {name: ledger.records(name) for name in set(ledger.held.values())}
        known = dict(ledger.last)
        ledger.assign(partition)
        for name, records in before.items():
            theirs = [each for each in partition if each & records]
            others = {ledger.living(known[r]) for each in theirs for r in each - records if r in known}
            if len(theirs) == 1 and not others:
                assert ledger.records(name) == theirs[0]


@given(runs)
@few
def test_the_same_run_again_changes_nothing(history: list[list[int | None]]) -> None:
    ledger = Ledger()
    for run in history:
        ledger.assign(partition_of(run))
    before = dict(ledger.held)
    assert ledger.assign(set(ledger.partition())) == []
    assert ledger.held == before


@given(runs, st.randoms(use_true_random=False))
@few
def test_row_order_and_the_names_of_clusters_make_no_difference(
    history: list[list[int | None]], dice: random.Random
) -> None:
    straight, shuffled = Ledger(), Ledger()
    for run in history:
        partition = partition_of(run)
        records = sorted({r for each in partition for r in each} | shuffled.held.keys())
        dice.shuffle(records)
        mixed = dice.sample(partition, len(partition))
        assert straight.assign(partition) == shuffled.assign(mixed, records)
    assert straight == shuffled


@given(runs)
@few
def test_who_is_not_touched_need_not_be_known(history: list[list[int | None]]) -> None:
    """People who are exactly one cluster before and after, and whom no record comes back to, are nobody's business."""
    whole, part = Ledger(), Ledger()
    for run in history:
        partition = partition_of(run)
        same = part.partition() & set(partition)
        back = {
            part._end(part.last[r]) for each in partition for r in each if r in part.last.keys() - part.held
        }
        quiet = {each for each in same if not {part.held[r] for r in each} & back}
        expected = whole.assign(partition)
        apart = {r: part.held.pop(r) for each in quiet for r in each}
        assert part.assign([each for each in partition if each not in quiet]) == expected
        part.held |= apart
        part.last |= apart
    assert whole == part


@given(runs)
@few
def test_changes_account_for_every_membership(history: list[list[int | None]]) -> None:
    ledger = Ledger()
    for run in history:
        before = dict(ledger.held)
        changes = ledger.assign(partition_of(run))
        arrived = {r for r in ledger.held if before.get(r) != ledger.held[r]}
        left = {r for r in before if ledger.held.get(r) != before[r]}
        counted = {"into": 0, "out": 0}
        for kind, _, other, record, records in changes:
            counted["into"] += records * (kind in ("CREATED", "RETURNED", "MERGED", "SPLIT", "JOINED"))
            counted["out"] += records * (kind in ("RETIRED", "LEFT"))
            assert (record is None) == (kind not in ("JOINED", "LEFT"))
            assert (other is None) or kind in ("MERGED", "SPLIT", "JOINED", "LEFT")
        assert counted["into"] == len(arrived)
        assert counted["out"] <= len(left)


@pytest.mark.parametrize(("words", "ours"), [(CHANGES, Kind), (CAUSES, Cause)])
def test_kinds_and_causes_are_those_of_the_table(
    words: tuple[str, ...], ours: type[Kind] | type[Cause]
) -> None:
    assert set(words) == {each.name for each in ours}
