"""Suites run in a real PostgreSQL: what is counted, what is kept, and what never leaves the database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Connection, Engine, event, text
from support.warehouse import Warehouse

from pipelines.contracts.expectations import AnyRule, Suite
from pipelines.contracts.loader import landing_tables, load_contracts
from pipelines.errors import ExpectationsFailed
from pipelines.quality.batches import of_extracts
from pipelines.quality.checks import check_landing, check_linked, check_normalised, check_release
from pipelines.quality.gate import gate
from pipelines.quality.outcome import CheckScope, ExpectationOutcome
from pipelines.quality.reports import write_reports
from pipelines.quality.store import store_outcomes
from pipelines.warehouse.engine import engine, transaction

pytestmark = pytest.mark.database

CANARY = "KANARIENVOGEL"
ROWS = 40
TABLE = "landing.police_nominal"
WHY = "A reason that an auditor can read."


@pytest.fixture(scope="module")
def run_id(module_warehouse: Warehouse) -> int:
    """A run, and an extract whose every column holds canaries."""
    columns = landing_tables()["police_nominal"]
    # Each value is unmistakable, and none is what any expectation of this module wants.
    values = ", ".join(f"'{CANARY}-{column}-' || g" for column in columns)
    with transaction() as connection:
        run = connection.execute(
            text(
                "INSERT INTO audit.run (kind, period, inputs) VALUES ('ingest', '2026-10', '{}') RETURNING run_id"
            )
        ).scalar_one()
        connection.exec_driver_sql(
            f"INSERT INTO {TABLE} (extract_id, row_number, {', '.join(columns)})"
            f" SELECT 1, g, {values} FROM generate_series(1, {ROWS}) AS g"
        )
    return int(run)


@pytest.fixture
def scope(run_id: int) -> CheckScope:
    """The check of a police delivery."""
    return CheckScope(run_id, "2026-10", "police")


FAILING: tuple[dict[str, Any], ...] = (
    {"type": "expect_table_row_count_to_be_between", "min_value": 1000},
    {"type": "expect_table_columns_to_match_set", "column_set": ["surname", "no_such_column"]},
    {"type": "expect_column_to_be_filled", "column": "uprn", "mostly": 1},
    {"type": "expect_column_values_to_not_be_null", "column": "title"},
    {"type": "expect_column_values_to_be_null", "column": "surname"},
    {"type": "expect_column_values_to_be_in_set", "column": "sex", "value_set": ["M", "F"]},
    {
        "type": "expect_column_values_to_not_be_in_set",
        "column": "nametype",
        "value_set": [f"{CANARY}-nametype-1"],
    },
    {"type": "expect_column_values_to_match_regex", "column": "dateofbirth", "regex": "^[0-9]{2}/[0-9]{2}"},
    {"type": "expect_column_values_to_not_match_regex", "column": "postcode", "regex": "[A-Z]{5}"},
    {"type": "expect_column_values_to_be_between", "column": "row_number", "min_value": 1000},
    {"type": "expect_column_value_lengths_to_be_between", "column": "pncid", "max_value": 3},
    {"type": "expect_column_values_to_be_unique", "column": "extract_id"},
    {"type": "expect_compound_columns_to_be_unique", "column_list": ["extract_id", "uprn"]},
    {
        "type": "expect_column_pair_values_a_to_be_greater_than_b",
        "column_A": "extract_id",
        "column_B": "row_number",
    },
    {
        "type": "unexpected_rows_expectation",
        "unexpected_rows_query": "SELECT row_number FROM {batch} WHERE surname LIKE 'KAN%'",
    },
    {
        "type": "expect_share_to_be_between",
        "share_query": "SELECT count(*) AS evaluated, count(surname) AS unexpected FROM {batch}",
        "max_share": 0.1,
    },
)
BROKEN: tuple[dict[str, Any], ...] = (
    {
        "type": "unexpected_rows_expectation",
        "unexpected_rows_query": "SELECT row_number FROM {batch} WHERE dateofbirth::date < current_date",
    },
    {
        "type": "expect_share_to_be_between",
        "share_query": "SELECT 1 AS evaluated, max(surname)::int AS unexpected FROM {batch}",
        "max_share": 0.1,
    },
    {"type": "expect_column_values_to_not_be_null", "column": "no_such_column"},
)


def run(
    scope: CheckScope, rules: tuple[dict[str, Any], ...], severity: str = "critical"
) -> list[ExpectationOutcome]:
    """Run rules on the canaries, and write down what they found."""
    from pipelines.quality.runner import SuiteRunner

    full = [{"id": f"rule_{n}", "severity": severity, "why": WHY, **rule} for n, rule in enumerate(rules)]
    suite = Suite.model_validate(
        {"table": TABLE, "description": "Canaries in every column.", "expectations": full}
    )
    outcomes = SuiteRunner(engine(), scope, "landing").run(suite, of_extracts(TABLE, [1]))
    with transaction() as connection:
        store_outcomes(connection, scope, "landing", outcomes)
    return list(outcomes)


@pytest.fixture
def unset_titles(run_id: int) -> Iterator[None]:
    """Empty columns for the rules that want them filled."""
    with transaction() as connection:
        connection.exec_driver_sql(f"UPDATE {TABLE} SET title = NULL, uprn = ' '")
    yield


def test_the_failing_rules_cover_every_type_there_is() -> None:
    union = get_args(AnyRule)[0]
    types = {name for rule in get_args(union) for name in get_args(rule.model_fields["type"].annotation)}
    assert types == {rule["type"] for rule in FAILING}


@pytest.mark.usefixtures("unset_titles")
def test_every_type_fails_and_counts(scope: CheckScope) -> None:
    outcomes = run(scope, FAILING)
    assert not [outcome.type for outcome in outcomes if outcome.success]
    assert not [outcome.type for outcome in outcomes if outcome.could_not_run]
    counted = {outcome.type: (outcome.evaluated, outcome.unexpected) for outcome in outcomes}
    assert counted["expect_column_values_to_match_regex"] == (ROWS, ROWS)
    assert counted["expect_column_values_to_not_be_in_set"] == (ROWS, 1)
    assert counted["unexpected_rows_expectation"] == (ROWS, ROWS)
    assert counted["expect_share_to_be_between"] == (ROWS, ROWS)
    assert counted["expect_table_columns_to_match_set"] == (2, 1)


@pytest.mark.usefixtures("unset_titles")
def test_a_check_counts_in_the_database_and_fetches_no_rows(scope: CheckScope) -> None:
    fetched: list[int] = []

    def note(_: Connection, cursor: Any, *__: Any) -> None:
        fetched.append(cursor.rowcount)

    event.listen(Engine, "after_cursor_execute", note)
    try:
        run(scope, FAILING)
    finally:
        event.remove(Engine, "after_cursor_execute", note)
    assert len(fetched) > len(FAILING) / 2
    assert max(fetched) < ROWS, "a check of a million rows would hold them all"


@pytest.mark.usefixtures("unset_titles")
def test_no_failing_value_leaves_the_database(
    scope: CheckScope,
    module_warehouse: Warehouse,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    outcomes = run(scope, FAILING + BROKEN)
    with pytest.raises(ExpectationsFailed) as error:
        gate(outcomes)
    write_reports(engine(), scope.run_id)
    written = {
        path: path.read_text(errors="replace") for path in module_warehouse.home.rglob("*") if path.is_file()
    }
    assert any(path.suffix == ".json" for path in written) and any(path.suffix == ".html" for path in written)
    # The rule that names a canary in its own arguments is about that word, not about a record.
    searched = {str(path): content.replace(f"{CANARY}-nametype-1", "") for path, content in written.items()}
    assert not [path for path, content in searched.items() if CANARY in content]
    shown = capfd.readouterr()
    assert CANARY not in shown.out + shown.err + caplog.text + str(error.value)
    with transaction() as connection:
        kept = connection.execute(text("SELECT e::text FROM audit.expectation_result AS e")).scalars().all()
    assert kept and not [row for row in kept if CANARY in row]


def test_a_check_that_cannot_be_made_names_the_kind_of_error_only(scope: CheckScope) -> None:
    outcomes = run(scope, BROKEN, severity="info")
    assert all(outcome.could_not_run for outcome in outcomes)
    assert outcomes[0].problem == "InvalidDatetimeFormat"
    with pytest.raises(ExpectationsFailed, match="InvalidDatetimeFormat"):
        gate(outcomes)


def test_running_a_check_again_leaves_the_same_state(scope: CheckScope, module_warehouse: Warehouse) -> None:
    def state() -> tuple[list[Any], list[Path]]:
        columns = "stage, table_name, agency, expectation_id, success, evaluated, unexpected"
        with transaction() as connection:
            rows = connection.execute(
                text(f"SELECT {columns} FROM audit.expectation_result ORDER BY 1, 2, 4")
            ).all()
        results = (module_warehouse.home / "gx").rglob("*.json")
        return list(rows), sorted(path.parent.parent for path in results)

    run(scope, FAILING[5:])
    first = state()
    run(scope, FAILING[5:])
    assert state() == first


def test_our_landing_suites_find_a_file_of_nonsense(scope: CheckScope) -> None:
    outcomes = check_landing(engine(), scope, {"nominal": 1})
    failed = {outcome.expectation_id for outcome in outcomes if not outcome.success}
    assert {"name_type_is_known", "birth_dates_are_in_the_declared_format", "sex_is_a_known_code"} <= failed
    with pytest.raises(ExpectationsFailed, match="name_type_is_known"):
        gate(outcomes)


@pytest.mark.parametrize("agency", list(load_contracts()))
def test_every_query_of_ours_can_be_run(run_id: int, agency: str) -> None:
    of_agency, of_all = CheckScope(run_id, "2026-10", agency), CheckScope(run_id, "2026-10")
    files = [name.removeprefix(f"{agency}_") for name in landing_tables() if name.startswith(agency)]
    outcomes = [
        *check_landing(engine(), of_agency, {file: 999 for file in files}),
        *check_normalised(engine(), of_agency, [999]),
        *check_linked(engine(), of_all, 999),
        *check_release(engine(), of_all, 999),
    ]
    assert len(outcomes) > 100
    assert not [str(outcome) for outcome in outcomes if outcome.could_not_run]


def test_an_empty_delivery_an_empty_run_and_an_empty_release_are_stopped(run_id: int) -> None:
    scope = CheckScope(run_id, "2026-10")
    for outcomes in (
        check_normalised(engine(), CheckScope(run_id, "2026-10", "police"), [999]),
        check_linked(engine(), scope, 999),
        check_release(engine(), scope, 999),
    ):
        with pytest.raises(ExpectationsFailed, match="there_are"):
            gate(outcomes)
