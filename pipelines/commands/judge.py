"""What people decide about pairs: `judge`, `judgements`, `review`."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pipelines.commands.console import wide_console

if TYPE_CHECKING:  # commands import what they need when they run, so that `--help` is quick
    from pipelines.identity.judgements import Judgement

RECORDS_SHOWN = 4


def judge(
    records: Annotated[
        list[str], typer.Argument(help="Two records or more: a record id, or agency/local-id.")
    ],
    verdict: Annotated[str, typer.Argument(help="same, different or unsure.")],
    reason: Annotated[str, typer.Option(help="Why; kept for ever.")],
    expires: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day on which it counts (UTC).")
    ] = None,
    scope: Annotated[
        str, typer.Option(help="A purpose that it was made for; kept with it, it counts in every run.")
    ] = "everything",
) -> None:
    """Decide whether records are one person: it counts from the next `joinedup link` on, whatever the model says.

    **same** joins them, though they were never compared and though verified numbers differ. **different** keeps
    them apart, also through third records. **unsure** takes an earlier judgement back: the evidence decides, and
    the pair stays in the review queue. Of several judgements about a pair the latest that has not expired counts.
    With three records and more, each pair of them is judged.

        joinedup judge health/4711 police/N123 same --reason "seen both files, ticket 12"

    Where judgements contradict each other, *different* wins and `joinedup judgements --contradictions` lists it.
    """
    from pipelines.evidence import as_record_id
    from pipelines.identity.judgements import add_judgement
    from pipelines.warehouse.engine import transaction

    until = expires.replace(tzinfo=UTC) + timedelta(days=1) if expires else None
    named = [as_record_id(record) for record in records]
    with transaction() as connection:
        number = add_judgement(
            connection, named, verdict.upper(), reason, getpass.getuser(), scope=scope, expires_at=until
        )
    typer.echo(f"judgement {number} is kept; it counts from the next link on: joinedup link PERIOD")


def judgements(
    contradictions: Annotated[
        bool, typer.Option("--contradictions", help="Only what the latest run could not follow, or warns of.")
    ] = False,
    reasons: Annotated[
        bool,
        typer.Option("--reasons", help="With the reasons, in which people may have written about people."),
    ] = False,
) -> None:
    """List what people decided about records, and whether it still counts.

    A judgement is *live*, *live in part* (another one counts for some of its pairs), *superseded* or *expired*.
    """
    if contradictions:
        _list_contradictions()
    else:
        _list_judgements(reasons)


def _list_judgements(reasons: bool) -> None:
    from pipelines.identity.judgements import read_judgements, read_reasons, states_of
    from pipelines.warehouse.engine import transaction

    with transaction() as connection:
        made = read_judgements(connection)
        why = read_reasons(connection) if reasons else {}
    if not made:
        typer.echo("Nobody has judged anything yet: joinedup review shows where to begin.")
        return
    states = states_of(made, datetime.now(UTC))
    table = Table()
    for heading in (
        "id",
        "verdict",
        "records",
        "by",
        "when",
        "until",
        "state",
        *(["reason"] if reasons else []),
    ):
        table.add_column(heading, overflow="fold")
    for each in made:
        told = [str(each.judgement_id), each.verdict, _named(each.records), each.decided_by]
        told += [f"{each.decided_at:%Y-%m-%d}", _last_day(each), states[each.judgement_id]]
        table.add_row(*told, *([why[each.judgement_id]] if reasons else []))
    wide_console().print(table)


def _named(records: Sequence[str]) -> str:
    """Return records one a line; of many the first ones, and how many more there are."""
    more = len(records) - RECORDS_SHOWN
    return "\n".join([*records[:RECORDS_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def _last_day(each: Judgement) -> str:
    """Return the last day on which a judgement counts, if there is one."""
    return f"{each.expires_at - timedelta(microseconds=1):%Y-%m-%d}" if each.expires_at else ""


def _list_contradictions() -> None:
    from pipelines.identity.contradictions import contradictions
    from pipelines.identity.judgements import live_judgements
    from pipelines.warehouse.engine import transaction
    from pipelines.warehouse.runs import latest_link_run

    with transaction() as connection:
        run_id = latest_link_run(connection).run_id
        found = contradictions(connection, run_id, live_judgements(connection))
    for each in found:
        said = f"judgement {each.judgement_id}" if each.judgement_id else "follows from judgements"
        typer.echo(f"{each.kind:<16}{each.record_a}  {each.record_b}  {said}")
    if found:
        typer.echo(_MEANING)
    else:
        typer.echo(f"Run {run_id} followed every judgement, and nothing contradicts one.")


_MEANING = """
APART            judged one person, published as two: another judgement, or a source that holds each person once
NOT_COMPARED     judged one person, but a record is withheld
AGAINST_NUMBERS  judged one person and held together, though verified numbers differ
Look at the records, then judge again: joinedup judge A B same|different|unsure --reason "..."."""


def review(
    limit: Annotated[int, typer.Option(min=1, help="How many pairs to show.")] = 20,
) -> None:
    """Show the uncertain pairs of the latest run, those first on which most of what is published hangs.

    First bridges, without which a person would fall apart, or which would join two people of several records; then
    pairs across agencies; then those near the join threshold. *records*: how many the answer would join or part.
    """
    from pipelines.identity.judgements import live_judgements
    from pipelines.identity.review import review_queue
    from pipelines.warehouse.engine import transaction
    from pipelines.warehouse.runs import latest_link_run

    with transaction() as connection:
        run_id = latest_link_run(connection).run_id
        found = review_queue(connection, run_id, live_judgements(connection))
    if not found:
        typer.echo(f"Run {run_id} left no uncertain pair that nobody has judged.")
        return
    typer.echo(f"{'rank':>5}  {'why':<14}  {'records':>7}  {'bits':>6}  pair")
    for each in found[:limit]:
        unsure = "  judged unsure" if each.is_unsure else ""
        typer.echo(
            f"{each.rank:>5}  {each.why:<14}  {each.records:>7}  {each.match_weight:>6.2f}"
            f"  {each.record_a}  {each.record_b}{unsure}"
        )
    typer.echo(f"{min(limit, len(found)):,} of {len(found):,}. Why: joinedup explain A B. Then:")
    typer.echo('joinedup judge A B same|different|unsure --reason "..."')


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    for command in (review, judge, judgements):
        app.command()(command)
