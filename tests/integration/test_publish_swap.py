"""Readers see the old release or the new one, whole; every decision is somebody's, for a reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from support.contents import live_release
from support.people import CSC, POLICE, Delivered, Happened, Held, link_by_hand
from support.warehouse import TEST_KEY, Warehouse

from pipelines.errors import ReleaseError
from pipelines.publish.build import build_release
from pipelines.publish.manifest import code_version, read_manifest
from pipelines.publish.swap import (
    drop_old_releases,
    publish_release,
    reject_release,
    roll_back,
)
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

# How many people and events a release has tells which one a reader saw: n people with n events each.
WHOLE = text("""
    SELECT p.release_id, count(DISTINCT p.person_pseudonym) AS people, count(e.event_pseudonym) AS events,
           (SELECT min(release_id) FROM published.linked_person) AS linked, count(DISTINCT p.release_id) AS releases
    FROM published.person p LEFT JOIN published.person_event e USING (person_pseudonym)
    GROUP BY p.release_id
""")


def build(period: str, people: int) -> int:
    """A release with this many people, and as many events each."""
    held = [Held(POLICE, str(number)) for number in range(people)]
    events = [
        Happened(POLICE, one.local_id, "POLICE.WITNESS", f"o{number}", f"{period}-02")
        for one in held
        for number in range(people)
    ]
    with transaction() as connection:
        run_id = link_by_hand(connection, Delivered(period, held, events))
    return build_release(run_id).release_id


def status(release_id: int) -> str:
    with transaction() as connection:
        found = connection.scalar(
            text("SELECT status FROM publication.release WHERE release_id = :r"), {"r": release_id}
        )
    return str(found)


class TestReaders:
    @pytest.mark.parametrize(
        ("isolation", "sees_after"),
        [("READ COMMITTED", "new"), ("REPEATABLE READ", "old"), ("SERIALIZABLE", "old")],
    )
    def test_in_the_middle_of_a_swap_see_one_release_whole(
        self, warehouse: Warehouse, isolation: str, sees_after: str
    ) -> None:
        old, new = build("2026-09", 2), build("2026-10", 3)
        publish_release(old, "ann", "all fine")
        engine = create_engine(
            warehouse.url("joinedup_analyst_session"), poolclass=NullPool, isolation_level=isolation
        )
        with engine.connect() as reader:
            before = [tuple(row) for row in reader.execute(WHOLE)]
            publish_release(new, "ann", "all fine")
            drop_old_releases(keep=0)
            after = [tuple(row) for row in reader.execute(WHOLE)]
        whole = {"old": [(old, 2, 4, old, 1)], "new": [(new, 3, 9, new, 1)]}
        assert before == whole["old"]
        assert after == whole[sees_after]

    @pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
    def test_see_whole_releases_while_releases_swap_again_and_again(
        self, warehouse: Warehouse, isolation: str
    ) -> None:
        first, second = build("2026-09", 2), build("2026-10", 3)
        publish_release(first, "ann", "all fine")
        publish_release(second, "ann", "all fine")
        seen: set[tuple[object, ...]] = set()
        failures: list[BaseException] = []
        done = threading.Event()

        def read() -> None:
            engine = create_engine(
                warehouse.url("joinedup_analyst_session"), poolclass=NullPool, isolation_level=isolation
            )
            try:
                with engine.connect() as reader:
                    while not done.is_set():
                        with reader.begin():
                            seen.update(tuple(row) for row in reader.execute(WHOLE))
            except BaseException as failure:
                failures.append(failure)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for thread in readers:
            thread.start()
        for turn in range(12):
            roll_back(first if turn % 2 == 0 else second, "ann", "to and fro")
        done.set()
        for thread in readers:
            thread.join(timeout=30)
        assert failures == []
        assert seen <= {(first, 2, 4, first, 1), (second, 3, 9, second, 1)}
        assert seen


class TestDecisions:
    def test_publishing_supersedes_the_live_release(self, warehouse: Warehouse) -> None:
        assert live_release() is None
        old, new = build("2026-09", 1), build("2026-10", 2)
        publish_release(old, "ann", "all fine")
        publish_release(new, "bob", "all fine too")
        assert (status(old), status(new), live_release()) == ("SUPERSEDED", "LIVE", new)

    def test_publishing_twice_changes_nothing(self, warehouse: Warehouse) -> None:
        release_id = build("2026-09", 1)
        publish_release(release_id, "ann", "all fine")
        publish_release(release_id, "bob", "again")
        with transaction() as connection:
            row = connection.execute(
                text("SELECT approved_by, approval_reason FROM publication.release")
            ).one()
        assert tuple(row) == ("ann", "all fine")

    def test_a_rejected_release_is_never_published(self, warehouse: Warehouse) -> None:
        release_id = build("2026-09", 1)
        reject_release(release_id, "ann", "too few links")
        reject_release(release_id, "ann", "too few links")
        with pytest.raises(ReleaseError, match=f"release {release_id} is REJECTED, expected BUILT"):
            publish_release(release_id, "bob", "why not")
        assert live_release() is None

    def test_a_live_release_cannot_be_rejected(self, warehouse: Warehouse) -> None:
        release_id = build("2026-09", 1)
        publish_release(release_id, "ann", "all fine")
        with pytest.raises(ReleaseError, match="is LIVE, expected BUILT"):
            reject_release(release_id, "bob", "too late")

    @pytest.mark.parametrize("decide", [publish_release, reject_release, roll_back])
    @pytest.mark.parametrize(("by", "reason"), [("", "all fine"), ("ann", "  ")])
    def test_every_decision_needs_a_name_and_a_reason(
        self, decide: Callable[[int, str, str], None], by: str, reason: str
    ) -> None:
        with pytest.raises(ReleaseError, match="needs a name and a reason"):
            decide(1, by, reason)

    def test_an_unknown_release_is_named(self, warehouse: Warehouse) -> None:
        with pytest.raises(ReleaseError, match="there is no release 12"):
            publish_release(12, "ann", "all fine")

    def test_rolling_back_makes_an_earlier_release_live(self, warehouse: Warehouse) -> None:
        old, new = build("2026-09", 1), build("2026-10", 2)
        publish_release(old, "ann", "all fine")
        publish_release(new, "ann", "all fine")
        roll_back(old, "bob", "October is wrong")
        assert (status(old), status(new), live_release()) == ("LIVE", "SUPERSEDED", old)

    def test_a_release_that_was_never_live_is_not_rolled_back_to(self, warehouse: Warehouse) -> None:
        release_id = build("2026-09", 1)
        with pytest.raises(ReleaseError, match="is BUILT, expected SUPERSEDED"):
            roll_back(release_id, "ann", "why not")


class TestRetention:
    def test_keeps_the_live_release_and_the_newest_others(self, warehouse: Warehouse) -> None:
        releases = [build(f"2026-0{month}", 1) for month in range(1, 5)]
        for release_id in releases:
            publish_release(release_id, "ann", "all fine")
        assert drop_old_releases(keep=1) == [releases[1], releases[0]]
        assert drop_old_releases(keep=1) == []
        with transaction() as connection:
            kept = connection.scalars(text("SELECT DISTINCT release_id FROM publication.person")).all()
        assert sorted(kept) == releases[2:]

    def test_there_is_no_way_back_to_rows_that_are_gone(self, warehouse: Warehouse) -> None:
        old, new = build("2026-09", 1), build("2026-10", 2)
        publish_release(old, "ann", "all fine")
        publish_release(new, "ann", "all fine")
        drop_old_releases(keep=0)
        with pytest.raises(ReleaseError, match=f"the rows of release {old} are gone"):
            roll_back(old, "ann", "October is wrong")
        assert live_release() == new


class TestTheManifest:
    def test_says_what_a_release_was_made_from_and_who_approved_it(self, warehouse: Warehouse) -> None:
        release_id = build("2026-09", 2)
        publish_release(release_id, "ann", "all fine")
        path = load_settings().reports_dir / "manifests" / f"release-{release_id}.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        with transaction() as connection:
            assert read_manifest(connection, release_id) == manifest
            hashes = connection.scalars(text("SELECT sha256 FROM audit.extract")).all()
        assert [extract["sha256"] for extract in manifest["extracts"]] == hashes
        assert manifest["contracts"].keys() >= {CSC, POLICE}
        assert len(manifest["files"]["schemas/agencies/police.yaml"]) == 64
        assert manifest["model_version"] == "by hand"
        assert manifest["settings"] == {"allow_synthetic": True}
        assert manifest["counts"]["tables"]["person_event"] == 4
        assert manifest["counts"]["rows"]["events_in"] == 4
        assert manifest["code"] == code_version()
        (decision,) = manifest["decisions"]
        assert (decision["status"], decision["by"], decision["reason"]) == ("LIVE", "ann", "all fine")

    def test_keeps_every_decision(self, warehouse: Warehouse) -> None:
        old, new = build("2026-09", 1), build("2026-10", 2)
        publish_release(old, "ann", "all fine")
        publish_release(new, "ann", "all fine")
        roll_back(old, "bob", "October is wrong")
        with transaction() as connection:
            decisions = read_manifest(connection, old)["decisions"]
        assert [decision["by"] for decision in decisions] == ["ann", "bob"]

    def test_counts_expectations_by_stage(self, warehouse: Warehouse) -> None:
        release_id = build("2026-09", 1)
        with transaction() as connection:
            connection.execute(
                text("""
                    INSERT INTO audit.expectation_result (
                        run_id, stage, table_name, expectation_id, type, severity, success)
                    SELECT run_id, 'published', 'person', 'some_rule', 'rule', severity, success
                    FROM publication.release,
                         (VALUES ('critical', true), ('warning', false)) AS r (severity, success)
                """)
            )
        publish_release(release_id, "ann", "all fine")
        with transaction() as connection:
            found = read_manifest(connection, release_id)["expectations"]
        assert found == {"published": {"passed": 1, "warned": 1, "failed": 0, "noted": 0}}

    def test_holds_no_record_and_no_key(self, warehouse: Warehouse) -> None:
        release_id = build("2026-09", 1)
        with transaction() as connection:
            manifest = json.dumps(read_manifest(connection, release_id))
        assert Held(POLICE, "0").record not in manifest
        assert TEST_KEY not in manifest

    def test_without_a_repository_the_code_is_named_by_its_build(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JOINEDUP_COMMIT", "abc123")
        assert code_version() == "abc123"
