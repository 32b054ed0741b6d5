"""What a batch should look like: the suites in `expectations/<stage>/<table>.yaml`, read and checked.

The vocabulary is closed on purpose. Each type listed here gives counts and never a value, and an argument
that a type does not have is an error when the file is read, long before any data is seen.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipelines.contracts.yaml_file import read_model
from pipelines.errors import ContractError
from pipelines.settings import load_settings

Stage = Literal["landing", "normalised", "linked", "published"]
Severity = Literal["critical", "warning", "info"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Share = Annotated[float, Field(ge=0, le=1)]
PLACEHOLDERS = ("batch", "run_id", "release_id")

# What a query may return: surrogate ids and counts, never what stands in a record.
_ID_COLUMNS = frozenset(
    {
        *(
            "extract_id",
            "row_number",
            "record_id",
            "record_a",
            "record_b",
            "event_id",
            "person_id",
            "cluster_id",
        ),
        *("person_pseudonym", "event_pseudonym", "run_id", "release_id", "agency", "agencies"),
    }
)
_SELECT = re.compile(r"\s*SELECT\s+(?:DISTINCT\s+)?(?P<columns>[a-z_.,\s]+?)\s+FROM\b", re.IGNORECASE)


class Rule(BaseModel):
    """One expectation: what is checked, how bad a failure is, and why it matters, for an auditor to read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: str
    severity: Severity
    why: str = Field(min_length=20, pattern=r"^[A-Z].*[.]$")
    agencies: tuple[str, ...] = ()
    other_agencies: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_list_of_agencies(self) -> Rule:
        if self.agencies and self.other_agencies:
            raise ValueError("agencies and other_agencies are two ways to say for whom: give one")
        return self

    def applies_to(self, agency: str | None) -> bool:
        """Whether this rule is checked for an agency's batch.

        A rule is for the agencies that it names, for all others than it names, or else for every agency.
        """
        return (not self.agencies or agency in self.agencies) and agency not in self.other_agencies

    @property
    def gx_type(self) -> str:
        """The name under which Great Expectations knows the type."""
        return self.type

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the expectation type, without what belongs to the rule."""
        return self.model_dump(exclude=set(Rule.model_fields), exclude_none=True)


class _ColumnRule(Rule):
    column: str = Field(min_length=1)
    mostly: Share | None = None


class RowCount(Rule):
    """The batch has between `min_value` and `max_value` rows."""

    type: Literal["expect_table_row_count_to_be_between"]
    min_value: int | None = Field(default=None, ge=0)
    max_value: int | None = Field(default=None, ge=0)


class HasColumns(Rule):
    """The table has these columns."""

    type: Literal["expect_table_columns_to_match_set"]
    column_set: tuple[str, ...] = Field(min_length=1)
    exact_match: bool = False


class NullOrNot(_ColumnRule):
    """The column is filled, or is empty, in at least the share `mostly` of the rows."""

    type: Literal["expect_column_values_to_not_be_null", "expect_column_values_to_be_null"]


class ValueSet(_ColumnRule):
    """At least the share `mostly` of the filled values are, or are not, among `value_set`."""

    type: Literal["expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set"]
    value_set: tuple[str | int | bool, ...] = Field(min_length=1)


class Pattern(_ColumnRule):
    """At least the share `mostly` of the filled values match, or do not match, a POSIX pattern."""

    type: Literal["expect_column_values_to_match_regex", "expect_column_values_to_not_match_regex"]
    regex: str = Field(min_length=1)


class NumberRange(_ColumnRule):
    """At least the share `mostly` of the filled numbers, or text lengths, are within bounds."""

    type: Literal["expect_column_values_to_be_between", "expect_column_value_lengths_to_be_between"]
    min_value: float | None = None
    max_value: float | None = None


class Unique(_ColumnRule):
    """At least the share `mostly` of the filled values occur once."""

    type: Literal["expect_column_values_to_be_unique"]


class UniqueTogether(Rule):
    """No two rows agree in all of `column_list`."""

    type: Literal["expect_compound_columns_to_be_unique"]
    column_list: tuple[str, ...] = Field(min_length=2)


class Ordered(Rule):
    """`column_A` is greater than `column_B` wherever both are filled."""

    type: Literal["expect_column_pair_values_a_to_be_greater_than_b"]
    column_A: str
    column_B: str
    or_equal: bool = True
    mostly: Share | None = None
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"


class UnexpectedRows(Rule):
    """The query, which returns surrogate ids and nothing else, finds no row."""

    type: Literal["unexpected_rows_expectation"]
    unexpected_rows_query: str

    @property
    def gx_type(self) -> str:
        """How GX calls it: ours counts the rows and leaves them where they are."""
        return "expect_no_rows"

    @field_validator("unexpected_rows_query")
    @classmethod
    def _only_ids(cls, query: str) -> str:
        found = _SELECT.match(query)
        columns = [name.strip().split(".")[-1] for name in found["columns"].split(",")] if found else [""]
        if not set(columns) <= _ID_COLUMNS:
            raise ValueError("must select surrogate ids and nothing else: " + ", ".join(sorted(_ID_COLUMNS)))
        return _with_known_placeholders(query)


class ShareBetween(Rule):
    """`unexpected / evaluated`, two numbers that the query counts, is within bounds.

    A bound that each installation chooses for itself is named by its setting.
    """

    type: Literal["expect_share_to_be_between"]
    share_query: str
    min_share: float | None = Field(default=None, ge=0)
    max_share: float | None = Field(default=None, ge=0)
    max_share_setting: Literal["JOINEDUP_CHANGE_BUDGET"] | None = None

    @field_validator("share_query")
    @classmethod
    def _counts(cls, query: str) -> str:
        if not (re.search(r"\bAS evaluated\b", query) and re.search(r"\bAS unexpected\b", query)):
            raise ValueError("must be SELECT ... AS evaluated, ... AS unexpected FROM ...")
        return _with_known_placeholders(query)

    @model_validator(mode="after")
    def _has_a_bound(self) -> ShareBetween:
        if self.min_share is None and self.max_share is None and self.max_share_setting is None:
            raise ValueError("needs min_share, max_share or both")
        if self.max_share is not None and self.max_share_setting is not None:
            raise ValueError("max_share and max_share_setting are two ways to say the same: give one")
        return self

    def arguments(self) -> dict[str, Any]:
        """Return the query and the bounds, the setting's value for its name."""
        arguments = super().arguments()
        if arguments.pop("max_share_setting", None):
            arguments["max_share"] = load_settings().change_budget
        return arguments


def _with_known_placeholders(query: str) -> str:
    """Return the query when `{batch}` is in it and every other placeholder is known."""
    named = set(re.findall(r"\{([a-z_]+)\}", query))
    if "batch" not in named or not named <= set(PLACEHOLDERS):
        raise ValueError(f"must read from {{batch}}; placeholders are {', '.join(PLACEHOLDERS)}")
    return query


class Filled(Rule):
    """The column holds more than blanks in at least the share `mostly` of the rows."""

    type: Literal["expect_column_to_be_filled"]
    column: str = Field(pattern=r"^\w+$")
    mostly: Share

    @property
    def gx_type(self) -> str:
        """The type it is carried out as."""
        return "expect_share_to_be_between"

    def arguments(self) -> dict[str, Any]:
        """Return the counting query and the share that may be empty."""
        empty = f"count(*) FILTER (WHERE btrim(coalesce(\"{self.column}\", '')) = '')"
        query = f"SELECT count(*) AS evaluated, {empty} AS unexpected FROM {{batch}}"  # noqa: S608 - a checked name
        return {"share_query": query, "max_share": round(1 - self.mostly, 9)}


AnyRule = Annotated[
    RowCount
    | HasColumns
    | Filled
    | NullOrNot
    | ValueSet
    | Pattern
    | NumberRange
    | Unique
    | UniqueTogether
    | Ordered
    | UnexpectedRows
    | ShareBetween,
    Field(discriminator="type"),
]


class Suite(BaseModel):
    """The expectations on one table at one stage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str = Field(pattern=r"^[a-z_]+\.[a-z][a-z0-9_]*$")
    description: str = Field(min_length=10)
    expectations: tuple[AnyRule, ...]

    @property
    def name(self) -> str:
        """The table's name without its schema."""
        return self.table.split(".")[1]

    @model_validator(mode="after")
    def _ids_stand_once(self) -> Suite:
        repeated = [
            name for name, times in Counter(rule.id for rule in self.expectations).items() if times > 1
        ]
        if repeated:
            raise ValueError(f"each id must stand once, repeated: {', '.join(repeated)}")
        return self


def read_suite(path: Path) -> Suite:
    """Return the suite in a YAML file named after its table.

    Raises:
        ContractError: unknown type, misspelt argument, missing reason, unsafe query, or wrong file name.
    """
    suite = read_model(Suite, path)
    if suite.name != path.stem:
        raise ContractError(str(path), "table", f"expected a table named {path.stem!r}, as the file is")
    return suite


@cache
def _suites_in(folder: Path) -> tuple[Suite, ...]:
    return tuple(read_suite(path) for path in sorted(folder.glob("*.yaml")))


def load_suites(stage: Stage) -> tuple[Suite, ...]:
    """Return the hand-written suites of a stage, by table name; see `read_suite` for the errors."""
    folder = load_settings().expectations_dir / stage
    if not folder.is_dir():
        raise ContractError(str(folder), "(folder)", "expected one YAML file per table of this stage")
    return _suites_in(folder)
