"""The rival as a contender: `python -m benchmarks.pipeline.rival TASK JOURNAL`."""

from __future__ import annotations

from benchmarks.pipeline.rival.checks import check_files, check_links, check_rows, check_view
from benchmarks.pipeline.rival.deliveries import receive
from benchmarks.pipeline.rival.files import FILES
from benchmarks.pipeline.rival.normalise import normalise
from benchmarks.pipeline.task import Journal, Task, contend
from pipelines import stages


def work(task: Task, journal: Journal) -> None:
    """Go through the phases of a task."""
    stages.prepare()  # the same tables; the clock does not run
    deliveries = []
    for agency in FILES:
        with journal.timed("receive", agency):
            delivery = receive(agency)
        deliveries.append(delivery)
        if "check landing" in task.phases:
            with journal.timed("check landing", agency):
                check_files(delivery)
        if "normalise" in task.phases:
            with journal.timed("normalise", agency):
                normalise(delivery)
        if "check normalised" in task.phases:
            with journal.timed("check normalised", agency):
                check_rows(delivery)
    if "link" not in task.phases:
        return
    with journal.timed("link"):
        from benchmarks.pipeline.rival.link import link  # as ours: imported where it is first needed

        run_id, pairs = link(deliveries, task.memory_gb)
    journal.tell(link_run=run_id, pairs=pairs)
    if "check linked" in task.phases:
        with journal.timed("check linked"):
            check_links(run_id)
    if "build release" in task.phases:
        _publish(task, journal, run_id)


def _publish(task: Task, journal: Journal, run_id: int) -> None:
    from benchmarks.pipeline.rival.release import build, swap_in

    with journal.timed("build release"):
        release = build(run_id)
    if "check release" in task.phases:
        with journal.timed("check release"):
            check_view(release)
    if "publish" in task.phases:
        with journal.timed("publish"):
            swap_in(release)


if __name__ == "__main__":
    contend(work)
