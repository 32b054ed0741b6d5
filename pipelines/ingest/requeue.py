"""Driving a delivery again after a fix: its files are read anew from the archive, under today's contract."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, select, text

from pipelines.contracts.agency import Contract
from pipelines.errors import DeliveryRejected, WarehouseError
from pipelines.ingest.archive import verified
from pipelines.ingest.checks import require_agreement
from pipelines.ingest.deliveries import Delivery, accept_delivery, latest_delivery
from pipelines.ingest.landing import FileToLand, land_file
from pipelines.ingest.register import ACCEPTED, ACCEPTED_WITH_ERRORS, as_details, finish_extract, write_report
from pipelines.settings import load_settings
from pipelines.stage_report import StageReport
from pipelines.warehouse.engine import stage_lock, transaction
from pipelines.warehouse.tables import extract

log = logging.getLogger("joinedup.ingest")

_FORGET_UNOWNED = text(
    "DELETE FROM audit.stage_report WHERE run_id IS NULL AND (details ->> 'again')::boolean"
    " AND (details ->> 'extract_id')::bigint = :extract_id"
)


def requeue_delivery(
    contract: Contract, period: str, *, today: date | None = None, run_id: int | None = None
) -> Delivery:
    """Return the delivery that takes the period's files through every stage again, quarantined rows included.

    The archived bytes are read anew, so that a corrected contract or reader applies; rows keep their numbers. It
    is a new delivery of the same extracts, unless the latest one has yet to go through the later stages.

    Raises:
        WarehouseError: nothing was delivered for this period, the archive lost a file, or a purge deleted one.
        DeliveryRejected: under today's contract a file is not acceptable; all stays as it was.
    """
    require_agreement(contract, period, today or date.today())  # noqa: DTZ011 - agreements end with a local day
    contract = contract.at(period)
    with stage_lock(f"receive {contract.agency} {period}"), transaction() as connection:
        latest = latest_delivery(connection, contract, period)
        if latest.delivery_id is None:
            raise WarehouseError(
                f"{contract.agency} has not delivered {period}; there is nothing to drive again"
            )
        reports = [
            _land_again(connection, contract, extract_id, run_id)
            for name, extract_id in latest.extract_ids.items()
            if name in contract.files
        ]
        delivery = accept_delivery(connection, contract, period, again=True)
    log.info("%s %s: driven again as delivery %s", contract.agency, period, delivery.delivery_id)
    return delivery.with_news((), tuple(reports))


def _require_archived(row: Any) -> None:
    """Raise WarehouseError when the file of an extract was deleted because it held a record that was purged."""
    if row.archive_path is None and row.archive_purged_at is not None:
        raise WarehouseError(
            f"{row.agency}/{row.file} {row.period} cannot be driven again: its file was deleted from the archive on"
            f" {row.archive_purged_at:%Y-%m-%d}, since it held a purged record; ask the agency to send it anew"
        )


def _land_again(
    connection: Connection, contract: Contract, extract_id: int, run_id: int | None
) -> StageReport:
    """Return the report of a file that was landed again from the archive."""
    row: Any = connection.execute(select(extract).where(extract.c.extract_id == extract_id)).one()
    _require_archived(row)
    path = verified(load_settings().archive_dir, row.sha256)
    file = contract.files[row.file]
    landed = land_file(connection, FileToLand(row.agency, row.period, row.file, file, path, extract_id))
    if landed.findings.problems:
        raise DeliveryRejected(landed.findings.problems)
    report = landed.report
    status = ACCEPTED_WITH_ERRORS if report.quarantined else ACCEPTED
    version = str(contract.version)
    finish_extract(connection, extract_id, rows=report.rows_in, status=status, contract_version=version)
    warnings = as_details(landed.findings.warnings)
    report = replace(
        report, details={**report.details, "status": status, "again": True, "warnings": warnings}
    )
    # A process that was killed before its run took the report over left one behind.
    connection.execute(_FORGET_UNOWNED, {"extract_id": extract_id})
    write_report(connection, report, run_id, landed.seconds)
    return report
