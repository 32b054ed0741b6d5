"""One part of a delivery: which rows it has, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipelines.normalise.assemble.context import NormaliseContext
from pipelines.normalise.assemble.delivery import BeyondThePart, FileOutcome, normalise_files
from pipelines.normalise.assemble.local_ids import leave_out
from pipelines.normalise.assemble.outcomes import SettledKeys
from pipelines.warehouse.bulk import arrow_reader
from pipelines.warehouse.copying import RenderedRows, render_rows
from pipelines.warehouse.normalised import RowNumbers, read_landed
from pipelines.warehouse.tables import normalised_table


@dataclass(frozen=True)
class Job:
    """What is the same for every part of a delivery: the context, the extracts by file, the records left out."""

    context: NormaliseContext
    extracts: Mapping[str, int]
    purged: Collection[str]


@dataclass(frozen=True)
class Part:
    """The row numbers of a part by file, those of rows that lend to it, and what is known of repeated keys.

    `rows` is None where the part is the whole delivery.
    """

    rows: Mapping[str, RowNumbers] | None = None
    lent: Mapping[str, RowNumbers] = field(default_factory=dict)
    settled: Mapping[str, SettledKeys] = field(default_factory=dict)


@dataclass(frozen=True)
class NormalisedPart:
    """The rows that a part became, ready for the warehouse, and the outcomes of its rows."""

    tables: Mapping[str, RenderedRows]
    files: tuple[FileOutcome, ...]
    left_out: Mapping[str, int]


def normalise_part(job: Job, part: Part) -> NormalisedPart:
    """Return what became of a part; reads its landed rows, and writes nothing."""
    agency = job.context.contract.agency
    with arrow_reader() as read:
        landed = read_landed(read, agency, job.extracts, part.rows)
        lending = read_landed(read, agency, job.extracts, part.lent)
    kept, left_out = leave_out(job.context, landed, job.purged)
    lent, _ = leave_out(job.context, lending, job.purged)
    delivery = normalise_files(job.context, kept, BeyondThePart(part.settled, lent))
    tables = {name: render_rows(normalised_table(name), rows) for name, rows in delivery.tables.items()}
    return NormalisedPart(tables, delivery.files, left_out)
