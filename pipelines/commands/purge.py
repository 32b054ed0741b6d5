"""Deleting records for good: `purge`, `purges`."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from pipelines.commands.console import wide_console

STORES = {
    "landed": "landed rows deleted",
    "quarantined": "quarantined rows emptied",
    "normalised": "normalised rows deleted",
    "linked": "rows of link evidence deleted",
    "published": "people taken out of kept releases",
    "files": "archived files deleted",
    "tombstones": "tombstones added",
}


def purge(
    records: Annotated[list[str], typer.Argument(help="Record ids, or agency/local-id.")],
    reason: Annotated[
        str, typer.Option(help="Why, without a word about the person; kept for ever. A ticket number does.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete records for good: their rows in every store, and every archived file that holds them.

    What stays is a tombstone: the record's id, a keyed hash, who and why. At once nobody with such a record is in a
    kept release; the next `joinedup link` closes the memberships, and the next release shows the people without it.
    The inbox is the agency's own and is not touched. This cannot be undone.
    """
    from pipelines.evidence import as_record_id
    from pipelines.purge import purge_for_good

    named = sorted({as_record_id(record) for record in records})
    if not yes:
        question = "their rows, and every archived file that holds them, for good?"
        typer.confirm(f"Delete {len(named)} record(s), {question}", abort=True)
    removed = asdict(purge_for_good(named, getpass.getuser(), reason))
    for store, told in STORES.items():
        typer.echo(f"{removed[store]:>9,}  {told}")
    typer.echo(
        "The next link closes their memberships: joinedup link PERIOD. Files in the inbox are the agency's."
    )


def purges() -> None:
    """List the records that were deleted for good: when, who asked, which periods do not bring them back."""
    from pipelines.identity.purges import read_purges
    from pipelines.warehouse.engine import transaction

    with transaction() as connection:
        made = read_purges(connection)
    if not made:
        typer.echo("Nothing was ever purged.")
        return
    table = Table()
    for heading in ("id", "record", "when", "by", "kept out of periods up to"):
        table.add_column(heading, overflow="fold")
    for each in made:
        told = (str(each.purge_id), each.record_id, f"{each.purged_at:%Y-%m-%d %H:%M}")
        table.add_row(*told, each.requested_by, each.until_period)
    wide_console().print(table)


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    for command in (purge, purges):
        app.command()(command)
