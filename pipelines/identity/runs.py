"""What a linkage run worked on, as `audit.run` keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from pipelines.errors import LinkageError
from pipelines.periods import period_end


@dataclass(frozen=True)
class LinkRun:
    """A linkage run: its period, and the extracts and deliveries that it used."""

    run_id: int
    period: str
    extract_ids: Sequence[int]
    delivery_ids: Sequence[int]
    model_version: str | None

    @property
    def as_of(self) -> date:
        """The day that the run speaks of: the last day of its period."""
        return period_end(self.period)


def later_period(connection: Connection, period: str) -> str | None:
    """Return the latest period after this one that was linked, if any: the ledger and the release stand there."""
    found: str | None = connection.scalar(
        text(
            "SELECT max(period) FROM audit.run WHERE kind = 'link' AND status = 'SUCCEEDED' AND period > :period"
        ),
        {"period": period},
    )
    return found


def read_link_run(connection: Connection, run_id: int) -> LinkRun:
    """Return the linkage run of this id.

    Raises:
        LinkageError: there is no such run, or it is not a linkage run with a period and extracts.
    """
    row = connection.execute(
        text("SELECT kind, period, inputs FROM audit.run WHERE run_id = :run_id"), {"run_id": run_id}
    ).one_or_none()
    if row is None or row.kind != "link":
        raise LinkageError(f"run {run_id} is not a linkage run")
    period = row.period or row.inputs.get("period")
    if not period or "extract_ids" not in row.inputs:
        raise LinkageError(f"linkage run {run_id} names no period or no extracts")
    return LinkRun(
        run_id=run_id,
        period=period,
        extract_ids=tuple(row.inputs["extract_ids"]),
        delivery_ids=tuple(row.inputs.get("delivery_ids", ())),
        model_version=row.inputs.get("model_version"),
    )
