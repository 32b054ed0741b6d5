"""Receiving an agency's files: registered, and landed as text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from benchmarks.pipeline.rival.copying import copy_in
from benchmarks.pipeline.rival.files import FILES, find, read
from benchmarks.pipeline.task import PERIOD
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction


@dataclass(frozen=True)
class Delivery:
    """The files of an agency, by the extract that each became; the run that takes them in."""

    agency: str
    delivery_id: int
    run_id: int
    extracts: dict[str, int] = field(default_factory=dict)


def insert(connection: Connection, query: str, **values: Any) -> int:
    """Return the id that an INSERT ... RETURNING gives back."""
    return int(connection.execute(text(query), values).scalar_one())


def receive(agency: str) -> Delivery:
    """Return what an agency delivered, landed in one transaction."""
    folder = load_settings().inbox_dir / agency
    with transaction() as connection:
        extracts = {
            file: _land(connection, agency, file, find(folder, agency, file)) for file in FILES[agency]
        }
        delivery_id = insert(
            connection,
            "INSERT INTO audit.delivery (agency, period, sequence, extract_ids, status, normalised_at)"
            " VALUES (:agency, :period, 1, :ids, 'NORMALISED', now()) RETURNING delivery_id",
            agency=agency,
            period=PERIOD,
            ids=list(extracts.values()),
        )
        run_id = insert(
            connection,
            "INSERT INTO audit.run (kind, period) VALUES ('ingest', :period) RETURNING run_id",
            period=PERIOD,
        )
    return Delivery(agency, delivery_id, run_id, extracts)


def _land(connection: Connection, agency: str, file: str, path: Path) -> int:
    """Return the extract that a file became."""
    frame = read(path, agency)
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    extract_id = insert(
        connection,
        "INSERT INTO audit.extract (agency, file, period, sha256, size_bytes, file_name, rows, status,"
        " contract_version) VALUES (:agency, :file, :period, :sha256, :size, :name, :rows, 'ACCEPTED', '1')"
        " RETURNING extract_id",
        agency=agency,
        file=file,
        period=PERIOD,
        sha256=sha256,
        size=path.stat().st_size,
        name=path.name,
        rows=len(frame),
    )
    table = f"{agency}_{file}"
    frame.insert(0, "extract_id", extract_id)
    copy_in(connection, f"landing.{table}", frame[_columns(connection, table)])
    return extract_id


def _columns(connection: Connection, table: str) -> list[str]:
    """Return the columns that a landing table takes; the file's others are not needed."""
    query = text(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'landing' AND table_name = :table"
        " ORDER BY ordinal_position"
    )
    return list(connection.execute(query, {"table": table}).scalars())
