"""What releases tell of people who change: where retired pseudonyms lead, and what changed since the one before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool
from support.months import Months, name_of, rows
from support.people import HEALTH, POLICE, Held
from support.warehouse import TEST_KEY, Warehouse

from pipelines.contracts.shared import published_tables
from pipelines.errors import ReleaseError
from pipelines.identity.protection import add_protection_notice
from pipelines.identity.runs import LinkRun
from pipelines.keys import record_id
from pipelines.publish import build as build_module
from pipelines.publish.build import build_release
from pipelines.publish.protect import withhold_protected_everywhere
from pipelines.publish.swap import roll_back
from pipelines.publish.views import create_views
from pipelines.quality.checks import check_release
from pipelines.quality.outcome import CheckScope
from pipelines.warehouse.engine import engine, transaction
from pipelines.warehouse.roles import ANALYST, session_login
from pipelines.warehouse.shared_sync import sync_shared_tables

pytestmark = pytest.mark.database

# The oldest first: records that come together are ordered by their ids.
A, B, C, D, E, F = sorted(
    (Held(HEALTH, str(number)) for number in range(6)),
    key=lambda held: record_id(TEST_KEY.encode(), held.agency, held.local_id),
)
G, H = Held(POLICE, "1"), Held(POLICE, "2")
# Seven pairs of people, enough to be counted.
MANY = [Held(POLICE, str(number)) for number in range(20, 34)]
PAIRS = [MANY[place : place + 2] for place in range(0, 14, 2)]
NEW_TABLES = ("person_successor", "person_change", "change_count")

SUCCESSORS = "SELECT retired_pseudonym, living_pseudonym, retired_on::text FROM published.person_successor"
CHANGES = (
    "SELECT kind, person_pseudonym, other_pseudonym, records, cause, changed_on::text"
    " FROM published.person_change ORDER BY change_number"
)
COUNTS = "SELECT kind, cause, people, records FROM published.change_count WHERE NOT is_suppressed ORDER BY kind, cause"


@pytest.fixture
def months(warehouse: Warehouse) -> Months:
    create_views()
    return Months()


def successors() -> dict[str, tuple[str, str]]:
    return {retired: (living, day) for retired, living, day in rows(SUCCESSORS)}


def failures(release_id: int) -> list[str]:
    """What the expectations about the new tables found, warnings too."""
    (run_id,) = rows("SELECT run_id FROM publication.release WHERE release_id = :r", r=release_id)[0]
    outcomes = check_release(engine(), CheckScope(run_id, "2026-01"), release_id)
    about = [each for each in outcomes if each.table.removeprefix("publication.") in NEW_TABLES]
    assert {each.table.removeprefix("publication.") for each in about} == set(NEW_TABLES)
    return [each.expectation_id for each in about if not each.success]


def everything_named() -> str:
    """Every row that tells of changes, of every release."""
    return " ".join(str(rows(f"SELECT * FROM publication.{table}")) for table in NEW_TABLES)


class TestARetiredPseudonym:
    def test_leads_to_the_living_one_after_two_merges_in_two_releases(self, months: Months) -> None:
        months.publish([A], [B, C], [D, E, F, G])
        first, second, third = name_of(A), name_of(B), name_of(D)
        assert successors() == {}
        middle = months.publish([A, B, C], [D, E, F, G])
        assert successors() == {first: (second, "2026-02-20")}
        last = months.publish([A, B, C, D, E, F, G])
        assert successors() == {first: (third, "2026-02-20"), second: (third, "2026-03-20")}
        assert rows("SELECT person_pseudonym FROM published.person") == [(third,)]
        assert failures(middle) == failures(last) == []

    def test_leads_there_when_both_merges_lie_between_two_releases(self, months: Months) -> None:
        months.publish([A], [B, C], [D, E, F, G])
        first, second, third = name_of(A), name_of(B), name_of(D)
        months.link([A, B, C], [D, E, F, G])
        months.publish([A, B, C, D, E, F, G])
        assert {name: living for name, (living, _) in successors().items()} == {first: third, second: third}
        assert [row[:3] for row in rows(CHANGES)] == [
            ("MERGED", first, second),
            ("MERGED", second, third),
        ]

    def test_goes_on_leading_there_when_what_merged_is_parted_again(self, months: Months) -> None:
        months.publish([A, B], [C])
        retired = name_of(C)
        months.publish([A, B, C])
        months.publish([A, B], [C])
        assert name_of(C) != retired
        assert {name: living for name, (living, _) in successors().items()} == {retired: name_of(A)}

    def test_that_no_release_showed_is_not_there(self, months: Months) -> None:
        """Nor one that only a release showed which nobody published."""
        build_release(months.link([A], [B, C]))
        months.publish([A, B, C])
        assert rows("SELECT count(*) FROM identity.person WHERE successor_id IS NOT NULL") == [(1,)]
        assert successors() == {}

    def test_of_somebody_whose_records_are_gone_leads_nowhere(self, months: Months) -> None:
        months.publish([A], [B, C])
        gone = name_of(A)
        months.publish([B, C])
        assert gone not in everything_named()

    def test_of_somebody_whose_records_came_back_into_another_leads_there_from_then_on(
        self, months: Months
    ) -> None:
        months.publish([A], [B, C])
        gone = name_of(A)
        without = months.publish([B, C])
        assert successors() == {}
        months.publish([A, B, C])
        assert successors() == {gone: (name_of(B), "2026-03-20")}
        roll_back(without, "ann", "March is wrong")
        assert successors() == {}

    def test_leads_as_the_ledger_stood_when_an_earlier_release_is_rolled_back_to(
        self, months: Months
    ) -> None:
        first = months.publish([A], [B, C])
        months.publish([A, B, C])
        roll_back(first, "ann", "February is wrong")
        assert successors() == {}
        assert rows(CHANGES) == []

    def test_that_an_earlier_release_led_on_is_missed_by_an_expectation(
        self, months: Months, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        months.publish([A], [B, C], [D, E, F, G])
        months.publish([A, B, C], [D, E, F, G])

        def forgets(*_: object) -> int:
            return 0

        monkeypatch.setattr(build_module, "insert_successors", forgets)
        kept = build_release(months.link([A, B, C], [D, E, F, G])).release_id
        assert failures(kept) == ["who_was_led_on_is_still_led_on"]
        merged = build_release(months.link([A, B, C, D, E, F, G])).release_id
        assert failures(merged) == ["who_merged_is_led_on"]


class TestTheChangeLog:
    def test_tells_of_the_changes_since_the_release_before_only(self, months: Months) -> None:
        months.publish([A], [B, C], [D, E, F])
        first, second, third = name_of(A), name_of(B), name_of(D)
        months.publish([replace(A, sex="F"), B, C], [D, E, F])
        assert rows(CHANGES) == [("MERGED", first, second, 1, "CHANGED_DATA", "2026-02-20")]
        last = months.publish([replace(A, sex="F"), B, C], [D, E], [F], model_version="another")
        assert rows(CHANGES) == [("SPLIT", name_of(F), third, 1, "MODEL_VERSION", "2026-03-20")]
        assert failures(last) == []

    def test_counts_the_records_that_moved_between_two_people(self, months: Months) -> None:
        months.publish([A, B, C, D, E], [F, G, H])
        giving, taking = name_of(A), name_of(F)
        months.publish([A, B, C], [D, E, F, G, H], model_version="another")
        assert [row[:5] for row in rows(CHANGES)] == [("MOVED", taking, giving, 2, "MODEL_VERSION")]

    def test_says_from_which_release_it_counts(self, months: Months) -> None:
        first = months.publish(*PAIRS)
        months.publish([A], *PAIRS)
        assert rows("SELECT DISTINCT since_release FROM published.change_count") == [(first,)]

    def test_tells_who_is_new_and_gone_by_counts_that_are_safe(self, months: Months) -> None:
        new = [[Held(POLICE, str(number))] for number in range(50, 57)]
        months.publish(*PAIRS, [A])
        months.publish(*(pair[:1] for pair in PAIRS), *new, [A, B])
        assert rows(CHANGES) == []
        assert rows(COUNTS) == [("CREATED", "NEW_DATA", 5, 5), ("LEFT", "VANISHED_DATA", 5, 5)]
        (hidden,) = rows(
            "SELECT people, is_suppressed FROM published.change_count WHERE kind = 'JOINED' LIMIT 1"
        )
        assert hidden == (None, True), "the one record that joined is not told"

    def test_of_a_first_release_is_empty(self, months: Months) -> None:
        release_id = months.publish(*PAIRS)
        assert everything_named() == "[] [] []"
        assert failures(release_id) == []

    def test_names_no_record_and_no_person_of_the_ledger(self, months: Months) -> None:
        months.publish([A], [B, C], [D, E, F])
        months.publish([A, B, C], [D, E], [F])
        ids = {held.record for held in (A, B, C, D, E, F)}
        ids |= {row[0] for row in rows("SELECT person_id::text FROM identity.person")}
        assert not [one for one in ids if one in everything_named()]

    def test_is_the_same_when_it_is_built_again(self, months: Months) -> None:
        months.publish([A], [B, C], [D, E, F])
        run_id = months.link([A, B, C], [D, E], [F])
        first = build_release(run_id)
        before = everything_named()
        assert build_release(run_id) == first
        assert everything_named() == before


class TestWhoIsSealed:
    HIDDEN = Held(HEALTH, "66", protection="SEALED")
    OPEN = Held(HEALTH, "66")

    def test_never_appears_though_it_merged_before(self, months: Months) -> None:
        """The person with the record had gone into another one, and the record came to be sealed there."""
        months.publish([self.OPEN], [B, C], [D, E], [F])
        retired, living, other = name_of(self.OPEN), name_of(B), name_of(F)
        months.publish([self.OPEN, B, C], [D, E, F])
        assert set(successors()) == {retired, other}
        months.publish([self.HIDDEN], [B, C], [D, E, F])
        assert rows("SELECT count(*) FROM published.person") == [(2,)]
        assert set(successors()) == {other}
        told = str(rows("SELECT * FROM published.person_change")) + str(rows(SUCCESSORS))
        assert retired not in told and living not in told

    def test_is_not_told_by_what_a_cause_says(self, months: Months) -> None:
        """B and C were one person with the sealed record; D and E fell apart because their company did."""
        months.publish([self.OPEN, B, C], *PAIRS)
        months.publish([self.HIDDEN], [B], [C], *PAIRS)
        assert rows("SELECT DISTINCT cause FROM identity.change WHERE kind <> 'CREATED'") == [("PROTECTION",)]
        assert rows(CHANGES) == [] and rows(COUNTS) == []

    def test_is_taken_out_of_every_kept_release_at_once(self, months: Months) -> None:
        months.publish([A], [B, C], [D], [E, F])
        sealed = (name_of(A), name_of(B))
        merged = [A, B, C]
        months.publish(merged, [D, E, F])
        months.publish(merged, [D, E, F])
        assert all(name in everything_named() for name in sealed)
        with transaction() as connection:
            add_protection_notice(connection, A.record, "SEALED", "witness")
            withhold_protected_everywhere(connection)
        assert not [name for name in sealed if name in everything_named()]
        assert list(successors().values()) == [(name_of(E), "2026-02-20")]

    def test_stops_the_build_when_something_would_lead_there(
        self, months: Months, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        months.publish([self.OPEN], [B, C])
        months.publish([self.OPEN, B, C])
        run_id = months.link([self.HIDDEN], [B, C])

        def leaky(connection: Connection, release_id: int, run: LinkRun) -> int:
            connection.execute(
                text("INSERT INTO publication.person_successor SELECT :r, :day, :retired, :living, :day"),
                {"r": release_id, "day": run.as_of, "retired": "bcdf", "living": name_of(B)},
            )
            return 1

        monkeypatch.setattr(build_module, "insert_successors", leaky)
        with pytest.raises(ReleaseError, match="what became of sealed people"):
            build_release(run_id)


def test_the_analyst_reads_the_views_and_not_the_tables(months: Months, warehouse: Warehouse) -> None:
    months.publish([A], [B, C])
    months.publish([A, B, C])
    analyst = create_engine(warehouse.url(session_login(ANALYST)), poolclass=NullPool)
    for name in NEW_TABLES:
        with analyst.connect() as connection:
            assert connection.scalar(text(f"SELECT count(*) FROM published.{name}"))
        with analyst.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(f"SELECT * FROM publication.{name}"))


def test_a_warehouse_from_before_gets_the_tables_and_its_release_shows_nothing_in_them(
    months: Months,
) -> None:
    months.publish([A], [B, C])
    months.publish([A, B, C])
    with transaction() as connection:
        for name in NEW_TABLES:
            connection.exec_driver_sql(f"DROP VIEW published.{name}")
            connection.exec_driver_sql(f"DROP TABLE publication.{name}")
    with transaction() as connection:
        sync_shared_tables(connection)
    assert set(create_views()) == set(NEW_TABLES) <= set(published_tables())
    assert [rows(f"SELECT count(*) FROM published.{name}") for name in NEW_TABLES] == [[(0,)]] * 3
    assert rows("SELECT count(*) FROM published.person") == [(1,)]
    months.publish([A, B, C])
    assert len(successors()) == 1, "the next release knows of the merge before"
