"""`joinedup demo`: everything once, on a synthetic population, through a real Airflow."""

from __future__ import annotations

from typing import Annotated

import typer

PERIODS = ("2026-09", "2026-10")


def demo(
    people: Annotated[int, typer.Option(min=100, help="How many people.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Same seed, same population.")] = 1,
) -> None:
    """Write two periods of every agency's files, run the DAGs on them, and show what came of it."""
    from pipelines.commands.console import wide_console
    from pipelines.demo.airflow_home import open_airflow_home
    from pipelines.demo.airflow_server import AirflowServer
    from pipelines.demo.home import prepare_demo_home
    from pipelines.demo.run import run_demo
    from pipelines.demo.steps import demo_options, demo_steps

    prepare_demo_home()
    options = demo_options(people, seed, PERIODS)
    run_demo(options, demo_steps(options), AirflowServer(open_airflow_home()), wide_console())


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(demo)
