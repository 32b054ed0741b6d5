"""Which records carry which number of one kind, and which pairs agree or conflict on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.model import LinkageModel
from pipelines.link.data import LinkData
from pipelines.link.thresholds.edges import Bools, Ints
from pipelines.link.thresholds.people import People, look_at
from pipelines.link.thresholds.tables import positions, unique_source_codes

FIRM_STATUS = ("VALID", "SYNTHETIC")
# A number that more records carry is nobody's own: a placeholder, or a family's.
MOST_HOLDERS = 30


@dataclass(frozen=True)
class Carried:
    """Distinct (record, number) rows of one kind of identifier, firm ones only; `verified` per row."""

    kind: str
    record: Ints
    number: Ints
    verified: Bools
    size: int

    @property
    def holders(self) -> Ints:
        """How many records carry each number."""
        return np.bincount(self.number) if len(self.number) else np.empty(0, np.int64)

    def bearing(self) -> Bools:
        """Return which records carry a number that is somebody's own."""
        result = np.zeros(self.size, dtype=np.bool_)
        result[self.record[self._own()]] = True
        return result

    def _own(self) -> Bools:
        holders = self.holders
        return holders[self.number] <= MOST_HOLDERS if len(holders) else np.empty(0, dtype=np.bool_)

    def agreeing(self) -> tuple[Ints, Ints]:
        """Return the distinct pairs of records (a < b) that carry one number."""
        rows = pd.DataFrame({"record": self.record, "number": self.number})[self._own()]
        pairs = rows.merge(rows, on="number")
        pairs = pairs[pairs["record_x"] < pairs["record_y"]][["record_x", "record_y"]].drop_duplicates()
        pairs = pairs.sort_values(["record_x", "record_y"])
        return pairs["record_x"].to_numpy(np.int64), pairs["record_y"].to_numpy(np.int64)

    def agree(self, a: Ints, b: Ints) -> Bools:
        """Return which of these pairs carry one number."""
        first, second = self.agreeing()
        low, high = np.minimum(a, b), np.maximum(a, b)
        return np.asarray(np.isin(low * self.size + high, first * self.size + second))

    def conflict(self, a: Ints, b: Ints) -> Bools:
        """Return which pairs carry different numbers: verified ones, where numbers of this kind are verified."""
        sure = self.verified if self.verified.any() else np.ones(len(self.record), dtype=np.bool_)
        bears = np.zeros(self.size, dtype=np.bool_)
        bears[self.record[sure & self._own()]] = True
        return np.asarray(bears[a] & bears[b] & ~self.agree(a, b))


@dataclass(frozen=True)
class Candidate:
    """A kind of identifier that could be hidden: pairs that agree, and the share that other fields contradict."""

    kind: str
    agreeing: int
    collisions: float


def kinds_of(model: LinkageModel) -> tuple[str, ...]:
    """Return the kinds of identifier that a model compares, sorted."""
    found = {kind for each in model.comparisons if each.kind == "identifier" for kind in each.types.values()}
    return tuple(sorted(found))


def types_of(model: LinkageModel, kind: str) -> frozenset[str]:
    """Return the identifier types that stand for one kind of number."""
    return frozenset(
        name
        for each in model.comparisons
        if each.kind == "identifier"
        for name, stands_for in each.types.items()
        if stands_for == kind
    )


def carried(model: LinkageModel, data: LinkData, kind: str) -> Carried:
    """Return who carries which number of a kind, without numbers whose agency says that they are not verified."""
    table = data.identifiers
    wanted = pc.and_kleene(
        pc.is_in(table["identifier_type"], value_set=pa.array(sorted(types_of(model, kind)), pa.string())),
        pc.is_in(table["status"], value_set=pa.array(FIRM_STATUS, pa.string())),
    )
    told = pc.fill_null(table["verification"].cast(pa.string()), model.verified_code)
    wanted = pc.and_kleene(wanted, pc.equal(told, model.verified_code))
    rows = table.filter(pc.and_kleene(wanted, pc.is_valid(table["value"])))
    frame = pd.DataFrame(
        {
            "record": positions(data, rows),
            "number": pd.factorize(np.asarray(rows["value"].to_pylist(), dtype=object), sort=True)[0],
            "verified": [code == model.verified_code for code in rows["verification"].to_pylist()],
        }
    )
    frame = frame.groupby(["record", "number"])["verified"].max().reset_index()
    return Carried(
        kind,
        frame["record"].to_numpy(np.int64),
        frame["number"].to_numpy(np.int64),
        frame["verified"].to_numpy(np.bool_),
        data.records.num_rows,
    )


def candidates(model: LinkageModel, data: LinkData) -> tuple[Candidate, ...]:
    """Return every kind of identifier with its agreeing pairs and collisions, most useful first."""
    people = look_at(data)
    found = []
    for kind in kinds_of(model):
        a, b = comparable(data, *carried(model, data, kind).agreeing())
        found.append(Candidate(kind, len(a), _collisions(people, a, b)))
    return tuple(sorted(found, key=lambda each: (-each.agreeing * (1.0 - each.collisions), each.kind)))


def comparable_rows(data: LinkData, a: Ints, b: Ints) -> Bools:
    """Return which pairs are not inside one unique source."""
    unique = unique_source_codes(data)
    return np.asarray((unique[a] < 0) | (unique[a] != unique[b]))


def comparable(data: LinkData, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Return the pairs that are not inside one unique source."""
    kept = comparable_rows(data, a, b)
    return a[kept], b[kept]


def _collisions(people: People, a: Ints, b: Ints) -> float:
    """Return the share of pairs with another first name and another birth date, of those where both are known."""
    known = (people.given[a] >= 0) & (people.given[b] >= 0) & (people.born[a] > 0) & (people.born[b] > 0)
    if not known.any():
        return 0.0
    names = people.shares_given(a[known], b[known]) | people.shares_given(b[known], a[known])
    return float((~names & (people.born[a[known]] != people.born[b[known]])).mean())
