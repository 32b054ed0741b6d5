"""`joinedup agency`: a contract drafted from its files, and what it does before it sends anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipelines.extracts.check import Finding, Report

HELP = """A new agency: draft its contract from its files; and, on its own machine, is an extract fit to be sent?

`joinedup agency new NAME --from-file FILE...` drafts the contract, `joinedup agency check CONTRACT FILE...` tries
files against it. Neither needs a warehouse or shows a value of a person. See docs/engineer.md, *Add an agency*.
"""
app = typer.Typer(name="agency", help=HELP, no_args_is_help=True, rich_markup_mode="markdown")


@app.command()
def new(
    agency: Annotated[
        str, typer.Argument(metavar="NAME", help="What the agency is called: small letters, digits and _.")
    ],
    files: Annotated[
        list[Path],
        typer.Option("--from-file", help="A delimited file of the agency; repeat for each of them."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; schemas/agencies/NAME.yaml when left out.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a contract that is there.")] = False,
) -> None:
    """Draft a contract from real files: formats, mappings with how sure they are, and every open question.

    Give one file of each kind that the agency sends, all at once: the files are read together, so that events find
    their people. At most 200,000 rows of each are looked at. Delimited text only; it may be inside gzip or a zip.

    Each column is told by its name (`schemas/codes/column_hints.csv`) and by its values: check digits, shapes,
    date formats, code lists, lists of names. **high** means that both agree, **medium** that one says so, **low**
    that somebody must look. What is not known is `ignored: not looked at yet`, so that the draft loads.

    Then: answer every `TODO:` in the file, above all the agreement (the draft's is over, so that nothing can be
    ingested by it), and try it with `joinedup agency check`. Values of the files are never shown or written.
    """
    from datetime import UTC, datetime

    from pipelines.extracts.drafting.draft import draft_files, require_agency, require_free
    from pipelines.extracts.drafting.write import contract_text, questions_in, summary, write_contract
    from pipelines.settings import load_settings

    require_agency(agency)
    path = out or load_settings().schemas_dir / "agencies" / f"{agency}.yaml"
    require_free(path, agency, force=force)
    drafts = draft_files(files, datetime.now(UTC).date())
    text = contract_text(agency, drafts)
    write_contract(path, text)
    for line in summary(drafts):
        typer.echo(line)
    typer.echo(f"{path}: {questions_in(text)} questions to answer, search for TODO")


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
