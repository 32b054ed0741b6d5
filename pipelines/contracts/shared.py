"""The shared schema: each normalised table and each published view, declared once in `schemas/shared/`.

SQLAlchemy tables, Arrow schemas, structural expectations and the data dictionary are all made from it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.contracts.yaml_file import read_model
from pipelines.errors import ContractError
from pipelines.settings import load_settings

ColumnType = Literal[
    "text",
    "text[]",
    "uuid",
    "bigint",
    "integer",
    "smallint",
    "double",
    "date",
    "timestamptz",
    "boolean",
    "jsonb",
]
RECORD = "record_id"
Sensitivity = Literal["key", "identifying", "sensitive", "attribute", "provenance"]


class SharedColumn(BaseModel):
    """One column of a shared table: its type, nullability, permitted values and sensitivity."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: ColumnType
    nullable: bool
    sensitivity: Sensitivity
    description: str
    values: tuple[str, ...] = ()
    references: str | None = None


class SharedTable(BaseModel):
    """One table of the shared schema; `inputs` are the names that a contract may map its columns to.

    The rows of a table `about_places` belong to no record.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    description: str
    columns: tuple[SharedColumn, ...]
    key: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    one_per_record: bool = False
    has_headlines: bool = False
    about_places: bool = False

    def column(self, name: str) -> SharedColumn:
        """Return the column of this name; raises KeyError when there is none."""
        return next(column for column in self.columns if column.name == name)


class CommonColumns(BaseModel):
    """Columns that every table of a schema carries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[SharedColumn, ...]


def _load_tables(folder: Path, common: Path) -> dict[str, SharedTable]:
    """Return the tables declared in `folder`, each with the common columns first."""
    first = read_model(CommonColumns, common).columns
    tables = {}
    for path in sorted(folder.glob("*.yaml")):
        if path == common:
            continue
        table = read_model(SharedTable, path)
        if table.table != path.stem:
            raise ContractError(str(path), "table", f"expected {path.stem!r}, the file's name")
        common_columns = [column for column in first if not (table.about_places and column.name == RECORD)]
        tables[table.table] = table.model_copy(update={"columns": (*common_columns, *table.columns)})
    return tables


@cache
def normalised_tables() -> dict[str, SharedTable]:
    """Return the normalised tables by name, provenance columns first."""
    shared = load_settings().schemas_dir / "shared"
    return _load_tables(shared / "normalised", shared / "provenance.yaml")


def record_tables() -> dict[str, SharedTable]:
    """Return the normalised tables whose rows belong to records; the others are about places."""
    return {name: table for name, table in normalised_tables().items() if not table.about_places}


@cache
def published_tables() -> dict[str, SharedTable]:
    """Return the published views by name, release columns first; headline columns are in the contracts."""
    published = load_settings().schemas_dir / "shared" / "published"
    return _load_tables(published, published / "release_columns.yaml")
