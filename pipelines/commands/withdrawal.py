"""`withdrawal`: links that were published and that a run undid, as one report per agency."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def withdrawal(
    run: Annotated[int, typer.Argument(help="A linkage run, as in `joinedup changes`.")],
    output: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="A folder for the reports; withdrawals/ in the reports unless given."
        ),
    ] = None,
) -> None:
    """List the published links that a run undid: which releases and views showed them, from when to when.

    A link is any two records that were one person before the run, and are two after it. One report per agency that
    holds one of them, as Markdown to read and as CSV. It names the agency's own records by record id, and the
    other's as "a record of ...". Sealed records, and people who ever held one, are in no report. Done again it
    writes the same.
    """
    from pipelines.publish.withdrawal import read_withdrawal
    from pipelines.publish.withdrawal_pack import write_packs
    from pipelines.warehouse.engine import transaction

    with transaction() as connection:
        found = read_withdrawal(connection, run)
    packs = write_packs(found, output)
    if not found.undone:
        typer.echo(f"run {run} undid no link")
        return
    undone = "1 link" if found.undone == 1 else f"{found.undone:,} links"
    typer.echo(f"run {run} undid {undone}; published before: {len(found.links):,}")
    for agency, links in found.by_agency().items():
        typer.echo(f"{agency}: {len(links):,} in {packs[agency]}")


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(withdrawal)
