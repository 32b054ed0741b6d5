"""Looking at what was done: `status`, `explain`, `sql`, `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from pipelines.commands import files
from pipelines.commands.console import wide_console


def status() -> None:
    """Show deliveries by agency and period, lateness, what was set aside, and the live release."""
    from pipelines.ingest.status import ingest_status

    found, console = ingest_status(), wide_console()
    table = Table(title="Deliveries", title_justify="left")
    for heading in ("period", "agency", "state", "due", "late", "rows", "quarantined"):
        table.add_column(heading, overflow="fold")
    for each in found.deliveries:
        late = f"{each.days_late} d" if each.days_late else ""
        state = each.state + (f" (waits for {', '.join(each.waiting_for)})" if each.waiting_for else "")
        table.add_row(
            each.period, each.agency, state, str(each.due), late, f"{each.rows:,}", _reasons(each.quarantined)
        )
    console.print(table)
    for period in found.periods:
        asked = (
            f"linked because {period.cause}"
            if period.cause
            else f"is linked on {period.cut_off} at the latest"
        )
        console.print(f"{period.period}: {asked}")
    if found.release is None:
        console.print("Nothing is published yet.")
        return
    live = found.release
    console.print(
        f"Live: release {live.release_id} as of {live.as_of}, published {live.published_at:%Y-%m-%d %H:%M},"
        f" approved by {live.approved_by}",
        soft_wrap=True,
    )


def _reasons(counts: Mapping[str, int]) -> str:
    """Return counts by reason, one a line, the largest first."""
    largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "\n".join(f"{reason} {count}" for reason, count in largest)


def explain(
    record_a: Annotated[str | None, typer.Argument(help="A record id, or agency/local-id.")] = None,
    record_b: Annotated[str | None, typer.Argument(help="The other record.")] = None,
    person: Annotated[
        str | None, typer.Option(help="A person id, or a pseudonym as in published.person.")
    ] = None,
) -> None:
    """Explain why two records are one person or not, or what holds one person together.

    For a pair: prior, each comparison's level, m, u and weight, the household correction, the total; also for a
    pair that was never compared; and what people judged. Levels only, no values.
    """
    from pipelines.evidence import explain_published_person, explain_records, judgement_about

    if person is not None and record_a is None:
        typer.echo(explain_published_person(person).render())
    elif record_a is not None and record_b is not None and person is None:
        typer.echo(explain_records(record_a, record_b).render())
        if judged := judgement_about(record_a, record_b):
            typer.echo(judged)
    else:
        raise typer.BadParameter("give two records, or --person")


def sql(
    role: Annotated[str, typer.Option(help="analyst, auditor or engineer.")] = "analyst",
    command: Annotated[
        list[str] | None, typer.Option("--command", "-c", help="One statement, then end; may be repeated.")
    ] = None,
) -> None:
    """Open an SQL session in the warehouse as one of the reading roles, and with nothing more than it may."""
    from pipelines.warehouse.session import run_session

    raise typer.Exit(run_session(role, command or ()))


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    for command in (status, explain, sql, files.evaluate):
        app.command()(command)
