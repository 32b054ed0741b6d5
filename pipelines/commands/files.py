"""`link` and `evaluate`: of a period or a run in the warehouse, and of any files without one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.errors import LinkageError

if TYPE_CHECKING:
    from pipelines.files.stages import Detail, Show
    from pipelines.link.evaluate import PairQuality

PERIOD = re.compile(r"\d{4}-\d{2}")
NAMED_FILE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)=(?P<file>.+)")


class EngineChoice(StrEnum):
    """The engines that may be asked for."""

    fused = "fused"
    recordlinkage = "recordlinkage"
    splink = "splink"


class ObjectiveChoice(StrEnum):
    """What the join threshold is chosen for."""

    false_link_rate = "false-link-rate"
    expected_f1 = "expected-f1"


def link(
    what: Annotated[
        list[str], typer.Argument(metavar="PERIOD | NAME=FILE...", help="A period, or files by source name.")
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(help="Which column of which file holds what (YAML).", rich_help_panel="Files"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The folder for the result.", rich_help_panel="Files")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="A trained model.yaml; else one is trained on the files.", rich_help_panel="Files"),
    ] = None,
    engine: Annotated[
        EngineChoice, typer.Option(help="What compares the pairs.", rich_help_panel="Files")
    ] = EngineChoice.fused,
    target_false_link_rate: Annotated[
        float,
        typer.Option(min=0.0001, max=0.5, help="The false links to accept.", rich_help_panel="Files"),
    ] = 0.005,
    objective: Annotated[
        ObjectiveChoice, typer.Option(help="What the threshold is chosen for.", rich_help_panel="Files")
    ] = ObjectiveChoice.false_link_rate,
    checks: Annotated[
        bool | None,
        typer.Option(
            "--checks/--no-checks",
            help="Check the threshold with decoys and a hidden identifier; up to 300,000 records unless given.",
            rich_help_panel="Files",
        ),
    ] = None,
    retrain: Annotated[
        bool, typer.Option(help="Train a new version of the model first.", rich_help_panel="A period")
    ] = False,
) -> None:
    """Link a period's deliveries in the warehouse, or files of any person data without one.

    **A period**: `joinedup link 2026-10` links its latest deliveries, checks the result and prints the run's id.

    **Files** (CSV or Parquet): `joinedup link census=census.csv register=register.parquet --mapping mapping.yaml
    --output linked`, with a mapping such as

        sources:
          census:
            record_id: id            # else the row number
            unique_people: true      # each person once in this source (default false)
            fields:
              forename: first_name
              surname: last_name
              date_of_birth: {column: dob, format: "%d/%m/%Y"}
              postcode: postcode
              phone: [home_phone, mobile]
              identifier.nhs_number: nhs
              extra.town: {column: town, compare: jaro_winkler}
          register: ...

    Fields: forename, middle_names, surname, full_name, date_of_birth, sex, address, postcode, phone, email,
    identifier.NAME, extra.NAME; any may be absent. The folder gets clusters.parquet (source, record_id, person_id),
    edges.parquet, model.yaml, report.html to read and report.json with the same figures. No labels are needed; with
    some, see `joinedup evaluate`.
    """
    if len(what) == 1 and PERIOD.fullmatch(what[0]) and mapping is None:
        _link_period(what[0], retrain)
        return
    files = _named_files(what)
    if mapping is None or output is None:
        missing = " and ".join(
            name for name, given in (("--mapping", mapping), ("--output", output)) if given is None
        )
        raise typer.BadParameter(f"files need {missing} as well", param_hint=missing)
    from pipelines.files.run import LinkRequest, link_files

    request = LinkRequest(
        files, mapping, output, model, engine.value, target_false_link_rate, objective.value, checks
    )  # fmt: skip
    _print_linked(link_files(request, _progress()), output)


def _link_period(period: str, retrain: bool) -> None:
    from pipelines import stages

    run_id = stages.link_period(period, retrain)
    stages.check_linked(run_id)
    typer.echo(f"linkage run {run_id}; next: joinedup publish {run_id}")


def _named_files(what: list[str]) -> dict[str, Path]:
    """Return the files by the name of their source."""
    files: dict[str, Path] = {}
    for each in what:
        found = NAMED_FILE.fullmatch(each)
        if not found:
            raise typer.BadParameter(f"{each} is neither a period (YYYY-MM) nor NAME=FILE")
        if found["name"] in files:
            raise typer.BadParameter(f"the source {found['name']} is given twice")
        files[found["name"]] = Path(found["file"])
    return files


def _progress() -> Show:
    """Return how the stages are shown: on standard error, with the time."""
    from pipelines.demo.progress import Progress

    progress = Progress(Console(stderr=True))

    @contextmanager
    def show(title: str) -> Iterator[Detail]:
        with progress.step(title) as step:
            yield step.detail

    return show


def _print_linked(report: dict[str, Any], output: Path) -> None:
    clusters, rates = report["clusters"], report["error_rates"]
    for source in report["sources"]:
        refused = sum(each["values"] for each in source["refused"] if not each["kept"])
        typer.echo(
            f"{source['name']}: {source['rows']:,} rows, {source['records']:,} records linked,"
            f" {refused:,} values could not be used,"
            f" {source['empty']:,} records have nothing to compare"
        )
    typer.echo(f"{report['records']:,} records are {clusters['people']:,} people")
    for name, title in (("false_link_rate", "false links"), ("missed_link_rate", "missed links")):
        typer.echo(f"expected {title}: {_rate(rates[name])}")
    typer.echo(f"written to {output}; with known truth: joinedup evaluate {output} --truth truth.csv")


def _rate(rate: dict[str, Any]) -> str:
    return f"{rate['estimate']:.2%} ({rate['low']:.2%} to {rate['high']:.2%}), by {rate['method']}"


def evaluate(
    what: Annotated[
        str, typer.Argument(metavar="RUN_ID | DIR", help="A linkage run, or a folder of `joinedup link`.")
    ],
    truth: Annotated[
        Path,
        typer.Option(help="The truth of the period, or a CSV with source, record_id, person.", exists=True),
    ],
) -> None:
    """Measure links against known truth: precision, recall and F1 over pairs inside people, and B-cubed.

    `joinedup evaluate 7 --truth truth/2026-10.csv` measures a run over a synthetic population;
    `joinedup evaluate linked --truth truth.csv` the files in a folder that `joinedup link` wrote, and writes the
    figures to evaluation.json there. Records without truth are left out of every figure.
    """
    if what.isdecimal() and not Path(what).is_dir():
        from pipelines.evaluation import evaluate_run

        quality = evaluate_run(int(what), truth)
        _print_quality({"all": quality.overall, "across agencies": quality.across, **quality.by_pair})
        return
    from pipelines.files.evaluate import evaluate_files

    if not Path(what).is_dir():
        raise LinkageError(f"{what} is neither the number of a run nor a folder")
    found = evaluate_files(Path(what), truth)
    rows = {"all": found.overall, "within sources": found.within, "across sources": found.across}
    _print_quality({**rows, **found.by_pair} if len(found.by_pair) > 1 else {"all": found.overall})
    cubed = found.b_cubed
    typer.echo(f"B-cubed: precision {cubed.precision:.4f}, recall {cubed.recall:.4f}, F1 {cubed.f1:.4f}")
    typer.echo(
        f"{found.records:,} records with truth; {found.without_truth:,} linked records without,"
        f" {found.not_linked:,} rows of the truth without a linked record"
    )


def _print_quality(rows: dict[str, PairQuality]) -> None:
    table = Table()
    for heading in ("pairs", "precision", "recall", "F1"):
        table.add_column(heading)
    for name, part in rows.items():
        table.add_row(name, f"{part.precision:.4f}", f"{part.recall:.4f}", f"{part.f1:.4f}")
    Console().print(table)
