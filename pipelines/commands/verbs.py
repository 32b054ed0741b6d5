"""The four verbs: `prepare`, `ingest`, `link`, `publish`, `run`, and `watch` over the inbox."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from pipelines.commands import files

Period = Annotated[str, typer.Argument(help="The reporting period, YYYY-MM.")]
Agency = Annotated[str, typer.Argument(help="An agency with a contract in schemas/agencies/.")]


def prepare() -> None:
    """Make the warehouse ready: server, schemas, tables, roles, views. Safe to run at any time."""
    from pipelines import stages

    typer.echo("The warehouse was made ready." if stages.prepare() else "The warehouse is ready.")


def ingest(
    agency: Agency,
    period: Period,
    force: Annotated[bool, typer.Option(help="Accept last period's person file sent again.")] = False,
    again: Annotated[bool, typer.Option(help="Drive an accepted delivery again after a fix.")] = False,
) -> None:
    """Receive an agency's files from the inbox, check them, normalise them, check again."""
    from pipelines import stages

    received = stages.requeue_delivery(agency, period) if again else stages.receive(agency, period, force)
    delivery_id = received["delivery_id"]
    if delivery_id is None:
        waiting = ", ".join(received["waiting_for"])
        typer.echo(f"Waiting for {waiting}." if waiting else "Nothing new: these files were received before.")
        return
    stages.check_landing(delivery_id)
    counts = stages.normalise_delivery(delivery_id)
    stages.check_normalised(delivery_id)
    request = stages.announce(delivery_id)
    typer.echo(", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items()))
    if request:
        typer.echo(f"{period} can be linked ({request['cause']}): joinedup link {period}")


def publish(
    run_id: Annotated[int, typer.Argument(help="A linkage run, as printed by `joinedup link`.")],
    reason: Annotated[str, typer.Option(help="Why a release with warnings may go out.")] = "",
) -> None:
    """Build the next release from a linkage run, check it, swap it in, write the reports."""
    from pipelines import stages

    release_id = stages.build_release(run_id)
    checked = stages.check_release(release_id)
    if checked["needs_approval"] and not checked["answered_by"] and not reason:
        typer.echo(
            f"Release {release_id} waits: {checked['warnings']} warning(s). Read the report, then give --reason."
        )
        raise typer.Exit(code=1)
    approved_by = checked["answered_by"] or (getpass.getuser() if reason else "expectations")
    stages.publish_release(release_id, approved_by, reason or "no expectation failed that asks for a human")
    stages.write_reports(release_id)
    typer.echo(f"release {release_id} is live")


def roll_back(
    release_id: Annotated[int, typer.Argument(help="An earlier release that is still kept.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """Swap an earlier release in again."""
    from pipelines.publish import swap

    swap.roll_back(release_id, getpass.getuser(), reason)
    typer.echo(f"release {release_id} is live again")


def watch() -> None:
    """Show what stands in the inbox: ready to be received, waiting, unknown."""
    from pipelines.ingest.inbox import scan_inbox

    scan = scan_inbox()
    for ready in scan.ready:
        typer.echo(f"ready    {ready.agency} {ready.period}: joinedup ingest {ready.agency} {ready.period}")
    for (agency, period), why in scan.waiting.items():
        typer.echo(f"waiting  {agency} {period}: {why}")
    for name in scan.unknown:
        typer.echo(f"unknown  {name}: fits no contract")
    if not (scan.ready or scan.waiting or scan.unknown):
        typer.echo("Nothing new in the inbox.")


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(prepare)
    app.command()(watch)
    app.command()(ingest)
    app.command()(files.link)
    app.command()(publish)
    app.command("roll-back")(roll_back)
