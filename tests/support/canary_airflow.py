"""The second story: canaries through a real Airflow, where one task after the other fails on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.canary import Evidence, population_of
from support.canary_files import PERIOD, bad_byte, write_delivery, write_expectations, write_flawed
from support.canary_stages import AGENCIES, Story, break_table, collect, mend_table
from support.scheduler import Airflow, running_airflow
from support.warehouse import Warehouse

from pipelines.demo.airflow_client import DagRun
from pipelines.settings import load_settings

PEOPLE = 150
LANDING_RULE = ("landing", "childrens_services_person", "pers_surname")
NORMALISED_RULE = ("normalised", "person_name", "family_raw")


def tell_airflow_story(warehouse: Warehouse, folder: Path) -> Story:
    """Return what Airflow and the stages left after tasks failed on canaries."""
    story, expectations = Story(warehouse, folder), folder / "expectations"
    write_expectations(expectations, LANDING_RULE, NORMALISED_RULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOINEDUP_EXPECTATIONS_DIR", str(expectations))
        with running_airflow(warehouse, PEOPLE, (PERIOD,)) as airflow:
            story.population = population_of(airflow.extracts, (PERIOD,))
            fail_in_ingest(story, airflow)
            write_expectations(expectations)
            fail_in_link(story, airflow)
    collect(story, story.evidence)
    collect_airflow(story, story.evidence)
    return story


def fail_in_ingest(story: Story, airflow: Airflow) -> None:
    """Fail each task of ingest: a refused file, checks that cannot be made, rows that the database refuses."""
    write_flawed(story.canaries, airflow.extracts, "health", story.inbox("health"), bad_byte)
    for agency in (each for each in AGENCIES if each != "health"):
        write_delivery(story.canaries, airflow.extracts, agency, story.inbox(agency))
    # Only the police send aliases; PostgreSQL repeats the row that breaks the rule.
    story.database("ALTER TABLE normalised.person_name ADD CONSTRAINT broken CHECK (name_type <> 'ALIAS')")
    runs = {agency: start(airflow, agency) for agency in AGENCIES}
    assert airflow.finish(runs["health"])["receive"] == "failed"
    write_delivery(story.canaries, airflow.extracts, "health", story.inbox("health"))
    again = start(airflow, "health")
    assert airflow.finish(runs["childrens_services"])["check_landing"] == "failed"
    assert airflow.finish(again)["check_normalised"] == "failed"
    assert airflow.finish(runs["police"])["normalise"] == "failed"
    for run in runs.values():
        airflow.finish(run)
    story.database("ALTER TABLE normalised.person_name DROP CONSTRAINT broken")


def fail_in_link(story: Story, airflow: Airflow) -> None:
    """Ingest what failed again, and fail the tasks that come after."""
    break_table(story, "linked.edge", "link")
    for run in [start(airflow, agency) for agency in AGENCIES]:
        assert airflow.finish(run)["announce"] in ("success", "skipped")
    link = airflow.server.wait_for_new_run("link", PERIOD, [], seconds=60)
    assert airflow.finish(link)["link"] == "failed"
    mend_table(story, "linked.edge")
    break_table(story, "publication.person", "build")
    airflow.client.trigger("link", {"period": PERIOD})
    publish = airflow.server.wait_for_new_run("publish", PERIOD, [], seconds=120)
    assert airflow.finish(publish)["build"] == "failed"
    mend_table(story, "publication.person")


def start(airflow: Airflow, agency: str) -> DagRun:
    return airflow.client.trigger(f"ingest_{agency}", {"period": PERIOD})


def collect_airflow(story: Story, evidence: Evidence) -> None:
    """Add what Airflow wrote: its database with all XComs, the logs of tasks and components, and the rest."""
    airflow = load_settings().home / "airflow"
    evidence.add_files("Airflow database", airflow, "airflow.db*")
    evidence.add_files("Airflow logs", airflow / "logs")
    evidence.add_files("Airflow files", airflow, "*.json")
    evidence.add_files("Airflow files", airflow / "config")
