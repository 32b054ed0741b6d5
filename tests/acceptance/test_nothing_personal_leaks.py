"""Nothing personal leaks: canaries go through every path, above all the failing ones, and are then searched for.

Two stories are told once each, by the stages called directly and by a real Airflow; then what they left is searched.
Not searched is what may hold values: landing, normalised and quarantined rows, the archive and the inbox.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from support.canary import MARK, Canaries, Evidence, Population
from support.canary_airflow import collect_airflow, tell_airflow_story
from support.canary_stages import BREAKABLE, Story, collect, recorded, tell_stage_story
from support.ingest_files import one
from support.warehouse import Server, fresh_warehouse

from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction

pytestmark = [pytest.mark.database, pytest.mark.slow]

WAREHOUSE = ("audit", "quarantine reasons", "GX results", "expectation reports", "server log", "file names")
OF_STAGES = (
    *WAREHOUSE,
    *("output", "log", "errors", "link evidence", "manifests", "Data Docs", "demo summary"),
)
OF_AIRFLOW = (*WAREHOUSE, "Airflow database", "Airflow logs", "Airflow files")


@pytest.fixture(scope="class")
def stages(warehouse_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("stages")
    with fresh_warehouse(warehouse_server, folder / "home") as warehouse:
        yield tell_stage_story(warehouse, folder)


@pytest.fixture(scope="class")
def airflow(warehouse_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("airflow")
    with fresh_warehouse(warehouse_server, folder / "home") as warehouse:
        yield tell_airflow_story(warehouse, folder)


class TestStages:
    """Every stage fails in every way, is killed, and succeeds at last."""

    @pytest.mark.parametrize("place", OF_STAGES)
    def test_no_canary_is_found(self, stages: Story, place: str) -> None:
        assert stages.canaries.found_in(stages.evidence.places[place]) == []

    @pytest.mark.parametrize("place", OF_STAGES)
    def test_nobody_of_the_population_is_found(self, stages: Story, place: str) -> None:
        assert stages.population.found_in(stages.evidence.places[place]) == []

    def test_the_canaries_went_all_the_way(self, stages: Story) -> None:
        for query in (
            "SELECT count(*) FROM quarantine.row WHERE raw::text ~* :mark",
            "SELECT count(*) FROM landing.health_demographics WHERE nhs_no ~* :mark",
            "SELECT count(*) FROM normalised.person_name WHERE family ~* :mark AND given !~* :mark",
            "SELECT count(*) FROM normalised.person_name JOIN linked.cluster USING (record_id) WHERE given ~* :mark",
        ):
            assert one(query, mark=MARK) > 0, query
        assert one("SELECT count(*) FROM quarantine.row WHERE stage = 'normalise'") > 0
        assert one("SELECT count(*) FROM audit.issue_count") > 0
        assert one("SELECT count(*) FROM published.person") > 0
        failed = (
            "SELECT count(DISTINCT stage) FROM audit.expectation_result WHERE NOT success AND unexpected > 0"
        )
        assert one(failed) >= 3

    def test_every_stage_failed(self, stages: Story) -> None:
        failed = {refusal.split(":")[0] for refusal in stages.refusals}
        assert failed == set(BREAKABLE)

    def test_what_is_planted_is_found(self, stages: Story) -> None:
        home, name = load_settings().home, "find me"
        planted = {
            "audit": stages.canaries.at(name),
            "expectation reports": stages.canaries.at(name).upper(),
            "GX results": stages.canaries.at(name).lower(),
            "file names": stages.canaries.at(name),
        }
        plant_in_audit(planted["audit"])
        (home / "reports" / "expectations" / "planted.html").write_text(
            f"<b>{planted['expectation reports']}</b>"
        )
        (home / "gx" / "planted.json").write_text(f'{{"value": "{planted["GX results"]}"}}')
        (home / "archive" / f"{planted['file names']}.csv").touch()
        found = Evidence()
        collect(stages, found)
        for place in planted:
            assert [hit.split(":")[0] for hit in stages.canaries.found_in(found.places[place])] == [name], (
                place
            )


@pytest.mark.airflow
class TestAirflow:
    """Tasks fail one after the other in a real scheduler."""

    @pytest.mark.parametrize("place", OF_AIRFLOW)
    def test_no_canary_is_found(self, airflow: Story, place: str) -> None:
        assert airflow.canaries.found_in(airflow.evidence.places[place]) == []

    @pytest.mark.parametrize("place", OF_AIRFLOW)
    def test_nobody_of_the_population_is_found(self, airflow: Story, place: str) -> None:
        assert airflow.population.found_in(airflow.evidence.places[place]) == []

    def test_the_failures_stand_in_the_logs(self, airflow: Story) -> None:
        logs = airflow.evidence.places["Airflow logs"]
        for told in (
            "BAD_BYTES",
            "could not be evaluated, InvalidTextRepresentation",
            "CheckViolation [23514]",
        ):
            assert told in logs

    def test_what_is_planted_is_found(self, airflow: Story) -> None:
        folder, canary = load_settings().home / "airflow", airflow.canaries.at("find me")
        with sqlite3.connect(folder / "airflow.db") as database:
            database.execute("UPDATE dag_run SET conf = ?", (f'{{"period": "{canary}"}}',))
        (folder / "logs" / "planted.log").write_text(f"ValueError: {canary}")
        found = Evidence()
        collect_airflow(airflow, found)
        for place in ("Airflow database", "Airflow logs"):
            assert airflow.canaries.found_in(found.places[place])


def plant_in_audit(value: str) -> None:
    with transaction() as connection:
        connection.execute(
            text("UPDATE audit.stage_report SET details = jsonb_build_object('value', CAST(:value AS text))"),
            {"value": value},
        )


def test_what_is_printed_and_logged_is_recorded() -> None:
    canaries, evidence = Canaries(), Evidence()
    with recorded(evidence):
        sys.stderr.write(canaries.at("standard error") + "\n")
        os.write(1, b"%s\n" % canaries.at("descriptor 1").encode())
        logging.getLogger("some.library").info("parsing %s", canaries.at("log of a library"))
    output, log = (canaries.found_in(evidence.places[place]) for place in ("output", "log"))
    assert [hit.split(":")[0] for hit in output] == ["descriptor 1", "standard error"]
    assert [hit.split(":")[0] for hit in log] == ["log of a library"]


@pytest.mark.parametrize(
    "written",
    ["Zoë O'Neill", "o_neill,zoë", '{"a": "zo\\u00eb", "b": "O\'NEILL"}', "943 476 5919", "+447700900123"],
)
def test_people_are_found_however_they_are_written(written: str) -> None:
    names = {"zoë o neill", "o neill zoë", "zoë b o neill"}
    people = Population(frozenset({*names, "943 476 5919", "447700900123"}))
    assert people.found_in(f"row 1: {written}!")
