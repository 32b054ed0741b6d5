"""The headline columns of `published.linked_person`, as the contracts declare them: event types and a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from pipelines.contracts.agency import Headline
from pipelines.contracts.loader import load_contracts

# What a rule's column is, and what it says of somebody who has no such event.
TYPES: Mapping[str, str] = {
    "known": "boolean",
    "any": "boolean",
    "open": "boolean",
    "count": "integer",
    "count_last_year": "integer",
    "first_date": "date",
    "latest_date": "date",
}

# Each rule over the events (e) of one person that the headline names; the names are bound as :types_N.
_RULES: Mapping[str, str] = {
    "any": "count(e.event_id) FILTER (WHERE {mine}) > 0",
    "open": "count(e.event_id) FILTER (WHERE {mine} AND "
    "(e.event_end_date IS NULL OR e.event_end_date > :as_of)) > 0",
    "count": "count(e.event_id) FILTER (WHERE {mine})",
    "count_last_year": "count(e.event_id) FILTER (WHERE {mine} AND e.event_date > "
    "CAST(:as_of AS date) - interval '1 year')",
    "first_date": "min(e.event_date) FILTER (WHERE {mine})",
    "latest_date": "max(e.event_date) FILTER (WHERE {mine})",
}
_KNOWN = "p.records_by_agency ? CAST(:agency_{number} AS text)"
_PAIRS_PER_CALL = 40  # a PostgreSQL function takes 100 arguments


@dataclass(frozen=True)
class HeadlineColumn:
    """A headline column with the agency whose contract declares it."""

    agency: str
    headline: Headline

    @property
    def name(self) -> str:
        """The column's name."""
        return self.headline.column

    @property
    def type(self) -> str:
        """The column's type in PostgreSQL."""
        return TYPES[self.headline.rule]

    @property
    def description(self) -> str:
        """What the column says, and from which events."""
        events = ", ".join(self.headline.event_types)
        return f"{self.headline.title}." + (f" From {events}." if events else "")


def headline_columns() -> list[HeadlineColumn]:
    """Return every headline column, by agency in alphabetical order, then as the contract lists them."""
    return [
        HeadlineColumn(agency, headline)
        for agency, contract in load_contracts().items()
        for headline in contract.headlines
    ]


def linked_person_statement() -> tuple[Any, dict[str, Any]]:
    """Return the statement that writes `publication.linked_person`, and the values of its headlines."""
    columns = headline_columns()
    values: dict[str, Any] = {}
    for number, column in enumerate(columns):
        values[f"agency_{number}"] = column.agency
        if column.headline.event_types:
            values[f"types_{number}"] = list(column.headline.event_types)
    headlines = " || ".join(_objects(columns)) or "'{}'::jsonb"
    return text(_STATEMENT.format(headlines=headlines)), values


def _objects(columns: list[HeadlineColumn]) -> Iterator[str]:
    """Yield calls that build the JSON object of the headlines, a few dozen columns each."""
    pairs = [f"'{column.name}', {_expression(column, number)}" for number, column in enumerate(columns)]
    for start in range(0, len(pairs), _PAIRS_PER_CALL):
        yield f"jsonb_build_object({', '.join(pairs[start : start + _PAIRS_PER_CALL])})"


def _expression(column: HeadlineColumn, number: int) -> str:
    """Return the SQL of one headline."""
    if column.headline.rule == "known":
        return _KNOWN.format(number=number)
    mine = f"e.agency = :agency_{number} AND e.event_type = ANY(:types_{number})"
    return _RULES[column.headline.rule].format(mine=mine)


# Column names in `headlines` come from contracts, whose pattern allows letters, digits and _ only.
_STATEMENT = """
    INSERT INTO publication.linked_person (release_id, as_of, person_pseudonym, records_by_agency, headlines)
    WITH people AS (
        SELECT person_id, jsonb_object_agg(agency, records) AS records_by_agency
        FROM (SELECT person_id, agency, count(*) AS records FROM release_record GROUP BY person_id, agency) AS held
        GROUP BY person_id
    )
    SELECT :release_id, :as_of, n.pseudonym, p.records_by_agency, {headlines}
    FROM people p
    JOIN person_name_of n ON n.id = p.person_id
    LEFT JOIN release_event e ON e.person_id = p.person_id
    GROUP BY p.person_id, n.pseudonym, p.records_by_agency
"""
