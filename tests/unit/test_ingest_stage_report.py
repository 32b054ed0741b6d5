"""Stage reports: rows balance, or the stage raises."""

from __future__ import annotations

import pytest

from pipelines.errors import RowsDoNotBalance
from pipelines.stage_report import StageReport, total


def report(file: str = "person", **counts: int) -> StageReport:
    return StageReport("normalise", "police", file, "2026-09", **counts)


def test_a_report_that_balances_is_returned() -> None:
    balanced = report(rows_in=10, rows_out=6, quarantined=2, duplicates=1, withheld=1)
    assert balanced.balanced() is balanced


@pytest.mark.parametrize(
    "counts",
    [
        {"rows_in": 10, "rows_out": 9},
        {"rows_in": 9, "rows_out": 10},
        {"rows_in": 0, "rows_out": 1, "withheld": -1},
    ],
)
def test_rows_that_end_nowhere_or_twice_raise(counts: dict[str, int]) -> None:
    with pytest.raises(RowsDoNotBalance, match="normalise police person 2026-09"):
        report(**counts).balanced()


def test_the_total_of_several_reports_keeps_what_they_share() -> None:
    added = total(
        [report("person", rows_in=3, rows_out=3), report("address", rows_in=4, rows_out=3, quarantined=1)]
    )
    assert added == StageReport("normalise", "police", None, "2026-09", rows_in=7, rows_out=6, quarantined=1)


def test_reports_of_different_stages_are_not_added() -> None:
    with pytest.raises(ValueError, match="one stage"):
        total([report(), StageReport("ingest")])


def test_a_report_that_does_not_balance_is_not_hidden_in_a_total() -> None:
    with pytest.raises(RowsDoNotBalance):
        total([report(rows_in=3, rows_out=2), report(rows_in=3, rows_out=3)])
