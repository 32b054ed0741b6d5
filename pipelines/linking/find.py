"""Which run a request to link is: one that is done, one that was begun, or a new one."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import text

from pipelines.warehouse.engine import transaction
from pipelines.warehouse.runs import Run, open_run, read_run

# What a run's inputs hold beside what it was asked to link.
_ADDED = ("key", "model_version", "after_run")


def find_or_open(period: str, inputs: Mapping[str, object]) -> Run:
    """Return the run of these inputs; nobody else may link meanwhile.

    The latest run of the period, when it linked the same. Else the run that was begun with these inputs, or a new
    one: always one that is younger than every run that is done, since the ledger goes from run to run.
    """
    latest, newest = _latest(period)
    if latest is not None and _asked(latest.inputs) == _asked(inputs):
        return latest
    run = open_run("link", period, inputs)
    if run.is_done or run.run_id < newest:
        return open_run("link", period, {**inputs, "after_run": newest})
    return run


def _latest(period: str) -> tuple[Run | None, int]:
    """Return the latest run of a period that is done, and the number of the latest of all; 0 for none."""
    query = text("""
        SELECT max(run_id) FILTER (WHERE period = :period) AS of_period, coalesce(max(run_id), 0) AS newest
        FROM audit.run WHERE kind = 'link' AND status = 'SUCCEEDED'
    """)
    with transaction() as connection:
        row = connection.execute(query, {"period": period}).one()
        return None if row.of_period is None else read_run(connection, row.of_period), row.newest


def _asked(inputs: Mapping[str, object]) -> object:
    plain: dict[str, object] = json.loads(json.dumps(dict(inputs)))
    return {name: value for name, value in plain.items() if name not in _ADDED}
