"""A real scheduler: link starts once, when the last agency delivers, and again for a correction.

One story is told to Airflow from beginning to end; each test below asks about one part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import text
from support.scheduler import Airflow, running_airflow
from support.warehouse import Warehouse

from pipelines.contracts.loader import load_contracts
from pipelines.demo.airflow_client import DagRun
from pipelines.warehouse.engine import transaction

pytestmark = [pytest.mark.airflow, pytest.mark.database, pytest.mark.slow]

PERIOD, NEXT = "2026-09", "2026-10"
PEOPLE = 300


@dataclass
class Story:
    """What was seen on the way."""

    airflow: Airflow
    addresses: set[str] = field(default_factory=set)
    first: list[dict[str, str]] = field(default_factory=list)
    links_before_health: list[DagRun] = field(default_factory=list)
    last: dict[str, str] = field(default_factory=dict)
    links_after_health: list[DagRun] = field(default_factory=list)
    first_publish: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, str] = field(default_factory=dict)
    links_after_repeat: list[DagRun] = field(default_factory=list)
    corrected: dict[str, str] = field(default_factory=dict)
    links_after_correction: list[DagRun] = field(default_factory=list)
    second_publish: dict[str, str] = field(default_factory=dict)
    watched: dict[str, str] = field(default_factory=dict)
    watched_runs: list[DagRun] = field(default_factory=list)
    by_hand_without_period: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def story(module_warehouse: Warehouse) -> Iterator[Story]:
    with running_airflow(module_warehouse, PEOPLE, (PERIOD, NEXT)) as airflow:
        story = Story(airflow, addresses=listening_addresses())
        deliver_all_but_health(story)
        deliver_health(story)
        deliver_the_same_again(story)
        deliver_a_correction(story)
        leave_a_delivery_to_the_watcher(story)
        run = airflow.client.trigger("link", {})
        story.by_hand_without_period = airflow.finish(run)
        yield story


def deliver_all_but_health(story: Story) -> None:
    others = [agency for agency in load_contracts() if agency != "health"]
    story.first = [story.airflow.deliver(agency, PERIOD) for agency in others]
    story.links_before_health = story.airflow.runs_for("link", PERIOD)


def deliver_health(story: Story) -> None:
    """The link task is killed half way, and a person approves the release."""
    airflow = story.airflow
    story.last = airflow.deliver("health", PERIOD)
    link = airflow.server.wait_for_new_run("link", PERIOD, [], seconds=30)
    airflow.kill_task(link, "link")
    airflow.finish(link)
    story.first_publish = answer(airflow, [], "Approve", "two known data problems at the sources")
    story.links_after_health = airflow.runs_for("link", PERIOD)


def deliver_the_same_again(story: Story) -> None:
    story.repeated = story.airflow.deliver("health", PERIOD)
    story.links_after_repeat = story.airflow.runs_for("link", PERIOD)


def deliver_a_correction(story: Story) -> None:
    """One agency corrects its file after the period was linked, and a person rejects the release."""
    airflow = story.airflow
    known = {run.run_id for run in airflow.client.runs("publish")}
    without_last_row(airflow.extracts / "health" / "PDS_DEMOGRAPHICS_202609.csv")
    story.corrected = airflow.deliver("health", PERIOD)
    story.second_publish = answer(airflow, known, "Reject", "wait for the police's correction too")
    story.links_after_correction = airflow.runs_for("link", PERIOD)


def leave_a_delivery_to_the_watcher(story: Story) -> None:
    """Nobody starts the ingest of the next period's first delivery; the watcher looks twice."""
    airflow = story.airflow
    airflow.put_into_inbox("police", NEXT)
    airflow.client.set_paused("watch_inbox", paused=False)
    run = airflow.server.wait_for_new_run("ingest_police", NEXT, [], seconds=120)
    story.watched = airflow.finish(run)
    airflow.finish(airflow.client.trigger("watch_inbox", {}))
    airflow.client.set_paused("watch_inbox", paused=True)
    story.watched_runs = [
        each
        for agency in load_contracts()
        for each in airflow.client.runs(f"ingest_{agency}")
        if each.run_id.startswith("inbox__")
    ]


def answer(airflow: Airflow, known: Any, choice: str, reason: str) -> dict[str, str]:
    """Answer the publish run that comes, and return its task states at the end."""
    run = airflow.server.wait_for_new_run("publish", PERIOD, known, seconds=240)
    airflow.wait_for_question(run, "approve")
    airflow.client.answer_approval(run, "approve", choice, reason)
    return airflow.finish(run)


def without_last_row(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))


def listening_addresses() -> set[str]:
    """Return the addresses on which Airflow's processes listen."""
    family = psutil.Process().children(recursive=True)
    connections = [each for process in family for each in process.net_connections()]
    return {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}


def rows(query: str) -> list[tuple[Any, ...]]:
    with transaction() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_two_of_three_agencies_announce_nothing_and_link_does_not_start(story: Story) -> None:
    assert {states["announce"] for states in story.first} == {"skipped"}
    assert story.links_before_health == []


def test_link_starts_exactly_once_when_the_last_agency_delivers(story: Story) -> None:
    assert story.last["announce"] == "success"
    assert [run.state for run in story.links_after_health] == ["success"]


def test_a_link_task_that_was_killed_half_way_is_run_again_and_leaves_one_run(story: Story) -> None:
    assert rows("SELECT count(*) FROM audit.run WHERE kind = 'link' AND status = 'SUCCEEDED'") == [(2,)]
    assert rows("SELECT count(*) FROM linked.cluster WHERE run_id NOT IN (SELECT run_id FROM audit.run)") == [
        (0,)
    ]


def test_the_same_files_again_are_a_no_op_and_link_does_not_start(story: Story) -> None:
    assert set(story.repeated.values()) == {"skipped"}
    assert len(story.links_after_repeat) == 1


def test_link_starts_once_more_for_a_correction(story: Story) -> None:
    assert story.corrected["announce"] == "success"
    assert [run.state for run in story.links_after_correction] == ["success", "success"]


def test_each_start_was_announced_once_in_the_warehouse_and_once_in_airflow(story: Story) -> None:
    assert rows("SELECT period, cause FROM audit.link_request ORDER BY request_id") == [
        (PERIOD, "complete"),
        (PERIOD, "correction"),
    ]
    events = story.airflow.client.asset_events("delivered")
    assert [(event["partition_key"], event["extra"]["cause"]) for event in events] == [
        (PERIOD, "complete"),
        (PERIOD, "correction"),
    ]


def test_a_person_approves_a_release_with_warnings_and_is_recorded_with_the_reason(story: Story) -> None:
    assert story.first_publish["publish"] == story.first_publish["reports"] == "success"
    assert story.first_publish["record_rejection"] == "skipped"
    live = "SELECT approved_by, approval_reason FROM publication.release WHERE status = 'LIVE'"
    assert rows(live) == [("admin", "two known data problems at the sources")]


def test_a_rejected_release_is_recorded_and_its_run_does_not_look_like_a_success(story: Story) -> None:
    assert story.second_publish["publish"] == story.second_publish["reports"] == "skipped"
    assert story.second_publish["record_rejection"] == "failed"
    assert rows("SELECT count(*) FROM publication.release WHERE status = 'REJECTED'") == [(1,)]
    assert [run.state for run in story.airflow.runs_for("publish", PERIOD)] == ["success", "failed"]


def test_the_watcher_starts_the_ingest_of_what_stands_in_the_inbox_and_only_once(story: Story) -> None:
    assert story.watched["receive"] == story.watched["check_normalised"] == "success"
    assert story.watched["announce"] == "skipped", "the period waits for two more agencies"
    assert [(run.dag_id, run.period) for run in story.watched_runs] == [("ingest_police", NEXT)]


def test_link_by_hand_needs_a_period_and_is_not_tried_again_without(story: Story) -> None:
    assert story.by_hand_without_period == {"link": "failed", "check_linked": "upstream_failed"}


def test_airflow_listens_on_this_machine_only_and_keeps_its_password_to_itself(story: Story) -> None:
    assert story.addresses == {"127.0.0.1"}
    home = story.airflow.server.home
    assert home.passwords_file.stat().st_mode & 0o777 == 0o600
    assert home.folder.stat().st_mode & 0o777 == 0o700


def test_only_ids_passed_between_tasks(story: Story) -> None:
    allowed = (int, type(None), str)
    for run in [run for dag in ("ingest_health", "link") for run in story.airflow.client.runs(dag)]:
        for task_id in story.airflow.client.task_states(run):
            path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/xcomEntries"
            for entry in story.airflow.client.request("GET", path)["xcom_entries"]:
                value = story.airflow.client.request("GET", f"{path}/{entry['key']}")["value"]
                assert isinstance(value, allowed) and len(str(value)) <= 40, f"{task_id} {entry['key']}"
