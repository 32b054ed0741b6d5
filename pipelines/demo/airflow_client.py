"""A small client of Airflow's REST API: start runs, wait for them, see what they did."""

from __future__ import annotations

import http
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

from pipelines.demo.airflow_processes import AirflowError

FINISHED = frozenset({"success", "failed"})
REQUEST_SECONDS = 30.0
TRY_AGAIN_AFTER = (1.0, 3.0, 10.0)


class Refused(AirflowError):
    """An answer that is none, with its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    @property
    def may_pass(self) -> bool:
        """Whether the same request may well succeed later: SQLite is locked while the scheduler writes."""
        return self.status >= 500


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG, as the API tells it."""

    dag_id: str
    run_id: str
    state: str
    period: str | None

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended, well or badly."""
        return self.state in FINISHED


class AirflowClient:
    """Speaks to one Airflow as one user; every answer is plain JSON."""

    def __init__(self, base_url: str, user: str, password: str) -> None:
        self._address = urlsplit(base_url)
        self._login = {"username": user, "password": password}
        self._token: str | None = None

    def request(
        self, method: str, path: str, body: object = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the JSON answer of one call below /api/v2.

        Raises AirflowError when the server refuses, and OSError when it does not answer at all.
        """
        if self._token is None:
            self._token = self._send("POST", "/auth/token", self._login)["access_token"]
        target = f"/api/v2{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        return self._send(method, target, body)

    def _send(self, method: str, target: str, body: object) -> Any:
        connection = http.client.HTTPConnection(
            self._address.hostname or "", self._address.port, timeout=REQUEST_SECONDS
        )
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request(method, target, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", errors="replace")
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(
                f"Airflow answered {response.status} to {method} {target}: {text[:300]}", response.status
            )
        return json.loads(text) if text else None

    def wake_task_api(self) -> bool:
        """Return whether the part of the API that tasks speak to answers; its first answer takes seconds."""
        return bool(self._send("GET", "/execution/health", None)["status"] == "healthy")

    def health(self) -> dict[str, str]:
        """Return the state of each component: `healthy`, `unhealthy` or missing."""
        answer = self.request("GET", "/monitor/health")
        return {name: str(part.get("status")) for name, part in answer.items() if part}

    def dag_ids(self) -> set[str]:
        """Return the DAGs that Airflow has parsed."""
        return {dag["dag_id"] for dag in self.request("GET", "/dags", query={"limit": 100})["dags"]}

    def import_errors(self) -> list[str]:
        """Return one line per DAG file that could not be parsed."""
        errors = self.request("GET", "/importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}" for error in errors]

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Pause a DAG, or let it run."""
        self.request("PATCH", f"/dags/{dag_id}", {"is_paused": paused})

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Create the pool unless it exists; a task whose pool is missing would wait for ever."""
        pools = {pool["name"] for pool in self.request("GET", "/pools", query={"limit": 100})["pools"]}
        if name not in pools:
            body = {"name": name, "slots": slots, "description": description, "include_deferred": False}
            self.request("POST", "/pools", body)

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> DagRun:
        """Start a run and return it; tried again while the database is busy, and started once all the same."""
        run_id = f"manual__{uuid4().hex}"
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        for wait in (*TRY_AGAIN_AFTER, None):
            try:
                return _dag_run(self.request("POST", f"/dags/{dag_id}/dagRuns", body))
            except Refused as refused:
                if refused.status == http.HTTPStatus.CONFLICT:
                    return self.run(DagRun(dag_id, run_id, "queued", None))
                if wait is None or not refused.may_pass:
                    raise
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def runs(self, dag_id: str) -> list[DagRun]:
        """Return the DAG's runs, the newest first."""
        query = {"limit": 100, "order_by": "-run_after"}
        return [
            _dag_run(run) for run in self.request("GET", f"/dags/{dag_id}/dagRuns", query=query)["dag_runs"]
        ]

    def run(self, run: DagRun) -> DagRun:
        """Return the run as it is now."""
        return _dag_run(self.request("GET", _run_path(run)))

    def task_states(self, run: DagRun) -> dict[str, str]:
        """Return the state of each task of a run, by task id."""
        instances = self.request("GET", f"{_run_path(run)}/taskInstances")["task_instances"]
        return {instance["task_id"]: str(instance["state"]) for instance in instances}

    def answer_approval(self, run: DagRun, task_id: str, choice: str, reason: str) -> None:
        """Answer a task that waits for a person: `Approve` or `Reject`, with the reason."""
        body = {"chosen_options": [choice], "params_input": {"reason": reason}}
        self.request("PATCH", f"{_run_path(run)}/taskInstances/{task_id}/-1/hitlDetails", body)

    def asset_events(self, asset: str) -> list[dict[str, Any]]:
        """Return the events of one asset, the oldest first, with their partition key and extra."""
        found = self.request("GET", "/assets", query={"name_pattern": asset, "limit": 100})["assets"]
        ids = [item["id"] for item in found if item["name"] == asset]
        if not ids:
            return []
        query = {"asset_id": ids[0], "order_by": "timestamp", "limit": 100}
        return list(self.request("GET", "/assets/events", query=query)["asset_events"])


def _run_path(run: DagRun) -> str:
    return f"/dags/{run.dag_id}/dagRuns/{quote(run.run_id, safe='')}"


def _dag_run(answer: Mapping[str, Any]) -> DagRun:
    """Return the run; its period is the partition key, or the parameter it was started with."""
    period = answer.get("partition_key") or (answer.get("conf") or {}).get("period")
    return DagRun(answer["dag_id"], answer["dag_run_id"], answer["state"], period)
