"""Run a contender in a process and a warehouse of its own, and weigh it while it runs."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess  # noqa: S404 - contenders are our own modules
import sys
import time
from dataclasses import asdict
from pathlib import Path

import psutil

from benchmarks.pipeline.account import GIGABYTE, Account, make_account
from benchmarks.pipeline.inputs import Inputs
from benchmarks.pipeline.memory import Meter
from benchmarks.pipeline.task import Task
from pipelines.settings import Settings, load_settings
from pipelines.warehouse.server import delete_server, server_status

CONTENDERS = {"ours": "benchmarks.pipeline.ours", "rival": "benchmarks.pipeline.rival"}
SECONDS_BETWEEN_LOOKS = 0.2
KEY = "benchmark-key-known-to-everybody"


def run(contender: str, task: Task, inputs: Inputs, home: Path) -> Account:
    """Return what one run took, or how far one came that failed; its warehouse is deleted afterwards."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    inputs.put_into(home)
    settings = dataclasses.replace(load_settings(), home=home.resolve(), warehouse_url=None)
    journal = home / "journal"
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        CONTENDERS[contender],
        json.dumps(asdict(task)),
        str(journal),
    ]
    process = subprocess.Popen(command, env=_environment(settings, inputs), stdout=sys.stderr)  # noqa: S603 - our own modules
    try:
        samples, problem = _watch(process, Meter(process.pid, server_status(settings).data), task.memory_gb)
        counted = _count(journal, inputs, settings)
        problem = problem or counted
        return make_account(contender, inputs.records, journal, samples, problem)
    finally:
        _end(process)
        delete_server(settings)
        shutil.rmtree(home, ignore_errors=True)


def _count(journal: Path, inputs: Inputs, settings: Settings) -> str | None:
    """Have counted what the contender's warehouse holds now; return what is wrong where it cannot be."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "benchmarks.pipeline.facts",
        str(journal),
        str(inputs.truth),
    ]
    counted = subprocess.run(command, env=_environment(settings, inputs), check=False)  # noqa: S603 - our own module
    return None if counted.returncode == 0 else "its warehouse could not be counted"


def _environment(settings: Settings, inputs: Inputs) -> dict[str, str]:
    """Return the environment of a contender: this one's, without its settings, with those of the benchmark."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JOINEDUP_")}
    return kept | {
        "JOINEDUP_HOME": str(settings.home),
        "JOINEDUP_SCHEMAS_DIR": str(inputs.schemas.resolve()),
        "JOINEDUP_KEY": KEY,
        "JOINEDUP_ALLOW_SYNTHETIC": "1",
        "JOINEDUP_AUTO_APPROVE": "1",
    }


def _watch(
    process: subprocess.Popen[bytes], meter: Meter, limit_gb: float
) -> tuple[list[tuple[float, int]], str | None]:
    """Return what was weighed until the process ended, and what ended it other than its own will."""
    samples: list[tuple[float, int]] = []
    while process.poll() is None:
        samples.append((time.monotonic(), meter.bytes_now()))
        if samples[-1][1] > limit_gb * GIGABYTE:
            return samples, f"stopped at {samples[-1][1] / GIGABYTE:.1f} GB"
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.returncode < 0:
        return samples, f"ended by signal {-process.returncode}"
    # One that fails says in its journal why.
    return samples, None if process.returncode in (0, 1) else f"ended with {process.returncode}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, and all its children."""
    if process.poll() is not None:
        return
    try:
        left = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        left = []
    for each in left:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
