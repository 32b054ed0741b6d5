"""Deliveries: all required files of an agency for a period, accepted; a correction is the next in sequence.

A delivery is ACCEPTED when its files have landed, NORMALISED when it went through every check and was announced
(see `link_requests`), FAILED when a check stopped it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from pipelines.contracts.agency import Contract
from pipelines.contracts.loader import load_contract
from pipelines.errors import Problem, WarehouseError
from pipelines.ingest.register import current_extracts
from pipelines.periods import day_of_next_month
from pipelines.stage_report import StageReport
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.tables import delivery, extract

ACCEPTED = "ACCEPTED"
NORMALISED = "NORMALISED"
FAILED = "FAILED"


@dataclass(frozen=True)
class Delivery:
    """What an agency has delivered for a period; `delivery_id` is None while required files are missing.

    `extract_ids` are by file. `warnings` and `reports` are those of the call that made or found the delivery.
    """

    agency: str
    period: str
    extract_ids: Mapping[str, int]
    delivery_id: int | None = None
    sequence: int | None = None
    status: str | None = None
    is_correction: bool = False
    is_new: bool = False
    waiting_for: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    reports: tuple[StageReport, ...] = field(default=())

    def with_news(self, warnings: tuple[Problem, ...], reports: tuple[StageReport, ...]) -> Delivery:
        """Return the delivery with what the call that made it has to tell."""
        return replace(self, warnings=warnings, reports=reports)


def accept_delivery(
    connection: Connection, contract: Contract, period: str, *, again: bool = False
) -> Delivery:
    """Return the agency's delivery of the period, accepted now when its files are complete and differ from before.

    Further deliveries of a period are corrections: they take over the extracts of the files that did not change.
    `again` makes a new delivery of the same files, so that they go through all later stages once more; not while
    the latest delivery has yet to go through them.
    """
    latest = latest_delivery(connection, contract, period)
    current = _current(connection, contract, period)
    if latest.waiting_for:
        return latest
    unchanged = latest.delivery_id is not None and dict(latest.extract_ids) == current
    if unchanged and (latest.status == ACCEPTED or not again):
        return latest
    sequence = (latest.sequence or 0) + 1
    row = {
        "agency": contract.agency,
        "period": period,
        "sequence": sequence,
        "extract_ids": list(current.values()),
        "status": ACCEPTED,
        "is_correction": sequence > 1,
    }
    added = connection.scalar(insert(delivery).values(row).returning(delivery.c.delivery_id))
    return Delivery(contract.agency, period, current, added, sequence, ACCEPTED, sequence > 1, is_new=True)


def latest_delivery(connection: Connection, contract: Contract, period: str) -> Delivery:
    """Return the agency's last delivery of the period; when there is none, the files that came and are missing."""
    theirs = (delivery.c.agency == contract.agency, delivery.c.period == period)
    row = connection.execute(
        select(delivery).where(*theirs).order_by(delivery.c.sequence.desc()).limit(1)
    ).first()
    if row is not None:
        return _delivery(connection, row)
    current = _current(connection, contract, period)
    waiting = tuple(name for name, file in contract.files.items() if file.required and name not in current)
    return Delivery(contract.agency, period, current, waiting_for=waiting)


def find_delivery(connection: Connection, delivery_id: int) -> Delivery:
    """Return the delivery with this id; raises WarehouseError when there is none."""
    row = connection.execute(select(delivery).where(delivery.c.delivery_id == delivery_id)).first()
    if row is None:
        raise WarehouseError(f"there is no delivery {delivery_id}")
    return _delivery(connection, row)


def get_delivery(delivery_id: int) -> Delivery:
    """Return the delivery with this id, its extracts by file; raises WarehouseError when there is none."""
    with transaction() as connection:
        return find_delivery(connection, delivery_id)


def mark_failed(delivery_id: int) -> None:
    """Write down that a check stopped this delivery: no link uses it, a correction may follow."""
    with transaction() as connection:
        statement = update(delivery).where(delivery.c.delivery_id == delivery_id).values(status=FAILED)
        connection.execute(statement)


def mark_normalised(connection: Connection, delivery_id: int) -> None:
    """Write down that a delivery went through every check, once."""
    done = {"status": NORMALISED, "normalised_at": func.clock_timestamp()}
    still = (delivery.c.delivery_id == delivery_id, delivery.c.status != NORMALISED)
    connection.execute(update(delivery).where(*still).values(**done))


def normalised_deliveries(connection: Connection, agency: str, upto: str) -> list[Delivery]:
    """Return, per period up to this one, the agency's last delivery that went through every check, oldest first."""
    query = (
        select(delivery)
        .where(delivery.c.agency == agency, delivery.c.period <= upto, delivery.c.status == NORMALISED)
        .order_by(delivery.c.period, delivery.c.sequence.desc())
        .ext(distinct_on(delivery.c.period))
    )
    return [_delivery(connection, row) for row in connection.execute(query).all()]


def days_late(contract: Contract, period: str, arrived: date) -> int:
    """Return by how many days a delivery that arrived on this day was late; 0 when it was in time."""
    return max(0, (arrived - day_of_next_month(period, contract.due_day)).days)


def _current(connection: Connection, contract: Contract, period: str) -> dict[str, int]:
    """Return the period's extracts by file, in the order of the contract, of the files that it names."""
    current = current_extracts(connection, contract.agency, period)
    return {name: current[name] for name in contract.files if name in current}


def _delivery(connection: Connection, row: Any) -> Delivery:
    """Return a row of `audit.delivery` with its extracts by file."""
    return Delivery(
        agency=row.agency,
        period=row.period,
        extract_ids=_by_file(connection, row.agency, row.extract_ids),
        delivery_id=row.delivery_id,
        sequence=row.sequence,
        status=row.status,
        is_correction=row.is_correction,
    )


def _by_file(connection: Connection, agency: str, extract_ids: Sequence[int]) -> dict[str, int]:
    """Return extracts by file, in the order of the contract."""
    query = select(extract.c.file, extract.c.extract_id).where(extract.c.extract_id.in_(extract_ids))
    found = {file: extract_id for file, extract_id in connection.execute(query)}
    order = list(load_contract(agency).files)
    known = [name for name in order if name in found] + sorted(set(found) - set(order))
    return {name: found[name] for name in known}
