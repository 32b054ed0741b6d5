"""The views that analysts read: described, typed, guarded, and replaced without getting in anybody's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool
from support.people import CSC, POLICE, Delivered, Happened, Held, link_by_hand
from support.warehouse import Warehouse

from pipelines.contracts.agency import Headline
from pipelines.contracts.shared import published_tables
from pipelines.errors import ReleaseError
from pipelines.publish import headlines, views
from pipelines.publish.build import build_release
from pipelines.publish.headlines import HeadlineColumn
from pipelines.publish.swap import publish_release
from pipelines.publish.views import create_views
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

# Before a first release there is none that anything could have changed since.
EMPTY_AT_FIRST = {"person_successor", "person_change", "change_count"}
FIRE_ALARMS = HeadlineColumn(
    POLICE,
    Headline(column="arson_reports", title="It's 5% of calls", event_types=("POLICE.ARSON",), rule="count"),
)


@contextmanager
def analyst(warehouse: Warehouse) -> Iterator[Connection]:
    engine = create_engine(warehouse.url("joinedup_analyst_session"), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def live(module_warehouse: Warehouse) -> int:
    """A published release of two people."""
    with transaction() as connection:
        events = [Happened(CSC, "1", "CSC.REFERRAL", "r1", "2026-09-02")]
        run_id = link_by_hand(connection, Delivered("2026-09", [Held(CSC, "1"), Held(POLICE, "7")], events))
    release_id = build_release(run_id).release_id
    publish_release(release_id, "ann", "all fine")
    return release_id


def test_an_analyst_reads_every_view(module_warehouse: Warehouse, live: int) -> None:
    with analyst(module_warehouse) as connection:
        for name in published_tables():
            rows = connection.scalar(text(f"SELECT count(*) FROM published.{name} WHERE release_id = {live}"))
            assert (rows == 0) == (name in EMPTY_AT_FIRST)


def test_an_analyst_cannot_read_the_stored_releases(module_warehouse: Warehouse, live: int) -> None:
    for name in [*published_tables(), "release", "current_release"]:
        with (
            analyst(module_warehouse) as connection,
            pytest.raises(ProgrammingError, match="permission denied|42501"),
        ):
            connection.execute(text(f"SELECT * FROM publication.{name}"))


def test_every_view_and_column_has_a_comment_and_a_barrier(module_warehouse: Warehouse, live: int) -> None:
    with analyst(module_warehouse) as connection:
        bare = connection.scalars(
            text("""
                SELECT c.relname || '.' || a.attname
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0
                WHERE c.relnamespace = 'published'::regnamespace
                  AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)
            """)
        ).all()
        barriers = connection.execute(
            text("SELECT relkind, reloptions FROM pg_class WHERE relnamespace = 'published'::regnamespace")
        ).all()
    assert bare == []
    assert len(barriers) == len(published_tables())
    assert {(row.relkind, tuple(row.reloptions)) for row in barriers} == {("v", ("security_barrier=true",))}


def test_every_row_says_its_release_and_as_of_date(module_warehouse: Warehouse, live: int) -> None:
    with analyst(module_warehouse) as connection:
        for name in published_tables():
            rows = connection.execute(
                text(f"SELECT DISTINCT release_id, as_of::text FROM published.{name}")
            ).all()
            expected = [] if name in EMPTY_AT_FIRST else [(live, "2026-09-30")]
            assert [tuple(row) for row in rows] == expected


def test_headline_columns_have_the_type_of_their_rule(module_warehouse: Warehouse, live: int) -> None:
    with analyst(module_warehouse) as connection:
        types = dict(
            connection.execute(
                text("""
                    SELECT column_name, data_type FROM information_schema.columns
                    WHERE table_schema = 'published' AND table_name = 'linked_person'
                """)
            ).all()
        )
    for column in headlines.headline_columns():
        assert types[column.name] == column.type
    assert types["police_records"] == "integer"


def test_a_column_of_the_view_is_declared_or_a_headline(module_warehouse: Warehouse, live: int) -> None:
    with analyst(module_warehouse) as connection:
        for name, table in published_tables().items():
            found = list(connection.execute(text(f"SELECT * FROM published.{name} LIMIT 0")).keys())
            assert found == [column.name for column in views.view_columns(table)]


def test_making_the_views_again_changes_nothing(module_warehouse: Warehouse, live: int) -> None:
    assert create_views() == []


def test_a_new_headline_in_front_of_others_changes_one_view(
    module_warehouse: Warehouse, live: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [FIRE_ALARMS, *headlines.headline_columns()]
    monkeypatch.setattr(views, "headline_columns", lambda: columns)
    assert create_views() == ["linked_person"]
    with analyst(module_warehouse) as connection:
        found = connection.execute(
            text("SELECT known_to_police, arson_reports FROM published.linked_person")
        ).all()
    assert {row.arson_reports for row in found} == {None}, "the live release was built before"
    monkeypatch.undo()
    assert create_views() == ["linked_person"], "and back"


def test_unchanged_views_are_not_touched_while_somebody_reads(module_warehouse: Warehouse, live: int) -> None:
    with analyst(module_warehouse) as reader:
        reader.execute(text("SELECT * FROM published.linked_person"))
        assert create_views() == []


def test_a_changed_view_waits_for_a_reader_and_then_gives_up(
    module_warehouse: Warehouse, live: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [*headlines.headline_columns(), FIRE_ALARMS]
    monkeypatch.setattr(views, "headline_columns", lambda: columns)
    monkeypatch.setattr(views, "LOCK_TIMEOUT", "200ms")
    monkeypatch.setattr(views, "PAUSE_SECONDS", 0.1)
    with analyst(module_warehouse) as reader:
        reader.execute(text("SELECT * FROM published.linked_person"))
        with pytest.raises(ReleaseError, match="readers hold it open"):
            create_views()
        assert reader.scalar(text("SELECT count(*) FROM published.linked_person")) == 2
    assert create_views() == ["linked_person"]
    monkeypatch.undo()
    create_views()


def test_a_function_in_a_query_sees_no_row_of_another_release(module_warehouse: Warehouse, live: int) -> None:
    """A cheap function that tells what it saw is not run before the view has chosen its rows."""
    with transaction() as connection:
        run_id = link_by_hand(connection, Delivered("2026-10", [Held(CSC, "1"), Held(POLICE, "8")]))
    build_release(run_id)
    with transaction() as connection:
        connection.execute(
            text("""
                CREATE FUNCTION published.tell(seen bigint) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
                $$ BEGIN RAISE NOTICE 'saw release %', seen; RETURN true; END $$
            """)
        )
        connection.execute(text("GRANT EXECUTE ON FUNCTION published.tell(bigint) TO joinedup_analyst"))
    told: list[str] = []
    with analyst(module_warehouse) as connection:
        connection.connection.driver_connection.add_notice_handler(
            lambda notice: told.append(notice.message_primary)
        )
        connection.execute(text("SELECT * FROM published.person WHERE published.tell(release_id)"))
    assert set(told) == {f"saw release {live}"}
