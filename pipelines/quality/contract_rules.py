"""What a contract alone lets one expect of a landed file, and of an agency's records once linked.

These stand in where no YAML says more: an agency that is new is checked from its first delivery on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.expectations import AnyRule, Severity
from pipelines.contracts.loader import column_name

_RULE: TypeAdapter[AnyRule] = TypeAdapter(AnyRule)
FILLED, IN_FORMAT, WITHOUT_A_LINK = 0.99, 0.95, 0.98
# What strptime reads for each directive, as a POSIX pattern; leading zeros may be missing.
_DIRECTIVES = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "b": "[A-Za-z]{3}",
    "B": "[A-Za-z]+",
    "f": "[0-9]{1,6}",
    **dict.fromkeys("mdHMSI", "[0-9]{1,2}"),
}


def generated_rule(rule_id: str, rule_type: str, severity: Severity, why: str, **arguments: Any) -> AnyRule:
    """Return a generated rule, checked like a written one."""
    given = {"id": rule_id, "type": rule_type, "severity": severity, "why": why, **arguments}
    return _RULE.validate_python(given)


def contract_rules(file: AgencyFile) -> tuple[AnyRule, ...]:
    """Return the expectations on a landed file that its contract implies: rows, filled columns, date formats."""
    return tuple(_implied(file))


def _implied(file: AgencyFile) -> Iterator[AnyRule]:
    yield generated_rule(
        "rows_are_plausible",
        "expect_table_row_count_to_be_between",
        "critical",
        "The contract says how many rows a whole export has; fewer or more is a failed or a foreign one.",
        min_value=file.min_rows,
        max_value=file.max_rows,
    )
    for position, header in enumerate(file.landed_columns, 1):
        column, name = file.columns[header], column_name(header)
        rule_id = name if re.fullmatch("[a-z][a-z0-9_]*", name) else f"column_{position}"
        if column.required or header == file.local_id:
            why = f"Rows without {header} are set aside, so an empty column would lose the file."
            yield generated_rule(
                f"{rule_id}_is_filled",
                "expect_column_to_be_filled",
                "critical",
                why,
                column=name,
                mostly=FILLED,
            )
        if column.date:
            yield generated_rule(
                f"{rule_id}_is_in_the_declared_format",
                "expect_column_values_to_match_regex",
                "critical",
                "Day and month swap silently in any other format, so a changed format stops the batch.",
                column=name,
                regex=date_pattern(column.date, file.format.null_literals),
                mostly=IN_FORMAT,
            )


def date_pattern(formats: tuple[str, ...], null_literals: tuple[str, ...]) -> str:
    """Return the POSIX pattern of texts in any of these `strptime` formats; what stands for nothing fits too."""
    dates = [re.sub(r"%([A-Za-z])|(.)", _part, text) for text in formats]
    nulls = [re.escape(text) for text in null_literals]
    return f"^ *({'|'.join([*dates, *nulls])}) *$"


def _part(found: re.Match[str]) -> str:
    directive, letter = found.groups()
    return re.escape(letter) if letter else _DIRECTIVES.get(directive, ".+")


def links_somebody(agency: str) -> AnyRule:
    """Return the expectation that an agency's records are not nearly all without a link to another agency's."""
    query = f"""
        SELECT count(*) AS evaluated, count(*) FILTER (WHERE agencies = 1) AS unexpected
        FROM (SELECT r.agency, a.agencies
              FROM {{batch}} AS c
              JOIN identity.record AS r ON r.record_id = c.record_id
              JOIN (SELECT k.cluster_id, count(DISTINCT s.agency) AS agencies
                    FROM linked.cluster_of({{run_id}}) AS k JOIN identity.record AS s ON s.record_id = k.record_id
                    GROUP BY k.cluster_id) AS a ON a.cluster_id = c.cluster_id) AS records
        WHERE agency = '{agency}'
    """  # noqa: S608 - the pattern of an agency's key allows no quote
    return generated_rule(
        f"{agency}_without_a_link",
        "expect_share_to_be_between",
        "warning",
        "Some of the people of every agency are known to another; next to none means that evidence is not read.",
        share_query=query,
        max_share=WITHOUT_A_LINK,
    )
