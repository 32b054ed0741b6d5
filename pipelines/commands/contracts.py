"""Contracts and what is made from them: `contracts`, `dictionary`, `synth`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def contracts() -> None:
    """Check every contract in schemas/agencies/ and show what each agency sends."""
    from pipelines.contracts.loader import load_contracts

    for agency, contract in load_contracts().items():
        agreement = contract.agreement
        typer.echo(f"{agency}: {contract.title}, version {contract.version}, agreement to {agreement.ends}")
        for name, file in contract.files.items():
            need = "required" if file.required else "optional"
            typer.echo(f"  {name:<20} {file.mode:<9} {need:<9} {file.pattern}")


def dictionary(
    check: Annotated[
        bool, typer.Option(help="Only say whether docs/data-dictionary.md is up to date.")
    ] = False,
) -> None:
    """Write docs/data-dictionary.md from schemas/shared/ and the contracts."""
    from pipelines.publish.dictionary import DICTIONARY, render_dictionary, write_dictionary

    if not check:
        typer.echo(f"wrote {write_dictionary()}")
    elif not DICTIONARY.exists() or DICTIONARY.read_text(encoding="utf-8") != render_dictionary():
        typer.echo("docs/data-dictionary.md is stale: joinedup dictionary")
        raise typer.Exit(1)


def synth(
    folder: Annotated[Path, typer.Argument(help="Where to write: FOLDER/inbox and FOLDER/truth.")],
    people: Annotated[int, typer.Option(min=1, help="How many people.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    period: Annotated[list[str] | None, typer.Option(help="Periods, ascending; may be repeated.")] = None,
) -> None:
    """Write a synthetic population as the agencies' own files, with the truth apart."""
    from pipelines.synth import SynthRequest, generate

    periods = tuple(period or ("2026-09", "2026-10"))
    report = generate(SynthRequest(people, seed, periods, folder / "inbox", folder / "truth"), typer.echo)
    for agency, records in report.records.items():
        typer.echo(f"{agency}: {records:,} records")


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    for command in (contracts, dictionary, synth):
        app.command()(command)
