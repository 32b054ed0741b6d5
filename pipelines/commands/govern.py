"""Who may see what, and what was set aside: `access`, `protect`, `quarantine`."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from pipelines.commands.console import wide_console

access = typer.Typer(
    help="Logged, time-limited reading of landing, quarantine or normalised.", no_args_is_help=True
)
quarantine = typer.Typer(help="Rows that were set aside, and why.", no_args_is_help=True)


@access.command()
def grant(
    login: Annotated[str, typer.Argument(help="The person's own database login.")],
    schema: Annotated[str, typer.Argument(help="landing, quarantine or normalised.")],
    reason: Annotated[str, typer.Option(help="Why; kept in audit.access_grant.")],
    hours: Annotated[float, typer.Option(help="For how long.")] = 1.0,
) -> None:
    """Let one person read a restricted schema for some hours; each reading is logged."""
    from pipelines.warehouse.access import grant_access

    number = grant_access(login, schema, reason, hours, getpass.getuser())
    typer.echo(
        f"grant {number}: {login} may open {schema} for {hours:g} h, with restricted.open('{schema}', 'why')"
    )


@access.command()
def revoke(grant_id: Annotated[int, typer.Argument(help="The grant's number.")]) -> None:
    """End a grant before its time."""
    from pipelines.warehouse.access import revoke_access

    typer.echo("ended" if revoke_access(grant_id) else "there is no live grant of this number")


def protect(
    record: Annotated[str, typer.Argument(help="A record id, or agency/local-id.")],
    level: Annotated[
        str, typer.Argument(help="RESTRICTED (links, shows no location) or SEALED (never links).")
    ],
    reason: Annotated[str, typer.Option(help="Why; kept for ever.")],
    scope: Annotated[
        str | None,
        typer.Option(help="Kept with the notice; a SEALED record links with nobody, whatever its scope."),
    ] = None,
    effective_from: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
) -> None:
    """Protect a record: at once in every kept release, and in every run from now on. Notices are only added."""
    from pipelines.evidence import as_record_id
    from pipelines.identity.protection import RESTRICTED, SEALED, add_protection_notice
    from pipelines.publish.protect import withhold_protected_everywhere
    from pipelines.warehouse.engine import transaction

    wanted = level.upper()
    if wanted not in (RESTRICTED, SEALED):
        raise typer.BadParameter("level is RESTRICTED or SEALED")
    day = effective_from.date() if effective_from else None
    chosen = SEALED if wanted == SEALED else RESTRICTED
    with transaction() as connection:
        number = add_protection_notice(
            connection, as_record_id(record), chosen, reason, scope=scope, effective_from=day
        )
        withhold_protected_everywhere(connection)
    typer.echo(f"notice {number} is kept, and applied to every release that is still kept")


@quarantine.command("list")
def list_reasons() -> None:
    """Show how many rows were set aside, by agency, file, period and reason."""
    from sqlalchemy import text

    from pipelines.warehouse.engine import transaction

    query = text(
        "SELECT e.agency, q.file, e.period, reason, count(*) AS rows FROM quarantine.row q"
        " JOIN audit.extract e USING (extract_id), unnest(q.reasons) AS reason"
        " GROUP BY 1, 2, 3, 4 ORDER BY 3, 1, 2, 5 DESC"
    )
    table = Table()
    for heading in ("agency", "file", "period", "reason", "rows"):
        table.add_column(heading, overflow="fold")
    with transaction() as connection:
        for row in connection.execute(query):
            table.add_row(row.agency, row.file, row.period, row.reason, f"{row.rows:,}")
    wide_console().print(table)
    typer.echo("After a fix of a contract or a code map: joinedup ingest AGENCY PERIOD --again")


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(protect)
    app.add_typer(quarantine, name="quarantine")
    app.add_typer(access, name="access")
