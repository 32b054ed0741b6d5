"""The demo around a stand-in for Airflow: what is followed the first time, and what a second run says it skipped."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from pipelines.contracts.loader import load_contracts
from pipelines.demo.airflow_client import DagRun
from pipelines.demo.airflow_processes import AirflowError
from pipelines.demo.figures import next_steps
from pipelines.demo.run import DemoOptions, DemoSteps, run_demo
from pipelines.demo.steps import demo_options, demo_steps
from pipelines.demo.summary import DemoSummary, Expectations, Linkage
from pipelines.errors import SettingsError

AGENCIES = ("health", "police")
PERIODS = ("2026-09", "2026-10")
DONE = {"receive": "success", "announce": "success"}
WAITS = {"receive": "success", "announce": "skipped"}
KNOWN = {"receive": "skipped", "announce": "skipped"}


@dataclass
class FakeAirflow:
    """Server and client in one: a run of a DAG ends at once, with the task states that it was given."""

    states: Mapping[str, Mapping[str, str]]
    home: Any
    triggered: list[str] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    is_stopped: bool = False

    @property
    def client(self) -> FakeAirflow:
        return self

    def start(self) -> None: ...

    def stop(self) -> None:
        self.is_stopped = True

    def wait_until_ready(self, dag_ids: list[str]) -> FakeAirflow:
        return self

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        assert not paused

    def runs(self, dag_id: str) -> list[DagRun]:
        return []

    def trigger(self, dag_id: str, conf: Mapping[str, str]) -> DagRun:
        self.triggered.append(f"{dag_id} {conf['period']}")
        return DagRun(dag_id, "by hand", "queued", conf["period"])

    def wait_for_new_run(self, dag_id: str, period: str, known: Any, *, seconds: float) -> DagRun:
        self.followed.append(f"{dag_id} {period}")
        return DagRun(dag_id, "by itself", "queued", period)

    def wait_for_run(self, run: DagRun, *, seconds: float, on_change: Any) -> DagRun:
        state = "failed" if "failed" in self.task_states(run).values() else "success"
        return DagRun(run.dag_id, run.run_id, state, run.period)

    def task_states(self, run: DagRun) -> Mapping[str, str]:
        return self.states.get(run.dag_id, {})


def steps(was_done: bool, is_published: bool) -> DemoSteps:
    """Steps that do nothing, or say that they were done before."""
    found = DemoSummary(1, 2, 0.0, Linkage(1, 1, 1), [], Expectations(3, 0, 0))
    return DemoSteps(
        prepare_warehouse=lambda: "the warehouse was ready" if was_done else None,
        write_extracts=lambda tell: "the extracts were written before" if was_done else None,
        deliver=lambda period: f"{period}: the inbox held these files already" if was_done else None,
        is_published=lambda period: is_published,
        summarise=lambda: found,
    )


def run(home: Path, airflow: FakeAirflow, made: DemoSteps) -> tuple[DemoSummary, str]:
    """Return the summary, and what the demo printed."""
    output = io.StringIO()
    options = DemoOptions(100, 1, AGENCIES, PERIODS, home)
    console = Console(file=output, width=110)
    return run_demo(options, made, airflow, console), output.getvalue()  # type: ignore[arg-type]


@pytest.fixture
def logs(tmp_path: Path) -> SimpleNamespace:
    return SimpleNamespace(logs=tmp_path / "logs")


def test_the_first_run_follows_link_and_publish_of_each_period_and_skips_nothing(
    tmp_path: Path, logs: SimpleNamespace
) -> None:
    airflow = FakeAirflow({"ingest_health": WAITS, "ingest_police": DONE}, logs)
    summary, printed = run(tmp_path, airflow, steps(was_done=False, is_published=False))
    assert airflow.triggered == [f"ingest_{agency} {period}" for period in PERIODS for agency in AGENCIES]
    assert airflow.followed == [f"{dag} {period}" for period in PERIODS for dag in ("link", "publish")]
    assert summary.skipped == [] and "Skipped" not in printed
    assert json.loads((tmp_path / "demo" / "summary.json").read_text())["records"] == 2
    assert airflow.is_stopped


def test_a_second_run_links_nothing_and_says_what_it_skipped(tmp_path: Path, logs: SimpleNamespace) -> None:
    airflow = FakeAirflow({"ingest_health": KNOWN, "ingest_police": KNOWN}, logs)
    summary, printed = run(tmp_path, airflow, steps(was_done=True, is_published=True))
    assert airflow.followed == []
    assert not any(started.startswith("link") for started in airflow.triggered)
    expected = ["the warehouse was ready", "the extracts were written before"]
    for period in PERIODS:
        expected += [
            f"{period}: the inbox held these files already",
            *(f"ingest_{agency} {period}: these files were received before" for agency in AGENCIES),
            f"{period}: nothing new was delivered, so nothing was linked or published",
        ]
    assert summary.skipped == expected
    assert "Skipped, because an earlier run did it:" in printed
    assert all(line in printed for line in expected)


def test_a_demo_that_was_stopped_before_its_release_goes_on_from_there(
    tmp_path: Path, logs: SimpleNamespace
) -> None:
    airflow = FakeAirflow({"ingest_health": KNOWN, "ingest_police": KNOWN}, logs)
    run(tmp_path, airflow, steps(was_done=True, is_published=False))
    assert [each for each in airflow.triggered if each.startswith("link")] == ["link 2026-09", "link 2026-10"]
    assert airflow.followed == [f"{dag} {period}" for period in PERIODS for dag in ("link", "publish")]


def test_a_run_that_fails_ends_the_demo_with_the_task_and_its_log(
    tmp_path: Path, logs: SimpleNamespace
) -> None:
    states = {"ingest_health": WAITS, "ingest_police": DONE, "link": {"link": "failed"}}
    airflow = FakeAirflow(states, logs)
    with pytest.raises(AirflowError, match=r"link for 2026-09 failed in link; .*dag_id=link"):
        run(tmp_path, airflow, steps(was_done=False, is_published=False))
    assert airflow.is_stopped
    assert not (tmp_path / "demo").exists()


def test_printed_commands_find_the_home_of_the_demo_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = SimpleNamespace(record_a="a", record_b="b")

    def commands() -> list[str]:
        steps = list(next_steps("person", pair))
        return [command for _, command in steps if "joinedup " in command or command.endswith("make up")]

    monkeypatch.setenv("JOINEDUP_HOME", str(tmp_path / "my home"))
    assert len(commands()) == 5
    assert all(each.startswith(f"JOINEDUP_HOME='{tmp_path}/my home' ") for each in commands())
    monkeypatch.delenv("JOINEDUP_HOME")
    assert not any("JOINEDUP_HOME" in each for each in commands())


def test_extracts_are_written_and_delivered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOINEDUP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JOINEDUP_WAREHOUSE_URL", raising=False)
    made = demo_steps(demo_options(100, 1, PERIODS[:1]))
    assert made.write_extracts(lambda told: None) is None
    assert made.deliver(PERIODS[0]) is None
    inbox = tmp_path / "home" / "inbox"
    delivered = sorted(path.name for path in inbox.rglob("*.csv"))
    assert len(delivered) == sum(len(contract.files) for contract in load_contracts().values())
    assert {path.stat().st_mode & 0o777 for path in inbox.rglob("*") if path.is_file()} == {0o600}
    assert made.write_extracts(lambda told: None) == "the extracts were written before"
    assert made.deliver(PERIODS[0]) == "2026-09: the inbox held these files already"
    assert sorted(path.name for path in inbox.rglob("*") if path.is_file()) == delivered
    with pytest.raises(SettingsError, match="another population"):
        demo_steps(demo_options(100, 2, PERIODS[:1])).write_extracts(lambda told: None)
