"""What becomes of each row of a file: contributed, quarantined with reasons, or a duplicate of another row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipelines.contracts.agency import AgencyFile
from pipelines.normalise.assemble.distinct import without_nan

ORPHAN = "ORPHAN"
KEY_CONFLICT = "KEY_CONFLICT"
REQUIRED_MISSING = "REQUIRED_MISSING"
REQUIRED_INVALID = "REQUIRED_INVALID"


@dataclass
class FileRows:
    """The rows of one file on their way: raw and parsed values, and what was decided about each row.

    `raw` and `values` are indexed alike; `raw` has the columns extract_id and row_number and the file's headers
    as text, `values` the parsed ones (dates as `datetime.date`, codes as our codes, else stripped text).
    """

    name: str
    file: AgencyFile
    raw: pd.DataFrame
    values: dict[str, pd.Series[Any]]
    issues: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: dict[int, list[str]] = field(default_factory=dict)
    duplicate_of: dict[int, int] = field(default_factory=dict)

    def quarantine(self, rows: pd.Series[Any] | np.ndarray[Any, Any], reason: str) -> None:
        """Add a reason to every row where `rows` is true and that is not a duplicate."""
        for position in np.flatnonzero(np.asarray(rows, dtype=bool)):
            if position not in self.duplicate_of:
                self.reasons.setdefault(int(position), []).append(reason)

    def contributed(self) -> np.ndarray[Any, Any]:
        """A mask of the rows that are neither quarantined nor duplicates, in file order."""
        mask = np.ones(len(self.raw), dtype=bool)
        mask[list(self.reasons)] = False
        mask[list(self.duplicate_of)] = False
        return mask


@dataclass(frozen=True)
class SettledKeys:
    """Which rows of a file repeat another's key, by row number: duplicates, with of which row, and conflicts."""

    duplicate_of: Mapping[int, int]
    conflicts: frozenset[int]

    def among(self, numbers: np.ndarray[Any, Any]) -> SettledKeys:
        """Return what is said about some rows only."""
        chosen = frozenset(numbers.tolist()) if self.duplicate_of or self.conflicts else frozenset()
        return SettledKeys(
            {row: of for row, of in self.duplicate_of.items() if row in chosen}, self.conflicts & chosen
        )

    def apply(self, rows: FileRows) -> None:
        """Mark the rows that are here; what `settle_keys` would mark if it saw the whole file."""
        if not self.duplicate_of and not self.conflicts:
            return
        for position, number in enumerate(rows.raw["row_number"].tolist()):
            if number in self.duplicate_of:
                rows.duplicate_of[position] = self.duplicate_of[number]
            elif number in self.conflicts:
                rows.reasons[position] = [KEY_CONFLICT]


def settled_keys(rows: FileRows) -> SettledKeys:
    """Return what `settle_keys` finds, and marks, in rows among which every key is whole."""
    settle_keys(rows)
    numbers = rows.raw["row_number"].tolist()
    return SettledKeys(
        {numbers[position]: of for position, of in rows.duplicate_of.items()},
        frozenset(numbers[at] for at, reasons in rows.reasons.items() if reasons == [KEY_CONFLICT]),
    )


def settle_keys(rows: FileRows) -> None:
    """Mark repeated keys: a row equal to the first of its key is its duplicate, any other is a conflict.

    Rows that were set aside already have an outcome and take no part.
    """
    if not rows.file.key:
        return
    standing = np.flatnonzero(rows.contributed())
    keys = list(zip(*(without_nan(rows.raw[header])[standing] for header in rows.file.key), strict=True))
    content = np.column_stack([without_nan(rows.raw[header]) for header in rows.file.landed_columns])
    numbers = rows.raw["row_number"].to_numpy()
    first_of_key: dict[tuple[Any, ...], int] = {}
    for key, position in zip(keys, standing.tolist(), strict=True):
        first = first_of_key.setdefault(key, position)
        if first == position or all(part is None for part in key):
            continue
        if (content[position] == content[first]).all():
            rows.duplicate_of[position] = int(numbers[first])
        else:
            rows.reasons[position] = [KEY_CONFLICT]
