"""The reader for delimited text: strict about bytes, quotes and the number of fields, and in bounded memory.

A row that is not well-formed is set aside and costs no other row: when a stray quote makes one row swallow
those below it, only its first line is set aside and the lines below are read again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.agency import AgencyFile
from pipelines.errors import Problem
from pipelines.ingest.readers.base import Batch, Findings, SetAsideRow, landed_schema
from pipelines.ingest.readers.header import Layout, match_header
from pipelines.ingest.readers.lines import LineSource, OversizedLineError

ROWS_PER_BATCH = 10_000
TEXT_PER_BATCH = 8_000_000  # characters; wide rows make smaller batches
LONGEST_FIELD = 131_072
UNEXPECTED_END = "unexpected end of data"  # how the csv module says that a quote is still open

RAGGED_ROW = "RAGGED_ROW"
REPEATED_HEADER = "REPEATED_HEADER"
OVERSIZED_FIELD = "OVERSIZED_FIELD"
MALFORMED_QUOTE = "MALFORMED_QUOTE"


@dataclass
class _Pending:
    """The rows of the batch that is being filled."""

    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    set_aside: list[SetAsideRow] = field(default_factory=list)
    text: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the batch should be handed on."""
        return len(self.rows) + len(self.set_aside) >= ROWS_PER_BATCH or self.text >= TEXT_PER_BATCH


class DelimitedReader:
    """Reads one delimited file as its contract describes it; see `Reader`."""

    def __init__(self, path: Path, name: str, file: AgencyFile) -> None:
        self.findings = Findings()
        self._path, self._name, self._file = path, name, file
        self._schema = landed_schema(file)
        self._flaws: set[str] = set()
        self._unclosed_quote: int | None = None
        self._quote_runs_to_end = False
        self._last_breaks_off = False
        self._in_header = True

    def batches(self) -> Iterator[Batch]:
        """Yield the file's rows; to be used once."""
        self._lines = LineSource(self._path, self._file.format.encoding, self._flaw)
        try:
            yield from self._read()
        except UnicodeDecodeError:  # of encodings whose flaws cannot be pinned to one sign
            self._flaw("BAD_BYTES")
        finally:
            self._lines.close()

    def _read(self) -> Iterator[Batch]:
        # The limit is one for the whole process; no field of ours may be longer in any other place either.
        csv.field_size_limit(LONGEST_FIELD)
        form = self._file.format
        reader = csv.reader(self._lines, delimiter=form.delimiter, quotechar=form.quote, strict=True)
        header = self._next_fields(reader)
        while isinstance(header, list) and not any(header):
            header = self._next_fields(reader)
        if not isinstance(header, list):
            self._problem("EMPTY_FILE" if header is None else "NO_HEADER", "the file holds no header line")
            return
        layout = match_header(header, self._name, self._file)
        self._in_header = False
        self.findings.problems.extend(layout.problems)
        self.findings.warnings.extend(layout.warnings)
        # Without a header that fits, no row can be read; the bytes are still checked to the end.
        yield from self._read_rows(reader, layout)
        self._check_end()

    def _read_rows(self, reader: Iterator[list[str]], layout: Layout) -> Iterator[Batch]:
        pending = _Pending()
        while (fields := self._next_fields(reader)) is not None:
            self._take(fields, layout, pending)
            if pending.is_full:
                if not self.findings.problems:
                    yield self._batch(pending, layout)
                pending = _Pending()
        if not self.findings.problems:
            yield self._batch(pending, layout)

    def _next_fields(self, reader: Iterator[list[str]]) -> list[str] | str | None:
        """Return the next record's fields, the reason why it has none, or None at the end of the file."""
        self._lines.begin_record()
        self._quote_runs_to_end = False
        try:
            return next(reader)
        except StopIteration:
            return None
        except OversizedLineError:
            return OVERSIZED_FIELD if len(self._lines.taken) == 1 else MALFORMED_QUOTE
        except csv.Error as error:
            self._quote_runs_to_end = str(error) == UNEXPECTED_END
            is_long = len(self._lines.taken) == 1 and len(self._lines.taken[0]) > LONGEST_FIELD
            return OVERSIZED_FIELD if is_long else MALFORMED_QUOTE

    def _take(self, fields: list[str] | str, layout: Layout, pending: _Pending) -> None:
        """Put one record where it belongs: to the rows, to those set aside, or nowhere when it is blank."""
        self._last_breaks_off = False
        if isinstance(fields, list) and not any(fields):
            self.findings.blank_rows += 1
            return
        self.findings.rows += 1
        reason = fields if isinstance(fields, str) else self._flaw_of(fields, layout)
        if reason is not None:
            self._set_aside(reason, pending)
            self._last_breaks_off = isinstance(fields, str) or len(fields) < len(layout.header)
        elif isinstance(fields, list):
            self._unclosed_quote = None
            pending.numbers.append(self.findings.rows)
            pending.rows.append(fields)
            pending.text += sum(map(len, self._lines.taken))

    def _set_aside(self, reason: str, pending: _Pending) -> None:
        if self._quote_runs_to_end and self._unclosed_quote is None:
            self._unclosed_quote = self.findings.rows
        raw = self._lines.give_back_all_but_first()
        self.findings.set_aside += 1
        pending.set_aside.append(SetAsideRow(self.findings.rows, reason, raw.rstrip("\r\n")))
        pending.text += len(raw)

    def _flaw_of(self, fields: list[str], layout: Layout) -> str | None:
        """Return why a record cannot be landed; None when it can."""
        if fields == layout.header:
            return REPEATED_HEADER
        return None if len(fields) == len(layout.header) else RAGGED_ROW

    def _batch(self, pending: _Pending, layout: Layout) -> Batch:
        """Return the pending rows with the landed columns only; the contract's null literals become null."""
        columns = list(zip(*pending.rows, strict=True)) or [()] * len(layout.header)
        nulls = pa.array(self._file.format.null_literals, pa.string())
        arrays: list[pa.Array] = [pa.array(pending.numbers, pa.int64())]
        for position in layout.positions:
            texts = pa.array(columns[position], pa.string())
            arrays.append(pc.if_else(pc.is_in(texts, value_set=nulls), pa.scalar(None, pa.string()), texts))
        return Batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema), tuple(pending.set_aside))

    def _check_end(self) -> None:
        """Add the problem when the file breaks off."""
        if self._unclosed_quote is not None:
            row, why = self._unclosed_quote, "a quote that is opened here is never closed"
        elif self._last_breaks_off and not self._lines.ends_with_newline:
            row, why = self.findings.rows, "the last row breaks off"
        else:
            return
        self._problem("TRUNCATED", f"{why}; the file seems to be cut short", row)

    def _flaw(self, rule: str) -> None:
        """Add a problem of the bytes, once per kind: what follows the first is of little use."""
        if rule in self._flaws:
            return
        self._flaws.add(rule)
        encoding = self._file.format.encoding
        message = {
            "BAD_BYTES": f"a byte is not {encoding}, the first of perhaps several",
            "NUL_BYTES": "a NUL byte stands in the text, the first of perhaps several",
        }[rule]
        self._problem(rule, message, None if self._in_header else self.findings.rows + 1)

    def _problem(self, rule: str, message: str, row: int | None = None) -> None:
        self.findings.problems.append(Problem(self._name, rule, message, row))
