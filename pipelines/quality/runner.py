"""Running suites in PostgreSQL through Great Expectations: one import and one context per task."""

from __future__ import annotations

import re
from typing import Any

import great_expectations as gx
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.registry import get_expectation_impl
from sqlalchemy import Engine

import pipelines.quality.gx_types  # noqa: F401 - registers our own expectation types
from pipelines.contracts.expectations import AnyRule, Stage, Suite
from pipelines.quality.batches import Batch
from pipelines.quality.gx_columns import learn_columns_without_rows
from pipelines.quality.gx_store import keep_result
from pipelines.quality.outcome import CheckScope, ExpectationOutcome
from pipelines.quality.scrub import problem_of, quiet_logs, scrubbed

# Counts only. With its defaults GX returns, stores and shows the values that failed.
COUNTS_ONLY = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
RULE_ID = "rule_id"
_ROW_COUNT = "expect_table_row_count_to_be_between"
_COLUMNS = "expect_table_columns_to_match_set"


class SuiteRunner:
    """Runs suites for one task, keeping what GX found for the Data Docs."""

    def __init__(self, engine: Engine, scope: CheckScope, stage: Stage) -> None:
        config = DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        )
        learn_columns_without_rows()
        url = engine.url.render_as_string(hide_password=False)
        with quiet_logs():
            context = gx.get_context(mode="ephemeral", project_config=config)
            self._source = context.data_sources.add_postgres(
                "warehouse", connection_string=url, create_temp_table=False
            )
        self._scope, self._stage = scope, stage

    def run(self, suite: Suite, batch: Batch) -> tuple[ExpectationOutcome, ...]:
        """Return one outcome per expectation of the suite, in its order."""
        rules = {rule.id: rule for rule in suite.expectations}
        with quiet_logs():
            asset = self._source.add_query_asset(suite.table, query=batch.query)
            gx_batch = asset.add_batch_definition("batch").get_batch()
            gx_suite = ExpectationSuite(
                suite.table, expectations=[to_gx(rule, batch) for rule in rules.values()]
            )
            result = gx_batch.validate(gx_suite, result_format=COUNTS_ONLY)
        found = {_rule_id(single): single for single in result.results}
        rows = _rows_of(found.values())
        outcomes = tuple(self._outcome(suite, rule, found[name], rows) for name, rule in rules.items())
        keep_result(self._scope, self._stage, without_texts(result))
        return outcomes

    def _outcome(
        self, suite: Suite, rule: AnyRule, single: ExpectationValidationResult, rows: int | None
    ) -> ExpectationOutcome:
        problem = problem_of(single.exception_info)
        evaluated, unexpected = (None, None) if problem else _counts(rule, single, rows)
        return ExpectationOutcome(
            expectation_id=rule.id,
            stage=self._stage,
            table=suite.table,
            agency=self._scope.agency,
            period=self._scope.period,
            type=rule.type,
            column=_column_of(rule),
            severity=rule.severity,
            success=bool(single.success),
            evaluated=evaluated,
            unexpected=unexpected,
            why=rule.why,
            problem=problem,
        )


def to_gx(rule: AnyRule, batch: Batch) -> Expectation:
    """Return the GX expectation of a rule, its placeholders filled for this batch."""
    arguments: dict[str, Any] = rule.arguments()
    for name, value in arguments.items():
        if isinstance(value, tuple):
            arguments[name] = list(value)
    if "share_query" in arguments:
        arguments["unexpected_rows_query"] = _only_two_numbers(arguments.pop("share_query"))
    if "unexpected_rows_query" in arguments:
        arguments["unexpected_rows_query"] = _for_gx(arguments["unexpected_rows_query"], batch)
    arguments["severity"] = rule.severity
    arguments["notes"] = f"{rule.severity.upper()}: {rule.why}"
    arguments["meta"] = {RULE_ID: rule.id}
    return get_expectation_impl(rule.gx_type)(**arguments)


def _only_two_numbers(query: str) -> str:
    """Return a query whose one row is two numbers, whatever else the given one would return."""
    head = "SELECT coalesce(sum(evaluated), 0) AS evaluated, coalesce(sum(unexpected), 0) AS unexpected"
    return f"{head} FROM ({query}) AS counted"


def _for_gx(query: str, batch: Batch) -> str:
    """Return a query in the form that GX expects: `{batch}` once, every other brace doubled.

    GX gives the batch an alias of its own unless the query has a JOIN, so the batch becomes a named query.
    """
    for name, value in batch.ids.items():
        query = query.replace(f"{{{name}}}", str(value))
    body = query.replace("{batch}", "batch").replace("{", "{{").replace("}", "}}").strip()
    alias = " AS b" if re.search(r"\bJOIN\b", body, re.IGNORECASE) else ""
    return "WITH batch AS (SELECT * FROM {batch}" + alias + ") " + body  # noqa: S608 - from our own YAML


def without_texts(result: ExpectationSuiteValidationResult) -> ExpectationSuiteValidationResult:
    """Return the result with the text of every error withheld."""
    for single in result.results:
        single.exception_info = scrubbed(single.exception_info)
    return result


def _rule_id(single: ExpectationValidationResult) -> str:
    config = single.expectation_config
    return str(config.meta[RULE_ID]) if config and config.meta else ""


def _column_of(rule: AnyRule) -> str | None:
    """Return the column, or the columns, that a rule is about."""
    arguments: dict[str, Any] = rule.model_dump()
    if "column_A" in arguments:
        return f"{arguments['column_A']}, {arguments['column_B']}"
    if "column_list" in arguments:
        return ", ".join(arguments["column_list"])
    return arguments.get("column")


def _rows_of(results: Any) -> int | None:
    """Return the number of rows in the batch, as the suite's row count found it."""
    for single in results:
        if single.expectation_config.type == _ROW_COUNT and "observed_value" in single.result:
            return int(single.result["observed_value"])
    return None


def _counts(
    rule: AnyRule, single: ExpectationValidationResult, rows: int | None
) -> tuple[int | None, int | None]:
    """Return how many rows an expectation looked at, and how many were not as expected."""
    result = single.result
    if rule.type == _ROW_COUNT:
        return rows, 0 if single.success else rows
    if rule.type == _COLUMNS:
        missing = result.get("details", {}).get("mismatched", {}).get("missing", [])
        return len(rule.arguments()["column_set"]), len(missing)
    if "evaluated" in result:
        return int(result["evaluated"]), int(result["unexpected"])
    if "element_count" in result:
        missing_rows = result.get("missing_count") or 0
        return int(result["element_count"]) - int(missing_rows), int(result.get("unexpected_count") or 0)
    return rows, int(result.get("observed_value") or 0)
