"""A ledger in memory: what `assign_people` keeps in tables, for properties of the rules alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from pipelines.identity.changes import Changes, Kind, list_changes
from pipelines.identity.succession import Situation, Succession, decide

Partition = Collection[frozenset[int]]
Change = tuple[str, str, str | None, int | None, int]


@dataclass
class Person:
    """A person of the ledger; named after the run and the record that founded it."""

    name: str
    created: int
    retired: int | None = None
    successor: str | None = None


@dataclass
class Ledger:
    """Records are numbers, and a lower number is an older record."""

    people: dict[str, Person] = field(default_factory=dict)
    held: dict[int, str] = field(default_factory=dict)
    last: dict[int, str] = field(default_factory=dict)
    run: int = 0

    def assign(self, partition: Partition, order: Collection[int] | None = None) -> list[Change]:
        """Take in the clusters of the next run, its records in any order; return what changed."""
        self.run += 1
        cluster_of = {record: number for number, each in enumerate(partition) for record in each}
        records = list(order or sorted(cluster_of.keys() | self.held.keys()))
        situation, names = self._situation(records, cluster_of)
        succession = decide(situation)
        names += [f"{self.run}/{records[place]}" for place in succession.founder]
        self._keep(records, names, succession)
        return as_words(list_changes(situation, succession), records, names)

    def living(self, name: str) -> str | None:
        """The living person that an id leads to."""
        end = self.people[self._end(name)]
        return end.name if end.retired is None else None

    def partition(self) -> set[frozenset[int]]:
        return {frozenset(self.records(name)) for name in self.held.values()}

    def records(self, name: str) -> set[int]:
        return {record for record, person in self.held.items() if person == name}

    def _end(self, name: str) -> str:
        while (following := self.people[name].successor) is not None:
            name = following
        return name

    def _situation(self, records: list[int], cluster_of: Mapping[int, int]) -> tuple[Situation, list[str]]:
        last = [self.held.get(r) or (self._end(self.last[r]) if r in self.last else None) for r in records]
        names = sorted({name for name in last if name})
        code = {name: number for number, name in enumerate(names)} | {None: -1}
        situation = Situation(
            person=np.array([code[name] for name in last], dtype=np.int64),
            is_held=np.array([r in self.held for r in records], dtype=bool),
            cluster=np.array([cluster_of.get(r, -1) for r in records], dtype=np.int64),
            sequence=np.array(records, dtype=np.int64),
            created_run=np.array([self.people[name].created for name in names], dtype=np.int64),
            is_retired=np.array([self.people[name].retired is not None for name in names], dtype=bool),
        )
        return situation, names

    def _keep(self, records: list[int], names: list[str], succession: Succession) -> None:
        for name in names[len(succession.lasts) :]:
            assert name not in self.people
            self.people[name] = Person(name, self.run)
        for number, lasts in enumerate(succession.lasts):
            person = self.people[names[number]]
            if lasts:
                person.retired = None
            else:
                person.retired = person.retired or self.run
                into = int(succession.successor[number])
                person.successor = names[into] if into >= 0 else None
        self.held = {r: names[p] for r, p in zip(records, succession.after, strict=True) if p >= 0}
        self.last |= self.held


def as_words(changes: Changes, records: list[int], names: list[str]) -> list[Change]:
    """The changes as kind, person, other person, record, number of records; sorted."""
    rows = zip(changes.kind, changes.person, changes.other, changes.record, changes.records, strict=True)
    return sorted(
        (
            (
                Kind(kind).name,
                names[person],
                names[other] if other >= 0 else None,
                records[record] if record >= 0 else None,
                int(size),
            )
            for kind, person, other, record, size in rows
        ),
        key=str,
    )
