"""`joinedup agency`: what an agency does before it sends anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipelines.extracts.check import Finding, Report

HELP = """For an agency, on its own machine: is an extract fit to be sent?

`joinedup agency check CONTRACT FILE...` needs no warehouse and shows no value of a person, only counts, rules
and row numbers. The contract is a file of `schemas/agencies/`; see docs/engineer.md, *Add an agency*.
"""
app = typer.Typer(name="agency", help=HELP, no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def _start() -> None:
    """Keep `check` a command of its own."""


@app.command()
def check(
    contract: Annotated[Path, typer.Argument(help="The contract, a YAML file.")],
    files: Annotated[list[Path], typer.Argument(help="The files of one period, named as the contract says.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write the report as JSON.")] = False,
) -> None:
    """Say what is wrong with an extract, row by row and rule by rule, and how much of it could be linked.

    Ends with 0 when every row would be taken in, else with 1.
    """
    from pipelines.contracts.loader import read_contract
    from pipelines.contracts.model import load_model
    from pipelines.extracts.check import check_extract
    from pipelines.extracts.read import read_extract

    report = check_extract(read_extract(read_contract(contract), files), load_model())
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _show(report)
    raise typer.Exit(0 if report.is_fit else 1)


def _show(report: Report) -> None:
    for name, rows in report.rows.items():
        typer.echo(f"{name}: {rows:,} rows")
        for finding in report.findings:
            if finding.file == name:
                typer.echo(f"  {_line(finding)}")
        for column, share in report.completeness.get(name, {}).items():
            typer.echo(f"  filled {share:>6.1%}  {column}")
    linkable = report.linkable
    if linkable.records:
        typer.echo(
            f"records: {linkable.records:,}; {report.same_people:,} share names and birth date with another"
        )
        typer.echo(f"could be linked: {linkable.linkable / linkable.records:.1%}")
        for field, gain in sorted(linkable.gains.items(), key=lambda item: -item[1]):
            if gain:
                typer.echo(f"  {field} in all records: +{gain / linkable.records * 100:.1f} points")
    typer.echo("fit to be sent" if report.is_fit else "not fit to be sent")


def _line(finding: Finding) -> str:
    """Return a finding as one line."""
    parts = [f"{finding.rule}: {finding.rows:,} rows"]
    if finding.column:
        parts.append(f"column {finding.column}")
    if finding.row_numbers:
        more = ", ..." if finding.rows > len(finding.row_numbers) else ""
        parts.append(f"row {', '.join(map(str, finding.row_numbers))}{more}")
    if finding.loses != "nothing":
        parts.append(f"the {finding.loses} would be set aside")
    if finding.message:
        parts.append(finding.message)
    return "; ".join(parts)


def register(parent: typer.Typer) -> None:
    """Add these commands to the command line."""
    parent.add_typer(app)
