"""The reader for delimited text: strict about bytes, quotes and the number of fields, and in bounded memory.

A row that is not well-formed is set aside and costs no other row: when a stray quote makes one row swallow
those below it, only its first line is set aside and the lines below are read again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from pipelines.contracts.agency import AgencyFile
from pipelines.errors import Problem
from pipelines.ingest.readers.base import Batch, Findings
from pipelines.ingest.readers.batches import LONGEST_FIELD
from pipelines.ingest.readers.header import Layout, match_header
from pipelines.ingest.readers.lines import LineSource, OversizedLineError, flaw_message
from pipelines.ingest.readers.rows import OVERSIZED_FIELD, RowTaker

UNEXPECTED_END = "unexpected end of data"  # how the csv module says that a quote is still open
MALFORMED_QUOTE = "MALFORMED_QUOTE"


class DelimitedReader:
    """Reads one delimited file as its contract describes it; see `Reader`."""

    def __init__(self, path: Path, name: str, file: AgencyFile) -> None:
        self.findings = Findings()
        self._path, self._name, self._file = path, name, file
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
        taker = RowTaker(self._file, self.findings, layout.header, layout.positions)
        while (fields := self._next_fields(reader)) is not None:
            self._take(fields, layout, taker)
            if taker.is_full and (batch := taker.hand_on()):
                yield batch
        if batch := taker.hand_on():
            yield batch

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

    def _take(self, fields: list[str] | str, layout: Layout, taker: RowTaker) -> None:
        """Put one record where it belongs: to the rows, to those set aside, or nowhere when it is blank."""
        self._last_breaks_off = False
        if isinstance(fields, list) and not any(fields):
            taker.skip_blank()
            return
        reason = fields if isinstance(fields, str) else taker.flaw_of(fields)
        if reason is not None:
            self._set_aside(reason, taker)
            self._last_breaks_off = isinstance(fields, str) or len(fields) < len(layout.header)
        elif isinstance(fields, list):
            self._unclosed_quote = None
            taker.take(fields, sum(map(len, self._lines.taken)))

    def _set_aside(self, reason: str, taker: RowTaker) -> None:
        taker.set_aside(reason, self._lines.give_back_all_but_first().rstrip("\r\n"))
        if self._quote_runs_to_end and self._unclosed_quote is None:
            self._unclosed_quote = self.findings.rows

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
        message = flaw_message(rule, self._file.format.encoding)
        self._problem(rule, message, None if self._in_header else self.findings.rows + 1)

    def _problem(self, rule: str, message: str, row: int | None = None) -> None:
        self.findings.problems.append(Problem(self._name, rule, message, row))
