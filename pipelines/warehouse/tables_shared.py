"""Tables made from `schemas/shared/`: `normalised.*`, and the stored rows behind the published views."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Index, Table

from pipelines.contracts.shared import SharedTable, normalised_tables, published_tables
from pipelines.warehouse.metadata import json_column, metadata, shared_column

RELEASE_KEY = "release_id"


@cache
def normalised_table(name: str) -> Table:
    """Return a table of `normalised`; raises KeyError for a name that is not declared."""
    declared = normalised_tables()[name]
    key = ("extract_id", "record_id") if declared.one_per_record else ()
    columns = [shared_column(column, key) for column in declared.columns]
    indexed = ([] if key else ["extract_id"]) + ([] if declared.about_places else ["record_id"])
    indexes = [Index(None, name) for name in indexed]
    return Table(
        name,
        metadata,
        *columns,
        *indexes,
        schema="normalised",
        comment=declared.description,
        extend_existing=True,
    )


@cache
def publication_table(name: str) -> Table:
    """Return the table that stores the rows of a published view, all releases; KeyError when not declared."""
    declared = published_tables()[name]
    key = (RELEASE_KEY, *declared.key)
    columns = [shared_column(column, key) for column in declared.columns]
    if declared.has_headlines:
        columns.append(json_column("records_by_agency", comment="Number of records that each agency holds."))
        columns.append(json_column("headlines", comment="Headline columns that the contracts declare."))
    return Table(
        name,
        metadata,
        *columns,
        *_publication_indexes(declared),
        schema="publication",
        comment=declared.description,
        extend_existing=True,
    )


def _publication_indexes(declared: SharedTable) -> list[Index]:
    """Return an index for each reference to another published view."""
    references = [
        column.name for column in declared.columns if column.references and column.name not in declared.key
    ]
    return [Index(None, RELEASE_KEY, name) for name in references]


def shared_tables() -> list[Table]:
    """Return every table made from `schemas/shared/`."""
    return [
        *(normalised_table(name) for name in normalised_tables()),
        *(publication_table(name) for name in published_tables()),
    ]
