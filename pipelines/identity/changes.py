"""What a run changes about people, as a list: told by person where a whole person moves, by record elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pipelines.identity.succession import Situation, Succession
from pipelines.link.features import NONE, Bools, Ints


class Kind(IntEnum):
    """What happened, in the order in which changes are listed; the names are those of `identity.change`."""

    CREATED = 0
    RETURNED = 1
    MERGED = 2
    SPLIT = 3
    RETIRED = 4
    JOINED = 5
    LEFT = 6


@dataclass(frozen=True)
class Changes:
    """M changes; people are codes of the succession, records positions in the situation, -1 is none."""

    kind: Ints  # (M,)
    person: Ints  # (M,) of whom it is told
    other: Ints  # (M,) merged: into whom; split, joined: from whom; left: to whom
    record: Ints  # (M,) joined, left: which record
    records: Ints  # (M,) how many records it is about
    is_new: Bools  # (M,) whether none of these was anybody's before the run

    def __len__(self) -> int:
        """Return M."""
        return len(self.kind)


def list_changes(situation: Situation, succession: Succession) -> Changes:
    """Return everything that the run changes, in the order of kinds, then of people or records by code.

    A record that moves together with its person (merged, retired, returned), or with the part that a new person is
    made of (created, split), is counted there; any other is told of by itself, where it left and where it joined.
    """
    moved = _Moved(situation, succession)
    new = situation.people + np.arange(len(succession.founder))
    old = np.arange(situation.people)
    founded = succession.origin < 0
    merged = succession.successor >= 0
    ended = ~succession.lasts & ~merged
    returned = succession.lasts & situation.is_retired
    arrived, left = moved.arrived_alone(), moved.left_alone()
    came_from = np.where(situation.person == succession.after, NONE, situation.person)
    parts = [
        _of_people(Kind.CREATED, new[founded], NONE, moved.into(new[founded])),
        _of_people(Kind.RETURNED, old[returned], NONE, moved.between(old[returned], old[returned])),
        _of_people(
            Kind.MERGED,
            old[merged],
            succession.successor[merged],
            moved.between(old[merged], succession.successor[merged]),
        ),
        _of_people(
            Kind.SPLIT,
            new[~founded],
            succession.origin[~founded],
            moved.between(succession.origin[~founded], new[~founded]),
        ),
        _of_people(Kind.RETIRED, old[ended], NONE, moved.held_by(old[ended])),
        _of_records(Kind.JOINED, succession.after[arrived], came_from[arrived], arrived, situation),
        _of_records(Kind.LEFT, situation.person[left], succession.after[left], left, situation),
    ]
    return _in_one(parts)


class _Moved:
    """The ways of the records, from person to person, and how many went each."""

    def __init__(self, situation: Situation, succession: Succession) -> None:
        self._situation, self._succession = situation, succession
        self._people = situation.people + len(succession.founder)
        self._is_return = np.append(succession.lasts & situation.is_retired, False)
        origin = np.append(np.full(situation.people, NONE), succession.origin)
        self._origin = np.append(origin, NONE)
        self._is_founded = np.append(np.arange(self._people) >= situation.people, False) & (self._origin < 0)
        self._successor = np.append(succession.successor, NONE)
        self._together = self._in_company()

    def _in_company(self) -> Bools:
        """Return which records went the way of their person, or of the part that became a new one."""
        before, after = self._situation.person, self._succession.after
        merged, split = self._successor[before] == after, self._origin[after] == before
        together: Bools = (before >= 0) & (after >= 0) & (merged | split)
        return together

    def arrived_alone(self) -> Ints:
        """Return the records that joined a person by themselves."""
        before, after = self._situation.before, self._succession.after
        back = self._is_return[self._situation.person] & (self._situation.person == after)
        told = self._together | self._is_founded[after] | back
        return np.flatnonzero((after >= 0) & (after != before) & ~told)

    def left_alone(self) -> Ints:
        """Return the records that left a person by themselves."""
        before, after = self._situation.before, self._succession.after
        ends = ~np.append(self._succession.lasts, True) & (self._successor < 0)
        return np.flatnonzero((before >= 0) & (after != before) & ~self._together & ~ends[before])

    def into(self, people: Ints) -> tuple[Ints, Ints]:
        """Return how many records these people have, and how many of them somebody held before."""
        after = self._succession.after
        return self._count(after, after >= 0, people)

    def held_by(self, people: Ints) -> tuple[Ints, Ints]:
        """Return how many records these people had, twice."""
        before = self._situation.before
        return self._count(before, before >= 0, people)

    def between(self, giving: Ints, taking: Ints) -> tuple[Ints, Ints]:
        """Return how many records went from each of these people to each of those, and how many were held."""
        before, after = self._situation.person, self._succession.after
        went = (before >= 0) & (after >= 0)
        return self._count(before * self._people + after, went, giving * self._people + taking)

    def _count(self, keys: Ints, counted: Bools, wanted: Ints) -> tuple[Ints, Ints]:
        """Return how often each wanted key stands among those counted: of all records, and of those held."""
        return _times(keys[counted], wanted), _times(keys[counted & self._situation.is_held], wanted)


def _times(keys: Ints, wanted: Ints) -> Ints:
    """Return how often each wanted key occurs."""
    found = np.sort(keys)
    return np.searchsorted(found, wanted, "right") - np.searchsorted(found, wanted, "left")


def _of_people(kind: Kind, person: Ints, other: Ints | int, counted: tuple[Ints, Ints]) -> Changes:
    """Return changes of whole people; `counted` are their records, and those that somebody held."""
    size = len(person)
    records, held = counted
    others = np.broadcast_to(np.asarray(other, dtype=np.int64), size)
    return Changes(np.full(size, kind), person, others, np.full(size, NONE), records, held == 0)


def _of_records(kind: Kind, person: Ints, other: Ints, record: Ints, situation: Situation) -> Changes:
    """Return changes of single records."""
    size = len(record)
    is_new = ~situation.is_held[record]
    return Changes(np.full(size, kind), person, other, record, np.ones(size, dtype=np.int64), is_new)


def _in_one(parts: Sequence[Changes]) -> Changes:
    """Return the parts one after another."""

    def joined(name: str) -> Ints:
        return np.concatenate([getattr(part, name) for part in parts]).astype(np.int64)

    return Changes(
        kind=joined("kind"),
        person=joined("person"),
        other=joined("other"),
        record=joined("record"),
        records=joined("records"),
        is_new=joined("is_new") > 0,
    )
