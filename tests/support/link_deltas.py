"""Records that come, change and go: states of one population, and what runs over them find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache

import pyarrow as pa
from support.link_population import population

from pipelines.link import FusedEngine, TrainedModel
from pipelines.link.data import LinkData
from pipelines.link.encode import encode
from pipelines.link.incremental import Before, Relinked, content_hashes, nothing_before, relink
from pipelines.link.incremental.rows import difference
from pipelines.link.judged import Judged, Ruling

VERSIONS = ("as it was", "corrected")
HOUSEHOLDS = 12
State = Mapping[str, str]
"""The records that there are, each in one of `VERSIONS`."""


@cache
def versions() -> dict[str, LinkData]:
    """Each version of all records: the second is another population under the same record ids."""
    return {
        name: population(HOUSEHOLDS, seed)[0].data() for name, seed in zip(VERSIONS, (11, 12), strict=True)
    }


@cache
def everybody() -> tuple[str, ...]:
    """The ids of the records that are in both versions."""
    ids = (set(data.records["record_id"].to_pylist()) for data in versions().values())
    return tuple(sorted(set.intersection(*ids)))


def data_of(state: State) -> LinkData:
    """The tables of a state."""
    parts = [
        data.only(frozenset(record for record, version in state.items() if version == name))
        for name, data in versions().items()
    ]
    tables = [each.name for each in fields(LinkData) if each.name != "unique_sources"]
    return LinkData(**{name: pa.concat_tables([getattr(part, name) for part in parts]) for name in tables})


@dataclass
class Runs:
    """Runs under one model version, each going on from the one before."""

    trained: TrainedModel
    before: Before
    last: Relinked | None = None
    named: set[str] = field(default_factory=set)
    summaries: dict[str, tuple[object, ...]] = field(default_factory=dict)

    @classmethod
    def under(cls, trained: TrainedModel) -> Runs:
        return cls(trained, nothing_before())

    def over(self, *states: State) -> Runs:
        """Run over each state, one after the other."""
        for state in states:
            self.judged(state, ())
        return self

    def judged(self, state: State, rulings: Iterable[Ruling]) -> Runs:
        """Run over a state, with what people decided by then."""
        kept = list(rulings)
        self.named |= {record for each in kept for record in each[:2]}
        data = data_of(state)
        encoded = encode(self.trained.definition, data, self.trained.hubs)
        content = content_hashes(data)[encoded.source_row]
        self.last = relink(
            FusedEngine(threads=2),
            self.trained,
            encoded,
            content,
            self.before,
            judged=Judged.compiled(kept, encoded),
            look_at=encoded.positions_of(sorted(self.named)),
        )
        found = difference(self.before, self.last, content)
        for name in found.ended_summaries.to_pylist():
            del self.summaries[name]
        rows = found.summaries.to_pylist()
        self.summaries |= {row["cluster_id"]: rounded(row) for row in rows}
        self.before = self.last.after(content)
        return self

    @property
    def partition(self) -> set[frozenset[str]]:
        """Who is one person, after the last run."""
        return groups(zip(self.before.first.tolist(), self.before.record_ids.to_pylist(), strict=True))

    @property
    def edges(self) -> set[tuple[str, str, float, bool, bool]]:
        """The scored pairs, after the last run: weight to nine digits, barred, held as a link."""
        edges = self.before.edges
        sides = (self.before.ids(side).to_pylist() for side in (edges.a, edges.b))
        columns = (*sides, edges.weight.round(9).tolist())
        return set(zip(*columns, edges.barred.tolist(), edges.is_link.tolist(), strict=True))


def rounded(row: dict[str, object]) -> tuple[object, ...]:
    """A summary, its numbers to nine digits."""
    return tuple(round(value, 9) if isinstance(value, float) else value for value in row.values())


def groups(rows: Iterable[tuple[int, str]]) -> set[frozenset[str]]:
    """The sets of records under one name."""
    found: dict[int, set[str]] = {}
    for name, record in rows:
        found.setdefault(name, set()).add(record)
    return {frozenset(each) for each in found.values()}
