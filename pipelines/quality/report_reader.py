"""Reading from the warehouse what a report shows: counts, verdicts and who answered for what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from pipelines.contracts.expectations import AnyRule
from pipelines.errors import WarehouseError
from pipelines.quality.report_model import (
    IndexPage,
    LinkingFacts,
    OutcomeLine,
    ReleaseLine,
    RunLine,
    RunPage,
    StageLine,
    TrendPoint,
)
from pipelines.quality.report_words import allowed
from pipelines.quality.suites import all_suites
from pipelines.settings import load_settings

TREND_RUNS = 12
# Runs of one kind looked through for those, since each agency has runs of its own.
_LOOKED_AT = 120
_ROW_COUNT = "expect_table_row_count_to_be_between"

_RUNS = """
SELECT r.run_id, r.kind, r.period, r.started_at, r.finished_at, r.status,
       coalesce(array_agg(DISTINCT e.agency) FILTER (WHERE e.agency IS NOT NULL), '{}') AS agencies,
       count(*) FILTER (WHERE e.success) AS passed,
       count(*) FILTER (WHERE NOT e.success AND e.severity = 'info' AND e.evaluated IS NOT NULL) AS noted,
       count(*) FILTER (WHERE NOT e.success AND e.severity = 'warning' AND e.evaluated IS NOT NULL) AS warned,
       count(*) FILTER (WHERE NOT e.success AND (e.severity = 'critical' OR e.evaluated IS NULL)) AS stopped
FROM audit.run AS r LEFT JOIN audit.expectation_result AS e USING (run_id)
"""
_GROUPED = " GROUP BY r.run_id ORDER BY r.run_id DESC"
_ONE_RUN = text(f"{_RUNS} WHERE r.run_id = :run_id {_GROUPED}")
_ALL_RUNS = text(_RUNS + _GROUPED)
# What a release stands on: the run that linked it, and the ingest runs of the deliveries which that run used.
_STANDS_ON = text(
    _RUNS  # noqa: S608 - constants of this module
    + " WHERE r.run_id = :link_run_id OR (r.kind = 'ingest' AND (r.inputs ->> 'delivery_id')::bigint IN"
    + " (SELECT jsonb_array_elements_text(l.inputs -> 'delivery_ids')::bigint FROM audit.run AS l"
    + "  WHERE l.run_id = :link_run_id))"
    + _GROUPED
)
_OUTCOMES = text(
    "SELECT stage, table_name, agency, expectation_id, type, column_name, severity, success, evaluated,"
    " unexpected, why FROM audit.expectation_result WHERE run_id = :run_id ORDER BY result_id"
)
_TREND = text(
    "SELECT e.run_id, e.stage, e.table_name, e.agency, e.expectation_id, e.type, e.success, e.evaluated,"
    " e.unexpected FROM audit.expectation_result AS e WHERE e.evaluated IS NOT NULL"
    " AND e.run_id IN (SELECT run_id FROM audit.run WHERE run_id <= :run_id"
    "                  AND kind = (SELECT kind FROM audit.run WHERE run_id = :run_id)"
    "                  ORDER BY run_id DESC LIMIT :looked_at)"
    " AND (e.stage, e.table_name) IN"
    " (SELECT stage, table_name FROM audit.expectation_result WHERE run_id = :run_id)"
    " ORDER BY e.run_id DESC"
)
_STAGES = text(
    "SELECT stage, agency, file, period, rows_in, rows_out, quarantined, duplicates, withheld, seconds"
    " FROM audit.stage_report WHERE run_id = :run_id ORDER BY report_id"
)
_RELEASE = (
    "SELECT release_id, as_of, status, approved_by, approval_reason, published_at, link_run_id"
    " FROM publication.release"
)
_RELEASE_OF_RUN = text(_RELEASE + " WHERE run_id = :run_id ORDER BY release_id DESC LIMIT 1")
_LIVE_RELEASE = text(_RELEASE + " JOIN publication.current_release USING (release_id)")

_Key = tuple[str, str, str | None, str]


def read_run(connection: Connection, run_id: int) -> RunPage:
    """Return what the page of a run shows.

    Raises:
        WarehouseError: there is no such run.
    """
    run = connection.execute(_ONE_RUN, {"run_id": run_id}).mappings().first()
    if run is None:
        raise WarehouseError(f"there is no run {run_id}")
    release = connection.execute(_RELEASE_OF_RUN, {"run_id": run_id}).mappings().first()
    stands_on = _stands_on(connection, release["link_run_id"]) if release else ()
    earlier = (line for under in stands_on if under.warned for line in _outcomes(connection, under.run_id))
    carried = tuple(line for line in earlier if line.state == "warned")
    return RunPage(
        run=_run_line(run),
        outcomes=_outcomes(connection, run_id),
        stages=tuple(StageLine(**row) for row in connection.execute(_STAGES, {"run_id": run_id}).mappings()),
        settings=settings_in_force(),
        written_at=datetime.now(UTC),
        release=_release_line(release),
        stands_on=stands_on,
        carried=carried,
        linking=_linking(connection, run_id) if run["kind"] == "link" else None,
    )


def _linking(connection: Connection, run_id: int) -> LinkingFacts | None:
    """Return what a linkage run did; the linking is slow to load, and no other run needs it."""
    from pipelines.quality.report_linking import read_linking

    return read_linking(connection, run_id)


def read_index(connection: Connection) -> IndexPage:
    """Return what the list of all runs shows."""
    return IndexPage(
        runs=tuple(_run_line(row) for row in connection.execute(_ALL_RUNS).mappings()),
        settings=settings_in_force(),
        written_at=datetime.now(UTC),
        live=_release_line(connection.execute(_LIVE_RELEASE).mappings().first()),
    )


def settings_in_force() -> tuple[tuple[str, str, str], ...]:
    """Return the settings that change what a result means: name, state, explanation."""
    settings = load_settings()
    synthetic = "NHS numbers of the 9xx test range count as evidence; this must be off where people are real."
    approval = "A setting, not a person, approves releases with warnings; they are recorded as such."
    return (
        ("allow_synthetic", "on" if settings.allow_synthetic else "off", synthetic),
        ("auto_approve", "on" if settings.auto_approve else "off", approval),
    )


def _run_line(row: RowMapping) -> RunLine:
    return RunLine(**{**row, "agencies": tuple(row["agencies"])})


def _release_line(row: RowMapping | None) -> ReleaseLine | None:
    if row is None:
        return None
    return ReleaseLine(**{name: value for name, value in row.items() if name != "link_run_id"})


def _stands_on(connection: Connection, link_run_id: int | None) -> tuple[RunLine, ...]:
    rows = connection.execute(_STANDS_ON, {"link_run_id": link_run_id}).mappings()
    return tuple(_run_line(row) for row in rows)


def _outcomes(connection: Connection, run_id: int) -> tuple[OutcomeLine, ...]:
    trends = _trends(connection, run_id)
    rules = _rules_in_force()
    lines = []
    for row in connection.execute(_OUTCOMES, {"run_id": run_id}).mappings():
        values: dict[str, Any] = dict(row)
        values["table"], values["column"] = values.pop("table_name"), values.pop("column_name")
        rule = rules.get((row["stage"], row["table_name"], row["expectation_id"]))
        values["allowed"] = allowed(rule) if rule else ""
        values["why"] = row["why"] or ""
        lines.append(OutcomeLine(**values, trend=trends.get(_key(row), ())))
    return tuple(lines)


def _key(row: RowMapping) -> _Key:
    return row["stage"], row["table_name"], row["agency"], row["expectation_id"]


def _trends(connection: Connection, run_id: int) -> Mapping[_Key, tuple[TrendPoint, ...]]:
    """Return the latest results of each expectation, oldest first."""
    points: dict[_Key, list[TrendPoint]] = defaultdict(list)
    for row in connection.execute(_TREND, {"run_id": run_id, "looked_at": _LOOKED_AT}).mappings():
        if len(points[_key(row)]) < TREND_RUNS:
            points[_key(row)].append(TrendPoint(row["run_id"], _amount(row), row["success"]))
    return {key: tuple(reversed(found)) for key, found in points.items()}


def _amount(row: RowMapping) -> float:
    """Return what a trend follows: rows where rows are counted, else the share that was unexpected."""
    if row["type"] == _ROW_COUNT:
        return float(row["evaluated"])
    return float(row["unexpected"] or 0) / row["evaluated"] if row["evaluated"] else 0.0


def _rules_in_force() -> Mapping[tuple[str, str, str], AnyRule]:
    """Return the rules as they are now; a report is written when its run ends."""
    return {
        (stage, suite.table, rule.id): rule
        for stage in ("landing", "normalised", "linked", "published")
        for suite in all_suites(stage)
        for rule in suite.expectations
    }
