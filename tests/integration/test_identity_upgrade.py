"""A ledger from before there were successors: the migration finds out where the retired went, and by which runs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, text
from support.people import HEALTH, Delivered, Held, link_by_hand
from support.warehouse import Warehouse

from pipelines.warehouse.engine import transaction
from pipelines.warehouse.migrate import upgrade

pytestmark = pytest.mark.database

A, B, C, D = (Held(HEALTH, letter) for letter in "abcd")

# What versions 0005 and 0006 made, taken away again.
_AS_IT_WAS = """
    DROP TABLE identity.purge;
    ALTER TABLE audit.extract DROP COLUMN archive_purged_at;
    DROP VIEW identity.change_summary;
    DROP FUNCTION identity.living_person(uuid);
    DROP FUNCTION identity.person_as_of(date);
    DROP FUNCTION identity.membership_as_of(date);
    DROP TABLE identity.ledger_run;
    UPDATE identity.person SET successor_id = NULL;
    UPDATE audit.schema_version SET version_num = '0004'
"""


@dataclass(frozen=True)
class Before:
    """A run, and who was whom until then."""

    run_id: int
    people: dict[str, str]


def link(connection: Connection, period: str, *people: list[Held]) -> Before:
    """Link these people, and tell whom each record belonged to before."""
    rows = connection.execute(
        text("SELECT record_id::text, person_id::text FROM identity.membership WHERE valid_to_run IS NULL")
    ).all()
    records = [held for members in people for held in members]
    run_id = link_by_hand(connection, Delivered(period, records, people=people))
    return Before(run_id, {record: person for record, person in rows})


def test_the_retired_lead_to_whoever_has_most_of_their_records(warehouse: Warehouse) -> None:
    with transaction() as connection:
        first = link(connection, "2026-08", [A], [B, C], [D])
        second = link(connection, "2026-09", [A, B, C])
        connection.exec_driver_sql(_AS_IT_WAS)
        upgrade(connection)
        lives_on = text("SELECT identity.living_person(CAST(:person AS uuid))::text")
        ends = {
            held: connection.scalar(lives_on, {"person": second.people[held.record]}) for held in (A, B, D)
        }
        assert ends == {A: second.people[B.record], B: second.people[B.record], D: None}
        runs = connection.execute(
            text("SELECT run_id, previous_run FROM identity.ledger_run ORDER BY 1")
        ).all()
        assert [tuple(run) for run in runs] == [(first.run_id, None), (second.run_id, first.run_id)]
        third = link(connection, "2026-10", [A, B, C], [D])
        assert third.people[A.record] == second.people[B.record]
        told = text("SELECT kind, person_id::text FROM identity.change WHERE run_id = :run_id")
        changes = connection.execute(told, {"run_id": third.run_id}).all()
        assert [tuple(change) for change in changes] == [("RETURNED", second.people[D.record])]
