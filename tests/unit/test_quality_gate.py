"""What stops a batch, what a person decides, and what the messages may say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.errors import ExpectationsFailed
from pipelines.quality.gate import gate
from pipelines.quality.outcome import ExpectationOutcome

MET = ExpectationOutcome(
    expectation_id="surname_is_filled",
    stage="landing",
    table="landing.police_nominal",
    agency="police",
    period="2026-10",
    type="expect_column_to_be_filled",
    column="surname",
    severity="critical",
    success=True,
    evaluated=100,
    unexpected=0,
    why="A nominal is filed under its surname.",
)
FAILED = replace(MET, success=False, unexpected=40)


def test_nothing_failed() -> None:
    assert gate([MET]) == ()


def test_a_warning_is_passed_on() -> None:
    warning = replace(FAILED, severity="warning")
    assert gate([MET, warning]) == (warning,)


def test_information_concerns_nobody() -> None:
    assert gate([replace(FAILED, severity="info")]) == ()


def test_a_critical_failure_stops_the_batch_and_is_named_with_its_counts() -> None:
    with pytest.raises(
        ExpectationsFailed, match="landing.police_nominal: surname_is_filled .critical.: 40 of 100"
    ):
        gate([MET, FAILED, replace(FAILED, severity="warning")])


def test_a_check_that_could_not_be_made_stops_the_batch_whatever_its_severity() -> None:
    broken = replace(FAILED, severity="info", evaluated=None, unexpected=None, problem="UndefinedColumn")
    with pytest.raises(ExpectationsFailed, match="could not be evaluated, UndefinedColumn"):
        gate([broken])
