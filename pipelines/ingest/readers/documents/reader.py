"""What the readers of all documents share: units in, batches of rows and findings out."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from pipelines.contracts.agency import AgencyFile
from pipelines.errors import Problem
from pipelines.ingest.readers.base import Batch, Findings
from pipelines.ingest.readers.batches import RowBatch
from pipelines.ingest.readers.documents.builder import Builder
from pipelines.ingest.readers.documents.plan import Plan
from pipelines.ingest.readers.documents.rows import Row, RowError, rows_of, text_at
from pipelines.ingest.readers.documents.tree import DocumentError, Value

WRONG_FILE = "WRONG_FILE"
# What the name of an element may look like to be shown: keys that are values (numbers, names, dates) hardly do.
_SHOWABLE = re.compile(r"(?!.*\d{4})@?[A-Za-z_][A-Za-z0-9_.\-]{0,59}")


class DocumentReader(ABC):
    """Reads one document, unit by unit; see `Reader`. A document that breaks off is a problem of the whole file."""

    def __init__(self, path: Path, name: str, file: AgencyFile) -> None:
        self.findings = Findings()
        self._path, self._name, self._file = path, name, file

    def batches(self) -> Iterator[Batch]:
        """Yield the file's rows; to be used once."""
        batch = RowBatch(self._file)
        try:
            for row in self._rows():
                self._take(row, batch)
                if batch.is_full:
                    yield from self._handed_on(batch)
                    batch = RowBatch(self._file)
        except DocumentError as error:
            self._problem(
                error.rule, error.message, row=self.findings.rows + 1 if self.findings.rows else None
            )
        yield from self._handed_on(batch)
        if not self.findings.problems:
            self.findings.warnings.extend(self._look_again())

    @abstractmethod
    def _rows(self) -> Iterator[Row]:
        """Yield every row of the file; raises DocumentError where it cannot be read on."""

    def _look_again(self) -> list[Problem]:
        """Return what is found by reading the whole file once more, after it was read without a problem."""
        return []

    def _handed_on(self, batch: RowBatch) -> Iterator[Batch]:
        if not self.findings.problems:
            yield batch.finish()

    def _take(self, row: Row, batch: RowBatch) -> None:
        """Put one row where it belongs: to the rows, to those set aside, or nowhere when it is blank."""
        if row.reason is None and not any(row.texts):
            self.findings.blank_rows += 1
            return
        self.findings.rows += 1
        if row.reason is None:
            batch.add(self.findings.rows, row.texts, sum(map(len, filter(None, row.texts))))
        else:
            self.findings.set_aside += 1
            batch.set_aside(self.findings.rows, row.reason, row.raw)

    def _rows_of_units(self, units: Iterator[Value], head: Value, plan: Plan) -> Iterator[Row]:
        """Yield the rows of all units; where the unit is the document it is its own head."""
        if plan.head is not None:
            self._check_expected(head, plan)
        for unit in units:
            document = unit if plan.unit_level == 0 else head
            if plan.unit_level == 0:
                self._check_expected(unit, plan)
            yield from rows_of(unit, document, plan)

    def _check_expected(self, document: Value, plan: Plan) -> None:
        """Raise DocumentError when something else stands in the document than the contract expects."""
        for path, text in plan.expect:
            try:
                found = text_at(document, path)
            except RowError:
                found = None
            if found != text:
                where = "/" + "/".join(path.names)
                raise DocumentError(WRONG_FILE, f"{where} is not what the contract expects there")

    def _finish(self, builder: Builder) -> None:
        """Add what was unexpected, and a problem when nothing was as expected."""
        if not builder.is_first_step_met and self.findings.rows == 0:
            raise DocumentError(WRONG_FILE, "the document holds none of the elements that the contract names")
        for names in builder.unexpected:
            shown = "/".join(name if _SHOWABLE.fullmatch(name) else "(a name not shown)" for name in names)
            self._warn(
                "UNEXPECTED_ELEMENT", "the contract does not know this element; it was not landed", shown
            )

    def _warn(self, rule: str, message: str, place: str | None = None) -> None:
        warning = Problem(self._name, rule, message, None, place)
        if warning not in self.findings.warnings:
            self.findings.warnings.append(warning)

    def _problem(self, rule: str, message: str, row: int | None = None) -> None:
        self.findings.problems.append(Problem(self._name, rule, message, row))
