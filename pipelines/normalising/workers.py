"""The processes that normalise parts side by side, and their answers in the order of the parts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from multiprocessing.connection import Connection

from pipelines.errors import StageCrashed, WarehouseError
from pipelines.normalising.part import Job, NormalisedPart, Part
from pipelines.normalising.worker import Failure, Order
from pipelines.settings import PROJECT_ROOT

SECONDS_TO_END = 10
PROGRAM = "import sys; from pipelines.normalising.worker import serve; serve(*map(int, sys.argv[1:]))"


class Worker:
    """A process that normalises one part at a time."""

    def __init__(self, job: Job) -> None:
        self._incoming, their_outgoing = _pipe()
        their_incoming, self._outgoing = _pipe()
        theirs = (their_incoming.fileno(), their_outgoing.fileno())
        path = os.pathsep.join(filter(None, (str(PROJECT_ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-c", PROGRAM, *map(str, theirs)],
            pass_fds=theirs,
            env={**os.environ, "PYTHONPATH": path},
        )
        their_incoming.close()
        their_outgoing.close()
        context = job.context
        self._send(Order(context.contract.agency, context.period_end, job.extracts, job.purged))

    def give(self, part: Part) -> None:
        """Give it a part; its answer must be taken before the next."""
        self._send(part)

    def take(self) -> NormalisedPart:
        """Return what became of the part that was given.

        Raises:
            WarehouseError: the database refused something.
            StageCrashed: anything else went wrong; the text tells the place and no value.
        """
        try:
            answer = self._incoming.recv()
        except (EOFError, OSError):
            raise self._gone() from None
        if isinstance(answer, Failure):
            raise (WarehouseError if answer.is_of_warehouse else StageCrashed)(answer.message)
        assert isinstance(answer, NormalisedPart)  # noqa: S101 - a worker answers nothing else
        return answer

    def end(self) -> None:
        """Let the process end: nothing more comes in; one that is still at work is not waited for."""
        self._outgoing.close()
        self._incoming.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End the process at once; what it was at is of no use any more."""
        self._process.kill()

    def _send(self, message: object) -> None:
        try:
            self._outgoing.send(message)
        except OSError:
            raise self._gone() from None

    def _gone(self) -> StageCrashed:
        """Return the error of a process that is no longer there, for instance since memory ran out."""
        code = self._process.poll()
        return StageCrashed(f"a process that normalises parts ended early, with exit code {code}")


def _pipe() -> tuple[Connection, Connection]:
    """Return the reading and the writing end of a new pipe."""
    reading, writing = os.pipe()
    return Connection(reading, writable=False), Connection(writing, readable=False)


def normalise_side_by_side(job: Job, parts: Iterator[Part], processes: int) -> Iterator[NormalisedPart]:
    """Yield what became of the parts, in their order; each process has one part at a time, and no more is held."""
    with ExitStack() as stack:
        workers = []
        for _ in range(processes):
            worker = Worker(job)
            stack.callback(worker.end)
            workers.append(worker)
        try:
            yield from _taken_in_turn(workers, parts)
        except BaseException:
            for worker in workers:
                worker.kill()
            raise


def _taken_in_turn(workers: list[Worker], parts: Iterator[Part]) -> Iterator[NormalisedPart]:
    """Yield the answers of the workers, who are given a next part as soon as their answer is taken."""
    waiting = []
    for worker, part in zip(workers, islice(parts, len(workers)), strict=False):
        worker.give(part)
        waiting.append(worker)
    while waiting:
        worker = waiting.pop(0)
        answer = worker.take()
        following = next(parts, None)
        if following is not None:
            worker.give(following)
            waiting.append(worker)
        yield answer
