"""The register of records: every record that was ever linked, in the order in which it was first seen."""

from __future__ import annotations

from sqlalchemy import Connection, text

from pipelines.identity.runs import read_link_run
from pipelines.warehouse.engine import lock_in_transaction

LEDGER_LOCK = "identity"

# A number once given never changes, also when a missed period is delivered late: between people and parts of one
# size the age of a record decides who keeps the id, so it must not depend on what arrives afterwards.
_REGISTER = text("""
    WITH seen AS (
        SELECT p.record_id, p.agency, min(e.period) AS first_period, max(e.period) AS last_period
        FROM normalised.person_record p JOIN audit.extract e USING (extract_id)
        WHERE p.extract_id = ANY(:extract_ids)
        GROUP BY p.record_id, p.agency
    ), extended AS (
        UPDATE identity.record r
        SET first_period = least(r.first_period, s.first_period),
            last_period = greatest(r.last_period, s.last_period)
        FROM seen s
        WHERE r.record_id = s.record_id
          AND (s.first_period < r.first_period OR s.last_period > r.last_period)
    )
    INSERT INTO identity.record (record_id, agency, first_period, last_period, sequence)
    SELECT record_id, agency, first_period, last_period,
           (SELECT coalesce(max(sequence), 0) FROM identity.record)
           + row_number() OVER (ORDER BY first_period, agency COLLATE "C", record_id)
    FROM seen
    WHERE NOT EXISTS (SELECT FROM identity.record r WHERE r.record_id = seen.record_id)
""")


def register_records(connection: Connection, run_id: int) -> int:
    """Return how many records of the run were new; all are registered with their first and last period.

    Raises:
        LinkageError: there is no such linkage run.
    """
    run = read_link_run(connection, run_id)
    lock_in_transaction(connection, LEDGER_LOCK)
    return connection.execute(_REGISTER, {"extract_ids": list(run.extract_ids)}).rowcount
