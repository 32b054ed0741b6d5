"""The process that normalises parts for another one, over a pipe each way.

Started as a program of its own (see `workers`), so that it inherits neither connections nor locks, whoever starts
it: a command, a test, an Airflow task. It ends when the process that started it does, since nothing comes in then.
"""

from __future__ import annotations

import signal
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection

from pipelines.contracts.loader import load_contract
from pipelines.errors import JoinedupError, WarehouseError
from pipelines.normalise.assemble.context import NormaliseContext
from pipelines.normalising.part import Job, NormalisedPart, normalise_part
from pipelines.settings import load_settings
from pipelines.stage import crash


@dataclass(frozen=True)
class Order:
    """What a worker is told first; contract and key it reads itself."""

    agency: str
    period_end: date
    extracts: Mapping[str, int]
    purged: Collection[str]


@dataclass(frozen=True)
class Failure:
    """Why a part could not be normalised, in words that are safe to show."""

    message: str
    is_of_warehouse: bool


def serve(reading: int, writing: int) -> None:
    """Answer each part with what became of it, until nothing more comes in; the pipes' ends are descriptors."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C reaches both processes: the other one decides
    incoming, outgoing = Connection(reading, writable=False), Connection(writing, readable=False)
    # Who started this process may be gone at any time: then there is nobody left to tell.
    with suppress(EOFError, BrokenPipeError):
        job = _job(incoming.recv())
        while True:
            outgoing.send(_answer(job, incoming.recv()))


def _job(order: Order) -> Job:
    settings = load_settings()
    context = NormaliseContext(
        contract=load_contract(order.agency),
        period_end=order.period_end,
        key=settings.key,
        allow_synthetic=settings.allow_synthetic,
    )
    return Job(context, order.extracts, order.purged)


def _answer(job: Job, part: object) -> NormalisedPart | Failure:
    """Return what became of a part, or why nothing did; no error leaves with a value in its text."""
    try:
        return normalise_part(job, part)  # type: ignore[arg-type]
    except JoinedupError as error:
        return Failure(f"{type(error).__name__}: {error}", isinstance(error, WarehouseError))
    except Exception as error:
        return Failure(str(crash("normalise", error)), is_of_warehouse=False)
