"""An agency that nobody wrote expectations for is checked by what its contract says."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.expectations import Rule
from pipelines.quality.contract_rules import contract_rules, date_pattern
from pipelines.quality.suites import all_suites, for_agency

FILE = AgencyFile.model_validate(
    {
        "title": "Members",
        "pattern": r"(?P<period>\d{6})",
        "period_format": "%Y%m",
        "min_rows": 7,
        "max_rows": 900,
        "local_id": "Card",
        "columns": {"Card": None, "2nd Visit": {"date": "%d/%m/%Y", "required": True}, "Note": None},
    }
)


def test_rows_filled_columns_and_date_formats_are_expected() -> None:
    rules = {rule.id: rule for rule in contract_rules(FILE)}
    assert set(rules) == {
        "rows_are_plausible",
        "card_is_filled",
        "column_2_is_filled",
        "column_2_is_in_the_declared_format",
    }
    plausible = rules["rows_are_plausible"].arguments()
    assert (plausible["min_value"], plausible["max_value"]) == (7, 900)


FORMATS = ["%d/%m/%Y", "%Y-%m-%d", "%Y%m%d", "%d-%b-%Y", "%Y-%m-%d %H:%M:%S"]


@given(day=st.dates(min_value=date(1000, 1, 1)), fmt=st.sampled_from(FORMATS))
def test_what_a_format_writes_fits_its_pattern(day: date, fmt: str) -> None:
    assert re.search(date_pattern((fmt,), ()), day.strftime(fmt))


@pytest.mark.parametrize("text", ["2026-01-31", "31/01/26", "31/01/2026 x", "unknown"])
def test_another_format_does_not_fit(text: str) -> None:
    assert not re.search(date_pattern(("%d/%m/%Y",), ("NULL",)), text)


def test_what_stands_for_nothing_fits() -> None:
    assert re.search(date_pattern(("%d/%m/%Y",), ("N/A",)), "N/A")


def test_every_agency_is_expected_to_link_to_somebody_and_none_twice() -> None:
    ids = [
        rule.id for suite in all_suites("linked") if suite.name == "cluster" for rule in suite.expectations
    ]
    assert len(ids) == len(set(ids))
    assert {"health_without_a_link", "police_without_a_link"} <= set(ids)


def test_an_agency_that_no_rule_names_is_checked_like_the_others() -> None:
    births = next(suite for suite in all_suites("normalised") if suite.name == "person_date_of_birth")
    numbers = next(suite for suite in all_suites("normalised") if suite.name == "person_identifier")
    assert "mostly_known_to_the_day_elsewhere" in {r.id for r in for_agency(births, "library").expectations}
    assert "nhs_numbers_hold_elsewhere" in {r.id for r in for_agency(numbers, "library").expectations}
    assert "nhs_numbers_hold_elsewhere" not in {r.id for r in for_agency(numbers, "health").expectations}


def test_a_rule_is_for_some_agencies_or_for_the_others_and_not_for_both() -> None:
    with pytest.raises(ValueError, match="two ways to say"):
        Rule.model_validate(
            {
                "id": "both",
                "type": "x",
                "severity": "info",
                "why": "A rule that names agencies in two ways.",
                "agencies": ["a"],
                "other_agencies": ["b"],
            }
        )
