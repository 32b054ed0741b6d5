"""An agency that nobody has heard of goes through every stage by its contract alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from support.ingest_files import one
from support.journey import AGENCIES, FIRST, ingest, link, publish, put_in_place
from support.new_agency import AGENCY, with_new_agency, write_delivery
from support.warehouse import Server, fresh_warehouse

from pipelines import stages
from pipelines.publish.dictionary import render_dictionary
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class World:
    """What came of the delivery: the link requests, the releases, how many people were shared."""

    shared: int
    others: dict[str, Any]
    own: dict[str, Any]


@pytest.fixture(scope="module")
def world(
    warehouse_server: Server, population: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A period of the known agencies, complete without the new one; then the new one's delivery, published."""
    folder = tmp_path_factory.mktemp("new agency")
    with fresh_warehouse(warehouse_server, folder / "home"), with_new_agency(folder):
        home = put_in_place(population)
        shared = write_delivery(home / "inbox", FIRST)
        stages.prepare()
        others = [ingest(agency, FIRST, checked=False) for agency in AGENCIES][-1]
        own = ingest(AGENCY, FIRST)
        release_id = publish(link(FIRST))
        stages.write_reports(release_id)
        yield World(shared, others or {}, own or {})


def rows(query: str) -> list[Any]:
    with transaction() as connection:
        return list(connection.execute(text(query)).all())


def test_links_do_not_wait_for_an_optional_agency_and_take_its_delivery_in_afterwards(world: World) -> None:
    assert (world.others["cause"], world.own["cause"]) == ("complete", "correction")


def test_every_row_of_it_is_landed_and_normalised(world: World) -> None:
    found = rows(
        f"SELECT stage, file, rows_in, rows_out FROM audit.stage_report WHERE agency = '{AGENCY}' ORDER BY 1, 2"
    )
    assert {(stage, file): (rows_in, rows_out) for stage, file, rows_in, rows_out in found} == {
        (stage, file): (world.shared + own, world.shared + own)
        for stage in ("ingest", "normalise")
        for file, own in (("young_people", 3), ("orders", 2))
    }


def test_what_its_contract_says_was_checked_at_every_stage(world: World) -> None:
    checked = rows(
        "SELECT DISTINCT expectation_id FROM audit.expectation_result WHERE success AND evaluated > 0"
        f" AND (agency = '{AGENCY}' OR expectation_id LIKE '{AGENCY}%')"
    )
    assert {
        "rows_are_plausible",
        "born_is_in_the_declared_format",
        "made_is_filled",
        "mostly_known_to_the_day_elsewhere",
        f"{AGENCY}_without_a_link",
    } <= {row[0] for row in checked}


def test_its_people_are_joined_to_those_whom_others_know(world: World) -> None:
    joined = one(
        f"SELECT count(*) FROM published.person WHERE '{AGENCY}' = ANY(agencies) AND agency_count > 1"
    )
    assert joined >= world.shared * 0.9


def test_its_headlines_are_columns_of_the_joined_view(world: World) -> None:
    known, open_orders, records = rows(
        "SELECT count(*) FILTER (WHERE known_to_youth_justice), count(*) FILTER (WHERE open_order),"
        f" sum({AGENCY}_records) FROM published.linked_person"
    )[0]
    assert known == one(f"SELECT count(*) FROM published.person WHERE '{AGENCY}' = ANY(agencies)")
    assert 0 < open_orders < known
    assert records == world.shared + 3


def test_its_events_stand_on_the_timeline_and_its_combinations_in_the_overlap(world: World) -> None:
    events = rows(
        "SELECT category, count(*) FROM published.person_event WHERE event_type = 'YJS.ORDER' GROUP BY 1"
    )
    assert dict(map(tuple, events)) == {"REFERRAL_ORDER": 2, "YOUTH_CAUTION": world.shared}
    combinations = one(f"SELECT count(*) FROM published.agency_overlap WHERE '{AGENCY}' = ANY(agencies)")
    assert combinations == 2 ** len(AGENCIES)  # it alone, and with every set of the others
    assert one(f"SELECT period FROM published.data_currency WHERE agency = '{AGENCY}'") == FIRST


def test_its_columns_are_in_the_data_dictionary(world: World) -> None:
    dictionary = render_dictionary()
    assert "`known_to_youth_justice`" in dictionary
    assert "Records that Youth justice service holds" in dictionary


def test_its_checks_are_in_the_reports_under_its_title(world: World) -> None:
    pages = (load_settings().reports_dir / "expectations").rglob("*.html")
    assert any("Youth justice service" in page.read_text(encoding="utf-8") for page in pages)
