"""Expectation results in `audit.expectation_result`, where the reports and the trend come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, text

from pipelines.contracts.expectations import Stage
from pipelines.quality.outcome import CheckScope, ExpectationOutcome

_FORGET = text(
    "DELETE FROM audit.expectation_result"
    " WHERE run_id = :run_id AND stage = :stage AND agency IS NOT DISTINCT FROM :agency AND period = :period"
)
_INSERT = text(
    "INSERT INTO audit.expectation_result (run_id, stage, table_name, agency, period, expectation_id, type,"
    " column_name, severity, success, evaluated, unexpected, why)"
    " VALUES (:run_id, :stage, :table, :agency, :period, :expectation_id, :type,"
    " :column, :severity, :success, :evaluated, :unexpected, :why)"
)


def store_outcomes(
    connection: Connection, scope: CheckScope, stage: Stage, outcomes: Sequence[ExpectationOutcome]
) -> int:
    """Return how many outcomes were written, in the place of what an earlier attempt of this check wrote."""
    key = {"run_id": scope.run_id, "stage": stage, "agency": scope.agency, "period": scope.period}
    connection.execute(_FORGET, key)
    if outcomes:
        connection.execute(_INSERT, [{**asdict(outcome), "run_id": scope.run_id} for outcome in outcomes])
    return len(outcomes)
