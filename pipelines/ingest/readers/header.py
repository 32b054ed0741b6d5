"""The header of a delimited file against its contract: what is missing, doubled, renamed, moved or unexpected."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import load_contracts
from pipelines.errors import Problem

# A first row of which fewer columns than this are known may be data: its content is not repeated anywhere.
KNOWN_SHARE = 0.5
# A header this much longer than the contract's may have the first row behind it: the line feed was lost.
MUCH_LONGER = 1.5
# What a column name may look like to be shown: values that slipped into the header hardly do.
_SHOWABLE = re.compile(r"(?!.*\d{5})[A-Za-z_][A-Za-z0-9_ .\-]{0,59}")


@dataclass(frozen=True)
class Layout:
    """Where the landed columns stand in a file, and what is wrong or odd about its header."""

    header: list[str]
    positions: tuple[int, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def match_header(header: list[str], name: str, file: AgencyFile) -> Layout:
    """Return where the contract's columns stand in the header; problems where it is not the contract's."""
    missing = [column for column in file.columns if column not in header]
    doubled = [column for column, count in Counter(header).items() if count > 1 and column in file.columns]
    if missing:
        known = len(file.columns) - len(missing)
        if known < KNOWN_SHARE * len(file.columns):
            return Layout(header, (), (_not_this_file(header, name, file, known),))
    problems = [_missing(column, header, name, file) for column in missing]
    problems += [
        Problem(name, "DOUBLED_COLUMN", "this column stands twice in the header", None, column)
        for column in doubled
    ]
    warnings = [*_unexpected(header, name, file), *_reordered(header, name, file)]
    positions = tuple(header.index(column) for column in file.landed_columns if column in header)
    return Layout(header, () if problems else positions, tuple(problems), tuple(warnings))


def _not_this_file(header: list[str], name: str, file: AgencyFile, known: int) -> Problem:
    """Return the problem of a header that belongs to another file, or is none."""
    other = _owner(header)
    if other:
        return Problem(name, "WRONG_FILE", f"the header is that of {other}")
    message = (
        f"the first line holds {known} of the {len(file.columns)} expected columns; is the header missing?"
    )
    return Problem(name, "NO_HEADER", message)


def _owner(header: list[str]) -> str | None:
    """Return whose file has this header, as agency/file."""
    present = set(header)
    for agency, contract in load_contracts().items():
        for name, file in contract.files.items():
            if present.issuperset(file.columns):
                return f"{agency}/{name}"
    return None


def _missing(column: str, header: list[str], name: str, file: AgencyFile) -> Problem:
    """Return the problem of a missing column, with the unexpected column that may be it."""
    shown = {text.strip().casefold(): text for text in header if _is_showable(text, header, file)}
    near = get_close_matches(column.casefold(), shown, n=1, cutoff=0.7)
    hint = f"; is {shown[near[0]]!r} what it is called now?" if near else ""
    return Problem(name, "MISSING_COLUMN", f"the header lacks this column{hint}", None, column)


def _unexpected(header: list[str], name: str, file: AgencyFile) -> list[Problem]:
    """Return a warning per column that the contract does not know; its values are not landed."""
    return [
        Problem(
            name,
            "UNEXPECTED_COLUMN",
            "the contract does not know this column; it was not landed",
            None,
            text if _is_showable(text, header, file) else f"number {position}",
        )
        for position, text in enumerate(header, start=1)
        if text not in file.columns
    ]


def _reordered(header: list[str], name: str, file: AgencyFile) -> list[Problem]:
    """Return a warning when the contract's columns stand in another order."""
    present = [column for column in header if column in file.columns]
    expected = [column for column in file.columns if column in header]
    if present == expected or len(present) != len(expected):
        return []
    return [Problem(name, "REORDERED_COLUMNS", "the columns stand in another order than in the contract")]


def _is_showable(text: str, header: list[str], file: AgencyFile) -> bool:
    """Return whether a name that the contract does not know may be repeated in a message."""
    may_hold_a_row = len(header) >= MUCH_LONGER * len(file.columns)
    return text not in file.columns and not may_hold_a_row and _SHOWABLE.fullmatch(text) is not None
