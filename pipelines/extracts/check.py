"""What is wrong with an extract, in counts and row numbers: a value of a person never stands in the result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.loader import column_name
from pipelines.contracts.model import LinkageModel
from pipelines.extracts.linkable import Linkable, count_linkable
from pipelines.extracts.read import ReadExtract, ReadFile

ROWS_SHOWN = 20
TOLD_WITH_ROWS = ("IDENTIFIER_", "BIRTH_default_date")
BAD_IDENTIFIERS = ("INVALID_FORMAT", "INVALID_CHECK", "PLACEHOLDER", "WRONG_TYPE")


@dataclass(frozen=True)
class Finding:
    """A rule that rows of a file break: how many, the numbers of the first, and what is lost by it."""

    file: str
    rule: str
    rows: int
    row_numbers: tuple[int, ...] = ()
    column: str | None = None
    loses: str = "nothing"
    message: str = ""


@dataclass(frozen=True)
class Report:
    """What was found in an extract."""

    findings: tuple[Finding, ...]
    completeness: dict[str, dict[str, float]]
    rows: dict[str, int]
    linkable: Linkable
    same_people: int

    @property
    def is_fit(self) -> bool:
        """Whether the extract may be sent: no file would be rejected and no row set aside."""
        return not any(finding.loses in ("file", "row") for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {**asdict(self), "is_fit": self.is_fit}


def check_extract(extract: ReadExtract, model: LinkageModel) -> Report:
    """Return what is wrong with an extract, how complete it is, and how much of it could be linked."""
    tables = extract.normalised.tables
    findings = [
        *(finding for file in extract.files.values() for finding in _of_the_file(file)),
        *_of_rows(extract),
        *_of_values(extract),
        *_of_normalised(extract),
    ]
    return Report(
        findings=tuple(findings),
        completeness={
            name: dict(_completeness(extract, file))
            for name, file in extract.files.items()
            if file.rows.num_rows
        },
        rows={name: file.rows_in_file for name, file in extract.files.items()},
        linkable=count_linkable(model, tables),
        same_people=_same_people(tables),
    )


def _of_the_file(file: ReadFile) -> Iterator[Finding]:
    """Yield what the reader found: problems reject the whole file."""
    for problem in file.problems:
        yield Finding(
            file.name, problem.rule, 1, _numbers([problem.row]), problem.column, "file", problem.message
        )
    for warning in file.warnings:
        yield Finding(
            file.name, warning.rule, 1, _numbers([warning.row]), warning.column, message=warning.message
        )
    reasons = defaultdict(list)
    for row in file.set_aside:
        reasons[row.reason].append(row.row_number)
    for reason, rows in sorted(reasons.items()):
        yield Finding(file.name, reason, len(rows), _numbers(rows), loses="row")


def _of_rows(extract: ReadExtract) -> Iterator[Finding]:
    """Yield the rows that would be set aside, and those that repeat another."""
    for outcome in extract.normalised.files:
        reasons = defaultdict(list)
        for row in outcome.quarantined:
            for reason in row.reasons:
                reasons[reason].append(row.row_number)
        for reason, rows in sorted(reasons.items()):
            rule, _, column = reason.partition(":")
            yield Finding(outcome.file, rule, len(rows), _numbers(rows), column or None, "row")
        if outcome.duplicate_of:
            repeated = sorted(outcome.duplicate_of)
            yield Finding(outcome.file, "REPEATED_ROW", len(repeated), _numbers(repeated))


def _of_values(extract: ReadExtract) -> Iterator[Finding]:
    """Yield the values that could not be used, counted by column and rule; some are told with their rows below."""
    for outcome in extract.normalised.files:
        for (column, rule), count in sorted(outcome.issues.items()):
            if rule.startswith(TOLD_WITH_ROWS):
                continue
            yield Finding(outcome.file, rule.upper(), count, column=column)


def _of_normalised(extract: ReadExtract) -> Iterator[Finding]:
    """Yield filler dates and identifiers that are none, with the rows they stand in."""
    births, identifiers = (
        extract.normalised.tables[name] for name in ("person_date_of_birth", "person_identifier")
    )
    yield from _rows_where(extract, births, "precision", "DEFAULT", "DEFAULT_DATE_OF_BIRTH")
    for status in BAD_IDENTIFIERS:
        for kind in pc.unique(identifiers["identifier_type"]).to_pylist():
            theirs = identifiers.filter(pc.equal(identifiers["identifier_type"], kind))
            yield from _rows_where(extract, theirs, "status", status, f"{kind}_{status}")


def _rows_where(
    extract: ReadExtract, table: pa.Table, column: str, value: str, rule: str
) -> Iterator[Finding]:
    found = table.filter(pc.equal(table[column], value))
    for number, name in enumerate(extract.files, 1):
        rows = found.filter(pc.equal(found["extract_id"], number))["row_number"].to_pylist()
        if rows:
            yield Finding(name, rule, len(rows), _numbers(rows))


def _completeness(extract: ReadExtract, file: ReadFile) -> Iterator[tuple[str, float]]:
    """Yield the share of rows in which each column says something."""
    declared = extract.contract.files[file.name]
    nothing = pa.array(["", *declared.format.null_literals])
    for header in declared.landed_columns:
        values = file.rows[column_name(header)]
        empty = pc.or_kleene(pc.is_null(values), pc.is_in(pc.utf8_trim_whitespace(values), value_set=nothing))
        yield header, round(1 - (pc.sum(empty).as_py() or 0) / file.rows.num_rows, 4)


def _same_people(tables: Any) -> int:
    """Return how many records share given name, family name and date of birth with another record."""
    names, births = tables["person_name"].to_pandas(), tables["person_date_of_birth"].to_pandas()
    births = births[births["precision"] == "DAY"]
    known = names.dropna(subset=["given", "family"]).merge(births, on="record_id")
    known = known.drop_duplicates(["record_id", "given", "family", "date_of_birth"])
    repeated = known.duplicated(["given", "family", "date_of_birth"], keep=False)
    return int(known.loc[repeated, "record_id"].nunique())


def _numbers(rows: Sequence[int | None]) -> tuple[int, ...]:
    """Return the first row numbers, in order."""
    return tuple(sorted(row for row in rows if row is not None)[:ROWS_SHOWN])
