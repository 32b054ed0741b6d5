"""Airflow's processes: started in sessions of their own, and stopped without leaving one behind."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO

import psutil  # type: ignore[import-untyped]

from pipelines.errors import JoinedupError

# What is needed to run DAGs. No triggerer: an approval waits in the database, and nothing else defers.
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),  # the API server reads the same log folder
    "dag-processor": ("dag-processor",),
}
GRACE_SECONDS = 4.0  # what has not ended by then only tidies its memory; its state is in databases
POLL_SECONDS = 0.05
TAIL_LINES = 15


class AirflowError(JoinedupError):
    """Airflow could not be started, or answered something unexpected."""

    exit_code = 12


@dataclass
class AirflowProcesses:
    """The component processes of one Airflow home; at most one joinedup process supervises them."""

    folder: Path
    logs: Path
    environment: Mapping[str, str]
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _lock: IO[str] | None = None

    def start(self) -> None:
        """Start every component, after bringing Airflow's own database up to date."""
        self._take_lock()
        self._stop_leftovers()
        self._migrate()
        for name, arguments in COMPONENTS.items():
            with (self.logs / f"{name}.log").open("ab") as log:
                self._running[name] = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "airflow", *arguments],
                    env=dict(self.environment),
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._remember()

    def check_alive(self) -> None:
        """Raise AirflowError with the end of its log when a component has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise AirflowError(
                    f"Airflow's {name} ended with code {process.returncode}; the end of its log:\n"
                    f"{_tail(self.logs / f'{name}.log')}"
                )

    def stop(self) -> None:
        """Stop every component and every task below it: gently first, then for certain."""
        if self._lock is None:  # never started, or refused: what runs belongs to another supervisor
            return
        leaders = [process.pid for process in self._running.values()]
        _end(_sessions(leaders))
        _end(_sessions(leaders))  # what was born while the first round went on
        for process in self._running.values():
            process.wait()
        self._running.clear()
        self._memory.unlink(missing_ok=True)
        self._lock.close()
        self._lock = None

    @property
    def _memory(self) -> Path:
        return self.folder / "processes.json"

    def _take_lock(self) -> None:
        """Make sure that no other joinedup process supervises this Airflow."""
        self._lock = (self.folder / "supervisor.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise AirflowError(
                f"Airflow already runs for {self.folder}; stop it first (Ctrl-C where `make up` runs)"
            ) from None

    def _remember(self) -> None:
        """Write down which processes are ours, for the case that we are killed before we stop them."""
        started = {process.pid: _started_at(process.pid) for process in self._running.values()}
        self._memory.write_text(json.dumps(started), encoding="utf-8")

    def _stop_leftovers(self) -> None:
        """Stop components of an earlier supervisor that was killed; a reused process id is left alone."""
        if not self._memory.exists():
            return
        started = json.loads(self._memory.read_text(encoding="utf-8"))
        # A session outlives its leader, and keeps the leader's id from being used again.
        _end(_sessions(int(pid) for pid, since in started.items() if _started_at(int(pid)) in {since, None}))
        self._memory.unlink()

    def _migrate(self) -> None:
        """Create or upgrade Airflow's own database, once per Airflow version."""
        version = metadata.version("apache-airflow")
        marker = self.folder / "migrated"
        if marker.exists() and marker.read_text(encoding="utf-8") == version:
            return
        log_file = self.logs / "migrate.log"
        with log_file.open("ab") as log:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-m", "airflow", "db", "migrate"],
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise AirflowError(f"Airflow's database could not be prepared:\n{_tail(log_file)}")
        marker.write_text(version, encoding="utf-8")


def _started_at(pid: int) -> float | None:
    """Return when a process started, or None when there is none with this id."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def _sessions(leaders: Iterable[int]) -> list[psutil.Process]:
    """Return every process of the components' sessions: tasks, and workers whose scheduler has died."""
    wanted = set(leaders)
    found: list[psutil.Process] = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) in wanted:
                found.append(psutil.Process(pid))
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue  # gone meanwhile, or another user's
    return found


def _end(processes: list[psutil.Process]) -> None:
    """End the processes: ask all of them, wait, then kill whatever is left of the whole family."""
    for process in processes:
        _signal(process, kill=False)
    for process in _wait_until_gone(processes):
        _signal(process, kill=True)


def _wait_until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return the processes that still run after a while; what has ended and awaits its parent is gone."""
    deadline = time.monotonic() + GRACE_SECONDS
    while left := [process for process in processes if _runs(process)]:
        if time.monotonic() > deadline:
            return left
        time.sleep(POLL_SECONDS)
    return []


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, *, kill: bool) -> None:
    """Send one signal; a process that has gone needs none."""
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return


def _tail(path: Path) -> str:
    """Return the last lines of a component's log."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-TAIL_LINES:])
