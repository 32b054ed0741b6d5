"""Plain words for what a report shows: titles, counts and limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipelines.contracts.expectations import AnyRule
from pipelines.contracts.loader import agency_title
from pipelines.quality.report_model import OutcomeLine
from pipelines.words import number, percent

STAGE_TITLES = {
    "landing": "As received",
    "normalised": "Made comparable",
    "linked": "Linked",
    "published": "Ready to publish",
}
STAGE_EXPLANATIONS = {
    "landing": "The agency's files, column by column, before anything is changed.",
    "normalised": "The same rows in the shared schema, raw values kept beside the normalised ones.",
    "linked": "Which records the model holds to be one person, and how sure it is.",
    "published": "The next release, checked before anyone can read it.",
}
KIND_TITLES = {"ingest": "Ingest and normalise", "link": "Link", "publish": "Publish"}
STATE_TITLES = {
    "passed": "As expected",
    "noted": "Noted",
    "warned": "Warning",
    "stopped": "Stopped the batch",
    "unchecked": "Nothing checked",
}
SEVERITY_EXPLANATIONS = {
    "critical": "A failure stops the batch: it goes no further.",
    "warning": "A failure is put before a person, who decides before anything is published.",
    "info": "A failure is noted here and nothing else happens.",
}
_ROW_COUNT = "expect_table_row_count_to_be_between"
_NO_ROW = "unexpected_rows_expectation"
_COLUMNS = "expect_table_columns_to_match_set"


def batch_agency(agency: str | None) -> str:
    """Return for a reader whose batch it is."""
    return agency_title(agency) if agency else "All agencies"


def found(line: OutcomeLine) -> str:
    """Return what an expectation counted."""
    if line.evaluated is None:
        return "Could not be evaluated" if line.could_not_run else "–"
    if line.type == _ROW_COUNT:
        return f"{number(line.evaluated)} rows"
    unexpected = line.unexpected or 0
    if line.type == _COLUMNS:
        return (
            f"{unexpected} of {line.evaluated} columns missing" if unexpected else f"{line.evaluated} columns"
        )
    if not line.evaluated:
        return "No rows to check" if not unexpected else f"{number(unexpected)} rows"
    if not unexpected:
        return f"None of {number(line.evaluated)}"
    if line.type == _NO_ROW:
        return f"{number(unexpected)}, in {number(line.evaluated)} rows"
    share = unexpected / line.evaluated
    amount = percent(share) if share <= 1 else f"{share:.1f} each"
    return f"{number(unexpected)} of {number(line.evaluated)} ({amount})"


def allowed(rule: AnyRule) -> str:
    """Return in words how much a rule tolerates."""
    arguments: dict[str, Any] = rule.arguments()
    if rule.type == _ROW_COUNT:
        low, high = arguments.get("min_value") or 0, arguments.get("max_value")
        if high is None:
            return f"at least {number(low)} rows" if low else "any number of rows"
        return f"{number(low)} to {number(high)} rows"
    if "max_share" in arguments or "min_share" in arguments:
        return _share_bounds(arguments.get("min_share"), arguments.get("max_share"))
    tolerated = round(1 - (arguments.get("mostly") or 1.0), 9)
    return f"up to {percent(tolerated)}" if tolerated else "none"


def _share_bounds(low: float | None, high: float | None) -> str:
    """Return the bounds of a share in words; above 1 it is a number per row, not a share."""
    parts = []
    if low:
        parts.append(f"at least {percent(low)}")
    if high is not None and high > 1:
        parts.append(f"up to {high:g} each")
    elif high == 1:
        parts.append("any share")
    elif high is not None:
        parts.append(f"up to {percent(high)}" if high else "none")
    return " and ".join(parts)


def moment(value: datetime | None) -> str:
    """Return a moment to the minute, in UTC as stored."""
    return f"{value:%d %B %Y, %H:%M}".lstrip("0") if value else "–"
