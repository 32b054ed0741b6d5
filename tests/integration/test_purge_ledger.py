"""A purge as the ledger, the linked runs and the releases see it: small populations, linked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from support.contents import contents, differences
from support.people import (
    CSC,
    HEALTH,
    POLICE,
    Delivered,
    Happened,
    Held,
    link_by_hand,
    pseudonym_of,
    record_of,
)
from support.purging import places_of
from support.warehouse import Warehouse

from pipelines.errors import JoinedupError
from pipelines.identity.forget import forget_purged
from pipelines.identity.protection import add_protection_notice
from pipelines.identity.purges import kept_out, purged_since, read_purges
from pipelines.publish.build import build_release
from pipelines.publish.swap import publish_release, roll_back
from pipelines.publish.views import create_views
from pipelines.purge import purge_for_good, purge_records
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.roles import AUDITOR, session_login

pytestmark = pytest.mark.database

MARY_AT_CSC, MARY_AT_HEALTH, MARY_AT_POLICE = Held(CSC, "1"), Held(HEALTH, "9"), Held(POLICE, "7")
MARY = [MARY_AT_CSC, MARY_AT_HEALTH, MARY_AT_POLICE]
LINKS = [(MARY_AT_CSC, MARY_AT_HEALTH, 9.0), (MARY_AT_HEALTH, MARY_AT_POLICE, 8.0)]
JOHN, ALONE = Held(POLICE, "8", outward="NS3"), Held(POLICE, "99")
VISIT = Happened(HEALTH, "9", "NHS.ED_ATTENDANCE", "a1", "2026-09-03")
BY, REASON = "ann", "ticket 4711"


@pytest.fixture
def linked(warehouse: Warehouse) -> int:
    """A linkage run that is done: Mary with three records, John, and somebody with one record."""
    return link("2026-09", MARY, [JOHN], [ALONE])


def link(period: str, *people: list[Held]) -> int:
    records = [held for members in people for held in members]
    links = [each for each in LINKS if {each[0], each[1]} <= set(records)]
    delivered = Delivered(period, records, [VISIT] if MARY_AT_HEALTH in records else [], people, links=links)
    with transaction() as connection:
        run_id = link_by_hand(connection, delivered)
        done = text(
            "UPDATE audit.run SET status = 'SUCCEEDED', finished_at = CAST(:at AS timestamptz) WHERE run_id = :r"
        )
        connection.execute(done, {"at": f"{period}-20 12:00+00", "r": run_id})
        forget_purged(connection)
    return run_id


def purge(*records: Held) -> None:
    purge_for_good([held.record for held in records], BY, REASON)


@pytest.fixture
def connection(linked: int) -> Iterator[Connection]:
    with transaction() as opened:
        yield opened


class TestTheStores:
    def test_every_normalised_row_goes_and_nobody_elses(self, linked: int) -> None:
        with transaction() as connection:
            assert places_of(connection, [MARY_AT_HEALTH.record], "normalised") == {
                "normalised.event": 1,
                "normalised.person_record": 1,
            }
            others = connection.scalar(text("SELECT count(*) FROM normalised.person_record"))
        purge(MARY_AT_HEALTH)
        with transaction() as connection:
            assert places_of(connection, [MARY_AT_HEALTH.record], "normalised") == {}
            assert connection.scalar(text("SELECT count(*) FROM normalised.person_record")) == others - 1

    def test_rows_that_never_became_a_record_are_found_by_the_local_id_as_it_was_written(
        self, linked: int
    ) -> None:
        add = text("""
            INSERT INTO landing.police_nominal (extract_id, row_number, nominalref)
            SELECT max(extract_id), n, ref FROM audit.extract,
                   unnest(CAST(:refs AS text[])) WITH ORDINALITY AS t (ref, n)
            WHERE agency = 'police' GROUP BY n, ref
        """)
        with transaction() as connection:
            connection.execute(add, {"refs": ["N5", " N5 ", "N55", "NULL"]})
        removed = purge_for_good([record_of(POLICE, "N5")], BY, REASON)
        assert (removed.landed, removed.normalised, removed.tombstones) == (2, 0, 1)
        with transaction() as connection:
            left = connection.scalars(text("SELECT nominalref FROM landing.police_nominal ORDER BY 1")).all()
        assert left == ["N55", "NULL"]

    def test_a_relationship_that_names_it_as_the_other_side_goes_too(self, linked: int) -> None:
        with transaction() as connection:
            connection.execute(
                text("""
                    INSERT INTO normalised.relationship (extract_id, row_number, record_id, related_record_id,
                                                         relationship_type)
                    SELECT extract_id, row_number, record_id, CAST(:other AS uuid), 'SIBLING'
                    FROM normalised.person_record WHERE record_id = CAST(:john AS uuid)
                """),
                {"john": JOHN.record, "other": MARY_AT_HEALTH.record},
            )
        purge(MARY_AT_HEALTH)
        with transaction() as connection:
            assert places_of(connection, [MARY_AT_HEALTH.record], "normalised") == {}
            assert places_of(connection, [JOHN.record], "normalised") != {}

    def test_the_register_the_ledger_and_the_tombstone_keep_its_id(self, linked: int) -> None:
        purge(MARY_AT_HEALTH)
        link("2026-10", [MARY_AT_CSC], [MARY_AT_POLICE], [JOHN], [ALONE])
        with transaction() as connection:
            kept = places_of(
                connection, [MARY_AT_HEALTH.record], "identity", "linked", "normalised", "publication"
            )
        assert set(kept) == {"identity.record", "identity.membership", "identity.change", "identity.purge"}

    def test_the_queue_of_uncertain_pairs_forgets_it_at_once(self, linked: int) -> None:
        add = text("""
            INSERT INTO identity.review_pair (run_id, record_a, record_b, rank, why, records, match_weight,
                                              match_probability)
            SELECT :run, CAST(:a AS uuid), CAST(b AS uuid), row_number() OVER (), 'UNCERTAIN', 2, 0, 0.5
            FROM unnest(CAST(:b AS text[])) AS b
        """)
        others = [MARY_AT_HEALTH.record, ALONE.record]
        with transaction() as connection:
            connection.execute(add, {"run": linked, "a": JOHN.record, "b": others})
        purge(MARY_AT_HEALTH)
        with transaction() as connection:
            left = connection.scalars(text("SELECT record_b::text FROM identity.review_pair")).all()
        assert left == [ALONE.record]

    def test_a_tombstone_has_a_hash_and_a_reason_and_is_never_changed(self, linked: int) -> None:
        known = text("SELECT content_hash FROM linked.record WHERE record_id = CAST(:r AS uuid)")
        with transaction() as connection:
            content = connection.scalar(known, {"r": JOHN.record})
        purge(JOHN)
        with transaction() as connection:
            (row,) = connection.execute(text("SELECT * FROM identity.purge")).all()
        assert (str(row.record_id), row.requested_by, row.reason) == (JOHN.record, BY, REASON)
        assert (row.content_hash, row.after_run) == (content, linked)
        for change in ("UPDATE identity.purge SET reason = ''", "DELETE FROM identity.purge"):
            with pytest.raises(JoinedupError, match="JU004"), transaction() as connection:
                connection.exec_driver_sql(change)


class TestTheNextRun:
    def test_closes_the_membership_with_the_cause_purge_and_tells_it_from_vanishing(
        self, linked: int
    ) -> None:
        purge(MARY_AT_HEALTH)
        run_id = link("2026-10", [MARY_AT_CSC], [MARY_AT_POLICE], [JOHN])
        told = "SELECT kind, cause, record_id::text FROM identity.change WHERE run_id = :run ORDER BY 1, 2"
        with transaction() as connection:
            changes = connection.execute(text(told), {"run": run_id}).all()
            assert purged_since(connection, linked) == {MARY_AT_HEALTH.record}
            assert purged_since(connection, run_id) == frozenset()
        assert [tuple(each) for each in changes] == [
            ("LEFT", "PURGE", MARY_AT_HEALTH.record),
            ("RETIRED", "VANISHED_DATA", None),
            ("SPLIT", "PURGE", None),
        ]

    def test_forgets_every_row_of_it_in_every_chain_and_keeps_those_of_others(self, linked: int) -> None:
        earlier = link("2026-10", MARY, [JOHN], [ALONE])
        count = "SELECT count(*) FROM linked.{table} WHERE record_id <> CAST(:r AS uuid) AND run_id <= :run"
        values = {"r": MARY_AT_HEALTH.record, "run": earlier}
        with transaction() as connection:
            others = [connection.scalar(text(count.format(table=t)), values) for t in ("record", "cluster")]
        purge(MARY_AT_HEALTH)
        with transaction() as connection:
            held = places_of(connection, [MARY_AT_HEALTH.record], "linked")
            assert set(held) >= {"linked.cluster", "linked.record", "linked.edge"}, (
                "the next run goes on from it"
            )
            gone = {table: rows for table, rows in held.items() if table in ("linked.record", "linked.edge")}
            assert gone == {"linked.record": 1, "linked.edge": 2}, (
                "the earlier chain has forgotten it already"
            )
        link("2026-11", [MARY_AT_CSC], [MARY_AT_POLICE], [JOHN], [ALONE])
        with transaction() as connection:
            assert places_of(connection, [MARY_AT_HEALTH.record], "linked") == {}
            now = [connection.scalar(text(count.format(table=t)), values) for t in ("record", "cluster")]
        assert now == others

    @pytest.mark.parametrize("gone", MARY)
    def test_clusters_that_bore_its_id_hold_the_same_others_under_another_name(
        self, linked: int, gone: Held
    ) -> None:
        purge(gone)
        left = [held for held in MARY if held != gone]
        link("2026-10", left, [JOHN], [ALONE])
        query = text("""
            SELECT count(DISTINCT c.cluster_id) AS clusters, count(DISTINCT s.cluster_id) AS summaries, count(*) AS records
            FROM linked.cluster c LEFT JOIN linked.cluster_summary s USING (run_id, cluster_id)
            WHERE c.run_id = :run AND c.record_id = ANY(CAST(:left AS uuid[]))
        """)
        with transaction() as connection:
            row = connection.execute(query, {"run": linked, "left": [held.record for held in left]}).one()
            assert places_of(connection, [gone.record], "linked") == {}
        assert tuple(row) == (1, 1, 2)

    def test_a_record_that_is_sent_again_is_the_same_person_and_stays(self, linked: int) -> None:
        purge(ALONE)
        link("2026-10", MARY, [JOHN])
        run_id = link("2026-11", MARY, [JOHN], [ALONE])
        with transaction() as connection:
            kinds = connection.execute(
                text("SELECT kind FROM identity.change WHERE run_id = :run"), {"run": run_id}
            ).all()
            held = places_of(connection, [ALONE.record], "linked")
            states = connection.execute(
                text(
                    "SELECT state FROM identity.membership_as_of('2026-12-31') WHERE record_id = CAST(:r AS uuid)"
                ),
                {"r": ALONE.record},
            ).all()
        assert [tuple(each) for each in kinds] == [("RETURNED",)]
        assert set(held) == {"linked.record", "linked.cluster", "linked.cluster_summary"}
        assert [tuple(each) for each in states] == [("HELD",)]


class TestAsOf:
    def states(self, day: str) -> dict[str, str]:
        query = text("SELECT record_id::text, state FROM identity.membership_as_of(:day)")
        with transaction() as connection:
            return {
                row.record_id: row.state
                for row in connection.execute(query, {"day": date.fromisoformat(day)})
            }

    def test_a_day_before_the_purge_answers_that_there_was_a_record_and_that_it_is_purged(
        self, linked: int
    ) -> None:
        purge(MARY_AT_HEALTH)
        for _ in ("before the next run", "after it"):
            states = self.states("2026-09-25")
            assert states[MARY_AT_HEALTH.record] == "PURGED"
            assert {states[each.record] for each in (MARY_AT_CSC, MARY_AT_POLICE, JOHN)} == {"HELD"}
            link("2026-10", [MARY_AT_CSC, MARY_AT_POLICE], [JOHN], [ALONE])
        assert MARY_AT_HEALTH.record not in self.states("2026-10-25")

    def test_people_are_told_with_how_many_of_their_records_are_purged(self, linked: int) -> None:
        purge(MARY_AT_HEALTH)
        query = text("SELECT records, purged FROM identity.person_as_of('2026-09-25') ORDER BY records DESC")
        with transaction() as connection:
            assert [tuple(row) for row in connection.execute(query)] == [(3, 1), (1, 0), (1, 0)]


class TestReleases:
    @pytest.fixture
    def release(self, linked: int) -> int:
        create_views()
        release_id = build_release(linked).release_id
        publish_release(release_id, BY, REASON)
        return release_id

    def published(self) -> set[str]:
        with transaction() as connection:
            return set(connection.scalars(text("SELECT person_pseudonym FROM published.person")))

    def about(self, held: Held) -> dict[str, int]:
        with transaction() as connection:
            return places_of(connection, [pseudonym_of(held)], "publication")

    def test_the_person_leaves_every_kept_release_at_once(self, release: int) -> None:
        oldest = min(MARY, key=lambda held: held.agency)
        assert self.about(oldest) != {}
        purge(MARY_AT_HEALTH)
        assert self.about(oldest) == {}
        assert pseudonym_of(JOHN) in self.published()

    def test_and_comes_with_the_next_one_without_the_record(self, release: int) -> None:
        oldest = min(MARY, key=lambda held: held.agency)
        purge(MARY_AT_HEALTH, ALONE)
        again = build_release(link("2026-10", [MARY_AT_CSC, MARY_AT_POLICE], [JOHN])).release_id
        publish_release(again, BY, REASON)
        assert {pseudonym_of(oldest), pseudonym_of(JOHN)} == self.published(), (
            "whose only record it was is gone"
        )
        roll_back(release, BY, REASON)
        assert self.published() == {pseudonym_of(JOHN)}, "an earlier release does not bring them back"

    def test_a_release_built_from_a_run_before_the_purge_leaves_the_person_out(self, linked: int) -> None:
        create_views()
        purge(MARY_AT_HEALTH)
        publish_release(build_release(linked).release_id, BY, REASON)
        assert self.published() == {pseudonym_of(JOHN), pseudonym_of(ALONE)}


class TestOnceAndWhole:
    def test_twice_changes_nothing(self, linked: int) -> None:
        purge(MARY_AT_HEALTH)
        once = contents()
        assert purge_for_good([MARY_AT_HEALTH.record], BY, REASON).tombstones == 0
        assert differences(contents(), once) == {}

    def test_killed_half_way_nothing_is_half_done(self, linked: int, monkeypatch: pytest.MonkeyPatch) -> None:
        before = contents()

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("pipelines.purge.run.withhold_protected_everywhere", killed)
        with pytest.raises(KeyboardInterrupt):
            purge(MARY_AT_HEALTH)
        assert differences(contents(), before) == {}

    @pytest.mark.parametrize(("by", "reason"), [("", REASON), (BY, " ")])
    def test_somebody_asked_for_it_for_a_reason(self, connection: Connection, by: str, reason: str) -> None:
        with pytest.raises(JoinedupError, match="a name and a reason"):
            purge_records(connection, [JOHN.record], by, reason)

    def test_a_record_that_nobody_knows_is_refused(self, connection: Connection) -> None:
        with pytest.raises(JoinedupError, match="1 of these records were never seen"):
            purge_records(connection, [JOHN.record, record_of(HEALTH, "nobody")], BY, REASON)

    def test_it_is_kept_out_of_what_its_agency_has_delivered_already(self, connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE audit.extract SET period = '2999-03' WHERE agency = 'police'")
        purge_records(connection, [JOHN.record], BY, REASON)
        (stone,) = read_purges(connection)
        assert stone.until_period == "2999-03"
        assert kept_out(connection, "2999-03") == {JOHN.record}
        assert kept_out(connection, "2999-04") == frozenset()


class TestSealed:
    def share_a_number(self, connection: Connection, *records: Held) -> None:
        add = text("""
            INSERT INTO normalised.person_identifier (extract_id, row_number, record_id, identifier_type, value_raw,
                                                      value, status)
            SELECT extract_id, row_number, record_id, 'UPN', :number, :number, 'VALID' FROM normalised.person_record
            WHERE record_id = ANY(CAST(:records AS uuid[]))
        """)
        connection.execute(
            add, {"records": [held.record for held in records], "number": f"shared by {records[0].local_id}"}
        )

    def test_nor_is_one_through_which_others_share_with_a_sealed_record(self, linked: int) -> None:
        with transaction() as connection:
            self.share_a_number(connection, JOHN, ALONE)
            self.share_a_number(connection, ALONE, MARY_AT_POLICE)
            add_protection_notice(connection, JOHN.record, "SEALED", "adoption")
        with pytest.raises(JoinedupError, match="1 other record") as refused:
            purge(ALONE)
        assert MARY_AT_POLICE.record in str(refused.value)
        purge(MARY_AT_POLICE)
        purge(ALONE)

    def test_a_sealed_record_is_not_purged_while_it_keeps_others_apart(self, linked: int) -> None:
        with transaction() as connection:
            self.share_a_number(connection, JOHN, ALONE)
            add_protection_notice(connection, JOHN.record, "SEALED", "adoption")
        with pytest.raises(JoinedupError, match="seal them first") as refused:
            purge(JOHN)
        assert ALONE.record in str(refused.value)
        with transaction() as connection:
            add_protection_notice(connection, ALONE.record, "SEALED", "shares a number")
        purge(JOHN)
        with transaction() as connection:
            assert places_of(connection, [JOHN.record], "normalised") == {}


def test_the_auditor_sees_who_was_purged_when_and_by_whom_but_not_why(
    warehouse: Warehouse, linked: int
) -> None:
    purge(MARY_AT_HEALTH)
    auditor = create_engine(warehouse.url(session_login(AUDITOR)), poolclass=NullPool)
    with auditor.connect() as connection:
        row = connection.execute(
            text("SELECT record_id::text, requested_by, until_period FROM identity.purge")
        ).one()
        assert row[:2] == (MARY_AT_HEALTH.record, BY)
        purged = text("SELECT count(*) FROM identity.membership_as_of('2026-09-25') WHERE state = 'PURGED'")
        assert connection.scalar(purged) == 1
        for hidden in ("reason", "content_hash", "*"):
            with pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(text(f"SELECT {hidden} FROM identity.purge"))
            connection.rollback()
