"""The reader for lines of fixed width: a column is where its signs stand, counted after decoding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from pipelines.contracts.agency import AgencyFile
from pipelines.errors import Problem
from pipelines.ingest.readers.base import Batch, Findings
from pipelines.ingest.readers.batches import LONGEST_FIELD
from pipelines.ingest.readers.lines import LineSource, OversizedLine, OversizedLineError, flaw_message
from pipelines.ingest.readers.rows import OVERSIZED_FIELD, RAGGED_ROW, RowTaker

BLANK = " "


class FixedWidthReader:
    """Reads one file of fixed width as its contract describes it; see `Reader`.

    A line may be shorter than the columns when only the blanks at its end were cut off: then it ends with a sign
    that is no blank, and every required column begins before that.
    """

    def __init__(self, path: Path, name: str, file: AgencyFile) -> None:
        self.findings = Findings()
        self._path, self._name, self._file = path, name, file
        self._slices = {
            column: slice(rule.at[0] - 1, sum(rule.at) - 1)
            for column, rule in file.columns.items()
            if rule.at and not rule.absent
        }
        self._width = max((place.stop for place in self._slices.values()), default=0)
        self._gaps = _gaps(sorted((place.start, place.stop) for place in self._slices.values()))
        required = [place.start for column, place in self._slices.items() if file.columns[column].required]
        self._reach = max(required, default=0) + 1
        self._flaws: set[str] = set()
        self._cut_lines = 0
        self._is_held = False
        self._last_is_short = False

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
        names = list(self._slices)
        positions = [names.index(name) if name in self._slices else -1 for name in self._file.landed_columns]
        taker = RowTaker(self._file, self.findings, names, tuple(positions))
        lines = self._texts()
        if self._file.format.first_line is not None:
            self._check_first(next(lines, None), self._file.format.first_line)
        held = next(
            lines, None
        )  # the last line may be none of the rows: each is held until the next one came
        self._is_held = held is not None
        for line in lines:
            self._take(held, taker)
            held = line
            if taker.is_full and (batch := taker.hand_on()):
                yield batch
        self._take_last(held, taker)
        if batch := taker.hand_on():
            yield batch

    def _texts(self) -> Iterator[str]:
        """Yield every line without its end; blank ones are passed over and counted."""
        while True:
            self._lines.begin_record()
            try:
                line = next(self._lines).rstrip("\r\n")
            except StopIteration:
                return
            except OversizedLineError:
                line = self._lines.taken[-1]
            if line.strip(BLANK):
                yield line
            else:
                self.findings.blank_rows += 1

    def _check_first(self, line: str | None, pattern: str) -> None:
        if line is None:
            self._problem("EMPTY_FILE", "the file holds no line")
        elif not re.fullmatch(pattern, line):
            self._problem("NO_HEADER", "the first line is not the one that the contract describes")

    def _take_last(self, line: str | None, taker: RowTaker) -> None:
        """Take the last line, as a row or as what the contract says the last line is, and look for a broken end."""
        pattern = self._file.format.last_line
        fit = re.fullmatch(pattern, line) if pattern is not None and line is not None else None
        if fit is not None:
            self._check_count(fit)
            return
        before = self._cut_lines
        self._take(line, taker)
        if pattern is not None:
            self._problem("TRUNCATED", "the last line that the contract describes is missing")
        elif self._last_is_short and not before and not self._lines.ends_with_newline:
            message = "the last row breaks off; the file seems to be cut short"
            self._problem("TRUNCATED", message, self.findings.rows)

    def _check_count(self, fit: re.Match[str]) -> None:
        """Add a problem when the last line counts other rows than there are."""
        stated = fit.groupdict().get("rows")
        if stated is not None and stated.strip().lstrip("0") != str(self.findings.rows).lstrip("0"):
            message = f"the last line counts other rows than the {self.findings.rows} of the file"
            self._problem("ROW_COUNT", message)

    def _take(self, line: str | None, taker: RowTaker) -> None:
        """Put one line where it belongs: to the rows, or to those set aside."""
        if line is None:
            return
        self._last_is_short = len(line) < self._width
        reason = self._flaw_of(line)
        if reason is not None:
            taker.set_aside(reason, line)
            return
        self._cut_lines += self._last_is_short
        self._look_between(line)
        taker.take([line[place].strip(BLANK) for place in self._slices.values()], len(line))

    def _flaw_of(self, line: str) -> str | None:
        """Return why a line cannot be landed; None when it can."""
        if isinstance(line, OversizedLine):
            return OVERSIZED_FIELD
        if len(line) < self._width:
            is_whole = not line.endswith(BLANK) and len(line) >= self._reach
        else:
            is_whole = not line[self._width :].strip(BLANK)
        if not is_whole:
            return RAGGED_ROW
        longest = max(place.stop - place.start for place in self._slices.values())
        return OVERSIZED_FIELD if longest > LONGEST_FIELD and len(line) > LONGEST_FIELD else None

    def _look_between(self, line: str) -> None:
        """Warn once when something stands where the contract knows no column."""
        if "UNEXPECTED_COLUMN" not in self._flaws and any(line[gap].strip(BLANK) for gap in self._gaps):
            self._flaws.add("UNEXPECTED_COLUMN")
            message = "signs stand where the contract knows no column; they were not landed"
            row = self.findings.rows + 1
            self.findings.warnings.append(Problem(self._name, "UNEXPECTED_COLUMN", message, row))

    def _flaw(self, rule: str) -> None:
        """Add a problem of the bytes, once per kind: what follows the first is of little use."""
        if rule not in self._flaws:
            self._flaws.add(rule)
            message = flaw_message(rule, self._file.format.encoding)
            self._problem(rule, message, self.findings.rows + 1 + self._is_held)

    def _problem(self, rule: str, message: str, row: int | None = None) -> None:
        self.findings.problems.append(Problem(self._name, rule, message, row))


def _gaps(places: list[tuple[int, int]]) -> list[slice]:
    """Return the stretches before and between places that no column covers."""
    return [slice(end, start) for (_, end), (start, _) in pairwise([(0, 0), *places]) if end < start]
