"""The demo: two periods of every agency through a real Airflow, and one summary at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

from pipelines.demo.airflow_client import AirflowClient, DagRun
from pipelines.demo.airflow_processes import AirflowError
from pipelines.demo.airflow_server import AirflowServer
from pipelines.demo.progress import Progress, Step
from pipelines.demo.render import print_summary
from pipelines.demo.summary import DemoSummary

RUN_SECONDS = 900.0
START_SECONDS = 60.0


@dataclass(frozen=True)
class DemoOptions:
    """What the demo is asked to do."""

    people: int
    seed: int
    agencies: Sequence[str]
    periods: Sequence[str]
    home: Path


@dataclass(frozen=True)
class DemoSteps:
    """What the demo does around Airflow. Each returns a line about what it skipped, or None.

    `write_extracts` tells how far it is; `deliver` leaves the extracts of one period in the inbox, as the
    agencies would; `is_published` says whether a period was ever published.
    """

    prepare_warehouse: Callable[[], str | None]
    write_extracts: Callable[[Callable[[str], None]], str | None]
    deliver: Callable[[str], str | None]
    is_published: Callable[[str], bool]
    summarise: Callable[[], DemoSummary]


@dataclass
class _Demo:
    """One run of the demo."""

    options: DemoOptions
    steps: DemoSteps
    server: AirflowServer
    progress: Progress
    skipped: list[str] = field(default_factory=list)

    def run(self) -> DemoSummary:
        """Return the summary after both periods were ingested, linked and published."""
        self._do("Prepare the warehouse", lambda _: self.steps.prepare_warehouse())
        with self.progress.step("Start Airflow (API server, scheduler, DAG processor)"):
            self.server.start()
        # Airflow comes up while the extracts are written: neither needs both cores all the time.
        self._do(f"Write extracts about {self.options.people:,} people", self.steps.write_extracts)
        with self.progress.step("Wait for Airflow to parse the DAGs"):
            client = self.server.wait_until_ready(self._dag_ids())
            for dag_id in self._dag_ids():
                client.set_paused(dag_id, paused=False)
        for period in self.options.periods:
            self._run_period(client, period)
        with self.progress.step("Compare with the truth"):
            summary = self.steps.summarise()
        return replace(summary, seconds=self.progress.seconds, skipped=[*self.skipped, *summary.skipped])

    def _dag_ids(self) -> list[str]:
        return [*(f"ingest_{agency}" for agency in self.options.agencies), "link", "publish"]

    def _do(self, title: str, work: Callable[[Callable[[str], None]], str | None]) -> None:
        with self.progress.step(title) as step:
            said = work(step.detail)
        if said is not None:
            self.skipped.append(said)

    def _run_period(self, client: AirflowClient, period: str) -> None:
        """Deliver one period, and follow it until its release is published."""
        self._do(f"{period}: put the extracts into the inbox", lambda _: self.steps.deliver(period))
        known = {dag_id: {run.run_id for run in client.runs(dag_id)} for dag_id in ("link", "publish")}
        with self.progress.step(f"{period}: ingest") as step:
            announced = self._ingest(client, period, step)
        if not announced and self.steps.is_published(period):
            self.skipped.append(f"{period}: nothing new was delivered, so nothing was linked or published")
            return
        if not announced:  # an earlier demo was stopped between the deliveries and the release
            client.trigger("link", {"period": period})
        self._follow("link", period, known)
        self._follow("publish", period, known)

    def _ingest(self, client: AirflowClient, period: str, step: Step) -> bool:
        """Return whether the deliveries made the period ready to be linked."""
        runs = [client.trigger(f"ingest_{agency}", {"period": period}) for agency in self.options.agencies]
        announced = False
        for run in runs:
            states = self._finished(client, run, step)
            announced |= states["announce"] == "success"
            if states["receive"] == "skipped":
                self.skipped.append(f"{run.dag_id} {period}: these files were received before")
        return announced

    def _follow(self, dag_id: str, period: str, known: Mapping[str, set[str]]) -> None:
        """Wait for the run that Airflow starts by itself, and for its end."""
        with self.progress.step(f"{period}: {dag_id}") as step:
            run = self.server.wait_for_new_run(dag_id, period, known[dag_id], seconds=START_SECONDS)
            self._finished(self.server.client, run, step)

    def _finished(self, client: AirflowClient, run: DagRun, step: Step) -> Mapping[str, str]:
        """Return the task states of a run that ended well; raise AirflowError when it did not."""
        run = self.server.wait_for_run(
            run,
            seconds=RUN_SECONDS,
            on_change=lambda tasks: step.detail(f"{run.dag_id}: {tasks}" if tasks else ""),
        )
        states = client.task_states(run)
        if run.state != "success":
            failed = [task for task, state in states.items() if state == "failed"]
            raise AirflowError(
                f"{run.dag_id} for {run.period} failed in {', '.join(failed)}; the log is below "
                f"{self.server.home.logs / f'dag_id={run.dag_id}' / f'run_id={run.run_id}'}"
            )
        return states


def run_demo(options: DemoOptions, steps: DemoSteps, server: AirflowServer, console: Console) -> DemoSummary:
    """Return the demo's summary, after printing it and saving it below the home folder."""
    demo = _Demo(options, steps, server, Progress(console))
    try:
        summary = demo.run()
    finally:
        with demo.progress.step("Stop Airflow"):
            server.stop()
    saved_to = options.home / "demo" / "summary.json"
    summary.save(saved_to)
    print_summary(console, summary, saved_to)
    return summary
