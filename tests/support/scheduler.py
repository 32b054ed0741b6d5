"""A real Airflow for tests, and what tests ask of it."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from support.warehouse import Warehouse

from pipelines.contracts.loader import load_contracts
from pipelines.demo.airflow_client import AirflowClient, DagRun
from pipelines.demo.airflow_home import open_airflow_home
from pipelines.demo.airflow_server import AirflowServer
from pipelines.ingest.inbox import files_of
from pipelines.settings import load_settings
from pipelines.synth import SynthRequest, generate

RUN_SECONDS = 240.0
SETTLE_SECONDS = 3.0  # many turns of the scheduler: whatever it would start has started
RETRY_SECONDS = "2"


class Airflow:
    """A running Airflow with every agency's extracts at hand; periods are delivered one agency at a time."""

    def __init__(self, server: AirflowServer, client: AirflowClient, extracts: Path) -> None:
        self.server, self.client, self.extracts = server, client, extracts

    def put_into_inbox(self, agency: str, period: str) -> None:
        """Leave the agency's extracts in the inbox, as files that nobody has touched for an hour."""
        inbox = load_settings().inbox_dir / agency
        inbox.mkdir(parents=True, exist_ok=True)
        an_hour_ago = time.time() - 3600
        for path in files_of(load_contracts()[agency], period, self.extracts / agency).values():
            shutil.copyfile(path, inbox / path.name)
            os.utime(inbox / path.name, (an_hour_ago, an_hour_ago))

    def deliver(self, agency: str, period: str) -> dict[str, str]:
        """Leave the agency's extracts in the inbox, ingest them, and return the task states."""
        self.put_into_inbox(agency, period)
        run = self.client.trigger(f"ingest_{agency}", {"period": period})
        return self.finish(run)

    def finish(self, run: DagRun) -> dict[str, str]:
        """Return the task states of a run that has ended."""
        return self.client.task_states(self.server.wait_for_run(run, seconds=RUN_SECONDS))

    def runs_for(self, dag_id: str, period: str) -> list[DagRun]:
        """Return the runs of a DAG for a period, the oldest first, once nothing more can be on its way."""
        time.sleep(SETTLE_SECONDS)
        return [run for run in reversed(self.client.runs(dag_id)) if run.period == period]

    def wait_for_task(self, run: DagRun, task_id: str, state: str) -> None:
        """Return once a task of the run is in this state."""
        self.server.wait_until(
            lambda: self.client.task_states(run).get(task_id) == state,
            f"{task_id} to be {state}",
            RUN_SECONDS,
        )

    def wait_for_question(self, run: DagRun, task_id: str) -> None:
        """Return once a task of the run has put its question and its process is known to have ended.

        Answered within the same turn of the scheduler, the task is queued again before the end of its first
        process is noted, and Airflow takes that end for a crash of the second. No person is as quick.
        """
        self.wait_for_task(run, task_id, "awaiting_input")
        ended = re.compile(
            rf"Finished: .*task_id={task_id}, run_id={re.escape(run.run_id)}, .*awaiting_input"
        )
        log = self.server.home.logs / "scheduler.log"
        self.server.wait_until(
            lambda: ended.search(log.read_text(encoding="utf-8", errors="replace")) is not None,
            f"the scheduler to note that {task_id} waits",
            RUN_SECONDS,
        )

    def kill_task(self, run: DagRun, task_id: str) -> None:
        """Kill the process of a running task, with no chance to tidy up."""
        self.wait_for_task(run, task_id, "running")
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}"
        title = f"airflow worker -- {self.client.request('GET', path)['id']}"
        victims = [each for each in psutil.Process().children(recursive=True) if title in _command_of(each)]
        assert victims, f"no process runs {task_id}"
        for victim in victims:
            victim.kill()


@contextmanager
def running_airflow(warehouse: Warehouse, people: int, periods: tuple[str, ...]) -> Iterator[Airflow]:
    """Give a real Airflow over a prepared warehouse; it is stopped at the end."""
    extracts = warehouse.home / "extracts"
    server = AirflowServer(open_airflow_home(), {"JOINEDUP_RETRY_SECONDS": RETRY_SECONDS})
    with server:
        generate(SynthRequest(people, 20260901, periods, extracts, load_settings().truth_dir))
        dags = [*(f"ingest_{agency}" for agency in load_contracts()), "link", "publish"]
        yield Airflow(server, server.wait_until_ready(dags), extracts)


def _command_of(process: psutil.Process) -> str:
    """Return a process's command line; nothing of one that has ended since it was listed."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie is one of these
        return ""
