"""The suites of a stage: what the schemas already say, and what the YAML adds to it."""

from __future__ import annotations

from typing import Literal

from pipelines.contracts.expectations import AnyRule, Stage, Suite, load_suites
from pipelines.contracts.loader import landing_table, landing_tables, load_contracts
from pipelines.contracts.shared import SharedTable, normalised_tables, published_tables
from pipelines.quality.contract_rules import contract_rules, generated_rule, links_somebody

_STORAGE = {"normalised": "normalised", "published": "publication"}
# Shapes of NHS number, pupil number, PNC, full postcode, dates and e-mail, standing alone in a text.
_IDENTIFIER_SHAPES = (
    "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}",
    "[A-Za-z][0-9]{11}[0-9A-Za-z]",
    "[0-9]{2,4}/[0-9]{1,7}[A-Z]",
    "[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][ABD-HJLNP-UW-Z]{2}",
    "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}",
    "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "[^ ]+@[^ ]+[.][A-Za-z]+",
)
LOOKS_LIKE_AN_IDENTIFIER = f"(^|[^0-9A-Za-z])({'|'.join(_IDENTIFIER_SHAPES)})([^0-9A-Za-z]|$)"


def structural_rules(table: SharedTable) -> tuple[AnyRule, ...]:
    """Return the expectations that the shared schema implies: columns, not null, permitted values."""
    rules = [_columns_exist([column.name for column in table.columns])]
    for column in table.columns:
        if not column.nullable:
            why = f"The shared schema says that {column.name} is always filled."
            filled = "expect_column_values_to_not_be_null"
            rules.append(
                generated_rule(f"{column.name}_is_filled", filled, "critical", why, column=column.name)
            )
        if column.values:
            why = f"The shared schema lists what {column.name} may hold."
            kept = {"column": column.name, "value_set": column.values}
            listed = "expect_column_values_to_be_in_set"
            rules.append(generated_rule(f"{column.name}_is_permitted", listed, "critical", why, **kept))
    return tuple(rules)


def _columns_exist(names: list[str]) -> AnyRule:
    why = "Every column that is declared must be in the table, or later stages would read nothing from it."
    return generated_rule(
        "columns_exist", "expect_table_columns_to_match_set", "critical", why, column_set=names
    )


def anonymity_rules(table: SharedTable) -> tuple[AnyRule, ...]:
    """Return the expectations that no text column of a published table holds anything like an identifier."""
    why = (
        "Analysts must never meet a value that could be an NHS number, a birthday, a postcode or an address."
    )
    rules = []
    for column in table.columns:
        name = f"{column.name}_looks_like_no_identifier"
        if column.type == "text":
            kept = {"column": column.name, "regex": LOOKS_LIKE_AN_IDENTIFIER}
            rules.append(
                generated_rule(name, "expect_column_values_to_not_match_regex", "critical", why, **kept)
            )
        if column.type == "text[]":
            text = f"array_to_string({column.name}, ' ') ~ '{LOOKS_LIKE_AN_IDENTIFIER}'"
            query = f"SELECT release_id FROM {{batch}} WHERE {text}"  # noqa: S608 - from the shared schema
            rules.append(
                generated_rule(
                    name, "unexpected_rows_expectation", "critical", why, unexpected_rows_query=query
                )
            )
    return tuple(rules)


def _with_rows_counted(rules: tuple[AnyRule, ...]) -> tuple[AnyRule, ...]:
    """Return the rules with one that counts the rows, which every other outcome is measured against."""
    if any(rule.type == "expect_table_row_count_to_be_between" for rule in rules):
        return rules
    why = "Counts the rows of the batch, so that the other results can be read against it."
    return (
        generated_rule("rows_counted", "expect_table_row_count_to_be_between", "info", why, min_value=0),
        *rules,
    )


def landing_suite(agency: str, file: str) -> Suite:
    """Return the suite of one landed file: its contract's columns, and the YAML, or what the contract implies."""
    name = landing_table(agency, file)
    contract = load_contracts()[agency].files[file]
    columns = ["extract_id", "row_number", *landing_tables()[name]]
    written = {suite.name: suite for suite in load_suites("landing")}.get(name)
    rules = (_columns_exist(columns), *(written.expectations if written else contract_rules(contract)))
    description = written.description if written else contract.title
    return _suite(f"landing.{name}", description, rules)


def shared_suites(stage: Literal["normalised", "published"]) -> tuple[Suite, ...]:
    """Return the suites of a stage whose tables the shared schema declares."""
    tables = normalised_tables() if stage == "normalised" else published_tables()
    written = {suite.name: suite for suite in load_suites(stage)}
    suites = []
    for name, table in tables.items():
        more = written[name].expectations if name in written else ()
        implied = structural_rules(table) + (anonymity_rules(table) if stage == "published" else ())
        suites.append(_suite(f"{_STORAGE[stage]}.{name}", table.description, implied + more))
    return tuple(suites)


def linked_suites() -> tuple[Suite, ...]:
    """Return the suites of the linked stage: written, and what is expected of every agency."""
    return tuple(
        _suite(suite.table, suite.description, (*suite.expectations, *_generated(suite)))
        for suite in load_suites("linked")
    )


def _generated(suite: Suite) -> tuple[AnyRule, ...]:
    """Return the rules on clusters of agencies that nobody wrote one for."""
    if suite.name != "cluster":
        return ()
    written = {rule.id for rule in suite.expectations}
    return tuple(rule for rule in map(links_somebody, load_contracts()) if rule.id not in written)


def for_agency(suite: Suite, agency: str | None) -> Suite:
    """Return the suite with the rules that apply to an agency's batch."""
    kept = tuple(rule for rule in suite.expectations if rule.applies_to(agency))
    return suite.model_copy(update={"expectations": kept})


def _suite(table: str, description: str, rules: tuple[AnyRule, ...]) -> Suite:
    return Suite(table=table, description=description.strip(), expectations=_with_rows_counted(rules))


def all_suites(stage: Stage) -> tuple[Suite, ...]:
    """Return every suite of a stage, generated and written rules together."""
    if stage == "landing":
        contracts = load_contracts()
        return tuple(landing_suite(agency, file) for agency in contracts for file in contracts[agency].files)
    return linked_suites() if stage == "linked" else shared_suites(stage)
