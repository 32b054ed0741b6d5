"""`changes`: what the latest runs changed about the people, why, and the link that decided it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from pipelines.commands.console import wide_console

if TYPE_CHECKING:
    from sqlalchemy import Row

    from pipelines.identity.history import History, Unrest

WAYS = {"MERGED": "into", "SPLIT": "out of", "MOVED": "from"}


def changes(
    since: Annotated[
        int | None, typer.Option(metavar="RUN", help="All runs after this one; the newest run unless given.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many of the largest changes to list.")] = 20,
) -> None:
    """Show which people merged, split or moved, and why: counts by kind and cause, then the largest changes.

    **Kinds**: CREATED (somebody new), JOINED and LEFT (one record), MERGED (a person into another, whose id lasts),
    SPLIT (a new person out of another), RETIRED (all records are gone), RETURNED (they are back). MOVED is a record
    that left one person and joined another.

    **Causes**: NEW_DATA, CHANGED_DATA, VANISHED_DATA, PURGE, PROTECTION, JUDGEMENT, MODEL_VERSION.

    The release waits for a person when more of the people changed than JOINEDUP_CHANGE_BUDGET, new data aside.
    Under each change stands the link that decided it: `joinedup explain` tells why it is one. Ids only, no values.
    """
    from pipelines.identity.history import read_history, read_unrest
    from pipelines.settings import load_settings
    from pipelines.warehouse.engine import transaction

    with transaction() as connection:
        found = read_history(connection, since, limit)
        unrest = read_unrest(connection, found.newest)
    _print_unrest(found, unrest, load_settings().change_budget)
    _print_counts(found)
    for change in found.largest:
        typer.echo(_as_text(change))


def _print_unrest(found: History, unrest: Unrest, budget: float) -> None:
    over = "over" if unrest.share > budget else "within"
    typer.echo(
        f"run {found.newest}: {unrest.changed:,} of {unrest.people:,} people changed ({unrest.share:.2%}), new data"
        f" aside; {over} the budget of {budget:.2%}"
    )


def _print_counts(found: History) -> None:
    title = f"Changes since run {found.since}" if found.since else "Changes since the beginning"
    table = Table(title=title, title_justify="left")
    table.add_column("kind")
    table.add_column("cause")
    for heading in ("changes", "people", "records"):
        table.add_column(heading, justify="right")
    for row in found.counts:
        table.add_row(row.kind, row.cause, f"{row.changes:,}", f"{row.people:,}", f"{row.records:,}")
    wide_console().print(table)


def _as_text(change: Row[Any]) -> str:
    """Return a change in two lines: what happened, and the link that decided it."""
    size = "1 record" if change.records == 1 else f"{change.records:,} records"
    what = f"record {change.record_id} to" if change.record_id else "person"
    lines = [
        f"{change.kind} {size}, run {change.run_id}, {change.cause}",
        f"  {what} {change.person_id} {WAYS[change.kind]} {change.other_person_id}",
    ]
    if change.record_a:
        lines.append(
            f"  {change.match_weight:.2f} bits: joinedup explain {change.record_a} {change.record_b}"
        )
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(changes)
