"""A release of 60,000 records and 100,000 events is built in seconds."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Connection, text
from support.people import CSC, HEALTH, POLICE, Delivered, Held, link_by_hand
from support.warehouse import Warehouse

from pipelines.identity.people import assign_people
from pipelines.identity.records import register_records
from pipelines.publish.build import build_release
from pipelines.warehouse.engine import transaction

pytestmark = [pytest.mark.database, pytest.mark.slow]

RECORDS, EVENTS = 60_000, 100_000
# It takes about 4 s on two cores; the limit leaves room for a machine that does other things besides.
SECONDS = 30

_FILL = (
    """CREATE TEMP TABLE g ON COMMIT DROP AS
       SELECT i, (ARRAY[{extracts}])[i % 3 + 1] AS extract_id, md5('r' || i)::uuid AS record_id,
              (ARRAY['childrens_services', 'health', 'police'])[i % 3 + 1] AS agency,
              md5('c' || i / 3)::uuid AS cluster_id
       FROM generate_series(1, {records}) AS i""",
    """INSERT INTO normalised.person_record (extract_id, row_number, record_id, agency, source_person_id,
           record_type, sex, ethnicity_16, ethnicity_5, ethnicity_basis)
       SELECT extract_id, i, record_id, agency, i, 'PERSON', 'F', 'W1', 'WHITE', 'SELF' FROM g""",
    """INSERT INTO normalised.person_date_of_birth (extract_id, row_number, record_id, date_of_birth, precision)
       SELECT extract_id, i, record_id, date '2000-01-01' + (i / 3) % 6000, 'DAY' FROM g""",
    """INSERT INTO normalised.person_address (extract_id, row_number, record_id, address_type, postcode_status,
           outward, valid_from)
       SELECT extract_id, i, record_id, 'HOME', 'LIVE', 'NS' || i % 20, date '2020-01-01' + i % 2000
       FROM g, generate_series(1, 2)""",
    """INSERT INTO normalised.event (extract_id, row_number, record_id, event_id, agency, event_type, event_date)
       SELECT extract_id, i, record_id, md5(i || '-' || k)::uuid, agency,
              (ARRAY['CSC.REFERRAL', 'NHS.ED_ATTENDANCE', 'POLICE.WITNESS'])[i % 3 + 1], date '2025-01-01' + i % 600
       FROM g, generate_series(1, 2) AS k LIMIT {events}""",
    "DELETE FROM linked.cluster_summary WHERE run_id = {run_id}",
    "DELETE FROM linked.cluster WHERE run_id = {run_id}",
    "INSERT INTO linked.cluster SELECT {run_id}, record_id, cluster_id FROM g",
    """INSERT INTO linked.cluster_summary
       SELECT {run_id}, cluster_id, count(*), 0.99, false FROM g GROUP BY cluster_id""",
)


def fill(connection: Connection) -> int:
    """A linkage run over a large population; returns its id."""
    delivered = Delivered("2026-10", [Held(agency, "first") for agency in (CSC, HEALTH, POLICE)])
    run_id = link_by_hand(connection, delivered, assign=False)
    values = {
        "extracts": ", ".join(map(str, delivered.extract_ids.values())),
        "records": RECORDS,
        "events": EVENTS,
        "run_id": run_id,
    }
    for statement in _FILL:
        connection.execute(text(statement.format(**values)))
    return run_id


def test_a_release_is_built_in_seconds(warehouse: Warehouse) -> None:
    with transaction() as connection:
        run_id = fill(connection)
        register_records(connection, run_id)
        assert assign_people(connection, run_id).opened == RECORDS
    started = time.perf_counter()
    built = build_release(run_id)
    assert time.perf_counter() - started < SECONDS
    assert built.tables["person_event"] == EVENTS
    assert built.counts.records_published == RECORDS
