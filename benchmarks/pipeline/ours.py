"""The stages of this project as a contender, one after the other in one process, as `joinedup` calls them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import text

from benchmarks.pipeline.task import PERIOD, PHASES, Journal, Task, contend
from pipelines import stages
from pipelines.contracts.loader import load_contracts
from pipelines.warehouse.engine import transaction

# Gives the context in which a phase counts; the second is the agency, or nothing.
Timed = Callable[[str, str], AbstractContextManager[None]]

_PAIRS = text(
    "SELECT (details ->> 'pairs')::bigint FROM audit.stage_report WHERE run_id = :run_id AND stage = 'link'"
)


@dataclass(frozen=True)
class Reached:
    """The linkage run and the release that came of it, where it came so far."""

    run_id: int | None = None
    release_id: int | None = None


def run_ingest(timed: Timed, phases: Collection[str] = PHASES) -> None:
    """Take every agency's files from the inbox to normalised rows."""
    for agency in load_contracts():
        with timed("receive", agency):
            number = stages.receive(agency, PERIOD)["delivery_id"]
        if "check landing" in phases:
            with timed("check landing", agency):
                stages.check_landing(number)
        if "normalise" not in phases:
            continue
        with timed("normalise", agency):
            stages.normalise_delivery(number)
        if "check normalised" in phases:
            with timed("check normalised", agency):
                stages.check_normalised(number)
        with timed("reports", agency):  # marks the delivery as ready for linking, and writes its report
            stages.announce(number)


def run_link(timed: Timed, phases: Collection[str] = PHASES) -> Reached:
    """Return the linkage run of what was ingested, from training to people."""
    if "link" not in phases:
        return Reached()
    with timed("link", ""):
        run_id = stages.link_period(PERIOD)
    if "check linked" in phases:
        with timed("check linked", ""):
            stages.check_linked(run_id)
    return Reached(run_id)


def run_publish(timed: Timed, reached: Reached, phases: Collection[str] = PHASES) -> Reached:
    """Return the release of a linkage run, built, checked and swapped in."""
    if "build release" not in phases or reached.run_id is None:
        return reached
    with timed("build release", ""):
        release_id = stages.build_release(reached.run_id)
    if "check release" in phases:
        with timed("check release", ""):
            stages.check_release(release_id)
    if "publish" in phases:
        with timed("publish", ""):
            stages.publish_release(release_id, "benchmark", "measuring")
    if "reports" in phases:
        with timed("reports", ""):
            stages.write_reports(release_id)
    return Reached(reached.run_id, release_id)


def work(task: Task, journal: Journal) -> None:
    """Go through the phases of a task."""
    stages.prepare()
    run_ingest(journal.timed, task.phases)
    reached = run_link(journal.timed, task.phases)
    if reached.run_id is not None:
        with transaction() as connection:
            pairs = connection.scalar(_PAIRS, {"run_id": reached.run_id})
        journal.tell(link_run=reached.run_id, pairs=pairs)
    run_publish(journal.timed, reached, task.phases)


if __name__ == "__main__":
    contend(work)
