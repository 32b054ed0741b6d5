"""The expectation report is a pure function of what was counted, complete in one file."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from pipelines.quality.report import render_index, render_run, verdict
from pipelines.quality.report_charts import sparkline
from pipelines.quality.report_model import (
    IndexPage,
    OutcomeLine,
    ReleaseLine,
    RunLine,
    RunPage,
    StageLine,
    TrendPoint,
)
from pipelines.words import percent

NOW = datetime(2026, 11, 5, 6, 30, tzinfo=UTC)
RUN = RunLine(7, "publish", "2026-10", (), NOW, NOW, "DONE", passed=3, noted=0, warned=1, stopped=0)
MET = OutcomeLine(
    stage="published",
    table="publication.person",
    agency=None,
    expectation_id="one_row_per_person",
    type="expect_column_values_to_be_unique",
    column="person_pseudonym",
    severity="critical",
    success=True,
    evaluated=20000,
    unexpected=0,
    why="Analysts count people by counting rows.",
    trend=(TrendPoint(1, 0.0, True), TrendPoint(7, 0.0, True)),
)
WARNED = replace(
    MET,
    expectation_id="size_is_near_the_last_release",
    severity="warning",
    success=False,
    unexpected=6000,
    allowed="up to 25 %",
    trend=(TrendPoint(1, 0.1, True), TrendPoint(7, 0.3, False)),
)
STAGE = StageLine("normalise", "police", "nominal", "2026-10", 100, 90, 4, 5, 1, 1.5)
RELEASE = ReleaseLine(
    2, date(2026, 10, 31), "LIVE", "setting auto_approve", "Only warnings <b>failed</b>.", NOW
)
SETTINGS = (("allow_synthetic", "on", "Test numbers count as evidence."),)
PAGE = RunPage(RUN, (MET, WARNED), (STAGE,), SETTINGS, NOW, RELEASE, (replace(RUN, run_id=6, kind="link"),))


def test_the_page_shows_verdict_counts_rows_release_and_settings() -> None:
    page = render_run(PAGE)
    for shown in (
        "Passed, with warnings",
        "6,000 of 20,000",
        "up to 25 %",
        "Balances",
        "setting auto_approve",
    ):
        assert shown in page
    for shown in (
        "allow_synthetic",
        "One row per person",
        "Analysts count people",
        "31 October 2026",
        "run-6.html",
    ):
        assert shown in page


def test_what_failed_stands_first() -> None:
    page = render_run(PAGE)
    attention = page.index("What needs attention")
    assert attention < page.index("Size is near the last release") < page.index("Everything that was checked")


def test_text_from_people_is_escaped() -> None:
    assert "<b>failed</b>" not in render_run(PAGE)


def test_the_page_asks_for_nothing() -> None:
    for page in (render_run(PAGE), render_index(IndexPage((RUN,), SETTINGS, NOW, RELEASE))):
        assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(|@import|<script""", page)


def test_the_page_is_the_same_for_the_same_counts() -> None:
    assert render_run(PAGE) == render_run(PAGE)


def test_a_stage_that_does_not_balance_is_seen() -> None:
    page = render_run(replace(PAGE, stages=(replace(STAGE, rows_out=89),)))
    assert "Does not" in page


def test_a_run_without_anything_is_still_a_page() -> None:
    empty = replace(RUN, passed=0, warned=0)
    assert "Nothing checked" in render_run(RunPage(empty, (), (), SETTINGS, NOW))
    assert "No run has been recorded yet" in render_index(IndexPage((), SETTINGS, NOW))


@pytest.mark.parametrize(
    ("run", "title"),
    [
        (replace(RUN, stopped=1), "Stopped"),
        (RUN, "Passed, with warnings"),
        (replace(RUN, warned=0), "Passed"),
    ],
)
def test_verdict(run: RunLine, title: str) -> None:
    assert verdict(replace(PAGE, run=run)).title == title


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0"),
        (1, "100"),
        (0.5, "50.0"),
        (0.0001, "0.01"),
        (0.000001, "under 0.01"),
        (0.999999, "over 99.99"),
    ],
)
def test_small_shares_are_not_shown_as_none(share: float, shown: str) -> None:
    assert percent(share) == f"{shown}\u00a0%"


def test_a_trend_is_told_in_words_and_marks_failures_by_shape() -> None:
    picture = str(sparkline(WARNED.trend))
    assert "30.0" in picture and "10.0" in picture and "2 runs shown" in picture
    assert picture.count("<circle") == 1 and picture.count("<rect") == 1


def test_an_expectation_that_could_not_be_evaluated_says_so() -> None:
    broken = replace(MET, success=False, severity="info", evaluated=None, unexpected=None)
    assert broken.state == "stopped"
    assert "Could not be evaluated" in render_run(replace(PAGE, outcomes=(broken,)))


def test_a_release_answers_for_the_warnings_of_the_runs_it_stands_on() -> None:
    clean = replace(PAGE, run=replace(RUN, warned=0), outcomes=(MET,), carried=(WARNED,))
    page = render_run(clean)
    assert verdict(clean).title == "Passed, with warnings"
    assert "1 of them from the runs it stands on" in page and "Size is near the last release" in page
