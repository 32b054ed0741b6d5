"""What a purge found and removed in one store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text


@dataclass(frozen=True)
class Found:
    """How many rows, of which records, from which extracts."""

    rows: int = 0
    records: frozenset[str] = frozenset()
    extracts: frozenset[int] = frozenset()

    def __add__(self, other: Found) -> Found:
        """Return both together."""
        return Found(self.rows + other.rows, self.records | other.records, self.extracts | other.extracts)


@dataclass(frozen=True)
class Wanted:
    """The records that are to go, and the agencies whose they are."""

    records: frozenset[str]
    agencies: tuple[str, ...]


def taken(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> Found:
    """Return what a statement changed that returns record_id, as text, and extract_id of each row."""
    return as_found(connection.execute(text(statement), parameters).all())


def as_found(rows: Iterable[Row[Any]]) -> Found:
    """Return rows of record_id and extract_id, counted."""
    known = list(rows)
    return Found(
        len(known),
        frozenset(str(row.record_id) for row in known),
        frozenset(int(row.extract_id) for row in known),
    )
