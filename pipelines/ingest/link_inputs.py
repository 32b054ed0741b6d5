"""What a link run works on: each agency's latest checked delivery, or an earlier one carried forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipelines.contracts.agency import Contract
from pipelines.contracts.loader import load_contracts
from pipelines.ingest.deliveries import Delivery, normalised_deliveries
from pipelines.periods import period_end, require_period
from pipelines.warehouse.engine import transaction


@dataclass(frozen=True)
class LinkInputs:
    """The deliveries and extracts of a link run.

    `deliveries` are by agency, `carried_forward` names for some of them the earlier period that they are of,
    `missing` are required agencies with neither: without them a period is not to be linked. `extract_ids` are
    those of snapshot files of these deliveries, and those of delta files of all periods up to them.
    """

    period: str
    deliveries: Mapping[str, int]
    extract_ids: tuple[int, ...]
    carried_forward: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def delivery_ids(self) -> tuple[int, ...]:
        """The ids of the deliveries, in the order of their agencies."""
        return tuple(self.deliveries.values())

    @property
    def is_complete(self) -> bool:
        """Whether every required agency delivered this very period."""
        required = {agency for agency, contract in load_contracts().items() if contract.required}
        return not self.missing and not required & set(self.carried_forward)


def link_inputs(period: str) -> LinkInputs:
    """Return what a link run of this period works on now."""
    with transaction() as connection:
        return find_link_inputs(connection, require_period(period))


def find_link_inputs(connection: Connection, period: str) -> LinkInputs:
    """Return what a link run of this period works on, as this transaction sees it."""
    deliveries: dict[str, int] = {}
    extract_ids: list[int] = []
    carried_forward: dict[str, str] = {}
    missing: list[str] = []
    for agency, contract in load_contracts().items():
        history = normalised_deliveries(connection, agency, period)
        latest = _usable(contract, history, period)
        if latest is None or latest.delivery_id is None:
            missing += [agency] if contract.required else []
            continue
        deliveries[agency] = latest.delivery_id
        extract_ids += _extracts(contract, history)
        if latest.period != period:
            carried_forward[agency] = latest.period
    return LinkInputs(period, deliveries, tuple(sorted(extract_ids)), carried_forward, tuple(missing))


def _usable(contract: Contract, history: Sequence[Delivery], period: str) -> Delivery | None:
    """Return the latest delivery, when it is of this period or may still be carried forward to it."""
    if not history:
        return None
    latest = history[-1]
    days = (period_end(period) - period_end(latest.period)).days
    return latest if days <= contract.carry_forward_days else None


def _extracts(contract: Contract, history: Sequence[Delivery]) -> list[int]:
    """Return the extracts that count: of a snapshot file the latest delivery's, of a delta file every period's."""
    found = []
    for name, file in contract.files.items():
        deliveries = history if file.mode == "delta" else history[-1:]
        found += [delivery.extract_ids[name] for delivery in deliveries if name in delivery.extract_ids]
    return found
