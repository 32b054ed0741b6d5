"""The suites under expectations/ are read strictly: a mistake is found on load, without any data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pipelines.contracts.expectations import STAGES, Suite, load_suites, read_suite
from pipelines.contracts.loader import landing_tables
from pipelines.contracts.shared import normalised_tables, published_tables
from pipelines.errors import ContractError
from pipelines.quality.suites import LOOKS_LIKE_AN_IDENTIFIER, all_suites, for_agency

GOOD = {
    "id": "surname_is_filled",
    "type": "expect_column_values_to_not_be_null",
    "column": "surname",
    "mostly": 0.9,
    "severity": "critical",
    "why": "A record without a surname can hardly be found again.",
}


def suite_with(folder: Path, **changes: object) -> Suite:
    """Read a suite of one rule, changed; a change to None leaves the key out."""
    rule = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    path = folder / "nominal.yaml"
    content = {"table": "landing.nominal", "description": "Nominals as received.", "expectations": [rule]}
    path.write_text(yaml.safe_dump(content))
    return read_suite(path)


def test_a_good_rule_is_read(tmp_path: Path) -> None:
    (rule,) = suite_with(tmp_path).expectations
    assert rule.arguments() == {"column": "surname", "mostly": 0.9}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"type": "expect_column_values_to_be_lovely"}, "expect_column_values_to_be_lovely"),
        ({"mostyl": 0.9}, "mostyl"),
        ({"severity": "fatal"}, "severity"),
        ({"why": None}, "why"),
        ({"why": "no capital and no stop at the end"}, "why"),
        ({"mostly": 1.5}, "mostly"),
        ({"column": None}, "column"),
        ({"id": "Surname Is Filled"}, "id"),
        ({"type": "unexpected_rows_expectation"}, "unexpected_rows_query"),
    ],
)
def test_a_mistake_is_named_on_load(tmp_path: Path, changes: dict[str, object], named: str) -> None:
    with pytest.raises(ContractError, match=named) as error:
        suite_with(tmp_path, **changes)
    assert "nominal.yaml" in str(error.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM {batch}",
        "SELECT surname FROM {batch}",
        "SELECT record_id, surname AS agency FROM {batch}",
        "SELECT max(surname) FROM {batch}",
        "SELECT record_id FROM landing.nominal",
        "SELECT record_id FROM {batch} WHERE run_id = {secret}",
        "WITH x AS (SELECT surname FROM {batch}) SELECT surname FROM x",
    ],
)
def test_a_query_may_return_surrogate_ids_only(tmp_path: Path, query: str) -> None:
    with pytest.raises(ContractError, match="unexpected_rows_query"):
        suite_with(
            tmp_path,
            type="unexpected_rows_expectation",
            unexpected_rows_query=query,
            column=None,
            mostly=None,
        )


def test_an_id_stands_once_in_a_suite(tmp_path: Path) -> None:
    path = tmp_path / "nominal.yaml"
    content = {"table": "landing.nominal", "description": "As received.", "expectations": [GOOD, GOOD]}
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ContractError, match="surname_is_filled"):
        read_suite(path)


def test_the_file_is_named_after_its_table(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump({"table": "a.b", "description": "A description.", "expectations": [GOOD]}))
    with pytest.raises(ContractError, match="other"):
        read_suite(path)


def test_every_suite_of_ours_is_read_and_says_why() -> None:
    for stage in STAGES:
        assert load_suites(stage), stage
        for suite in all_suites(stage):
            assert len(suite.expectations) > 1, suite.table


def test_columns_that_rules_name_exist() -> None:
    columns = {
        f"landing.{name}": {*names, "extract_id", "row_number"} for name, names in landing_tables().items()
    }
    for name, table in normalised_tables().items():
        columns[f"normalised.{name}"] = {column.name for column in table.columns}
    for name, table in published_tables().items():
        columns[f"publication.{name}"] = {column.name for column in table.columns}
    for stage in ("landing", "normalised", "published"):
        for suite in all_suites(stage):
            for rule in suite.expectations:
                values = rule.model_dump()
                named = {values[key] for key in ("column", "column_A", "column_B") if values.get(key)}
                named |= set(values.get("column_list") or ())
                assert named <= columns[suite.table], f"{suite.table}: {rule.id}"


def test_every_landing_suite_belongs_to_a_file_of_a_contract() -> None:
    assert {suite.name for suite in load_suites("landing")} <= set(landing_tables())


def test_rules_for_another_agency_are_left_out() -> None:
    births = next(suite for suite in all_suites("normalised") if suite.name == "person_date_of_birth")
    ids = {rule.id for rule in for_agency(births, "police").expectations}
    assert "mostly_known_to_the_day_police" in ids
    assert "mostly_known_to_the_day_health" not in ids


@pytest.mark.parametrize(
    "text",
    [
        "943 476 5870",
        "seen 9434765870.",
        "L801200015001",
        "2002/0073319Z",
        "AB1 2DE",
        "born 01/02/2010",
        "2010-02-01",
    ]
    + ["someone@example.org"],
)
def test_an_identifier_shape_is_seen(text: str) -> None:
    assert re.search(LOOKS_LIKE_AN_IDENTIFIER, text)


@pytest.mark.parametrize(
    "text",
    ["POLICE.CRIME_VICTIM", "N1", "2026-10", "childrens_services", "AB1", "0f" * 32, "12345678901234567890"],
)
def test_a_code_is_no_identifier(text: str) -> None:
    assert not re.search(LOOKS_LIKE_AN_IDENTIFIER, text)
