"""The links that a run undid: pairs of records that one person held before it and two people hold after it.

Left out are sealed records, and people who ever held one: a report of them would tell whom they were linked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from pipelines.errors import LinkageError
from pipelines.identity.protection import EVER_SEALED
from pipelines.publish.change_log import TOLD_CAUSE

_AT = "{m}.valid_from_run <= {run} AND ({m}.valid_to_run IS NULL OR {m}.valid_to_run > {run})"

# A record that is nobody's after the run has vanished; no link of it was undone.
_UNDONE = text(f"""
    CREATE TEMP TABLE undone_link ON COMMIT DROP AS
    WITH sealed AS (
        {EVER_SEALED}
    ), before AS (
        SELECT m.record_id, m.person_id FROM identity.membership m
        WHERE {_AT.format(m="m", run=":previous")}
          AND m.person_id IN (SELECT person_id FROM identity.membership WHERE valid_to_run = :run_id)
          AND m.person_id NOT IN (SELECT person_id FROM sealed)
    ), held AS (
        SELECT b.record_id, b.person_id AS before_id, m.person_id AS after_id, r.agency
        FROM before b
        JOIN identity.membership m ON m.record_id = b.record_id AND {_AT.format(m="m", run=":run_id")}
        JOIN identity.record r ON r.record_id = b.record_id
        WHERE NOT EXISTS (SELECT FROM identity.protection_notice n
                          WHERE n.record_id = b.record_id AND n.level = 'SEALED')
    )
    SELECT row_number() OVER (ORDER BY a.record_id, b.record_id) AS number, a.record_id AS record_a,
           a.agency AS agency_a, b.record_id AS record_b, b.agency AS agency_b,
           (SELECT array_agg(DISTINCT {TOLD_CAUSE}) FROM identity.change c
            WHERE c.run_id = :run_id
              AND (c.kind = 'SPLIT' AND c.other_person_id = a.before_id
                   AND c.person_id IN (a.after_id, b.after_id)
                   OR c.kind = 'LEFT' AND c.person_id = a.before_id
                   AND c.record_id IN (a.record_id, b.record_id))) AS causes
    FROM held a
    JOIN held b ON b.before_id = a.before_id AND b.after_id <> a.after_id AND b.record_id > a.record_id
""")  # noqa: S608 - queries of our own

# One person may have held them in one release and another in the next.
_SHOWN = text(f"""
    SELECT u.number, r.release_id, r.as_of, a.person_id::text AS person_id
    FROM undone_link u
    JOIN identity.membership a ON a.record_id = u.record_a
    JOIN identity.membership b ON b.record_id = u.record_b AND b.person_id = a.person_id
    JOIN publication.release r ON r.link_run_id < :run_id
     AND {_AT.format(m="a", run="r.link_run_id")} AND {_AT.format(m="b", run="r.link_run_id")}
    WHERE r.published_at IS NOT NULL AND a.person_id NOT IN ({EVER_SEALED})
    ORDER BY u.number, r.release_id
""")  # noqa: S608 - queries of our own

_LEDGER_RUN = text("""
    SELECT l.run_id, l.previous_run, a.period FROM identity.ledger_run l JOIN audit.run a USING (run_id)
    WHERE l.run_id = :run_id
""")


@dataclass(frozen=True)
class LedgerRun:
    """A run of the ledger, its period, and the run before it if any."""

    run_id: int
    previous_run: int | None
    period: str


@dataclass(frozen=True)
class Undone:
    """Links that a run undid, in the order of their records, and by number the releases that had shown them."""

    links: Sequence[Row[Any]]
    shown: Sequence[Row[Any]]


def read_ledger_run(connection: Connection, run_id: int) -> LedgerRun:
    """Return a run that the ledger took people from.

    Raises:
        LinkageError: there is none of this number.
    """
    row = connection.execute(_LEDGER_RUN, {"run_id": run_id}).one_or_none()
    if row is None:
        raise LinkageError(f"the ledger took no people from a run {run_id}: see joinedup changes")
    return LedgerRun(row.run_id, row.previous_run, row.period or "")


def read_undone(connection: Connection, run: LedgerRun) -> Undone:
    """Return which links a run undid and which releases had shown them; a first run undid none."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS pg_temp.undone_link")
    connection.execute(_UNDONE, {"run_id": run.run_id, "previous": run.previous_run or 0})
    connection.exec_driver_sql("ANALYZE undone_link")
    links = connection.execute(
        text("""
            SELECT number, record_a::text AS record_a, agency_a, record_b::text AS record_b, agency_b,
                   coalesce(causes, '{}') AS causes
            FROM undone_link ORDER BY number
        """)
    ).all()
    return Undone(links, connection.execute(_SHOWN, {"run_id": run.run_id}).all())
