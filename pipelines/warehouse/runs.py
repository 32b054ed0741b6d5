"""Runs and stage reports in `audit`: what was done, with which inputs, and where the rows went."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, text

from pipelines.errors import LinkageError, WarehouseError
from pipelines.stage_report import StageReport
from pipelines.warehouse.engine import lock_in_transaction, transaction

Kind = Literal["ingest", "link", "publish"]


@dataclass(frozen=True)
class Run:
    """One execution of a verb."""

    run_id: int
    kind: Kind
    period: str
    status: str
    inputs: Mapping[str, Any]

    @property
    def is_done(self) -> bool:
        """Whether the run came to its end."""
        return self.status == "SUCCEEDED"


def open_run(kind: Kind, period: str, inputs: Mapping[str, Any]) -> Run:
    """Return the run of these inputs: the one that there is, or a new one.

    Same inputs mean the same run, so that a task that is tried again, also after being killed, goes on with its
    own run instead of leaving a second one behind.
    """
    content = json.dumps(dict(inputs), sort_keys=True)
    key = {
        "kind": kind,
        "period": period,
        "inputs": content,
        "key": hashlib.sha256(content.encode()).hexdigest(),
    }
    with transaction() as connection:
        lock_in_transaction(connection, f"run {kind} {period}")
        found = connection.execute(
            text(
                "SELECT run_id FROM audit.run WHERE kind = :kind AND period = :period"
                " AND inputs ->> 'key' = :key ORDER BY run_id DESC LIMIT 1"
            ),
            key,
        ).scalar_one_or_none()
        run_id = (
            found
            or connection.execute(
                text(
                    "INSERT INTO audit.run (kind, period, inputs)"
                    " VALUES (:kind, :period, CAST(:inputs AS jsonb)"
                    " || jsonb_build_object('key', CAST(:key AS text))) RETURNING run_id"
                ),
                key,
            ).scalar_one()
        )
        return read_run(connection, int(run_id))


def read_run(connection: Connection, run_id: int) -> Run:
    """Return the run of this id; raises WarehouseError when there is none."""
    row = connection.execute(
        text("SELECT run_id, kind, period, status, inputs FROM audit.run WHERE run_id = :run_id"),
        {"run_id": run_id},
    ).one_or_none()
    if row is None:
        raise WarehouseError(f"there is no run {run_id}")
    return Run(row.run_id, row.kind, row.period, row.status, row.inputs)


def latest_link_run(connection: Connection) -> Run:
    """Return the last linkage run of the latest period, where the ledger stands.

    Raises:
        LinkageError: nothing was linked yet.
    """
    run_id = connection.scalar(
        text(
            "SELECT run_id FROM audit.run WHERE kind = 'link' AND status = 'SUCCEEDED'"
            " ORDER BY period DESC, run_id DESC LIMIT 1"
        )
    )
    if run_id is None:
        raise LinkageError("nothing was linked yet")
    return read_run(connection, int(run_id))


def finish_run(connection: Connection, run_id: int, **results: Any) -> None:
    """Mark the run as done and keep what it found out beside its inputs."""
    connection.execute(
        text(
            "UPDATE audit.run SET status = 'SUCCEEDED', finished_at = clock_timestamp(),"
            " inputs = inputs || CAST(:results AS jsonb) WHERE run_id = :run_id"
        ),
        {"run_id": run_id, "results": json.dumps(results)},
    )


def save_report(
    connection: Connection, run_id: int, report: StageReport, seconds: float | None = None
) -> None:
    """Keep a balanced stage report in the place of an earlier one of the same run, stage, agency and file.

    Raises:
        RowsDoNotBalance: some rows ended nowhere, or twice.
    """
    report.balanced()
    values = {
        "run_id": run_id,
        "stage": report.stage,
        "agency": report.agency,
        "file": report.file,
        "period": report.period,
        "rows_in": report.rows_in,
        "rows_out": report.rows_out,
        "quarantined": report.quarantined,
        "duplicates": report.duplicates,
        "withheld": report.withheld,
        "details": json.dumps(dict(report.details)),
        "seconds": seconds,
    }
    connection.execute(
        text(
            "DELETE FROM audit.stage_report WHERE run_id = :run_id AND stage = :stage"
            " AND agency IS NOT DISTINCT FROM :agency AND file IS NOT DISTINCT FROM :file"
        ),
        {name: values[name] for name in ("run_id", "stage", "agency", "file")},
    )
    connection.execute(
        text(
            "INSERT INTO audit.stage_report (run_id, stage, agency, file, period, rows_in, rows_out, quarantined,"
            " duplicates, withheld, details, seconds) VALUES (:run_id, :stage, :agency, :file, :period, :rows_in,"
            " :rows_out, :quarantined, :duplicates, :withheld, CAST(:details AS jsonb), :seconds)"
        ),
        values,
    )
