"""`joinedup up`: Airflow's UI with our DAGs, on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from pipelines.contracts.loader import load_contracts
from pipelines.demo.airflow_home import USER, AirflowHome, open_airflow_home
from pipelines.demo.airflow_server import AirflowServer
from pipelines.demo.progress import Progress

WATCHERS = ("watch_inbox", "link_cutoff")
CHECK_SECONDS = 1.0


def up(
    unattended: Annotated[
        bool, typer.Option("--unattended", help="Also watch the inbox, and link at the cut-off.")
    ] = False,
) -> None:
    """Make the warehouse ready, start Airflow with the DAGs, and keep it running until Ctrl-C."""
    from pipelines.stages import prepare

    console = Console()
    signal.signal(signal.SIGTERM, _as_interrupt)
    progress = Progress(console)
    with progress.step("Prepare the warehouse"):
        prepare()
    home = open_airflow_home(usual_port=True)
    server = AirflowServer(home, {"JOINEDUP_UNATTENDED": "1"} if unattended else None)
    try:
        with progress.step("Start Airflow"):
            server.start()
            client = server.wait_until_ready(dag_ids())
            for watcher in WATCHERS:
                client.set_paused(watcher, paused=not unattended)
        _print_login(console, home)
        while True:
            server.check_alive()
            time.sleep(CHECK_SECONDS)
    except KeyboardInterrupt:
        console.print()
    finally:
        with progress.step("Stop Airflow"):
            server.stop()


def dag_ids() -> list[str]:
    """Return the DAGs that Airflow must show: one ingest per contract, and the rest."""
    return [*(f"ingest_{agency}" for agency in sorted(load_contracts())), "link", "publish", *WATCHERS]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(up)


def _as_interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Treat a polite request to end like Ctrl-C, so that Airflow is stopped too."""
    raise KeyboardInterrupt


def _print_login(console: Console, home: AirflowHome) -> None:
    console.print(f"\n  Airflow   {home.base_url}")
    console.print(f"  user      {USER}")
    console.print(f"  password  {home.password()}", markup=False, highlight=False)
    console.print(f"  logs      {home.logs}", soft_wrap=True)
    console.print(f"\n  Ctrl-C stops it (process {os.getpid()}).\n")
