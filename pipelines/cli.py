"""`joinedup`: the stages without Airflow, and the tools around them."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer
from typer.core import TyperGroup

from pipelines.commands import (
    agency,
    airflow,
    changes,
    contracts,
    demo,
    drift,
    govern,
    judge,
    look,
    models,
    purge,
    verbs,
    withdrawal,
)
from pipelines.errors import JoinedupError
from pipelines.stage import configure_logging, crash

HELP = """Link records about the same person across agencies: ingest, normalise, link, publish.

The four verbs run the stages that Airflow's tasks run. Everything else looks at what they did, or says who may.
Start with `make demo`; then `joinedup status`, `joinedup sql --role analyst`, `joinedup explain --help`.
"""


class InOrder(TyperGroup):
    """Commands in the order in which they are written, not by alphabet: the verbs come first."""


app = typer.Typer(
    name="joinedup",
    help=HELP,
    cls=InOrder,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)
for module in (
    verbs,
    look,
    judge,
    changes,
    withdrawal,
    drift,
    models,
    govern,
    purge,
    contracts,
    agency,
    demo,
    airflow,
):
    module.register(app)


@app.callback()
def _start(verbose: bool = typer.Option(False, "--verbose", "-v", help="Log more.")) -> None:
    configure_logging(verbose)


def main() -> None:
    """Run the command line; an error ends it with its text and its exit code, without a traceback.

    The text of an error that we did not foresee may hold a value, so only its kind and its place are told.
    """
    try:
        app()
    except JoinedupError as error:
        _end(error)
    except Exception as error:
        _end(crash("joinedup", error))


def _end(error: JoinedupError) -> NoReturn:
    typer.secho(f"joinedup: {error}", err=True, fg=typer.colors.RED)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
