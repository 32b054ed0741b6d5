"""A record: one local id of one person in one agency, with the rows that the agency's files hold about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.synth.people import Household, Person

Row = list[str]
Rows = dict[str, list[Row]]  # file of the layout -> rows of one chunk


@dataclass(slots=True, eq=False)
class Record:
    """What one agency holds about one person under one local id."""

    agency: str
    local_id: str
    person: Person
    row: Row
    further: dict[str, list[Row]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Chunk:
    """A part of the population small enough to hold in memory, with the records about it."""

    households: list[Household]
    records: dict[str, dict[Person, list[Record]]]

    def of(self, agency: str, person: Person) -> list[Record]:
        """Return an agency's records of a person, an empty list when it has none."""
        return self.records[agency].get(person, [])

    def all(self, agency: str) -> list[Record]:
        """Return an agency's records ordered by local id, which says nothing about who belongs together."""
        found = [record for records in self.records[agency].values() for record in records]
        return sorted(found, key=lambda record: record.local_id)
