"""What a run changes about people, on a real PostgreSQL: kinds, causes, the link that decided, and the past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool
from support.contents import contents, differences
from support.people import HEALTH, POLICE, Delivered, Held, link_by_hand
from support.warehouse import TEST_KEY, Warehouse
from typer.testing import CliRunner

from pipelines import cli
from pipelines.errors import LinkageError, SettingsError
from pipelines.identity.people import assign_people
from pipelines.keys import person_id, record_id
from pipelines.quality.checks import check_linked
from pipelines.quality.outcome import CheckScope, ExpectationOutcome
from pipelines.settings import load_settings
from pipelines.warehouse.engine import engine, transaction
from pipelines.warehouse.roles import AUDITOR, session_login

pytestmark = pytest.mark.database


def id_under_test(held: Held) -> str:
    return record_id(TEST_KEY.encode(), held.agency, held.local_id)


# The oldest first: records that come together are ordered by their ids.
A, B, C, D, E, F = sorted((Held(HEALTH, str(number)) for number in range(6)), key=id_under_test)
G = Held(POLICE, "1")
NAMES = dict(zip(map(id_under_test, (A, B, C, D, E, F, G)), "abcdefg", strict=True))


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[Connection]:
    with transaction() as opened:
        yield opened


class World:
    """Runs one after another over the same agencies' records, whoever is together as said."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.month = 0
        self.people: dict[str, str] = {}

    def run(self, *people: list[Held], **more: Any) -> int:
        """Link these people in the next period; a person gets the name of the first record it came up with."""
        self.month += 1
        records = [held for members in people for held in members]
        run_id = link_by_hand(
            self.connection, Delivered(f"2026-{self.month:02}", records, people=people, **more)
        )
        finish(self.connection, run_id, f"2026-{self.month:02}-20 23:30+00")
        return run_id

    def id_of(self, held: Held) -> str:
        found = self.connection.scalar(
            text(
                "SELECT person_id::text FROM identity.membership"
                " WHERE record_id = CAST(:r AS uuid) AND valid_to_run IS NULL"
            ),
            {"r": held.record},
        )
        return str(found)

    def changes(self, run_id: int) -> list[tuple[Any, ...]]:
        """Kind, cause, size, record, and the deciding records and weight, of each change of a run."""
        rows = self.connection.execute(
            text("""
                SELECT kind, cause, records, record_id::text, record_a::text, record_b::text, match_weight
                FROM identity.change WHERE run_id = :run_id ORDER BY change_id
            """),
            {"run_id": run_id},
        )
        return [
            (
                row.kind,
                row.cause,
                row.records,
                NAMES.get(row.record_id, ""),
                "".join(sorted(NAMES[r] for r in (row.record_a, row.record_b) if r)),
                row.match_weight,
            )
            for row in rows
        ]


def finish(connection: Connection, run_id: int, moment: str) -> None:
    connection.execute(
        text(
            "UPDATE audit.run SET status = 'SUCCEEDED', finished_at = CAST(:at AS timestamptz) WHERE run_id = :r"
        ),
        {"at": moment, "r": run_id},
    )


@pytest.fixture
def world(connection: Connection) -> World:
    return World(connection)


def living(connection: Connection, person: str) -> str | None:
    found = connection.scalar(text("SELECT identity.living_person(CAST(:p AS uuid))::text"), {"p": person})
    return None if found is None else str(found)


class TestAMerge:
    def test_most_records_last_and_the_heaviest_link_decided(self, world: World) -> None:
        world.run([A], [B, C])
        small, large = world.id_of(A), world.id_of(B)
        run_id = world.run([replace(A, sex="F"), B, C], links=[(A, B, 7.5), (A, C, 9.25), (B, C, 20.0)])
        assert world.changes(run_id) == [("MERGED", "CHANGED_DATA", 1, "", "ac", 9.25)]
        assert {world.id_of(held) for held in (A, B, C)} == {large}
        assert living(world.connection, small) == large

    def test_a_new_record_that_brings_two_together_is_the_cause(self, world: World) -> None:
        """Though another record of theirs changed: the link that decided leads to the new one."""
        world.run([A], [B, C])
        run_id = world.run([A, B, replace(C, sex="M"), D], links=[(A, D, 11.0), (B, D, 12.0), (A, B, 1.0)])
        assert world.changes(run_id) == [
            ("MERGED", "NEW_DATA", 1, "", "ad", 11.0),
            ("JOINED", "NEW_DATA", 1, "d", "bd", 12.0),
        ]

    def test_ids_lead_on_over_several_merges(self, world: World) -> None:
        world.run([A], [B, C], [D, E, F])
        first, second, third = (world.id_of(held) for held in (A, B, D))
        world.run([A, B, C], [D, E, F])
        assert [living(world.connection, each) for each in (first, second)] == [second, second]
        world.run([A, B, C, D, E, F])
        ends = {living(world.connection, each) for each in (first, second, third)}
        assert ends == {world.id_of(A)} and len(ends) == 1


class TestASplit:
    def test_the_link_that_had_held_them_is_named(self, world: World) -> None:
        world.run([A, B, C], links=[(A, B, 20.0), (A, C, 6.0), (B, C, 5.0)])
        before = world.id_of(A)
        run_id = world.run([A, B], [replace(C, sex="M")])
        assert world.changes(run_id) == [("SPLIT", "CHANGED_DATA", 1, "", "ac", 6.0)]
        assert world.id_of(A) == world.id_of(B) == before != world.id_of(C)

    def test_whose_founder_left_is_not_given_again(self, world: World) -> None:
        """The id was made from record A, which is somebody else now: A's new person gets another one."""
        world.run([A, B, C])
        before, key = world.id_of(A), load_settings().key
        run_id = world.run([A], [B, C])
        assert before == world.id_of(B) == person_id(key, A.record)
        assert world.id_of(A) == person_id(key, A.record, run_id)

    def test_parted_again_after_a_merge_is_somebody_new(self, world: World) -> None:
        world.run([A, B], [C])
        retired = world.id_of(C)
        world.run([A, B, C])
        world.run([A, B], [C])
        assert world.id_of(C) != retired
        assert living(world.connection, retired) == world.id_of(A)


class TestBothAtOnce:
    def test_each_half_of_a_move_is_told_with_one_cause(self, world: World) -> None:
        world.run([A, B, C], [D, E], links=[(A, C, 8.0), (B, C, 3.0)])
        run_id = world.run([A, B], [replace(C, sex="F"), D, E], links=[(C, D, 14.0), (C, E, 4.0)])
        assert world.changes(run_id) == [
            ("JOINED", "CHANGED_DATA", 1, "c", "cd", 14.0),
            ("LEFT", "CHANGED_DATA", 1, "c", "ac", 8.0),
        ]

    def test_one_half_goes_to_another_and_one_is_new(self, world: World) -> None:
        world.run([A, B, C, D], [E, F])
        run_id = world.run([A, B], [C, E, F], [D, G], model_version="another")
        assert [change[:4] for change in world.changes(run_id)] == [
            ("SPLIT", "MODEL_VERSION", 1, ""),
            ("JOINED", "MODEL_VERSION", 1, "c"),
            ("JOINED", "NEW_DATA", 1, "g"),
            ("LEFT", "MODEL_VERSION", 1, "c"),
        ]


class TestCauses:
    def test_another_model_is_the_cause_where_the_records_stayed_as_they_were(self, world: World) -> None:
        """B merged, and A, which it joined, is as it was; D merged, and is not."""
        world.run([A, E], [B], [C, F], [D])
        people = {world.id_of(B): "b", world.id_of(D): "d"}
        run_id = world.run([A, B, E], [C, replace(D, sex="F"), F], model_version="another")
        rows = world.connection.execute(
            text("SELECT person_id::text, cause FROM identity.change WHERE run_id = :run_id"),
            {"run_id": run_id},
        )
        assert {people[row.person_id]: row.cause for row in rows} == {
            "b": "MODEL_VERSION",
            "d": "CHANGED_DATA",
        }

    def test_a_change_beside_them_is_the_cause_under_the_same_model(self, world: World) -> None:
        world.run([A, C], [B])
        run_id = world.run([A, B, replace(C, sex="F")], links=[(A, B, 6.0)])
        assert world.changes(run_id) == [("MERGED", "CHANGED_DATA", 1, "", "ab", 6.0)]

    def test_somebody_who_vanished_between_them_is_the_cause(self, world: World) -> None:
        world.run([A, B, C])
        run_id = world.run([A], [B])
        assert [change[:4] for change in world.changes(run_id)] == [
            ("SPLIT", "VANISHED_DATA", 1, ""),
            ("LEFT", "VANISHED_DATA", 1, "c"),
        ]

    def test_a_judgement_since_the_run_before_is_the_cause(self, world: World) -> None:
        world.run([A], [B])
        world.connection.execute(
            text("""
                INSERT INTO identity.judgement (verdict, records, scope, decided_by, reason)
                VALUES ('SAME', CAST(:records AS uuid[]), 'everything', 'a reviewer', 'seen the files')
            """),
            {"records": sorted([A.record, B.record])},
        )
        run_id = world.run([replace(A, sex="F"), B], model_version="another")
        assert [change[:3] for change in world.changes(run_id)] == [("MERGED", "JUDGEMENT", 1)]

    def test_so_is_one_that_expired_since_but_none_that_was_over_before(self, world: World) -> None:
        first = world.run([A, B], [C, D])
        world.connection.execute(text("UPDATE audit.run SET started_at = started_at - interval '1 day'"))
        for members, hours in (((A, B), 1), ((C, D), -1)):
            world.connection.execute(
                text("""
                    INSERT INTO identity.judgement (verdict, records, scope, decided_by, reason, decided_at, expires_at)
                    SELECT 'SAME', CAST(:records AS uuid[]), 'everything', 'a reviewer', 'for a while',
                           started_at - interval '2 hours', started_at + make_interval(hours => :hours)
                    FROM audit.run WHERE run_id = :run_id
                """),
                {"records": sorted(held.record for held in members), "hours": hours, "run_id": first},
            )
        run_id = world.run([A], [B], [C], [D], model_version="another")
        assert [change[:3] for change in world.changes(run_id)] == [
            ("SPLIT", "JUDGEMENT", 1),
            ("SPLIT", "MODEL_VERSION", 1),
        ]

    def test_a_record_that_was_sealed_left_for_its_protection(self, world: World) -> None:
        world.run([A, B], [C, D])
        world.month += 1
        run_id = link_by_hand(
            world.connection,
            Delivered("2026-02", [A, replace(B, protection="SEALED"), C], people=[[A]]),
        )
        assert [change[:4] for change in world.changes(run_id)] == [
            ("LEFT", "PROTECTION", 1, "b"),
            ("LEFT", "VANISHED_DATA", 1, "d"),
        ]

    def test_of_records_that_nothing_is_known_of_those_in_the_ledger_are_unchanged(
        self, world: World
    ) -> None:
        world.run([A], [B])
        world.connection.execute(text("DELETE FROM linked.record"))
        run_id = world.run([replace(A, sex="F"), B, C])
        assert [change[:2] for change in world.changes(run_id)] == [
            ("MERGED", "NEW_DATA"),
            ("JOINED", "NEW_DATA"),
        ]


class TestAllGone:
    def test_retires_leads_nowhere_and_returns_under_the_same_id(self, world: World) -> None:
        world.run([A, B], [C])
        gone = world.id_of(A)
        second = world.run([C])
        assert [change[:3] for change in world.changes(second)] == [("RETIRED", "VANISHED_DATA", 2)]
        assert living(world.connection, gone) is None
        third = world.run([A, B], [C])
        assert [change[:3] for change in world.changes(third)] == [("RETURNED", "NEW_DATA", 2)]
        assert living(world.connection, gone) == gone == world.id_of(A)


class TestTheSameRunAgain:
    def test_leaves_the_same_ledger_whatever_happened_in_it(self, world: World) -> None:
        """Somebody merges, returns, splits, moves and retires; assigned again, all of it is done once."""
        world.run([A], [B, C], [D, E, F], [G])
        world.run([A], [B, C], [D, E, F])
        run_id = world.run([A, B, C], [D], [E, F], [G])
        before = ledger(world.connection)
        assign_people(world.connection, run_id)
        assert ledger(world.connection) == before

    def test_with_other_clusters_undoes_what_it_did(self, world: World) -> None:
        world.run([A], [B, C], [D, E, F], [G])
        world.run([A], [B, C], [D, E, F])
        before = ledger(world.connection)
        run_id = world.run([A, B, C], [D], [E, F], [G])
        world.connection.execute(
            text("DELETE FROM linked.cluster WHERE run_id = :run_id"), {"run_id": run_id}
        )
        world.connection.execute(
            text("""
                INSERT INTO linked.cluster (run_id, chain_run, record_id, cluster_id)
                SELECT :run_id, :run_id, record_id, cluster_id FROM linked.cluster WHERE run_id = :run_id - 1
            """),
            {"run_id": run_id},
        )
        assign_people(world.connection, run_id)
        assert [row for row in ledger(world.connection) if row[0] != "run"] == [
            row for row in before if row[0] != "run"
        ]


def test_killed_half_way_and_done_again_gives_the_same_ledger(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as connection:
        world = World(connection)
        world.run([A], [B, C], [D, E])
        run_id = link_by_hand(
            connection, Delivered("2026-02", [A, B, C, D, E], people=[[A, B, C], [D], [E]]), assign=False
        )
        before = ledger(connection)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pipelines.identity.people.keep_changes", dies)
        with transaction() as connection:
            assign_people(connection, run_id)
    with transaction() as connection:
        assert ledger(connection) == before, "nothing is half done"
        assign_people(connection, run_id)
        once = ledger(connection)
    whole = contents(("identity",))
    with transaction() as connection:
        assign_people(connection, run_id)
        assert ledger(connection) == once
    assert differences(contents(("identity",)), whole) == {}


def ledger(connection: Connection) -> list[tuple[str, ...]]:
    """Everything that the ledger says, without the numbers of its changes."""
    rows = connection.execute(
        text("""
            SELECT 'membership', to_jsonb(m)::text FROM identity.membership m
            UNION ALL SELECT 'person', to_jsonb(p)::text FROM identity.person p
            UNION ALL SELECT 'change', (to_jsonb(c) - 'change_id')::text FROM identity.change c
            UNION ALL SELECT 'run', to_jsonb(r)::text FROM identity.ledger_run r
            ORDER BY 1, 2
        """)
    )
    return [tuple(row) for row in rows]


class TestWhatWeBelieved:
    def test_is_told_for_each_day_by_the_runs_that_were_done(self, world: World) -> None:
        """Runs end at half past eleven at night, on the 20th of a month, by the clock of UTC."""
        first = world.run([A], [B, C])
        small, large = world.id_of(A), world.id_of(B)
        world.run([A, B, C])
        world.run([B, C])
        world.connection.execute(text("SET LOCAL TimeZone = 'Asia/Tokyo'"))
        assert self.people(world, "2026-01-19") == {}
        assert self.people(world, "2026-01-20") == {small: 1, large: 2} == self.people(world, "2026-02-19")
        assert self.people(world, "2026-02-20") == {large: 3}
        assert self.people(world, "2026-03-20") == {large: 2} == self.people(world, "2030-01-01")
        rows = world.connection.execute(
            text("SELECT valid_from_run FROM identity.membership_as_of('2026-01-31')")
        ).scalars()
        assert list(rows) == [first] * 3

    def test_a_run_that_is_not_done_tells_of_no_day(self, world: World) -> None:
        world.run([A], [B])
        run_id = world.run([A, B])
        world.connection.execute(
            text("UPDATE audit.run SET finished_at = NULL WHERE run_id = :r"), {"r": run_id}
        )
        assert len(self.people(world, "2026-12-31")) == 2

    def people(self, world: World, day: str) -> dict[str, int]:
        rows = world.connection.execute(
            text("SELECT person_id::text, records FROM identity.person_as_of(:day)"),
            {"day": date.fromisoformat(day)},
        )
        return {row.person_id: row.records for row in rows}


def test_the_auditor_may_ask_all_of_it(warehouse: Warehouse) -> None:
    with transaction() as connection:
        World(connection).run([A], [B])
    auditor = create_engine(warehouse.url(session_login(AUDITOR)), poolclass=NullPool)
    with auditor.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM identity.person_as_of('2026-01-20')")) == 2
        assert connection.scalar(text("SELECT sum(records) FROM identity.change_summary")) == 2
        assert connection.scalar(text("SELECT count(*) FROM identity.ledger_run")) == 1
        query = "SELECT count(identity.living_person(person_id)) FROM identity.person"
        assert connection.scalar(text(query)) == 2


class TestTheBudget:
    def outcome(self, run_id: int) -> ExpectationOutcome:
        found = check_linked(engine(), CheckScope(run_id, "2026-01"), run_id)
        problems = [each for each in found if each.could_not_run]
        assert problems == []
        about_changes = [each for each in found if each.table == "identity.change"]
        assert [each.expectation_id for each in about_changes if not each.success] in ([], ["change_budget"])
        return next(each for each in about_changes if each.expectation_id == "change_budget")

    def test_new_data_costs_nothing(self, warehouse: Warehouse) -> None:
        """Neither a first run, nor one that brings a new agency, which joins and merges whom there was."""
        with transaction() as connection:
            world = World(connection)
            first = world.run([A], [B], [C])
            second = world.run([A, B, G], [C, D], links=[(A, G, 9.0), (B, G, 8.0), (C, D, 7.0)])
        assert (self.outcome(first).evaluated, self.outcome(first).success) == (0, True)
        found = self.outcome(second)
        assert (found.evaluated, found.unexpected, found.success) == (3, 0, True)

    def test_over_it_the_release_waits_and_the_list_is_at_hand(
        self, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with transaction() as connection:
            world = World(connection)
            world.run([A], [B, C], [D], [E, F])
            merged, lasting = world.id_of(A), world.id_of(B)
            run_id = world.run([A, B, C], [D], [E, F], links=[(A, B, 6.75)], model_version="another")
        found = self.outcome(run_id)
        assert (found.evaluated, found.unexpected, found.success) == (4, 2, False)
        assert found.severity == "warning" and "joinedup changes" in found.why
        said = CliRunner().invoke(cli.app, ["changes"]).output
        assert (
            f"run {run_id}: 2 of 4 people changed (50.00%), new data aside; over the budget of 5.00%" in said
        )
        assert "MERGED" in said and f"  person {merged} into {lasting}" in said
        assert "6.75 bits: joinedup explain" in said and A.record in said
        monkeypatch.setenv("JOINEDUP_CHANGE_BUDGET", "0.5")
        assert self.outcome(run_id).success

    def test_all_runs_since_one_are_listed_the_largest_change_first(self, warehouse: Warehouse) -> None:
        with transaction() as connection:
            world = World(connection)
            first = world.run([A], [B, C], [D, E, F])
            world.run([A, B, C], [D, E, F])
            world.run([A, B, C, D, E, F])
        said = CliRunner().invoke(cli.app, ["changes", "--since", str(first)]).output
        assert f"Changes since run {first}" in said
        assert said.index("MERGED 3 records") < said.index("MERGED 1 record,")
        short = CliRunner().invoke(cli.app, ["changes", "--since", str(first), "--limit", "1"]).output
        assert "MERGED 3 records" in short and "MERGED 1 record," not in short

    def test_before_any_run_there_is_nothing_to_show(self, warehouse: Warehouse) -> None:
        said = CliRunner().invoke(cli.app, ["changes"])
        assert isinstance(said.exception, LinkageError) and "joinedup link" in str(said.exception)


@pytest.mark.parametrize("value", ["two", "-0.1", "1.5", "nan"])
def test_a_budget_that_is_no_share_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("JOINEDUP_CHANGE_BUDGET", value)
    with pytest.raises(SettingsError, match="JOINEDUP_CHANGE_BUDGET must be a share from 0 to 1"):
        load_settings()
