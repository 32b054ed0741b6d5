"""What a release says about people, from what their records say."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from support.people import CSC, HEALTH, POLICE, Delivered, Happened, Held, link_by_hand
from support.warehouse import Warehouse

from pipelines.publish.build import BuiltRelease, build_release
from pipelines.publish.swap import publish_release
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def nothing_live(module_warehouse: Warehouse) -> None:
    """Each test begins with nothing live: they publish September and October in turn, and a release does not go back."""
    with transaction() as connection:
        connection.execute(text("UPDATE publication.current_release SET release_id = NULL"))
        connection.execute(text("UPDATE publication.release SET status = 'SUPERSEDED' WHERE status = 'LIVE'"))


def build(delivered: Delivered) -> BuiltRelease:
    with transaction() as connection:
        run_id = link_by_hand(connection, delivered)
    return build_release(run_id)


def published(view: str) -> list[dict[str, Any]]:
    with transaction() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM published.{view}")).mappings()]


def the_person(*records: Held, events: tuple[Happened, ...] = (), **more: Any) -> dict[str, Any]:
    """What is published of a person with these records, in September 2026."""
    delivered = Delivered("2026-09", records, events, people=[records], **more)
    publish_release(build(delivered).release_id, "ann", "all fine")
    return published("person")[0]


def the_headlines(*events: Happened) -> dict[str, Any]:
    held = [Held(agency, "1") for agency in (CSC, HEALTH, POLICE)]
    delivered = Delivered("2026-09", held, events, people=[held])
    publish_release(build(delivered).release_id, "ann", "all fine")
    return published("linked_person")[0]


class TestThePerson:
    def test_has_the_month_of_the_most_precise_birth_date(self, module_warehouse: Warehouse) -> None:
        person = the_person(
            Held(CSC, "1", born="2014-03-05"),
            Held(HEALTH, "1", born="2013-01-01", precision="YEAR"),
            Held(POLICE, "1", born="2012-01-01", precision="YEAR"),
        )
        assert (person["birth_month"], person["birth_year"]) == (date(2014, 3, 1), 2014)

    def test_has_the_birth_date_that_most_records_give(self, module_warehouse: Warehouse) -> None:
        born = ["2014-03-05", "2014-05-03", "2014-05-03"]
        person = the_person(*(Held(POLICE, str(number), born=day) for number, day in enumerate(born)))
        assert person["birth_month"] == date(2014, 5, 1)

    def test_has_a_birth_year_alone_when_no_more_is_known(self, module_warehouse: Warehouse) -> None:
        person = the_person(Held(POLICE, "1", born="1990-01-01", precision="YEAR"))
        assert (person["birth_month"], person["birth_year"]) == (None, 1990)

    def test_has_no_birth_date_from_a_systems_filler(self, module_warehouse: Warehouse) -> None:
        person = the_person(Held(POLICE, "1", born="1900-01-01", precision="DEFAULT"))
        assert (person["birth_month"], person["birth_year"]) == (None, None)

    @pytest.mark.parametrize(
        ("said", "sex"),
        [(["F", "F", "M"], "F"), (["F", "M"], "U"), (["U", "U", "M"], "M"), (["I", "U"], "I"), (["U"], "U")],
    )
    def test_has_the_sex_that_most_records_give(
        self, module_warehouse: Warehouse, said: list[str], sex: str
    ) -> None:
        assert the_person(*(Held(POLICE, str(n), sex=one) for n, one in enumerate(said)))["sex"] == sex

    @pytest.mark.parametrize(
        ("said", "group"),
        [
            ([("ASIAN", "OBSERVED"), ("ASIAN", "OBSERVED"), ("WHITE", "SELF")], "WHITE"),
            ([("NOT_STATED", "SELF"), ("BLACK", "OBSERVED")], "BLACK"),
            ([("NOT_KNOWN", "UNKNOWN"), ("NOT_STATED", "SELF")], "NOT_STATED"),
            ([("MIXED", "SELF"), ("WHITE", "SELF"), ("MIXED", "SELF")], "MIXED"),
        ],
    )
    def test_has_the_ethnic_group_it_stated_before_the_observed_one(
        self, module_warehouse: Warehouse, said: list[tuple[str, str]], group: str
    ) -> None:
        held = [Held(POLICE, str(n), ethnic=one, basis=basis) for n, (one, basis) in enumerate(said)]
        assert the_person(*held)["ethnic_group"] == group

    def test_has_the_latest_home_postcode(self, module_warehouse: Warehouse) -> None:
        person = the_person(
            Held(CSC, "1", outward="NS1", since="2021-01-01"),
            Held(HEALTH, "1", outward="NS2", since="2025-06-01"),
            Held(POLICE, "1", outward="NS3"),
            Held(POLICE, "2", outward="NS4", since="2026-12-01"),
            Held(POLICE, "3", outward="NS5", since="2026-01-01", address_type="WORK"),
            Held(POLICE, "4", outward="ZZ9", since="2026-02-01", postcode_status="NFA"),
        )
        assert person["outward_postcode"] == "NS2"

    def test_names_the_agencies_and_what_holds_it_together(self, module_warehouse: Warehouse) -> None:
        held = [Held(POLICE, "1"), Held(CSC, "1"), Held(POLICE, "2")]
        person = the_person(*held, contested=[held[0]], probability=0.993)
        assert person["agencies"] == [CSC, POLICE]
        assert (person["agency_count"], person["record_count"]) == (2, 3)
        assert (person["weakest_link_probability"], person["is_contested"]) == (0.993, True)

    def test_is_seen_from_the_first_event_or_period_to_the_last(self, module_warehouse: Warehouse) -> None:
        event = Happened(CSC, "1", "CSC.REFERRAL", "r1", "2024-02-03")
        person = the_person(Held(CSC, "1"), events=(event,))
        assert (person["first_seen"], person["last_seen"]) == (date(2024, 2, 3), date(2026, 9, 30))


class TestTheHeadlines:
    def test_of_a_person_without_events_are_no_and_zero_and_empty(self, module_warehouse: Warehouse) -> None:
        found = the_headlines()
        assert (found["known_to_police"], found["police_records"]) == (True, 1)
        assert found["open_child_in_need_episode"] is False
        assert found["child_in_need_episodes"] == found["emergency_attendances_last_year"] == 0
        assert found["latest_emergency_attendance"] is None

    @pytest.mark.parametrize(
        ("day", "until", "is_open"),
        [
            ("2026-08-01", None, True),
            ("2026-08-01", "2026-10-01", True),
            ("2026-08-01", "2026-09-30", False),
            ("2026-08-01", "2026-09-01", False),
            ("2026-10-01", None, False),
        ],
    )
    def test_an_episode_is_open_until_the_day_it_ends(
        self, module_warehouse: Warehouse, day: str, until: str | None, is_open: bool
    ) -> None:
        found = the_headlines(Happened(CSC, "1", "CSC.REFERRAL", "r1", day, until))
        assert found["open_child_in_need_episode"] is is_open

    @pytest.mark.parametrize(("day", "times"), [("2025-09-30", 0), ("2025-10-01", 1), ("2026-09-30", 1)])
    def test_the_last_year_ends_on_the_as_of_date(
        self, module_warehouse: Warehouse, day: str, times: int
    ) -> None:
        found = the_headlines(Happened(HEALTH, "1", "NHS.ED_ATTENDANCE", "a1", day))
        assert found["emergency_attendances_last_year"] == times
        assert found["latest_emergency_attendance"] == date.fromisoformat(day)

    def test_count_and_latest_take_all_named_event_types(self, module_warehouse: Warehouse) -> None:
        found = the_headlines(
            Happened(POLICE, "1", "POLICE.MISSING", "o1", "2020-01-01"),
            Happened(POLICE, "1", "POLICE.MISSING", "o2", "2021-01-01"),
            Happened(POLICE, "1", "POLICE.WITNESS", "o3", "2022-01-01"),
        )
        assert found["police_missing_reports"] == 2
        assert found["latest_police_contact"] == date(2022, 1, 1)


class TestTheTimeline:
    def test_the_latest_extract_has_the_last_word_about_an_event(self, module_warehouse: Warehouse) -> None:
        held = Held(HEALTH, "1")
        first = Delivered("2026-09", [held], [Happened(HEALTH, "1", "MH.REFERRAL", "m1", "2026-09-02")])
        build(first)
        second = Delivered(
            "2026-10",
            [held],
            [Happened(HEALTH, "1", "MH.REFERRAL", "m1", "2026-09-02", until="2026-10-05")],
            earlier_extracts=[first.extract_ids[HEALTH]],
        )
        built = build(second)
        publish_release(built.release_id, "ann", "all fine")
        assert [event["event_end_date"] for event in published("person_event")] == [date(2026, 10, 5)]
        counts = built.counts
        assert (counts.events_in, counts.events_published, counts.events_duplicate) == (2, 1, 1)

    def test_a_category_is_shared_only_where_the_contract_says_so(self, module_warehouse: Warehouse) -> None:
        the_headlines(
            Happened(CSC, "1", "CSC.REFERRAL", "r1", "2026-09-02", category="N1"),
            Happened(POLICE, "1", "POLICE.WITNESS", "o1", "2026-09-02", category="BURGLARY"),
        )
        assert {row["event_type"]: row["category"] for row in published("person_event")} == {
            "CSC.REFERRAL": "N1",
            "POLICE.WITNESS": None,
        }

    def test_events_of_unlinked_records_and_of_the_future_are_counted_and_left_out(
        self, module_warehouse: Warehouse
    ) -> None:
        counts = build(
            Delivered(
                "2026-09",
                [Held(POLICE, "1")],
                [
                    Happened(POLICE, "1", "POLICE.WITNESS", "o1", "2026-09-02"),
                    Happened(POLICE, "1", "POLICE.WITNESS", "o2", "2026-10-02"),
                    Happened(POLICE, "gone", "POLICE.WITNESS", "o3", "2026-09-02"),
                ],
            )
        ).counts
        assert (counts.events_in, counts.events_published) == (3, 1)
        assert (counts.events_after_as_of, counts.events_not_linked) == (1, 1)


class TestTheSmallTables:
    def test_overlap_shows_rounded_counts_and_withholds_small_ones(self, module_warehouse: Warehouse) -> None:
        police = [Held(POLICE, str(n)) for n in range(23)]
        health = [Held(HEALTH, str(n)) for n in range(14)]
        pairs = [[police[n], health[n]] for n in range(2)]
        publish_release(
            build(Delivered("2026-09", [*police, *health], people=pairs)).release_id, "ann", "fine"
        )
        found = {
            tuple(row["agencies"]): (row["people"], row["is_suppressed"])
            for row in published("agency_overlap")
        }
        assert found == {(HEALTH,): (None, True), (POLICE,): (20, False), (HEALTH, POLICE): (None, True)}

    def test_currency_says_when_an_older_delivery_stands_in(self, module_warehouse: Warehouse) -> None:
        first = Delivered("2026-09", [Held(CSC, "1"), Held(POLICE, "1")])
        build(first)
        second = Delivered("2026-10", [Held(CSC, "1")], delivery_ids=[first.delivery_ids[1]])
        second.earlier_extracts = [first.extract_ids[POLICE]]
        second.people = [[Held(CSC, "1")], [Held(POLICE, "1")]]
        publish_release(build(second).release_id, "ann", "all fine")
        found = {
            row["agency"]: (row["period"], row["is_carried_forward"], row["records"])
            for row in published("data_currency")
        }
        assert found == {CSC: ("2026-10", False, 1), POLICE: ("2026-09", True, 1)}
        assert {row["as_of"] for row in published("data_currency")} == {date(2026, 10, 31)}
