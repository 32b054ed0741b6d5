"""The templates, with the filters and titles that the expectation report and the Data Docs share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.quality import report_words as words
from pipelines.quality.report_charts import rows_bar, sparkline
from pipelines.quality.report_model import OutcomeLine
from pipelines.words import duration, number, title

TEMPLATES = Path(__file__).parent / "templates"
WORST_FIRST = ("stopped", "warned", "noted", "passed")


def style(*sheets: str) -> Markup:
    """Return our style sheets as one text, to stand inside a page."""
    texts = ((TEMPLATES / sheet).read_text(encoding="utf-8") for sheet in sheets)
    return Markup("\n".join(texts))  # noqa: S704 - our own sheets


def worst(states: Iterable[str]) -> str:
    """Return the worst of several states; passed when there is none."""
    return min(states, key=WORST_FIRST.index, default="passed")


def prepare(environment: Environment, *sheets: str) -> Environment:
    """Return the environment with our filters, titles and style."""
    environment.filters |= {
        "title": title,
        "agency": words.batch_agency,
        "number": number,
        "found": words.found,
        "moment": words.moment,
        "duration": duration,
        "day": _day,
        "worst": _worst_line,
        "sparkline": sparkline,
        "rows_bar": rows_bar,
    }
    titles: dict[str, Any] = {
        "state_titles": words.STATE_TITLES,
        "kind_titles": words.KIND_TITLES,
        "stage_titles": words.STAGE_TITLES,
        "stage_explanations": words.STAGE_EXPLANATIONS,
        "severity_explanations": words.SEVERITY_EXPLANATIONS,
    }
    environment.globals |= {"style": style(*sheets), **titles}
    return environment


@cache
def environment() -> Environment:
    """Return the environment of the expectation report: all is escaped, an unknown name is an error."""
    loader = FileSystemLoader(TEMPLATES)
    bare = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return prepare(bare, "style.css")


def _worst_line(lines: Iterable[OutcomeLine]) -> str:
    return worst(line.state for line in lines)


def _day(value: date) -> str:
    return f"{value:%d %B %Y}".lstrip("0")
