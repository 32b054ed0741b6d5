"""A person keeps its id from run to run, and what was believed at a run can always be read."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text
from support.people import CSC, HEALTH, POLICE, Delivered, Held, deliver, link_by_hand, record_of
from support.warehouse import Warehouse

from pipelines.errors import LinkageError
from pipelines.identity.people import assign_people
from pipelines.identity.records import register_records
from pipelines.keys import person_id
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

ANN_AT_CSC, ANN_AT_POLICE = Held(CSC, "1"), Held(POLICE, "7")
BEN_AT_HEALTH = Held(HEALTH, "9")


def person_of(connection: Connection, held: Held, run_id: int | None = None) -> str | None:
    """The person that a record belonged to at a run, or belongs to now."""
    found = connection.scalar(
        text("""
            SELECT person_id FROM identity.membership
            WHERE record_id = CAST(:record AS uuid)
              AND CASE WHEN CAST(:run AS bigint) IS NULL THEN valid_to_run IS NULL
                       ELSE valid_from_run <= :run AND coalesce(valid_to_run > :run, true) END
        """),
        {"record": held.record, "run": run_id},
    )
    return None if found is None else str(found)


def id_from(held: Held) -> str:
    return person_id(load_settings().key, held.record)


def ledger(connection: Connection) -> list[tuple[object, ...]]:
    rows = connection.execute(
        text("""
            SELECT 'm', record_id, person_id, valid_from_run, valid_to_run FROM identity.membership
            UNION ALL SELECT 'p', person_id, person_id, created_run, retired_run FROM identity.person
            ORDER BY 1, 2, 3, 4
        """)
    )
    return [tuple(row) for row in rows]


def test_when_two_people_of_one_record_turn_out_to_be_one_the_older_person_lasts(
    warehouse: Warehouse,
) -> None:
    with transaction() as connection:
        first = link_by_hand(connection, Delivered("2026-09", [ANN_AT_POLICE]))
        second = link_by_hand(connection, Delivered("2026-10", [ANN_AT_CSC, ANN_AT_POLICE]))
        third = link_by_hand(
            connection,
            Delivered("2026-11", [ANN_AT_CSC, ANN_AT_POLICE], people=[[ANN_AT_CSC, ANN_AT_POLICE]]),
        )
        assert person_of(connection, ANN_AT_CSC) == id_from(ANN_AT_POLICE)
        assert person_of(connection, ANN_AT_POLICE) == id_from(ANN_AT_POLICE)
        assert person_of(connection, ANN_AT_CSC, second) == id_from(ANN_AT_CSC), "what run 2 believed"
        assert person_of(connection, ANN_AT_CSC, first) is None
        retired = connection.scalar(
            text("SELECT retired_run FROM identity.person WHERE retired_run IS NOT NULL")
        )
        assert retired == third


def test_when_one_person_turns_out_to_be_two_alike_the_oldest_record_keeps_the_id(
    warehouse: Warehouse,
) -> None:
    both = [ANN_AT_CSC, ANN_AT_POLICE]
    with transaction() as connection:
        link_by_hand(connection, Delivered("2026-09", both, people=[both]))
        together = person_of(connection, ANN_AT_CSC)
        assert together == person_of(connection, ANN_AT_POLICE)
        link_by_hand(connection, Delivered("2026-10", both))
        assert person_of(connection, ANN_AT_CSC) == together
        assert person_of(connection, ANN_AT_POLICE) == id_from(ANN_AT_POLICE)


def test_a_record_that_vanishes_and_returns_is_the_same_person_again(warehouse: Warehouse) -> None:
    with transaction() as connection:
        link_by_hand(connection, Delivered("2026-09", [ANN_AT_CSC, BEN_AT_HEALTH]))
        before = person_of(connection, BEN_AT_HEALTH)
        link_by_hand(connection, Delivered("2026-10", [ANN_AT_CSC]))
        assert person_of(connection, BEN_AT_HEALTH) is None
        link_by_hand(connection, Delivered("2026-11", [ANN_AT_CSC, BEN_AT_HEALTH]))
        assert person_of(connection, BEN_AT_HEALTH) == before
        assert (
            connection.scalar(text("SELECT count(*) FROM identity.person WHERE retired_run IS NOT NULL")) == 0
        )


def test_records_of_one_period_are_ordered_by_agency_whatever_the_row_order(warehouse: Warehouse) -> None:
    with transaction() as connection:
        link_by_hand(connection, Delivered("2026-09", [ANN_AT_POLICE, BEN_AT_HEALTH, ANN_AT_CSC]))
        agencies = connection.scalars(text("SELECT agency FROM identity.record ORDER BY sequence")).all()
    assert agencies == [CSC, HEALTH, POLICE]


def test_a_missed_period_that_arrives_late_makes_no_record_older(warehouse: Warehouse) -> None:
    with transaction() as connection:
        link_by_hand(connection, Delivered("2026-10", [ANN_AT_CSC]))
        link_by_hand(connection, Delivered("2026-09", [ANN_AT_CSC, ANN_AT_POLICE]))
        rows = connection.execute(
            text("SELECT agency, first_period, last_period FROM identity.record ORDER BY sequence")
        ).all()
    assert [tuple(row) for row in rows] == [(CSC, "2026-09", "2026-10"), (POLICE, "2026-09", "2026-09")]


def test_assigning_a_run_again_changes_nothing(warehouse: Warehouse) -> None:
    both = [ANN_AT_CSC, ANN_AT_POLICE]
    with transaction() as connection:
        link_by_hand(connection, Delivered("2026-09", [*both, BEN_AT_HEALTH]))
        run_id = link_by_hand(connection, Delivered("2026-10", both, people=[both]))
        before = ledger(connection)
    with transaction() as connection:
        assert register_records(connection, run_id) == 0
        again = assign_people(connection, run_id)
        assert ledger(connection) == before
    assert (again.people, again.opened, again.closed) == (1, 1, 2)


def test_the_newest_run_may_be_clustered_and_assigned_anew(warehouse: Warehouse) -> None:
    both = [ANN_AT_CSC, ANN_AT_POLICE]
    with transaction() as connection:
        link_by_hand(connection, Delivered("2026-09", both))
        before = ledger(connection)
        run_id = link_by_hand(connection, Delivered("2026-10", both, people=[both]))
        assert person_of(connection, ANN_AT_POLICE) == id_from(ANN_AT_CSC)
        connection.execute(
            text("UPDATE linked.cluster SET cluster_id = record_id WHERE run_id = :run_id"),
            {"run_id": run_id},
        )
        assign_people(connection, run_id)
        assert ledger(connection) == before


def test_an_older_run_is_refused(warehouse: Warehouse) -> None:
    with transaction() as connection:
        older = link_by_hand(connection, Delivered("2026-09", [ANN_AT_CSC]), assign=False)
        newer = link_by_hand(connection, Delivered("2026-10", [ANN_AT_CSC]))
        with pytest.raises(LinkageError, match=f"run {older} is older than run {newer}"):
            assign_people(connection, older)


def test_a_run_without_clusters_is_refused(warehouse: Warehouse) -> None:
    with transaction() as connection, pytest.raises(LinkageError, match="no clusters"):
        assign_people(connection, 1)


def test_clusters_of_unknown_records_are_refused(warehouse: Warehouse) -> None:
    with transaction() as connection:
        run_id = link_by_hand(connection, Delivered("2026-09", [ANN_AT_CSC]), assign=False)
        connection.execute(
            text(
                "INSERT INTO linked.cluster (run_id, chain_run, record_id, cluster_id)"
                " VALUES (:run_id, :run_id, :record, :record)"
            ),
            {"run_id": run_id, "record": record_of(POLICE, "never sent")},
        )
        with pytest.raises(LinkageError, match="1 record\\(s\\) in clusters are not registered"):
            assign_people(connection, run_id)


def test_registering_needs_a_linkage_run(warehouse: Warehouse) -> None:
    with transaction() as connection:
        deliver(connection, Delivered("2026-09", [ANN_AT_CSC]))
        with pytest.raises(LinkageError, match="run 77 is not a linkage run"):
            register_records(connection, 77)
