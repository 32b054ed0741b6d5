"""What happened at a property is told of a person only where the person certainly lives there, and lived there then.

Nine homes had an incident on 10 September 2026. Each home has people of whom the records say something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, text
from support.people import HEALTH, POLICE, Delivered, Happened, Held, link_by_hand, pseudonym_of
from support.warehouse import Server, fresh_warehouse

from pipelines.publish.build import BuiltRelease, build_release
from pipelines.publish.places import LARGEST_HOUSEHOLD
from pipelines.publish.swap import publish_release
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

FIRE = "fire_rescue"
DAY = "2026-09-10"
AT_HOME = "FIRE.INCIDENT_AT_HOME"


@dataclass(frozen=True)
class Home:
    """Where a record says that its person lives: the property and, in words, since when and until when."""

    held: Held
    uprn: str | None
    postcode: str = "BD1 1AA"
    until: str | None = None


def lives(name: str, uprn: str | None, since: str | None = "2025-01-01", **more: str) -> Home:
    held = Held(
        more.get("agency", POLICE), name, outward="BD1", since=since, protection=more.get("protection")
    )
    return Home(held, uprn, more.get("postcode", "BD1 1AA"), more.get("until"))


HOMES = [
    lives("lives there", "1"),
    lives("knows no property number", None),
    lives("came after it", "2", since="2026-09-20"),
    lives("left before", "3", until="2026-01-01"),
    lives("has moved since", "4"),
    lives("says where now", None, agency=HEALTH, since="2026-03-01", postcode="BD9 9ZZ"),
    lives("must not be found", "5", protection="RESTRICTED"),
    lives("nobody knows since when", "6", since=None),
    lives("lives elsewhere", "999"),
    lives("was hurt elsewhere", "998", agency=FIRE),
    *(lives(f"hostel {number}", "7") for number in range(LARGEST_HOUSEHOLD + 1)),
    *(lives(f"large family {number}", "8") for number in range(LARGEST_HOUSEHOLD)),
]
BY_NAME = {home.held.local_id: home.held for home in HOMES}
HURT = BY_NAME["was hurt elsewhere"]


def write_places(connection: Connection, delivered: Delivered) -> None:
    """Say where the records' people live, and what happened where; the last incident has no property number."""
    for home in HOMES:
        connection.execute(
            text("""
                UPDATE normalised.person_address SET uprn = :uprn, postcode = :postcode, valid_to = CAST(:until AS date)
                WHERE record_id = :record
            """),
            {"uprn": home.uprn, "postcode": home.postcode, "until": home.until, "record": home.held.record},
        )
    for number, uprn in enumerate([*"12345678", None], 1):
        connection.execute(
            text("""
                INSERT INTO normalised.place_event (extract_id, row_number, place_event_id, agency, event_type,
                    source_event_id, event_date, category, uprn)
                VALUES (:extract, :number, gen_random_uuid(), 'fire_rescue', 'FIRE.INCIDENT', :source,
                    CAST(:day AS date), 'Fire', :uprn)
            """),
            {
                "extract": delivered.extract_ids[FIRE],
                "number": 100 + number,
                "source": f"I{number}",
                "day": DAY,
                "uprn": uprn,
            },
        )


@pytest.fixture(scope="module")
def release(warehouse_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltRelease]:
    moved = [BY_NAME["has moved since"], BY_NAME["says where now"]]
    hurt = Happened(FIRE, HURT.local_id, "FIRE.CASUALTY", "I9", DAY, category="Fire")
    alone = [[home.held] for home in HOMES if home.held not in moved]
    with fresh_warehouse(warehouse_server, tmp_path_factory.mktemp("home")):
        with transaction() as connection:
            delivered = Delivered("2026-09", [home.held for home in HOMES], [hurt], people=[moved, *alone])
            run_id = link_by_hand(connection, delivered)
            write_places(connection, delivered)
        built = build_release(run_id)
        publish_release(built.release_id, "ann", "all fine")
        yield built


def events() -> dict[str, list[str]]:
    """The types of the published events, by person."""
    query = "SELECT person_pseudonym, event_type FROM published.person_event ORDER BY event_type"
    found: dict[str, list[str]] = {}
    with transaction() as connection:
        for person, kind in connection.execute(text(query)):
            found.setdefault(person, []).append(kind)
    return found


def test_who_lives_there_has_the_incident(release: BuiltRelease) -> None:
    assert events()[pseudonym_of(BY_NAME["lives there"])] == [AT_HOME]


@pytest.mark.parametrize(
    "name",
    [
        "knows no property number",
        "came after it",
        "left before",
        "has moved since",
        "must not be found",
        "nobody knows since when",
        "lives elsewhere",
        "hostel 0",
    ],
)
def test_nobody_else_has_it(release: BuiltRelease, name: str) -> None:
    assert pseudonym_of(BY_NAME[name]) not in events()


def test_everybody_of_a_household_has_it_however_large(release: BuiltRelease) -> None:
    family = [pseudonym_of(BY_NAME[f"large family {number}"]) for number in range(LARGEST_HOUSEHOLD)]
    assert all(events()[person] == [AT_HOME] for person in family)
    assert release.counts.events_at_home == LARGEST_HOUSEHOLD + 1


def test_a_named_casualty_has_the_event_wherever_it_was(release: BuiltRelease) -> None:
    assert events()[pseudonym_of(HURT)] == ["FIRE.CASUALTY"]


def test_the_joined_view_counts_incidents_at_home(release: BuiltRelease) -> None:
    query = "SELECT sum(fire_service_incidents_at_home_last_year) FROM published.linked_person"
    with transaction() as connection:
        assert connection.scalar(text(query)) == release.counts.events_at_home


def test_incidents_and_people_of_the_release_still_balance(release: BuiltRelease) -> None:
    counts = release.counts
    assert counts.events_in == counts.events_published == 1
