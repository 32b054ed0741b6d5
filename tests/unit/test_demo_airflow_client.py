"""Starting a run through Airflow's API: a busy database is asked again, and the run is started once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from pipelines.demo import airflow_client
from pipelines.demo.airflow_client import AirflowClient, Refused


@contextmanager
def airflow(answers: list[int]) -> Iterator[tuple[AirflowClient, list[dict[str, Any]]]]:
    """A server that answers each request to start a run with the next of these, and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/auth/token":
                return self.answer(201, {"access_token": "secret"})
            asked.append(body)
            self.answer(answers[len(asked) - 1], self.run(body["dag_run_id"]))

        def do_GET(self) -> None:
            self.answer(200, self.run(self.path.rsplit("/", 1)[1]))

        def run(self, run_id: str) -> dict[str, Any]:
            return {"dag_id": "link", "dag_run_id": run_id, "state": "queued", "conf": {"period": "2026-10"}}

        def answer(self, status: int, content: dict[str, Any]) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield AirflowClient(f"http://127.0.0.1:{server.server_port}", "ann", "secret"), asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow_client, "TRY_AGAIN_AFTER", (0.0, 0.0))


@pytest.mark.parametrize("answers", [[200], [500, 200], [500, 503, 200], [500, 409]])
def test_a_run_is_started_once_however_often_it_is_asked_for(answers: list[int]) -> None:
    with airflow(answers) as (client, asked):
        run = client.trigger("link", {"period": "2026-10"})
    assert len(asked) == len(answers)
    assert {each["dag_run_id"] for each in asked} == {run.run_id}
    assert (run.state, run.period) == ("queued", "2026-10")


@pytest.mark.parametrize(("answers", "status"), [([404], 404), ([500, 500, 500], 500)])
def test_what_will_not_pass_is_an_error(answers: list[int], status: int) -> None:
    with (
        airflow(answers) as (client, asked),
        pytest.raises(Refused, match=f"Airflow answered {status} to POST"),
    ):
        client.trigger("link", {})
    assert len(asked) == len(answers)
