"""What a warehouse and its home hold, without numbers given out by the database and without times.

Two warehouses with the same contents went through the same history as far as anybody can tell: a task that was
killed and tried again leaves gaps in the numbers, and other times, but nothing else.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from support.ingest_files import rows_of

Contents = dict[str, Counter[str]]

SCHEMAS = ("landing", "quarantine", "normalised", "linked", "identity", "publication", "audit", "staging")
ORDERS = {
    "extract": "SELECT extract_id FROM audit.extract ORDER BY 1",
    "delivery": "SELECT delivery_id FROM audit.delivery ORDER BY 1",
    "run": "SELECT run_id FROM audit.run ORDER BY 1",
    "release": "SELECT release_id FROM publication.release ORDER BY 1",
    "request": "SELECT request_id FROM audit.link_request ORDER BY 1",
}
# Columns, and keys inside JSON, that hold such a number or several.
NUMBERS = {
    "extract_id": "extract",
    "extract_ids": "extract",
    "delivery_id": "delivery",
    "delivery_ids": "delivery",
    "run_id": "run",
    "link_run_id": "run",
    "created_run": "run",
    "retired_run": "run",
    "valid_from_run": "run",
    "valid_to_run": "run",
    "previous_run": "run",
    "release_id": "release",
    "since_release": "release",
    "request_id": "request",
}
# `key` is a hash over such numbers; the time of the last commit to a file is not ours to compare.
LEFT_OUT = {
    "report_id",
    "result_id",
    "change_id",
    "notice_id",
    "grant_id",
    "access_id",
    "seconds",
    "changed_on",
    "retired_on",
    "key",
    "at",
}


def contents(schemas: tuple[str, ...] = SCHEMAS) -> Contents:
    """The rows of every table, each as a text, with how often it stands there."""
    places = {
        kind: {row[0]: place for place, row in enumerate(rows_of(query))} for kind, query in ORDERS.items()
    }
    tables = rows_of(
        "SELECT schemaname || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname = ANY(:schemas)",
        schemas=list(schemas),
    )
    return {
        table: Counter(
            json.dumps(_plain(row, places), sort_keys=True)
            for (row,) in rows_of(f"SELECT to_jsonb(t) FROM {table} t")
        )
        for (table,) in tables
    }


def live_release() -> int | None:
    """The id of the release that analysts see, if any."""
    return rows_of("SELECT max(release_id) FROM publication.current_release")[0][0]


def _plain(value: Any, places: dict[str, dict[int, int]], kind: str | None = None) -> Any:
    """The value with every number replaced by its place in the order in which they were given out."""
    if isinstance(value, dict):
        return {
            name: _plain(each, places, NUMBERS.get(name))
            for name, each in value.items()
            if name not in LEFT_OUT and not name.endswith("_at")
        }
    if isinstance(value, list):
        return [_plain(each, places, kind) for each in value]
    return places[kind].get(value, value) if kind and isinstance(value, int) else value


def differences(found: Contents, expected: Contents) -> dict[str, tuple[int, int]]:
    """By table, how many rows are too many and too few; empty when the contents are the same."""
    return {
        table: (
            sum((found.get(table, Counter()) - rows).values()),
            sum((rows - found.get(table, Counter())).values()),
        )
        for table, rows in {**{table: Counter() for table in found}, **expected}.items()
        if found.get(table, Counter()) != rows
    }


def files_under(home: Path, *folders: str) -> list[str]:
    """The files of a home, by name: neither half-written ones nor hidden ones, times and run numbers left out."""
    names = {
        re.sub(r"\d{8}T\d{6}\.\d+Z", "TIME", re.sub(r"\d+", "N", path.relative_to(home).as_posix()))
        for folder in folders
        for path in (home / folder).rglob("*")
        if path.is_file() and path.suffix != ".part"
    }
    return sorted(name for name in names if "/." not in name)
