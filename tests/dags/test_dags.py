"""The DAGs parse quickly, document themselves, and are safe to run twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts.loader import load_contracts
from pipelines.settings import PROJECT_ROOT

DAGS = PROJECT_ROOT / "dags"
SUPPORT = PROJECT_ROOT / "tests" / "support"
FILES = ("ingest.py", "link.py", "publish.py")
PARSE_SECONDS = 0.3
HEAVY = {"pandas", "sqlalchemy", "great_expectations", "pyarrow", "numpy", "recordlinkage", "psycopg"}
WATCHERS = {"watch_inbox"}

pytestmark = pytest.mark.airflow


def run_alone(script: str, argument: Path, home: Path) -> dict[str, Any]:
    """Return the JSON that a support script prints in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    ours = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(SUPPORT / script), str(argument)],
        env=kept | ours,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("airflow")


@pytest.fixture(scope="module")
def facts(airflow_home: Path) -> dict[str, Any]:
    return run_alone("dag_facts.py", DAGS, airflow_home)


@pytest.fixture(scope="module")
def dags(facts: dict[str, Any]) -> dict[str, Any]:
    return facts["dags"]


def tasks_of(dags: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(dag_id, task_id, task) for dag_id, dag in dags.items() for task_id, task in dag["tasks"].items()]


def test_every_dag_file_parses(facts: dict[str, Any]) -> None:
    assert facts["errors"] == {}


def test_there_is_one_ingest_dag_per_contract_and_nothing_unknown(dags: dict[str, Any]) -> None:
    ingest = {f"ingest_{agency}" for agency in load_contracts()}
    assert set(dags) == ingest | {"link", "publish", "link_cutoff"} | WATCHERS


def test_every_dag_documents_itself_and_can_be_found_by_tag(dags: dict[str, Any]) -> None:
    for dag_id, dag in dags.items():
        assert len(dag["doc"]) > 100, dag_id
        assert "joinedup" in dag["tags"], dag_id


def test_the_documentation_of_a_dag_names_each_of_its_tasks(dags: dict[str, Any]) -> None:
    for dag_id in ("ingest_police", "link", "publish"):
        for task_id in dags[dag_id]["tasks"]:
            assert f"`{task_id}`" in dags[dag_id]["doc"], f"{dag_id}.{task_id}"


def test_every_task_has_an_owner_and_says_what_it_does(dags: dict[str, Any]) -> None:
    for dag_id, task_id, task in tasks_of(dags):
        assert task["owner"] != "airflow", f"{dag_id}.{task_id}"
        assert task["doc"], f"{dag_id}.{task_id}"


def test_ingest_is_owned_by_whom_the_contract_names(dags: dict[str, Any]) -> None:
    for agency, contract in load_contracts().items():
        assert {task["owner"] for task in dags[f"ingest_{agency}"]["tasks"].values()} == {contract.owner}


def test_a_task_is_tried_again_after_a_pause_unless_a_person_or_the_clock_does_it(
    dags: dict[str, Any],
) -> None:
    for dag_id, task_id, task in tasks_of(dags):
        if dag_id in WATCHERS or task_id == "approve":
            assert task["retries"] == 0
        else:
            assert task["retries"] >= 2 and task["retry_seconds"] >= 10, f"{dag_id}.{task_id}"


def test_no_dag_catches_up_or_runs_twice_at_once(dags: dict[str, Any]) -> None:
    for dag_id, dag in dags.items():
        assert dag["catchup"] is False, dag_id
        assert dag["max_active_runs"] == 1, dag_id


def test_tasks_that_write_shared_state_take_turns_in_a_pool_of_one(dags: dict[str, Any]) -> None:
    pools = json.loads((DAGS / "pools.json").read_text())
    assert {pool["slots"] for pool in pools.values()} == {1}
    used = {(dag_id, task_id): task["pool"] for dag_id, task_id, task in tasks_of(dags)}
    assert used[("link", "link")] == "joinedup_link"
    assert used[("publish", "build")] == used[("publish", "publish")] == "joinedup_publish"
    assert set(used.values()) == {"default_pool", *pools}


@pytest.mark.parametrize("dag_id", ["ingest_police", "link"])
def test_a_period_must_look_like_a_period(dags: dict[str, Any], dag_id: str) -> None:
    import re

    pattern = dags[dag_id]["params"]["period"]["pattern"]
    assert re.search(pattern, "2026-09")
    assert not any(re.search(pattern, wrong) for wrong in ("2026-13", "2026-9", "September", "2026-09; drop"))


def test_only_announcements_and_checked_runs_make_asset_events(dags: dict[str, Any]) -> None:
    events = {
        (dag_id, task_id): task["outlets"] for dag_id, task_id, task in tasks_of(dags) if task["outlets"]
    }
    assert events.pop(("link", "check_linked")) == ["linked"]
    assert events.pop(("link_cutoff", "announce_overdue")) == ["delivered"]
    assert set(events) == {(f"ingest_{agency}", "announce") for agency in load_contracts()}
    assert all(outlets == ["delivered"] for outlets in events.values())


def test_link_and_publish_wait_for_partitioned_assets(dags: dict[str, Any]) -> None:
    assert dags["link"]["timetable"] == dags["publish"]["timetable"] == "PartitionedAssetTimetable"


def test_approval_is_for_named_people_ends_by_itself_and_ends_in_rejection(dags: dict[str, Any]) -> None:
    approve = dags["publish"]["tasks"]["approve"]
    assert approve["assigned_users"] == [{"id": "admin", "name": "admin"}]
    assert approve["response_seconds"] > 0
    assert approve["defaults"] == ["Reject"]


def test_no_last_task_turns_a_failed_run_into_a_success(dags: dict[str, Any]) -> None:
    for dag_id, dag in dags.items():
        not_last = {name for task in dag["tasks"].values() for name in task["upstream"]}
        for task_id in set(dag["tasks"]) - not_last:
            assert dag["tasks"][task_id]["trigger_rule"] in {"all_success", "all_skipped"}, (
                f"{dag_id}.{task_id}"
            )


@pytest.mark.parametrize("file", FILES)
def test_a_dag_file_parses_quickly_and_imports_nothing_heavy(file: str, airflow_home: Path) -> None:
    measured = run_alone("dag_parse_time.py", DAGS / file, airflow_home)
    assert not HEAVY & set(measured["imported"])
    if measured["seconds"] >= PARSE_SECONDS:  # something else had the processor: once more
        measured = run_alone("dag_parse_time.py", DAGS / file, airflow_home)
    assert measured["seconds"] < PARSE_SECONDS
