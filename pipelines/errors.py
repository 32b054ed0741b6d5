"""The errors people see: one class per kind, each with its own exit code, none with a personal value.

A message names the file, the row, the column and the rule. It never repeats what stood there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class JoinedupError(Exception):
    """An error that we raise on purpose; its text is safe to log."""

    exit_code = 1


class SettingsError(JoinedupError):
    """A setting is missing or cannot be used."""

    exit_code = 3


class ContractError(JoinedupError):
    """A file under `schemas/` or `expectations/` has a mistake."""

    exit_code = 4

    def __init__(self, file: str, key: str, expected: str) -> None:
        super().__init__(f"{file}: {key}: {expected}")
        self.file, self.key, self.expected = file, key, expected


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a delivered file, without the value that is wrong."""

    file: str
    rule: str
    message: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        """Return the problem as one line: file, row, column, rule, message."""
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.message} [{self.rule}]"


class DeliveryRejected(JoinedupError):
    """A file is not what its contract says; it was rejected whole, with every problem listed."""

    exit_code = 5

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{len(problems)} problem(s), nothing was landed:\n{lines}")
        self.problems = tuple(problems)


class RowsDoNotBalance(JoinedupError):
    """Some input rows of a stage ended nowhere, or twice."""

    exit_code = 6


class ExpectationsFailed(JoinedupError):
    """A critical expectation failed; the batch goes no further."""

    exit_code = 7


class WarehouseError(JoinedupError):
    """The warehouse cannot be reached, or is not in the state a stage needs."""

    exit_code = 8


class LinkageError(JoinedupError):
    """The linkage model or its data cannot be used."""

    exit_code = 9


class ReleaseError(JoinedupError):
    """A release cannot be built, approved or published in its present state."""

    exit_code = 10


class StageCrashed(JoinedupError):
    """Something unforeseen happened inside a stage; the text names the place and not the values."""

    exit_code = 11


class FilesRejected(JoinedupError):
    """A file given to `joinedup link` or `joinedup evaluate` cannot be used; every problem is listed."""

    exit_code = 12

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{len(problems)} problem(s), nothing was written:\n{lines}")
        self.problems = tuple(problems)
