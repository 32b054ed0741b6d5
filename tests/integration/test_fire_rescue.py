"""The fire service's delivery on its way to the shared schema: people, what happened to them, and places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ingest_files import one
from support.journey import FIRST, ingest, put_in_place
from support.warehouse import Server, fresh_warehouse

from pipelines import stages

pytestmark = pytest.mark.database


def _hurt_somebody(inbox: Path) -> None:
    """Add a casualty to an incident of the period: a small population may have none."""
    incident = (inbox / "FRS_INCIDENTS_202609.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    with (inbox / "FRS_CASUALTIES_202609.csv").open("a", encoding="utf-8") as file:
        file.write(f"C1,{incident},1,Zora,Quillfeather,41,,F,,1 Sample Street,,,Occupier,Slight\r\n")


@pytest.fixture(scope="module")
def request_made(
    warehouse_server: Server, population: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """The service's delivery through every check; no other agency has delivered yet."""
    with fresh_warehouse(warehouse_server, tmp_path_factory.mktemp("home")):
        _hurt_somebody(put_in_place(population) / "inbox" / "fire_rescue")
        stages.prepare()
        yield ingest("fire_rescue", FIRST)


def test_it_starts_no_link_while_required_agencies_are_missing(request_made: Any) -> None:
    assert request_made is None


def test_visits_and_casualties_are_people_with_an_event_each(request_made: Any) -> None:
    people = one("SELECT count(*) FROM normalised.person_record")
    assert people > 20
    assert (
        one("SELECT count(*) FROM normalised.event WHERE event_type IN ('FIRE.HFSV', 'FIRE.CASUALTY')")
        == people
    )


def test_a_casualty_has_the_day_and_the_kind_of_its_incident(request_made: Any) -> None:
    alike = one("""
        SELECT bool_and(e.event_date = p.event_date AND e.category = p.category) FROM normalised.event e
        JOIN normalised.place_event p ON p.source_event_id = e.source_event_id WHERE e.event_type = 'FIRE.CASUALTY'
    """)
    casualties = one("SELECT count(*) FROM landing.fire_rescue_casualties")
    assert casualties > 0 and alike
    assert one("SELECT count(*) FROM normalised.event WHERE event_type = 'FIRE.CASUALTY'") == casualties


def test_every_incident_is_a_place_event_and_no_incident_is_anybodys(request_made: Any) -> None:
    incidents = one("SELECT count(*) FROM landing.fire_rescue_incidents")
    assert incidents == one("SELECT count(*) FROM normalised.place_event") > 0
    assert one("SELECT count(*) FROM normalised.event WHERE event_type = 'FIRE.INCIDENT'") == 0


def test_every_row_is_accounted_for(request_made: Any) -> None:
    assert one(
        "SELECT bool_and(rows_in = rows_out + quarantined + duplicates + withheld) FROM audit.stage_report"
    )
    assert one("SELECT count(*) FROM quarantine.row WHERE 'ORPHAN' = ANY(reasons)") == 0
