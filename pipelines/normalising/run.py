"""A delivery normalised in as many parts as its size asks for, by one process or by two."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Sequence

from pipelines.normalising.part import Job, NormalisedPart, Part, normalise_part
from pipelines.normalising.taking_apart import take_apart, why_whole
from pipelines.normalising.workers import normalise_side_by_side
from pipelines.warehouse.bulk import arrow_reader
from pipelines.warehouse.landed_parts import MOST_PARTS
from pipelines.warehouse.normalised import count_landed

# With 30,000 rows each of two processes took up to 366 MB and the one that saves 314 MB: a little over a gigabyte.
ROWS_PER_PART = 20_000
PROCESSES = 2
# Starting processes takes two seconds of each of them: below this, one process is done sooner.
FEWEST_PARTS_FOR_PROCESSES = 8

log = logging.getLogger("joinedup.normalise")


def normalised_parts(
    job: Job, parts: int | None = None, processes: int | None = None
) -> Generator[NormalisedPart]:
    """Yield what became of a delivery, part by part, and log how far it is.

    Args:
        job: what is to be normalised.
        parts: how many parts; as many as the size asks for unless given. The result is the same, up to the order.
        processes: how many processes; 1 is this one.

    Raises:
        WarehouseError: the database refuses something.
        StageCrashed: another process failed.
    """
    with arrow_reader() as read:
        rows = count_landed(read, job.context.contract.agency, job.extracts)
        number = _parts_for(job, rows, parts)
        taken = take_apart(read, job, number) if number > 1 else [Part()]
    if number == 1:
        yield normalise_part(job, taken[0])
        return
    workers = processes or (PROCESSES if number >= FEWEST_PARTS_FOR_PROCESSES else 1)
    yield from _logged(job, _done(job, taken, workers), number, rows)


def _done(job: Job, parts: Sequence[Part], workers: int) -> Iterator[NormalisedPart]:
    """Return what becomes of the parts, in their order."""
    if workers == 1:
        return (normalise_part(job, part) for part in parts)
    return normalise_side_by_side(job, iter(parts), workers)


def _parts_for(job: Job, rows: int, asked: int | None) -> int:
    """Return into how many parts so many rows are taken."""
    number = min(asked or max(1, -(-rows // ROWS_PER_PART)), MOST_PARTS)
    reason = why_whole(job.context.contract) if number > 1 else None
    if reason is None:
        return number
    agency = job.context.contract.agency
    log.warning(
        "%s: %d rows are normalised at once, in as much memory as they take: %s", agency, rows, reason
    )
    return 1


def _logged(job: Job, done: Iterator[NormalisedPart], number: int, rows: int) -> Iterator[NormalisedPart]:
    """Yield the parts, telling after each how far it is and how long it will still take."""
    started, so_far = time.monotonic(), 0
    for place, part in enumerate(done, start=1):
        so_far += sum(outcome.rows_in for outcome in part.files) + sum(part.left_out.values())
        left = (time.monotonic() - started) / place * (number - place)
        agency = job.context.contract.agency
        log.info(
            "%s: part %d of %d, %d of %d rows, about %d s left",
            agency,
            place,
            number,
            so_far,
            rows,
            round(left),
        )
        yield part
