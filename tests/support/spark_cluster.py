"""A real Spark cluster on this machine: a master and two workers, each a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

HOST = "127.0.0.1"
WORKERS = 2
SECONDS_TO_START = 120


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


@contextmanager
def spark_cluster(folder: Path) -> Iterator[str]:
    """Yield the address of a standalone master with two workers of one core each; all end with the context."""
    import pyspark

    home = Path(pyspark.__file__).parent
    port = free_port()
    address = f"spark://{HOST}:{port}"
    environment = os.environ | {
        "SPARK_LOCAL_IP": HOST,
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_DAEMON_MEMORY": "512m",
    }
    places = {"cwd": folder, "env": environment}
    with (folder / "spark.log").open("wb") as log:

        def start(role: str, *words: str) -> subprocess.Popen[bytes]:
            name = f"org.apache.spark.deploy.{role.lower()}.{role}"
            command = [str(home / "bin" / "spark-class"), name, "--host", HOST, *words]
            return subprocess.Popen(command, stdout=log, stderr=log, **places)  # noqa: S603 - Spark itself

        started = [start("Master", "--port", str(port), "--webui-port", str(free_port()))]
        try:
            _wait_for(port)
            for number in range(WORKERS):
                room = ("--cores", "1", "--memory", "1500m", "--work-dir", str(folder / f"worker{number}"))
                started.append(start("Worker", *room, "--webui-port", str(free_port()), address))
            yield address
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait(30)


def _wait_for(port: int) -> None:
    ends = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.5)
    raise TimeoutError("the Spark master did not start")


@contextmanager
def spark_session(address: str) -> Iterator[Any]:
    """Yield a session on the cluster, once both workers have an executor."""
    from pyspark.sql import SparkSession
    from splink.backends.spark import similarity_jar_location

    settings = {
        "spark.jars": similarity_jar_location(),
        "spark.driver.host": HOST,
        "spark.executor.memory": "1g",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "4",
        "spark.default.parallelism": "4",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master(address)
    for name, value in settings.items():
        builder = builder.config(name, value)
    with patch.dict(os.environ, {"PYSPARK_PYTHON": sys.executable}):  # what the workers run our function with
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        ends = time.monotonic() + SECONDS_TO_START
        while executors(session) < WORKERS and time.monotonic() < ends:
            time.sleep(0.5)
        yield session
    finally:
        session.stop()


def executors(session: Any) -> int:
    """Return how many executors there are; the driver is counted by Spark too, and left out here."""
    return int(session.sparkContext._jsc.sc().getExecutorMemoryStatus().size()) - 1
