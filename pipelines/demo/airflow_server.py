"""A running Airflow of our own: for the demo, for `joinedup up` and for the acceptance tests."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from pipelines.demo.airflow_client import AirflowClient, DagRun
from pipelines.demo.airflow_home import USER, AirflowHome
from pipelines.demo.airflow_processes import AirflowError, AirflowProcesses

START_SECONDS = 120.0
POLL_SECONDS = 0.3
NEEDED = ("metadatabase", "scheduler", "dag_processor")


class AirflowServer:
    """Airflow's API server, scheduler and DAG processor, started together and stopped together.

    As a context manager it is ready on entry and leaves no process behind on exit. `start` and
    `wait_until_ready` are apart so that other work can be done while Airflow comes up.
    """

    def __init__(self, home: AirflowHome, extra_environment: dict[str, str] | None = None) -> None:
        self.home = home
        environment = home.environment({**os.environ, **(extra_environment or {})})
        self._processes = AirflowProcesses(home.folder, home.logs, environment)

    @property
    def client(self) -> AirflowClient:
        """A client that is logged in as the one user."""
        return AirflowClient(self.home.base_url, USER, self.home.password())

    def start(self) -> None:
        """Start the processes, without waiting for them."""
        self.home.write_files()
        self._processes.start()

    def wait_until_ready(self, dag_ids: Collection[str]) -> AirflowClient:
        """Return a client once every component is healthy, the DAGs are parsed and the pools exist."""
        client = self.client
        # The part of the API that tasks speak to is built at its first request: better now than by three tasks.
        self.wait_until(client.wake_task_api, "Airflow's API server")
        self.wait_until(lambda: _is_healthy(client), "Airflow to be healthy")
        for name, pool in json.loads((self.home.dags / "pools.json").read_text(encoding="utf-8")).items():
            client.ensure_pool(name, pool["slots"], pool["description"])
        self.wait_until(
            lambda: _has_parsed(client, dag_ids), f"Airflow to parse {', '.join(sorted(dag_ids))}"
        )
        return client

    def wait_for_run(
        self, run: DagRun, *, seconds: float, on_change: Callable[[str], None] | None = None
    ) -> DagRun:
        """Return the run once it has ended; `on_change` is told the tasks that run at the moment."""
        client, told = self.client, ""

        def is_finished() -> bool:
            nonlocal run, told
            run = client.run(run)
            if on_change is not None and (now := _running_tasks(client, run)) != told:
                told = now
                on_change(now)
            return run.is_finished

        self.wait_until(is_finished, f"{run.dag_id} {run.run_id}", seconds)
        return run

    def wait_for_new_run(self, dag_id: str, period: str, known: Collection[str], *, seconds: float) -> DagRun:
        """Return the run of `dag_id` for the period that is not among the known run ids, once it exists."""
        client = self.client
        found: list[DagRun] = []

        def has_come() -> bool:
            found[:] = [
                run for run in client.runs(dag_id) if run.period == period and run.run_id not in known
            ]
            return bool(found)

        self.wait_until(has_come, f"a run of {dag_id} for {period}", seconds)
        return found[0]

    def stop(self) -> None:
        """Stop every process that was started."""
        self._processes.stop()

    def check_alive(self) -> None:
        """Raise AirflowError when a component has ended by itself."""
        self._processes.check_alive()

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
        """Return once `ready()` holds; raise when it takes too long or a component has died."""
        deadline = time.monotonic() + seconds
        while True:
            self.check_alive()
            try:
                if ready():
                    return
            except OSError:
                # The API server does not listen yet, or is busy; the deadline decides.
                pass
            if time.monotonic() > deadline:
                raise AirflowError(f"Waited {seconds:.0f} s for {what}; see {self.home.logs}")
            time.sleep(POLL_SECONDS)

    def __enter__(self) -> Self:
        """Return the server, started."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server, whatever happened."""
        self.stop()


def _is_healthy(client: AirflowClient) -> bool:
    health = client.health()
    return all(health.get(part) == "healthy" for part in NEEDED)


def _has_parsed(client: AirflowClient, dag_ids: Collection[str]) -> bool:
    """Return whether the DAGs are there; raise when a DAG file cannot be parsed."""
    errors = client.import_errors()
    if errors:
        raise AirflowError("DAG files that could not be parsed:\n" + "\n".join(errors))
    return set(dag_ids) <= client.dag_ids()


def _running_tasks(client: AirflowClient, run: DagRun) -> str:
    """Return the tasks of a run that are under way, as text."""
    states = client.task_states(run)
    return ", ".join(task for task, state in states.items() if state in {"running", "awaiting_input"})
