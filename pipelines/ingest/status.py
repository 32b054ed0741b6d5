"""What `joinedup status` shows: who delivered which period, how late, what was set aside, what is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from pipelines.contracts.agency import Contract
from pipelines.contracts.loader import load_contracts
from pipelines.ingest.deliveries import Delivery, days_late, latest_delivery
from pipelines.ingest.link_requests import cut_off_day
from pipelines.ingest.register import REJECTED
from pipelines.periods import day_of_next_month, previous_period
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.tables import (
    current_release,
    delivery,
    extract,
    link_request,
    quarantine_row,
    release,
)

PARTIAL, LATE, EXPECTED = "PARTIAL", "LATE", "EXPECTED"


@dataclass(frozen=True)
class DeliveryStatus:
    """Where an agency stands with a period.

    `state` is that of the delivery (ACCEPTED, NORMALISED, FAILED), or, without one: PARTIAL (some files came),
    REJECTED (only refused files came), LATE or EXPECTED. `quarantined` counts rows by reason.
    """

    agency: str
    period: str
    state: str
    due: date
    days_late: int
    delivery_id: int | None = None
    sequence: int | None = None
    accepted_at: datetime | None = None
    rows: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    waiting_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class PeriodStatus:
    """Whether a period was announced to be linked: by what cause, when; and when it will be at the latest."""

    period: str
    cut_off: date
    cause: str | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True)
class ReleaseStatus:
    """The release that analysts see."""

    release_id: int
    as_of: date
    published_at: datetime | None
    approved_by: str | None


@dataclass(frozen=True)
class IngestStatus:
    """Deliveries by period and agency, the periods, and the live release."""

    deliveries: tuple[DeliveryStatus, ...]
    periods: tuple[PeriodStatus, ...]
    release: ReleaseStatus | None


def ingest_status(today: date | None = None) -> IngestStatus:
    """Return where every agency stands with every period that anyone sent, and with last month."""
    day = today or date.today()  # noqa: DTZ011 - a delivery is due on a local day
    with transaction() as connection:
        periods = set(connection.scalars(select(extract.c.period).distinct()))
        last_month = previous_period(f"{day:%Y-%m}")
        if periods and last_month > max(periods):
            periods.add(last_month)
        deliveries = tuple(
            _delivery_status(connection, contract, period, day)
            for period in sorted(periods)
            for contract in load_contracts().values()
        )
        requests = tuple(_period_status(connection, period) for period in sorted(periods))
        return IngestStatus(deliveries, requests, _release_status(connection))


def _delivery_status(connection: Connection, contract: Contract, period: str, today: date) -> DeliveryStatus:
    """Return where an agency stands with a period."""
    known = latest_delivery(connection, contract, period)
    theirs = (delivery.c.agency == contract.agency, delivery.c.period == period)
    first, last = connection.execute(
        select(func.min(delivery.c.accepted_at), func.max(delivery.c.accepted_at)).where(*theirs)
    ).one()
    arrived = today if first is None else first.date()
    late = days_late(contract, period, arrived)
    return DeliveryStatus(
        agency=contract.agency,
        period=period,
        state=known.status or _state_without_delivery(connection, known, late),
        due=day_of_next_month(period, contract.due_day),
        days_late=late,
        delivery_id=known.delivery_id,
        sequence=known.sequence,
        accepted_at=last,
        rows=_rows(connection, known),
        quarantined=_quarantined(connection, known),
        waiting_for=known.waiting_for,
    )


def _state_without_delivery(connection: Connection, known: Delivery, late: int) -> str:
    """Return how an agency stands with a period of which not all required files came."""
    if known.extract_ids:
        return PARTIAL
    theirs = (
        extract.c.agency == known.agency,
        extract.c.period == known.period,
        extract.c.status == REJECTED,
    )
    if connection.scalar(select(func.count()).select_from(extract).where(*theirs)):
        return REJECTED
    return LATE if late else EXPECTED


def _rows(connection: Connection, known: Delivery) -> int:
    """Return how many rows the files of a delivery have."""
    ids = list(known.extract_ids.values())
    query = select(func.coalesce(func.sum(extract.c.rows), 0)).where(extract.c.extract_id.in_(ids))
    return int(connection.scalar(query) or 0)


def _quarantined(connection: Connection, known: Delivery) -> dict[str, int]:
    """Return how many rows of a delivery are set aside, by reason; a row with two reasons counts for each."""
    ids = list(known.extract_ids.values())
    reason = func.unnest(quarantine_row.c.reasons).label("reason")
    rows = select(reason).where(quarantine_row.c.extract_id.in_(ids)).subquery()
    query = select(rows.c.reason, func.count()).group_by(rows.c.reason).order_by(rows.c.reason)
    return {reason: count for reason, count in connection.execute(query)}


def _period_status(connection: Connection, period: str) -> PeriodStatus:
    """Return whether a period was announced."""
    query = select(link_request.c.cause, link_request.c.requested_at).where(link_request.c.period == period)
    last = connection.execute(query.order_by(link_request.c.request_id.desc()).limit(1)).first()
    cut_off = cut_off_day(period)
    return PeriodStatus(period, cut_off) if last is None else PeriodStatus(period, cut_off, *last)


def _release_status(connection: Connection) -> ReleaseStatus | None:
    """Return the live release; None when nothing is published."""
    query = select(
        release.c.release_id, release.c.as_of, release.c.published_at, release.c.approved_by
    ).where(release.c.release_id.in_(select(current_release.c.release_id)))
    row = connection.execute(query).first()
    return None if row is None else ReleaseStatus(*row)
