"""The contract with an agency: which files it sends, what each column means, and under which agreement.

A contract is one YAML file in `schemas/agencies/`. Nothing about an agency is written in Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.contracts.columns import Column, FileFormat
from pipelines.contracts.documents import document_problems
from pipelines.contracts.emits import Condition, Emit
from pipelines.contracts.fixed_width import placing_problems
from pipelines.contracts.layouts import Layout, layout_problems
from pipelines.contracts.shared import record_tables
from pipelines.contracts.strict import Strict
from pipelines.periods import CADENCE


class Agreement(Strict):
    """The data-sharing agreement that allows the agency's files to be read, and for what."""

    reference: str
    lawful_basis: str
    condition: str
    dpa_part: Literal[2, 3]
    authorised_by: str | None = None
    purposes: tuple[str, ...] = Field(min_length=1)
    starts: date
    ends: date

    @model_validator(mode="after")
    def _police_needs_authority(self) -> Agreement:
        if self.dpa_part == 3 and not self.authorised_by:
            raise ValueError("authorised_by is expected where dpa_part is 3 (law enforcement data)")
        if self.ends <= self.starts:
            raise ValueError("ends is expected to be later than starts")
        return self

    def is_live(self, day: date) -> bool:
        """Whether the agreement covers this day."""
        return self.starts <= day <= self.ends


class SetAside(Strict):
    """Rows that are quarantined by rule: test records, rows that the source itself flags as duplicates."""

    reason: str = Field(pattern=r"^[A-Z][A-Z_]+$")
    when: Condition


class Lookup(Strict):
    """Columns borrowed from another file of the delivery, joined on one column of the same name."""

    file: str
    by: str


class AgencyFile(Strict):
    """One file of a delivery."""

    title: str
    pattern: str
    period_format: str
    mode: Literal["snapshot", "delta"] = "snapshot"
    required: bool = True
    holds_people: bool = False
    format: FileFormat = FileFormat()
    min_rows: int = Field(default=1, ge=0)
    max_rows: int = Field(default=50_000_000, gt=0)
    local_id: str | None = None
    key: tuple[str, ...] = ()
    january_peak: bool = False
    set_aside: tuple[SetAside, ...] = ()
    lookup: Lookup | None = None
    columns: dict[str, Column]
    layouts: tuple[Layout, ...] = ()
    emits: tuple[Emit, ...] = ()

    @field_validator("columns", mode="before")
    @classmethod
    def _empty_means_plain(cls, value: object) -> object:
        if isinstance(value, dict):
            return {name: column or {} for name, column in value.items()}
        return value

    @field_validator("pattern")
    @classmethod
    def _has_period(cls, value: str) -> str:
        if "period" not in re.compile(value).groupindex:
            raise ValueError("expected a regular expression with a group named period, (?P<period>...)")
        return value

    @model_validator(mode="after")
    def _document_has_paths(self) -> AgencyFile:
        for problem in document_problems(self.format, self.columns):
            raise ValueError(problem)
        return self

    def at(self, period: str) -> AgencyFile:
        """Return the file as it is in a period, `YYYY-MM`: its columns are those of the layout that holds then."""
        layout = next((layout for layout in self.layouts if layout.covers(period)), None)
        if layout is None:
            return self
        return self.model_copy(update={"columns": layout.over(self.columns), "layouts": ()})

    @property
    def expected_columns(self) -> tuple[str, ...]:
        """The columns that a file has, by the names of the contract."""
        return tuple(name for name, column in self.columns.items() if not column.absent)

    @property
    def landed_columns(self) -> tuple[str, ...]:
        """The headers whose values are landed: all but the ignored ones (data minimisation)."""
        return tuple(header for header, column in self.columns.items() if not column.ignored)

    def own_columns_used(self) -> Iterator[str]:
        """Every column that keys, rules, the lookup and the emits name (borrowed ones included)."""
        yield from self.key
        if self.local_id:
            yield self.local_id
        if self.lookup:
            yield self.lookup.by
        for rule in self.set_aside:
            yield from rule.when.columns()
        for emit in self.emits:
            yield from emit.columns()


class Headline(Strict):
    """One headline column of `published.linked_person`: which events feed it, by which rule."""

    column: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    event_types: tuple[str, ...] = ()
    rule: Literal["known", "any", "open", "count", "count_last_year", "first_date", "latest_date"]

    @model_validator(mode="after")
    def _events_where_needed(self) -> Headline:
        if (self.rule == "known") == bool(self.event_types):
            raise ValueError("event_types is expected for every rule but 'known', which takes none")
        return self


class Contract(Strict):
    """Everything agreed with one agency."""

    agency: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(default=1, ge=1)
    title: str
    publisher: str
    source_system: str
    issuer: str | None = None
    owner: str
    agreement: Agreement
    cadence: Literal["monthly"] = CADENCE
    due_day: int = Field(default=5, ge=1, le=28)
    cut_off_day: int = Field(default=12, ge=1, le=28)
    required: bool = True
    carry_forward_days: int = Field(default=0, ge=0)
    files: dict[str, AgencyFile] = Field(min_length=1)
    headlines: tuple[Headline, ...] = ()
    shares_category: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        for problem in _contract_problems(self):
            raise ValueError(problem)
        return self

    def at(self, period: str) -> Contract:
        """Return the contract as it is in a period, `YYYY-MM`: each file in the layout that holds then."""
        files = {name: file.at(period) for name, file in self.files.items()}
        return self.model_copy(update={"files": files})

    @property
    def people_files(self) -> tuple[str, ...]:
        """The names of the files that hold people."""
        return tuple(name for name, file in self.files.items() if file.holds_people)


def _contract_problems(contract: Contract) -> Iterator[str]:
    """Yield what is inconsistent between the parts of a contract."""
    if not contract.people_files:
        yield "files: at least one file is expected to have holds_people: true"
        return
    for name, file in contract.files.items():
        yield from (f"files.{name}.{problem}" for problem in _file_problems(contract, file))


def _file_problems(contract: Contract, file: AgencyFile) -> Iterator[str]:
    borrowed: set[str] = set()
    if file.lookup:
        if file.lookup.file not in contract.files:
            yield f"lookup.file: expected one of {sorted(contract.files)}"
            return
        borrowed = set(contract.files[file.lookup.file].columns)
    known = set(file.columns) | borrowed
    used = set(file.own_columns_used())
    for missing in sorted(used - known):
        yield f"columns: {missing!r} is used but not declared"
    lent = {
        column
        for other in contract.files.values()
        if other.lookup and contract.files.get(other.lookup.file) is file
        for column in {other.lookup.by, *other.own_columns_used()}
    }
    for column, rule in file.columns.items():
        if rule.ignored and column in used:
            yield f"columns.{column}: is ignored but also used"
        if not rule.ignored and column not in used | lent:
            yield f"columns.{column}: expected to be mapped, used as a key, or ignored with a reason"
    if not file.local_id and any(emit.table in record_tables() for emit in file.emits):
        yield "local_id: expected, since the file emits rows about people"
    yield from _layout_problems(file)


def _layout_problems(file: AgencyFile) -> Iterator[str]:
    relied_on = {file.local_id, *file.key, file.lookup.by if file.lookup else None}
    found = list(layout_problems(file.layouts, file.columns, {name for name in relied_on if name}))
    yield from found
    yield from placing_problems(file.format, file.columns, "columns")
    if not found:
        for number, layout in enumerate(file.layouts):
            place = f"layouts.{number}.columns"
            yield from placing_problems(file.format, layout.over(file.columns), place)
