"""The data dictionary, written from the declarations that the tables and views are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.contracts.loader import load_contracts
from pipelines.contracts.shared import SharedColumn, SharedTable, normalised_tables, published_tables
from pipelines.publish.headlines import headline_columns
from pipelines.settings import PROJECT_ROOT

DICTIONARY = PROJECT_ROOT / "docs" / "data-dictionary.md"

_INTRODUCTION = """\
# Data dictionary

Made from `schemas/shared/` and the headlines of `schemas/agencies/` by `joinedup dictionary`; do not edit it, a
test fails when it is out of date. The same texts are comments in the database (`\\d+ published.person`).

Analysts read the views of `published`: pseudonymous, always of one release, whole. The tables of `normalised`
are for services that link, and for people with a grant. In the column *sensitivity*, `key` links rows,
`identifying` can name somebody, `sensitive` says something about somebody that must be guarded, `attribute` is
anything else, and `provenance` says where the row came from."""

_PUBLISHED = """\
## Published views

A pseudonym stays the same from release to release while the person does, and leads nowhere without a key that
is not in the database. Whoever has a restricted record shows no location; whoever has a sealed one is in no
view. Counts by agency combination are safe to pass on; counts that you make yourself are not: see
`agency_overlap` for the rule."""

_NORMALISED = """\
## Normalised tables

Every agency's records, made comparable; the value as received stands beside (`*_raw`)."""


def render_dictionary() -> str:
    """Return the data dictionary as Markdown: the published views first, then the normalised tables."""
    parts = [_INTRODUCTION, _PUBLISHED]
    parts += [_section("published", table, _headline_rows(table)) for table in published_tables().values()]
    parts.append(_NORMALISED)
    parts += [_section("normalised", table, ()) for table in normalised_tables().values()]
    return "\n\n".join(parts) + "\n"


def write_dictionary(path: Path = DICTIONARY) -> Path:
    """Return the file that now holds the data dictionary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_dictionary(), encoding="utf-8")
    return path


def _section(schema: str, table: SharedTable, more: Iterable[str]) -> str:
    """Return the heading, the description and the columns of one table."""
    lines = [f"### {schema}.{table.table}", "", table.description, ""]
    if table.key:
        lines += [f"One row per {', '.join(f'`{name}`' for name in table.key)}.", ""]
    lines += ["| column | type | null | sensitivity | description |", "|---|---|---|---|---|"]
    lines += [_column_row(column) for column in table.columns]
    return "\n".join([*lines, *more])


def _column_row(column: SharedColumn) -> str:
    description = column.description
    if column.values:
        description += f" One of {', '.join(f'`{value}`' for value in column.values)}."
    null = "yes" if column.nullable else "no"
    return _row(f"`{column.name}`", column.type, null, column.sensitivity, description)


def _headline_rows(table: SharedTable) -> Iterator[str]:
    """Yield the rows of the columns that come from the contracts."""
    if not table.has_headlines:
        return
    for agency, contract in load_contracts().items():
        held = f"Records that {contract.title} holds about this person."
        yield _row(f"`{agency}_records`", "integer", "no", "attribute", held)
    for column in headline_columns():
        # A release built before a headline was declared has no value for it.
        yield _row(f"`{column.name}`", column.type, "yes", "sensitive", column.description)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
