"""The register of extracts: what was received, for which period, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import distinct_on

from pipelines.errors import Problem
from pipelines.ingest.archive import Copy
from pipelines.stage_report import StageReport
from pipelines.warehouse.tables import extract, stage_report

ACCEPTED = "ACCEPTED"
ACCEPTED_WITH_ERRORS = "ACCEPTED_WITH_ERRORS"
REJECTED = "REJECTED"
STAGE = "ingest"


@dataclass(frozen=True)
class Arrival:
    """One file as it arrived: whose, which of the contract's files, for which period, its bytes."""

    agency: str
    file: str
    period: str
    contract_version: str
    copy: Copy
    is_forced: bool = False

    def as_row(self) -> dict[str, Any]:
        """Return the columns of `audit.extract` that are known before the file is read."""
        return {
            "agency": self.agency,
            "file": self.file,
            "period": self.period,
            "contract_version": self.contract_version,
            "is_forced": self.is_forced,
            "sha256": self.copy.sha256,
            "size_bytes": self.copy.size,
            "file_name": self.copy.file_name,
        }


def register_extract(connection: Connection, arrival: Arrival, status: str) -> int | None:
    """Return the id of the extract, registered with this status; the same bytes for the same period keep their id.

    None when it was to be registered as rejected and is accepted already: an acceptance is never taken back.
    """
    row = arrival.as_row() | {"status": status}
    added = postgresql.insert(extract).values(row)
    changed = {**row, "received_at": func.clock_timestamp()}
    statement = added.on_conflict_do_update(
        index_elements=["agency", "file", "period", "sha256"],
        set_=changed,
        where=extract.c.status == REJECTED if status == REJECTED else None,
    ).returning(extract.c.extract_id)
    extract_id: int | None = connection.scalar(statement)
    return extract_id


def finish_extract(connection: Connection, extract_id: int, **values: Any) -> None:
    """Write down what is known of an extract after its file was read: rows, status, archive_path."""
    connection.execute(update(extract).where(extract.c.extract_id == extract_id).values(**values))


def current_extracts(connection: Connection, agency: str, period: str) -> dict[str, int]:
    """Return, per file, the accepted extract of this period that was received last."""
    query = (
        select(extract.c.file, extract.c.extract_id)
        .where(extract.c.agency == agency, extract.c.period == period, extract.c.status != REJECTED)
        .order_by(extract.c.file, extract.c.received_at.desc(), extract.c.extract_id.desc())
        .ext(distinct_on(extract.c.file))
    )
    return {file: extract_id for file, extract_id in connection.execute(query)}


def current_hashes(connection: Connection, agency: str, period: str) -> dict[str, str]:
    """Return, per file, the SHA-256 of the accepted extract of this period that was received last."""
    hashes = select(extract.c.file, extract.c.sha256)
    ids = list(current_extracts(connection, agency, period).values())
    return {file: sha256 for file, sha256 in connection.execute(hashes.where(extract.c.extract_id.in_(ids)))}


def other_period_of(connection: Connection, arrival: Arrival) -> str | None:
    """Return the latest other period for which the same bytes were accepted as the same file."""
    query = select(func.max(extract.c.period)).where(
        extract.c.agency == arrival.agency,
        extract.c.file == arrival.file,
        extract.c.sha256 == arrival.copy.sha256,
        extract.c.period != arrival.period,
        extract.c.status != REJECTED,
    )
    period: str | None = connection.scalar(query)
    return period


def write_report(
    connection: Connection, report: StageReport, run_id: int | None, seconds: float | None = None
) -> None:
    """Add a balanced stage report to `audit.stage_report`."""
    connection.execute(
        insert(stage_report).values(**report.balanced().as_row(), run_id=run_id, seconds=seconds)
    )


def as_details(problems: Iterable[Problem]) -> list[Mapping[str, Any]]:
    """Return problems as they are written to a stage report: rule, place and message, never a value."""
    return [
        {"rule": problem.rule, "row": problem.row, "column": problem.column, "message": problem.message}
        for problem in problems
    ]
