"""`joinedup up`: Airflow over a warehouse that is ready, also in a home where nothing was ever done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.warehouse import Server, point_at
from typer.testing import CliRunner

from pipelines import cli
from pipelines.commands import airflow
from pipelines.warehouse.engine import dispose_engines
from pipelines.warehouse.prepare import prepared_for

pytestmark = pytest.mark.database

NAME = "joinedup_of_a_new_home"


class FakeAirflow:
    """Stands in for Airflow: notes what it found when it was started, and lets the person press Ctrl-C."""

    made: list[FakeAirflow] = []

    def __init__(self, home: Any, extra: dict[str, str] | None = None) -> None:
        self.extra, self.found_prepared, self.stopped = extra, False, False
        self.paused: dict[str, bool] = {}
        FakeAirflow.made.append(self)

    def start(self) -> None:
        self.found_prepared = prepared_for() is not None

    def wait_until_ready(self, dag_ids: list[str]) -> FakeAirflow:
        return self

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        self.paused[dag_id] = paused

    def check_alive(self) -> None:
        raise KeyboardInterrupt

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def new_home(warehouse_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A home where nothing was ever done; Airflow is a fake one."""
    point_at(monkeypatch, warehouse_server.url(NAME), tmp_path)
    monkeypatch.setattr(airflow, "AirflowServer", FakeAirflow)
    monkeypatch.setattr(airflow, "_print_login", lambda console, home: None)
    FakeAirflow.made.clear()
    yield
    dispose_engines()
    warehouse_server.run_as_superuser(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def test_the_warehouse_is_ready_before_airflow_starts(new_home: None) -> None:
    assert CliRunner().invoke(cli.app, ["up"]).exit_code == 0
    (server,) = FakeAirflow.made
    assert server.found_prepared and server.stopped
    assert server.paused == {"watch_inbox": True, "link_cutoff": True}


def test_unattended_lets_the_watchers_run(new_home: None) -> None:
    assert CliRunner().invoke(cli.app, ["up", "--unattended"]).exit_code == 0
    (server,) = FakeAirflow.made
    assert server.paused == {"watch_inbox": False, "link_cutoff": False}
    assert server.extra == {"JOINEDUP_UNATTENDED": "1"}
