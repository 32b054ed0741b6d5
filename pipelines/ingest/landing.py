"""Landing: a file's rows into its landing table, its bad rows into the quarantine, in one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Table, delete, insert

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import column_name, landing_table
from pipelines.errors import Problem
from pipelines.ingest.readers import open_reader
from pipelines.ingest.readers.base import Batch, Findings, Reader, SetAsideRow, landed_schema
from pipelines.ingest.register import STAGE
from pipelines.stage_report import StageReport
from pipelines.warehouse import landing
from pipelines.warehouse.copying import copy_rows
from pipelines.warehouse.tables import quarantine_row

ROWS_BETWEEN_REPORTS = 200_000
ROWS_NOT_READ = frozenset({"EMPTY_FILE", "NO_HEADER", "WRONG_FILE"})

log = logging.getLogger("joinedup.ingest")


@dataclass(frozen=True)
class FileToLand:
    """One file on its way into the landing table, under the id of its extract."""

    agency: str
    period: str
    name: str
    file: AgencyFile
    path: Path
    extract_id: int


@dataclass(frozen=True)
class LandedFile:
    """What came of a file: its report, and what was found about it."""

    extract_id: int
    report: StageReport
    findings: Findings
    seconds: float


def land_file(connection: Connection, item: FileToLand) -> LandedFile:
    """Return what came of the file; its rows replace those that the extract had, in this transaction.

    The caller undoes the transaction when the findings hold a problem.
    """
    started = time.monotonic()
    reader = open_reader(item.path, item.name, item.file)
    table = _table(item.agency, item.name, item.file)
    connection.execute(delete(table).where(table.c.extract_id == item.extract_id))
    _clear_quarantine(connection, item.extract_id)
    stream = _RowStream(connection, reader, item)
    landed = sum(copy_rows(connection, table, rows) for rows in stream.batches())
    findings = reader.findings
    _check_counts(findings, item.name, item.file)
    return LandedFile(item.extract_id, _report(item, findings, landed), findings, time.monotonic() - started)


def _table(agency: str, name: str, file: AgencyFile) -> Table:
    """Return the landing table of a file."""
    columns = [column_name(header) for header in file.landed_columns]
    return landing.landing_table(landing_table(agency, name), columns)


def _clear_quarantine(connection: Connection, extract_id: int) -> None:
    """Delete the rows of an extract that were set aside when it was landed before."""
    theirs = quarantine_row.c.extract_id == extract_id
    connection.execute(delete(quarantine_row).where(theirs, quarantine_row.c.stage == "landing"))


class _RowStream:
    """The batches of a reader on their way to the database; rows set aside leave it for the quarantine."""

    def __init__(self, connection: Connection, reader: Reader, item: FileToLand) -> None:
        self._connection, self._reader, self._item = connection, reader, item
        schema = landed_schema(item.file)
        self.schema = schema.insert(0, pa.field("extract_id", pa.int64(), nullable=False))

    def batches(self) -> Iterator[pa.Table]:
        """Yield the rows to land."""
        for batch in self._reader.batches():
            self._quarantine(batch.set_aside)
            yield self._with_extract_id(batch)
            self._log_progress(batch)

    def _with_extract_id(self, batch: Batch) -> pa.Table:
        ids = pa.repeat(pa.scalar(self._item.extract_id, pa.int64()), len(batch.rows))
        return pa.Table.from_arrays([ids, *batch.rows.columns], schema=self.schema)

    def _quarantine(self, rows: tuple[SetAsideRow, ...]) -> None:
        if rows:
            self._connection.execute(insert(quarantine_row), [self._as_quarantined(row) for row in rows])

    def _as_quarantined(self, row: SetAsideRow) -> dict[str, Any]:
        return {
            "extract_id": self._item.extract_id,
            "row_number": row.row_number,
            "stage": "landing",
            "file": self._item.name,
            "reasons": [row.reason],
            "raw": row.raw,
        }

    def _log_progress(self, batch: Batch) -> None:
        rows = self._reader.findings.rows
        before = rows - len(batch.rows) - len(batch.set_aside)
        if rows // ROWS_BETWEEN_REPORTS > before // ROWS_BETWEEN_REPORTS:
            log.info("%s/%s %s: %d rows read", self._item.agency, self._item.name, self._item.period, rows)


def _check_counts(findings: Findings, name: str, file: AgencyFile) -> None:
    """Add a problem when a file that was read to its end has too few or too many rows."""
    if findings.broke_off or any(problem.rule in ROWS_NOT_READ for problem in findings.problems):
        return
    if findings.landed < file.min_rows:
        message = f"{findings.landed} usable rows of {findings.rows}, at least {file.min_rows} are expected"
        findings.problems.append(Problem(name, "TOO_FEW_ROWS", message))
    if findings.rows > file.max_rows:
        message = f"{findings.rows} rows, at most {file.max_rows} are expected"
        findings.problems.append(Problem(name, "TOO_MANY_ROWS", message))


def _report(item: FileToLand, findings: Findings, landed: int) -> StageReport:
    """Return the file's report; `landed` is what the database counted."""
    rejected = bool(findings.problems)
    return StageReport(
        stage=STAGE,
        agency=item.agency,
        file=item.name,
        period=item.period,
        rows_in=0 if rejected else findings.rows,
        rows_out=0 if rejected else landed,
        quarantined=0 if rejected else findings.set_aside,
        details={
            "extract_id": item.extract_id,
            "rows_read": findings.rows,
            "blank_rows": findings.blank_rows,
        },
    )
