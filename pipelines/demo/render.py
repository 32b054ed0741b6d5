"""The demo's summary as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipelines.demo.summary import DemoSummary, NamedLinkage, StageRows


def print_summary(console: Console, summary: DemoSummary, saved_to: Path) -> None:
    """Print what came in, what became of it, how good the links are, and what to do next."""
    console.print()
    console.rule("[bold]joinedup demo: what happened")
    _print_skipped(console, summary.skipped)
    console.print(_stage_table(summary.stages))
    console.print(_linkage_table(summary))
    found = summary.expectations
    console.print(
        f"People [bold]{summary.people:,}[/]   records [bold]{summary.records:,}[/]   "
        f"links [bold]{summary.links:,}[/]   expectations [bold]{found.passed:,}[/] passed, "
        f"[bold]{found.warned:,}[/] warned, [bold]{found.failed:,}[/] failed   "
        f"[bold]{summary.seconds:.0f} s[/]"
    )
    for note in summary.notes:
        console.print(f"[dim]{note}[/]")
    _print_next_steps(console, summary.next_steps)
    console.print(f"[dim]The same figures: {saved_to}[/]", soft_wrap=True)


def _print_skipped(console: Console, skipped: Sequence[str]) -> None:
    if skipped:
        console.print("[yellow]Skipped, because an earlier run did it:[/]")
        for line in skipped:
            console.print(f"  - {line}")


def _stage_table(stages: Sequence[StageRows]) -> Table:
    table = Table(title="Rows per stage", title_justify="left")
    for heading in ("period", "stage", "agency"):
        table.add_column(heading)
    for heading in ("in", "accepted", "quarantined", "duplicate", "withheld"):
        table.add_column(heading, justify="right")
    before = ""
    for rows in stages:
        if before and rows.period != before:
            table.add_section()
        before = rows.period
        numbers = (rows.rows_in, rows.rows_out, rows.quarantined, rows.duplicates, rows.withheld)
        table.add_row(rows.period, rows.stage, rows.agency, *(f"{number:,}" for number in numbers))
    return table


def _linkage_table(summary: DemoSummary) -> Table:
    table = Table(title="Pairs inside published people, against the known truth", title_justify="left")
    table.add_column("")
    table.add_column("precision", justify="right")
    table.add_column("recall", justify="right")
    table.add_row("[bold]joinedup", *_shares(summary.linkage.precision, summary.linkage.recall))
    for part in summary.by_agencies:
        table.add_row(f"  {part.name}", *_shares(part.precision, part.recall))
    if summary.baselines:
        table.add_section()
    for baseline in summary.baselines:
        table.add_row(_baseline_name(baseline), *_shares(baseline.precision, baseline.recall))
    return table


def _baseline_name(baseline: NamedLinkage) -> str:
    return f"[dim]for comparison: {baseline.name}"


def _shares(precision: float, recall: float) -> tuple[str, str]:
    return f"{precision:.4f}", f"{recall:.4f}"


def _print_next_steps(console: Console, steps: Sequence[tuple[str, str]]) -> None:
    """Print what to open or type; commands stay on one line so that they can be copied."""
    console.print("\n[bold]Next[/]")
    for what, command in steps:
        console.print(f"  {what}")
        console.print(f"    {command}", style="cyan", soft_wrap=True, highlight=False, markup=False)
