"""A header against its contract: what is missing, doubled, renamed, moved or unexpected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import load_contracts
from pipelines.errors import Problem

# A first row of which fewer columns than this are known may be data: its content is not repeated anywhere.
KNOWN_SHARE = 0.5
# A header this much longer than the contract's may have the first row behind it: the line feed was lost.
MUCH_LONGER = 1.5
# So many unexpected columns are told one by one.
MOST_NAMED = 50
NOT_THIS_FILE = frozenset({"NO_HEADER", "WRONG_FILE"})
# What a column name may look like to be shown: values that slipped into the header hardly do.
_SHOWABLE = re.compile(r"(?!.*\d{5})[A-Za-z_][A-Za-z0-9_ .\-]{0,59}")


@dataclass(frozen=True)
class Layout:
    """Where the landed columns stand in a file, and what is wrong or odd about its header.

    A position of -1 stands for a column that files of this period do not have.
    """

    header: list[str]
    positions: tuple[int, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def is_of_this_file(self) -> bool:
        """Whether so many columns are known that this is the header of the file, perhaps a wrong one."""
        return not any(problem.rule in NOT_THIS_FILE for problem in self.problems)


def match_header(header: list[str], name: str, file: AgencyFile) -> Layout:
    """Return where the contract's columns stand in the header; problems where it is not the contract's."""
    places = _places(header, file)
    missing = [column for column, found in places.items() if not found]
    if missing:
        known = len(places) - len(missing)
        if known < KNOWN_SHARE * len(places):
            return Layout(header, (), (_not_this_file(header, name, file, known),))
    claimed = {position for found in places.values() for position in found}
    problems = [_missing(column, header, claimed, name, file) for column in missing]
    problems += _doubled(places, name)
    warnings = [*_unexpected(header, claimed, name, file), *_reordered(places, name)]
    positions = tuple(places[column][0] if places.get(column) else -1 for column in file.landed_columns)
    return Layout(header, () if problems else positions, tuple(problems), tuple(warnings))


def _places(header: list[str], file: AgencyFile) -> dict[str, list[int]]:
    """Return, for every column that the file is expected to have, where headers stand that are its.

    A header that is one column's own name is that column's alone, whatever patterns it fits.
    """
    by_text: dict[str, list[int]] = {}
    for position, text in enumerate(header):
        by_text.setdefault(text, []).append(position)
    own = {column for column in file.expected_columns if file.columns[column].answers_to_its_name}
    places = {
        column: list(by_text.get(column, ())) if column in own else [] for column in file.expected_columns
    }
    for column in file.expected_columns:
        if file.columns[column].header is not None:
            fitting = (
                text for text in by_text if text not in own and file.columns[column].fits(column, text)
            )
            places[column] += [position for text in fitting for position in by_text[text]]
    return places


def _not_this_file(header: list[str], name: str, file: AgencyFile, known: int) -> Problem:
    """Return the problem of a header that belongs to another file, or is none."""
    other = _owner(header)
    if other:
        return Problem(name, "WRONG_FILE", f"the header is that of {other}")
    expected = len(file.expected_columns)
    message = f"the first line holds {known} of the {expected} expected columns; is the header missing?"
    return Problem(name, "NO_HEADER", message)


def _owner(header: list[str]) -> str | None:
    """Return whose file has this header, as agency/file."""
    present = set(header)
    for agency, contract in load_contracts().items():
        for name, file in contract.files.items():
            if present.issuperset(file.columns):
                return f"{agency}/{name}"
    return None


def _missing(column: str, header: list[str], claimed: set[int], name: str, file: AgencyFile) -> Problem:
    """Return the problem of a missing column, with the unexpected column that may be it."""
    free = (text for position, text in enumerate(header) if position not in claimed)
    shown = {text.strip().casefold(): text for text in free if _is_showable(text, header, file)}
    near = get_close_matches(column.casefold(), shown, n=1, cutoff=0.7)
    expected = file.columns[column].expected_as(column)
    wanted = "" if expected == column else f", expected as {expected}"
    hint = f"; is {shown[near[0]]!r} what it is called now?" if near else ""
    return Problem(name, "MISSING_COLUMN", f"the header lacks this column{wanted}{hint}", None, column)


def _doubled(places: Mapping[str, list[int]], name: str) -> Iterator[Problem]:
    """Yield a problem per column that two headers are, and per header that is two columns."""
    taken: dict[int, str] = {}
    for column, found in places.items():
        if len(found) > 1:
            message = "this column stands twice in the header"
            yield Problem(name, "DOUBLED_COLUMN", message, None, column)
        for position in found:
            other = taken.setdefault(position, column)
            if other != column:
                message = f"header number {position + 1} fits this column and {other}"
                yield Problem(name, "DOUBLED_COLUMN", message, None, column)


def _unexpected(header: list[str], claimed: set[int], name: str, file: AgencyFile) -> Iterator[Problem]:
    """Yield a warning per column that the contract does not know; its values are not landed."""
    left = [position for position in range(len(header)) if position not in claimed]
    for position in left[:MOST_NAMED]:
        text = header[position]
        shown = text if _is_showable(text, header, file) else f"number {position + 1}"
        message = "the contract does not know this column; it was not landed"
        if text in file.columns:
            message = "files of this period have no such column; it was not landed"
        yield Problem(name, "UNEXPECTED_COLUMN", message, None, shown)
    if more := len(left[MOST_NAMED:]):
        message = f"the contract does not know {more} more columns; they were not landed"
        yield Problem(name, "UNEXPECTED_COLUMN", message)


def _reordered(places: Mapping[str, list[int]], name: str) -> list[Problem]:
    """Return a warning when the contract's columns stand in another order."""
    first = [found[0] for found in places.values() if len(found) == 1]
    if first == sorted(first) or any(len(found) > 1 for found in places.values()):
        return []
    return [Problem(name, "REORDERED_COLUMNS", "the columns stand in another order than in the contract")]


def _is_showable(text: str, header: list[str], file: AgencyFile) -> bool:
    """Return whether a header that is no column's may be repeated in a message."""
    may_hold_a_row = len(header) >= MUCH_LONGER * len(file.columns)
    return text in file.columns or (not may_hold_a_row and _SHOWABLE.fullmatch(text) is not None)
