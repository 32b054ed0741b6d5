"""Generates the population chunk by chunk and writes every agency's files for every period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import SettingsError
from pipelines.synth.emit import emit_period, emit_test_rows
from pipelines.synth.fire_rescue import AGENCY as FIRE_RESCUE
from pipelines.synth.identities import Registry
from pipelines.synth.places import Region
from pipelines.synth.population import AGENCIES, Simulation, World
from pipelines.synth.profiles import load_profiles
from pipelines.synth.writer import PeriodFiles

PEOPLE_PER_CHUNK = 5_000
SENDERS = (*AGENCIES, FIRE_RESCUE)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class SynthRequest:
    """What to generate: how many people, from which seed, for which periods, into which folders."""

    people: int
    seed: int
    periods: tuple[str, ...]
    inbox: Path
    truth: Path


@dataclass(frozen=True)
class SynthReport:
    """How much was generated. `records` counts distinct local ids per agency over all periods."""

    people: int
    records: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    @property
    def total_records(self) -> int:
        """The distinct local ids of all agencies together."""
        return sum(self.records.values())


def generate(request: SynthRequest, progress: Progress | None = None) -> SynthReport:
    """Return a report after writing the files of all periods; the same request gives the same bytes."""
    if request.people < 1 or not request.periods or list(request.periods) != sorted(set(request.periods)):
        raise SettingsError("synthetic data needs at least one person and periods in ascending order")
    world = World(
        request.seed, load_profiles(), Registry(request.seed), Region(request.people), request.periods
    )
    records: Counter[str] = Counter()
    with ExitStack() as stack:
        files = [
            stack.enter_context(PeriodFiles(request.inbox, request.truth, period))
            for period in request.periods
        ]
        chunks = range(0, request.people, PEOPLE_PER_CHUNK)
        for number, done in enumerate(chunks):
            quota = min(PEOPLE_PER_CHUNK, request.people - done)
            records.update(_write_chunk(world, number, quota, files))
            if progress:
                progress(f"synthetic population: {done + quota:,} of {request.people:,} people")
        rows = {name: count for each in files for name, count in each.rows.items()}
    return SynthReport(request.people, {agency: records[agency] for agency in SENDERS}, rows)


def _write_chunk(world: World, number: int, quota: int, files: list[PeriodFiles]) -> Counter[str]:
    """Return the distinct local ids per agency of one chunk, after writing it to all periods."""
    simulation = Simulation(world, number, quota)
    seen: dict[str, set[str]] = {agency: set() for agency in SENDERS}
    for index, period_files in enumerate(files):
        if index:
            simulation.advance(index)
        records = emit_period(simulation, period_files)
        if number == 0:
            emit_test_rows(period_files)
        for agency in SENDERS:
            seen[agency].update(record.local_id for record in records[agency])
    return Counter({agency: len(ids) for agency, ids in seen.items()})
