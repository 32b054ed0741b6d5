"""How far the people are from those of a full run: `drift`."""

from __future__ import annotations

from typing import Annotated

import typer


def drift(
    retrain: Annotated[
        bool,
        typer.Option(help="Compare with a full run under a model trained for it, before you link with one."),
    ] = False,
) -> None:
    """Link everybody of the latest run anew, keep nothing, and tell how many people would be others.

    Nightly runs compare only what changed, and let people stay together at a lower weight than it takes to join
    them. So what they hold may drift from what a full run would find. `--retrain` shows what a new model version
    would change, before `joinedup link PERIOD --retrain` makes it so.
    """
    from pipelines.linking.drift import measure_drift

    found = measure_drift(retrain)
    typer.echo(
        f"run {found.run_id}: {found.records:,} records, {found.people:,} people\n"
        f"a full run under model {found.model_version}: {found.people_anew:,} people\n"
        f"{found.people_that_differ:,} of the run's people ({found.share:.2%}) would not be the same records"
    )


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(drift)
