"""`report.html` of `joinedup link`: a pure function of `report.json`, complete in one file, for an auditor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.link.report import pieces
from pipelines.link.report.told import method, sentence
from pipelines.link.thresholds.rates import MODEL
from pipelines.quality.report_environment import TEMPLATES as PAGES
from pipelines.quality.report_environment import style
from pipelines.words import number, percent

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Verdict:
    """How a linkage ended: its state, in a few words, and what to look at."""

    state: str
    title: str
    points: tuple[str, ...]


def render_page(report: Mapping[str, Any]) -> str:
    """Return the report of a linkage as HTML."""
    return _environment().get_template("report.html.j2").render(report=report, verdict=verdict(report))


def verdict(report: Mapping[str, Any]) -> Verdict:
    """Return whether something stands against the result of a linkage, and what."""
    concerns = tuple(_concerns(report))
    if concerns:
        return Verdict("warned", "To be looked at before it is used", concerns)
    skipped = report["threshold_report"]["skipped"]
    if skipped:
        return Verdict("unchecked", "Linked, not checked", (f"{sentence(skipped)}.",))
    return Verdict("passed", "Nothing stands against it", (_as_expected(report),))


def _as_expected(report: Mapping[str, Any]) -> str:
    target = report["threshold_report"]["threshold"]["target"]
    if target is None:
        return "The threshold is the one of the highest expected F1, and training converged."
    return (
        f"At most {percent(target)} of links were to be false; neither the model nor a check puts it above that,"
        " and training converged."
    )


def _concerns(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an auditor should know first, one sentence each."""
    threshold, rates = report["threshold_report"]["threshold"], report["error_rates"]
    if not threshold["attained"]:
        yield "No threshold keeps the expected false links within the target."
    if (target := threshold["target"]) is not None:
        for part in rates["false_link_rate"]["parts"]:
            if part["method"] != MODEL and part["low"] > target:
                found = f"{percent(part['low'])} to {percent(part['high'])}"
                yield f"{method(part)}: {found} of links are false by this check; {percent(target)} was aimed at."
    missed = rates["missed_link_rate"]["parts"]
    for part in missed[1:]:
        if part["low"] > 2 * missed[0]["high"]:
            found = f"{percent(part['low'])} to {percent(part['high'])}"
            yield f"{method(part)}: {found} of links are missed by this check, far more than the model expects."
    training = report["training"]
    unsettled = [each["rule"] for each in training["passes"] if not each["converged"]]
    if unsettled or any(each["chosen"] and not each["converged"] for each in training["starts"]):
        yield "Training did not converge."
    if skipped := sum(each["skipped_records"] for each in report["blocking"]["rules"]):
        yield f"Blocking left out blocks with {number(skipped)} records that were too large to compare."


@cache
def _environment() -> Environment:
    """Return the templates of the page: all is escaped, an unknown name is an error."""
    loader = FileSystemLoader([TEMPLATES, pieces.TEMPLATES, PAGES])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= pieces.FILTERS
    environment.globals |= pieces.GLOBALS | {"style": style("style.css", str(pieces.SHEET))}
    return environment
