"""Building a release: beside the live one, the same when it is done again, nothing left behind when it fails."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from support.people import CSC, HEALTH, POLICE, Delivered, Happened, Held, link_by_hand, pseudonym_of
from support.warehouse import Warehouse

from pipelines.errors import LinkageError, ReleaseError
from pipelines.identity.people import assign_people
from pipelines.publish.build import BuiltRelease, build_release
from pipelines.publish.swap import publish_release
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database


def build(delivered: Delivered) -> BuiltRelease:
    with transaction() as connection:
        run_id = link_by_hand(connection, delivered)
    return build_release(run_id)


def published(view: str) -> list[dict[str, Any]]:
    with transaction() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM published.{view}")).mappings()]


class TestBuilding:
    DELIVERED = (
        [Held(CSC, "1", sex="F"), Held(POLICE, "1", sex="F")],
        [Happened(CSC, "1", "CSC.REFERRAL", "r1", "2026-09-02")],
    )

    def content(self, release_id: int) -> list[Any]:
        tables = ("person", "person_event", "linked_person", "agency_overlap", "data_currency")
        with transaction() as connection:
            return [
                sorted(
                    map(
                        str,
                        connection.execute(
                            text(f"SELECT * FROM publication.{table} WHERE release_id = :r"),
                            {"r": release_id},
                        ),
                    )
                )
                for table in tables
            ]

    def test_again_gives_the_same_release(self, warehouse: Warehouse) -> None:
        with transaction() as connection:
            run_id = link_by_hand(connection, Delivered("2026-09", *self.DELIVERED))
        first = build_release(run_id)
        before = self.content(first.release_id)
        assert build_release(run_id) == first
        assert self.content(first.release_id) == before

    def test_again_after_publishing_leaves_the_live_release_alone(self, warehouse: Warehouse) -> None:
        built = build(Delivered("2026-09", *self.DELIVERED))
        publish_release(built.release_id, "ann", "all fine")
        with transaction() as connection:
            link_run_id = connection.scalar(text("SELECT link_run_id FROM publication.release"))
        again = build_release(int(link_run_id or 0))
        assert again.release_id > built.release_id
        assert published("person")[0]["release_id"] == built.release_id

    def test_an_earlier_run_is_built_from_what_was_believed_then(self, warehouse: Warehouse) -> None:
        held = self.DELIVERED[0]
        with transaction() as connection:
            first = link_by_hand(connection, Delivered("2026-09", held))
            link_by_hand(connection, Delivered("2026-10", held, people=[held]))
        assert build_release(first).tables["person"] == 2

    def test_nothing_is_left_behind_when_it_fails(self, warehouse: Warehouse) -> None:
        with transaction() as connection:
            run_id = link_by_hand(connection, Delivered("2026-09", *self.DELIVERED), assign=False)
        with pytest.raises(ReleaseError, match="no people to publish"):
            build_release(run_id)
        with transaction() as connection:
            assert connection.scalar(text("SELECT count(*) FROM publication.release")) == 0
            assign_people(connection, run_id)
        assert build_release(run_id).tables["person"] == 2

    def test_needs_a_linkage_run(self, warehouse: Warehouse) -> None:
        with pytest.raises(LinkageError, match="run 99 is not a linkage run"):
            build_release(99)

    def test_is_not_in_the_way_of_readers(self, warehouse: Warehouse) -> None:
        live = build(Delivered("2026-09", *self.DELIVERED))
        publish_release(live.release_id, "ann", "all fine")
        build(Delivered("2026-10", [Held(HEALTH, "5")]))
        assert {row["person_pseudonym"] for row in published("person")} == {
            pseudonym_of(held) for held in self.DELIVERED[0]
        }
