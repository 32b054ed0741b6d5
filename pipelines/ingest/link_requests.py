"""Link requests: written exactly once, by the delivery that completes or corrects a period, or at the cut-off.

Who writes one holds the lock of all link requests, so that two deliveries that come in at the same moment see each
other. A request belongs to the delivery that it names first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, insert, select

from pipelines.contracts.loader import load_contracts
from pipelines.ingest.deliveries import find_delivery, mark_normalised
from pipelines.ingest.link_inputs import LinkInputs, find_link_inputs
from pipelines.periods import day_of_next_month
from pipelines.warehouse.engine import lock_in_transaction, transaction
from pipelines.warehouse.tables import delivery, link_request, run

COMPLETE, CORRECTION, CUTOFF = "complete", "correction", "cutoff"
LOCK = "link requests"


@dataclass(frozen=True)
class LinkRequest:
    """That a period is to be linked, why, and with which deliveries; the first is the one that caused it."""

    request_id: int
    period: str
    cause: str
    delivery_ids: tuple[int, ...]


def request_link(delivery_id: int) -> LinkRequest | None:
    """Return the link request of a delivery that went through every check, written now or earlier.

    From here on the delivery counts as NORMALISED. It causes a request when it is the last that its period waited
    for, or when the period was requested before without it: then it is a correction, or came after the cut-off.
    None when the period waits for other agencies, or when another delivery's request includes this one.

    Raises:
        WarehouseError: there is no such delivery.
    """
    with transaction() as connection:
        lock_in_transaction(connection, LOCK)
        period = find_delivery(connection, delivery_id).period
        mark_normalised(connection, delivery_id)
        earlier = _requests(connection, period)
        for request in earlier:
            if delivery_id in request.delivery_ids:
                return request if request.delivery_ids[0] == delivery_id else None
        inputs = find_link_inputs(connection, period)
        if inputs.missing or delivery_id not in inputs.delivery_ids:
            return None
        return _request_for(connection, delivery_id, inputs, earlier)


def _request_for(
    connection: Connection, delivery_id: int, inputs: LinkInputs, earlier: Sequence[LinkRequest]
) -> LinkRequest | None:
    """Return the request that a delivery causes; None when its period still waits."""
    was_complete = any(request.cause == COMPLETE for request in earlier)
    if inputs.is_complete and not was_complete:
        return _write(connection, inputs, COMPLETE, delivery_id)
    return _write(connection, inputs, CORRECTION, delivery_id) if earlier else None


def due_cutoffs(today: date) -> list[LinkRequest]:
    """Return the requests of periods that are past their cut-off with a delivery missing, written now or earlier.

    A period is due once the cut-off days of all required agencies have come, one agency has delivered it, and
    every other required one can be carried forward. A request for which no link run was started comes again.
    """
    with transaction() as connection:
        lock_in_transaction(connection, LOCK)
        delivered = select(delivery.c.period).where(delivery.c.status == "NORMALISED").distinct()
        periods = [period for period in connection.scalars(delivered.order_by(delivery.c.period))]
        requests = [_cutoff_of(connection, period) for period in periods if cut_off_day(period) <= today]
    return [request for request in requests if request is not None]


def cut_off_day(period: str) -> date:
    """Return the day from which a period is linked without those who have not delivered it."""
    days = [contract.cut_off_day for contract in load_contracts().values() if contract.required]
    return day_of_next_month(period, max(days, default=1))


def _cutoff_of(connection: Connection, period: str) -> LinkRequest | None:
    """Return the cut-off request of a period that is past its cut-off, unless it was linked or cannot be."""
    earlier = _requests(connection, period)
    if earlier:
        last = earlier[-1]
        return last if last.cause == CUTOFF and not _was_started(connection, last) else None
    inputs = find_link_inputs(connection, period)
    return None if inputs.missing else _write(connection, inputs, CUTOFF)


def _was_started(connection: Connection, request: LinkRequest) -> bool:
    """Return whether a link run of the period was started after the request."""
    since = select(link_request.c.requested_at).where(link_request.c.request_id == request.request_id)
    runs = select(run.c.run_id).where(
        run.c.kind == "link", run.c.period == request.period, run.c.started_at >= since.scalar_subquery()
    )
    return connection.scalar(runs.limit(1)) is not None


def _requests(connection: Connection, period: str) -> list[LinkRequest]:
    """Return the requests of a period, oldest first."""
    query = select(link_request).where(link_request.c.period == period).order_by(link_request.c.request_id)
    return [
        LinkRequest(row.request_id, row.period, row.cause, tuple(row.delivery_ids))
        for row in connection.execute(query)
    ]


def _write(connection: Connection, inputs: LinkInputs, cause: str, first: int | None = None) -> LinkRequest:
    """Return a new request, the delivery that caused it named first."""
    others = [delivery_id for delivery_id in inputs.delivery_ids if delivery_id != first]
    delivery_ids = others if first is None else [first, *others]
    row = {"period": inputs.period, "cause": cause, "delivery_ids": delivery_ids}
    added = connection.scalar(insert(link_request).values(row).returning(link_request.c.request_id))
    return LinkRequest(int(added or 0), inputs.period, cause, tuple(delivery_ids))
