"""Linkage models: `model` shows one, `model export` and `model import` exchange them with Splink."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from pipelines.link.trained import TrainedModel

SHOW = "show"
NONE_YET = "No model was trained yet: joinedup link PERIOD trains one."


class ShowsByDefault(TyperGroup):
    """A group whose first argument may be left to `show`: `joinedup model` and `joinedup model VERSION`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return what is left of `args`, `show` put in front when they name no command of the group."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [SHOW, *args]
        return super().parse_args(ctx, args)


model = typer.Typer(
    name="model",
    cls=ShowsByDefault,
    help="Show a trained linkage model (`joinedup model [VERSION]`), or exchange one with Splink.",
)
ModelName = Annotated[
    str | None,
    typer.Argument(metavar="[VERSION|FILE]", help="A version or a model file; the latest unless given."),
]


@model.command(name=SHOW)
def show(name: ModelName = None) -> None:
    """Show a trained linkage model: what each level weighs, how training went, what to be wary of."""
    from pipelines.link.describe import describe_model

    found = _find(name)
    typer.echo(describe_model(found) if found else NONE_YET)


@model.command(name="export")
def export(
    name: ModelName = None,
    format_: Annotated[str, typer.Option("--format", help="splink, the only one.")] = "splink",
    output: Annotated[Path | None, typer.Option(help="Where to write; to the terminal unless given.")] = None,
    aliases: Annotated[
        bool, typer.Option(help="Columns are lists with all values of a record, instead of the best one.")
    ] = False,
) -> None:
    """Write a model as settings that Splink loads, and name what they leave out."""
    from pipelines.link.splink_bridge.exporting import export_settings

    if format_ != "splink":
        raise typer.BadParameter("splink is the only format", param_hint="--format")
    found = _find(name)
    if found is None:
        raise typer.BadParameter(NONE_YET)
    exported = export_settings(found, aliases=aliases)
    text = json.dumps(exported.settings, indent=2)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"wrote {output}", err=True)
    typer.echo("\n".join(["Left out:", *(f"  - {each}" for each in exported.left_out)]), err=True)


@model.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A Splink model, JSON.")],
    output: Annotated[Path, typer.Option(help="Where to write the model.")] = Path("model.yaml"),
) -> None:
    """Take a Splink model file as a model of ours, and name what could not be taken."""
    from pipelines.errors import LinkageError
    from pipelines.link.model_file import write_model_file
    from pipelines.link.splink_bridge.importing import import_settings

    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise LinkageError(f"{file}: it is not JSON") from None
    if not isinstance(settings, dict):
        raise LinkageError(f"{file}: it is not a Splink model")
    imported = import_settings(settings, file.stem)
    write_model_file(output, imported.model)
    typer.echo(f"wrote {output}, version {imported.model.version}")
    typer.echo(
        "\n".join(["What it does not have of the Splink model:", *(f"  - {each}" for each in imported.notes)])
    )


def _find(name: str | None) -> TrainedModel | None:
    """Return the model in a file, of a version in the warehouse, or the latest there; None before any training."""
    from pipelines.contracts.model import load_model
    from pipelines.link.model_file import read_model_file
    from pipelines.warehouse.engine import transaction
    from pipelines.warehouse.linkage import latest_model, read_model

    if name and Path(name).is_file():
        return read_model_file(Path(name))
    with transaction() as connection:
        return read_model(connection, name) if name else latest_model(connection, load_model().model)


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.add_typer(model)
