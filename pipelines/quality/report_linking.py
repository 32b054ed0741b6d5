"""What the page of a linkage run shows of the linkage itself; apart, so that other runs do not load the linking."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection, text

from pipelines.link.report import pieces
from pipelines.link.report.content import as_data, describe_model
from pipelines.quality.report_environment import TEMPLATES, prepare
from pipelines.quality.report_model import LinkingFacts
from pipelines.warehouse.linkage import read_model

# The run of a version that has its checks: the first one, which trained it.
_REPORTS = text(
    "SELECT run_id, details FROM audit.stage_report WHERE stage = 'link' AND details ? 'cutting'"
    " AND (run_id = :run_id OR details ->> 'model_version' ="
    "      (SELECT details ->> 'model_version' FROM audit.stage_report WHERE stage = 'link' AND run_id = :run_id))"
    " AND run_id <= :run_id ORDER BY run_id"
)


def read_linking(connection: Connection, run_id: int) -> LinkingFacts | None:
    """Return what a linkage run did; None of a run that is not over, or is older than this report."""
    found: dict[int, dict[str, Any]] = {
        row.run_id: row.details for row in connection.execute(_REPORTS, {"run_id": run_id})
    }
    if run_id not in found:
        return None
    mine = found[run_id]
    trained = read_model(connection, mine["model_version"])
    checked_in = next((each for each, details in found.items() if _is_checked(details)), run_id)
    return LinkingFacts(
        model=describe_model(trained),
        training=as_data(trained.training),
        blocking=mine["blocking"],
        threshold_report=mine["threshold_report"],
        error_rates=mine["error_rates"],
        cutting=mine["cutting"],
        checks=found[checked_in]["threshold_report"],
        checked_in=checked_in,
    )


def _is_checked(details: dict[str, Any]) -> bool:
    return not details["threshold_report"]["skipped"]


@cache
def linking_environment() -> Environment:
    """Return the environment of the expectation report with the pieces about a linkage."""
    loader = FileSystemLoader([TEMPLATES, pieces.TEMPLATES])
    bare = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    whole = prepare(bare, "style.css", str(pieces.SHEET))
    whole.filters = pieces.FILTERS | whole.filters
    whole.globals |= pieces.GLOBALS
    return whole
