"""The expectation report: one self-contained page per run and a list of runs, for an auditor to read.

Rendering is a pure function of the dataclasses in `report_model`; reading them is `report_reader`'s work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile

from jinja2 import Environment
from sqlalchemy import Engine

from pipelines.quality import report_words as words
from pipelines.quality.report_environment import WORST_FIRST, environment
from pipelines.quality.report_model import IndexPage, OutcomeLine, RunPage, State
from pipelines.quality.report_reader import read_index, read_run
from pipelines.settings import load_settings

FOLDER = "expectations"


@dataclass(frozen=True)
class Verdict:
    """How a run ended: its state, in a few words, and in a sentence."""

    state: State
    title: str
    words: str


def reports_folder() -> Path:
    """Return the folder of the expectation reports."""
    return load_settings().reports_dir / FOLDER


def write_run_report(engine: Engine, run_id: int) -> Path:
    """Return the page of a run, written; the list of runs is written anew beside it."""
    with engine.connect() as connection:
        page, index = read_run(connection, run_id), read_index(connection)
    folder = reports_folder()
    _write(folder / "index.html", render_index(index))
    return _write(folder / f"run-{run_id}.html", render_run(page))


def render_run(page: RunPage) -> str:
    """Return the page of a run as HTML."""
    attention = sorted((line for line in page.outcomes if not line.success), key=_rank)
    template = _environment_of(page).get_template("run.html.j2")
    return template.render(
        page=page, verdict=verdict(page), attention=attention, stages=_by_stage(page.outcomes)
    )


def _environment_of(page: RunPage) -> Environment:
    """Return the templates of a page; the linking, which is slow to load, only where its pieces are needed."""
    if page.linking is None:
        return environment()
    from pipelines.quality.report_linking import linking_environment

    return linking_environment()


def render_index(page: IndexPage) -> str:
    """Return the list of runs as HTML, the latest period first."""
    newest_first = sorted(page.runs, key=lambda run: (run.period or "", run.run_id), reverse=True)
    periods = [
        (period, list(runs)) for period, runs in groupby(newest_first, key=lambda run: run.period or "–")
    ]
    return environment().get_template("index.html.j2").render(page=page, periods=periods)


def verdict(page: RunPage) -> Verdict:
    """Return how a run ended, for the head of its page; a release answers for the runs it stands on, too."""
    run, carried = page.run, len(page.carried)
    if run.stopped:
        failed = _plural(run.stopped, "critical expectation")
        return Verdict("stopped", "Stopped", f"{failed} failed. The batch went no further than this stage.")
    if run.warned or carried:
        warnings = _plural(run.warned + carried, "warning")
        told = f"Nothing critical failed. {warnings} for a person to weigh before publishing"
        earlier = f", {carried:,} of them from the runs it stands on" if carried else ""
        return Verdict("warned", "Passed, with warnings", f"{told}{earlier}.")
    if run.checked:
        checked = f"{_plural(run.checked, 'expectation')} checked, none failed that anyone must act on."
        return Verdict("passed", "Passed", checked)
    return Verdict("unchecked", "Nothing checked", "No expectation has been recorded for this run.")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _rank(line: OutcomeLine) -> tuple[int, str, str]:
    return WORST_FIRST.index(line.state), line.table, line.expectation_id


def _by_stage(outcomes: Sequence[OutcomeLine]) -> list[tuple[str, list[tuple[str, list[OutcomeLine]]]]]:
    """Return the outcomes by stage and table; within a table the failures first."""
    order = list(words.STAGE_TITLES)
    lines = sorted(outcomes, key=lambda line: (order.index(line.stage), line.table))
    return [
        (
            stage,
            [
                (table, sorted(group, key=_rank))
                for table, group in groupby(of_stage, key=lambda line: line.table)
            ],
        )
        for stage, of_stage in groupby(lines, key=lambda line: line.stage)
    ]


def _write(path: Path, content: str) -> Path:
    """Return the path, written whole or not at all: agencies finish at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
    return path
