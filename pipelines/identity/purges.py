"""Tombstones: records that were deleted for good, from when on, and which extracts may not bring them back.

The table `identity.purge` only grows, and of the record it holds its id and a keyed hash. A record that its agency
sends again in an extract of a later period is a new decision of the agency and comes in again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from pipelines.errors import JoinedupError
from pipelines.warehouse.tables import purge

# An extract of a period that had ended when the record was purged cannot speak of a later wish of the agency, nor
# can one of a period that the agency had already delivered.
_ADD = text("""
    INSERT INTO identity.purge (record_id, requested_by, reason, content_hash, after_run, until_period)
    SELECT wanted.record_id, :by, :reason,
           (SELECT s.content_hash FROM linked.record s WHERE s.record_id = wanted.record_id
            ORDER BY s.run_id DESC LIMIT 1),
           (SELECT max(l.run_id) FROM linked.lineage l),
           greatest((SELECT max(e.period) FROM audit.extract e WHERE e.agency = ANY(:agencies)
                     AND e.status <> 'REJECTED'),
                    to_char((clock_timestamp() AT TIME ZONE 'UTC')::date + 1 - interval '1 month', 'YYYY-MM'))
    FROM unnest(CAST(:records AS uuid[])) AS wanted (record_id)
    WHERE wanted.record_id = ANY(CAST(:found AS uuid[]))
       OR NOT EXISTS (SELECT FROM identity.purge p WHERE p.record_id = wanted.record_id)
    ORDER BY wanted.record_id
""")


@dataclass(frozen=True)
class Tombstone:
    """What is left of a record; the reason is not read."""

    purge_id: int
    record_id: str
    purged_at: datetime
    requested_by: str
    until_period: str


@dataclass(frozen=True)
class Request:
    """Who wants records deleted for good, and why; the reason must not say anything about the person."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.reason.strip():
            raise JoinedupError("a purge needs a name and a reason")


def add_tombstones(
    connection: Connection,
    records: Collection[str],
    request: Request,
    *,
    agencies: Collection[str],
    found: Collection[str],
) -> int:
    """Return how many tombstones were added: for records that had none, and those of which something was `found`.

    `agencies` are those that may send the records.
    """
    values = {
        "records": sorted(records),
        "by": request.by.strip(),
        "reason": request.reason.strip(),
        "agencies": sorted(agencies),
        "found": sorted(found),
    }
    return connection.execute(_ADD, values).rowcount


def read_purges(connection: Connection) -> list[Tombstone]:
    """Return every tombstone, in the order of the purges."""
    columns = (purge.c[name] for name in Tombstone.__dataclass_fields__)
    return [
        Tombstone(**row._mapping) for row in connection.execute(select(*columns).order_by(purge.c.purge_id))
    ]


def kept_out(connection: Connection, period: str) -> frozenset[str]:
    """Return the records that an extract of this period does not bring back."""
    query = text("SELECT DISTINCT record_id::text FROM identity.purge WHERE until_period >= :period")
    return frozenset(connection.scalars(query, {"period": period}))


def purged_since(connection: Connection, run_id: int) -> frozenset[str]:
    """Return the records that were purged after this linkage run."""
    query = text("SELECT DISTINCT record_id::text FROM identity.purge WHERE after_run >= :run_id")
    return frozenset(connection.scalars(query, {"run_id": run_id}))


def latest_purge(connection: Connection) -> int | None:
    """Return the id of the last tombstone, if any: after a further one the same deliveries link anew."""
    found: int | None = connection.scalar(text("SELECT max(purge_id) FROM identity.purge"))
    return found
