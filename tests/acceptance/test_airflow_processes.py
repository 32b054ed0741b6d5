"""Airflow's processes: one supervisor at a time, and none of them is ever left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipelines.demo.airflow_home import open_airflow_home
from pipelines.demo.airflow_processes import AirflowError
from pipelines.demo.airflow_server import AirflowServer

pytestmark = [pytest.mark.airflow, pytest.mark.slow]

# Starts Airflow, says so, and waits to be killed.
SUPERVISOR = """
import time
from pipelines.demo.airflow_home import open_airflow_home
from pipelines.demo.airflow_server import AirflowServer
server = AirflowServer(open_airflow_home())
server.start()
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("JOINEDUP_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for process in airflow_processes(tmp_path / "home"):  # a failed test leaves nothing behind either
        process.kill()


def airflow_processes(home: Path) -> list[psutil.Process]:
    """Return the processes that work in this home's Airflow folder; tasks and workers inherit it."""
    folder = str(home / "airflow")
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == folder and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def start_supervisor() -> subprocess.Popen[str]:
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "started\n"
    return supervisor


def command_of(process: psutil.Process) -> str:
    """The command line of a process; empty when it has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def wait_for_workers(home: Path) -> None:
    """Return once the scheduler has forked the workers that run tasks."""
    deadline = time.monotonic() + 60
    while not any("LocalExecutor" in command_of(each) for each in airflow_processes(home)):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_what_a_killed_supervisor_left_behind_is_ended_by_the_next(home: Path) -> None:
    supervisor = start_supervisor()
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    wait_for_workers(home)
    scheduler = next(process for process in airflow_processes(home) if "scheduler" in command_of(process))
    scheduler.kill()  # its workers go on without it
    left = {process.pid for process in airflow_processes(home)}
    assert len(left) >= 3

    with AirflowServer(open_airflow_home()):
        time.sleep(2)
        now = {process.pid for process in airflow_processes(home)}
        assert now and not now & left
    assert airflow_processes(home) == []


def test_a_second_supervisor_is_refused_and_leaves_the_first_alone(home: Path) -> None:
    supervisor = start_supervisor()
    before = {process.pid for process in airflow_processes(home)}
    with pytest.raises(AirflowError, match="already runs"):
        AirflowServer(open_airflow_home()).start()
    assert before <= {process.pid for process in airflow_processes(home)}

    supervisor.kill()
    supervisor.wait()
    AirflowServer(open_airflow_home()).stop()  # never started: nothing of its own to end
    with AirflowServer(open_airflow_home()):
        pass
    assert airflow_processes(home) == []
