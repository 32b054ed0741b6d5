"""Small deliveries for tests of ingest: the headers of the real contracts, made-up text in every column."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text
from support.warehouse import Warehouse

from pipelines.contracts.loader import load_contract
from pipelines.periods import period_end
from pipelines.warehouse.engine import transaction

SECRET = "Zyxwvut"  # noqa: S105 - stands in every value of these files; no message may hold it
PEOPLE = 12
AUDIT = [f"audit.{name}" for name in ("extract", "issue_count", "stage_report", "delivery", "link_request")]


def file_name(agency: str, file: str, period: str) -> str:
    """The name under which an agency sends a file."""
    contracted = load_contract(agency).files[file]
    end = period_end(period).strftime(contracted.period_format)
    name = re.sub(r"\(\?P<period>[^)]*\)", end, contracted.pattern)
    return name.replace("[A-Z]+", "NORTHSHIRE").replace("\\.", ".")


def header_of(agency: str, file: str) -> list[str]:
    """The header that the contract expects."""
    return list(load_contract(agency).files[file].columns)


def plain_rows(agency: str, file: str, period: str, count: int = PEOPLE, salt: str = "") -> list[list[str]]:
    """Rows with a distinct secret in every column."""
    columns = len(header_of(agency, file))
    return [[f"{SECRET}{salt}{period}r{row}c{column}" for column in range(columns)] for row in range(count)]


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The file as text, with line feeds."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def write_file(
    folder: Path,
    agency: str,
    file: str,
    period: str,
    *,
    change: Callable[[str], str | bytes] | None = None,
    salt: str = "",
) -> Path:
    """Write one file of a delivery, changed by `change`; return its path."""
    content: str | bytes = as_csv(header_of(agency, file), plain_rows(agency, file, period, salt=salt))
    if change is not None:
        content = change(str(content))
    encoding = load_contract(agency).files[file].format.encoding
    path = folder / file_name(agency, file, period)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def write_delivery(folder: Path, agency: str, period: str, *, salt: str = "", optional: bool = False) -> Path:
    """Write all required files of a delivery (the optional ones too when asked); return the folder."""
    for name, file in load_contract(agency).files.items():
        if file.required or optional:
            write_file(folder, agency, name, period, salt=salt)
    return folder


def empty(warehouse: Warehouse) -> Warehouse:
    """The warehouse and its home, emptied: quicker than a new one for every test."""
    landing = rows_of("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'landing'")
    names = [f"landing.{name}" for (name,) in landing] + ["quarantine.row", *AUDIT]
    with transaction() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY"))
    shutil.rmtree(warehouse.home, ignore_errors=True)
    return warehouse


def rows_of(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with transaction() as connection:
        return [tuple(row) for row in connection.execute(text(query), parameters)]


def one(query: str, **parameters: Any) -> Any:
    """The single value of a query."""
    ((value,),) = rows_of(query, **parameters)
    return value
