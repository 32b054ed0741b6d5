"""What the name of a column, or the codes in it, suggest that it holds: `schemas/codes/column_hints.csv`.

A line has either `words`, as they stand next to each other in a header, or `codes`, a code list. `target` is
`TABLE.INPUT` as in a contract, `person_address.line` (the next free line), `local_id`, `reference` (the row's own
id), `unmapped` (known, but no column can say it) or `ignored: REASON`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pipelines.contracts.codes import read_rows
from pipelines.errors import ContractError

HINTS = "column_hints"
HINTS_HEADER = ["words", "codes", "target", "source"]
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Hint:
    """What a header is likely to be, by which of its words; `is_whole` when it has no others."""

    words: tuple[str, ...]
    target: str
    is_whole: bool = False


def words_of(header: str) -> tuple[str, ...]:
    """Return the words of a header, in lower case: DateOfBirth, date_of_birth and DATE-OF-BIRTH are the same."""
    return tuple(word.lower() for word in _WORD.findall(header))


def hint_for(header: str) -> Hint | None:
    """Return the hint with the most words that stand in a header, of several the one furthest back."""
    words, hints = words_of(header), _hints_by_words()
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length, -1, -1):
            part = words[start : start + length]
            if part in hints:
                return Hint(part, hints[part], length == len(words))
    return None


@cache
def code_list_targets() -> dict[str, str]:
    """Return what a column whose values are codes of a list becomes: list -> target."""
    return {row["codes"]: row["target"] for _, row in read_rows(HINTS, HINTS_HEADER) if row["codes"]}


@cache
def _hints_by_words() -> dict[tuple[str, ...], str]:
    """Return the target of each line with words.

    Raises:
        ContractError: a line has both words and codes, or neither, or words that another line has.
    """
    found: dict[tuple[str, ...], str] = {}
    for line, row in read_rows(HINTS, HINTS_HEADER):
        words = tuple(row["words"].lower().split())
        if bool(words) == bool(row["codes"]) or words in found or not row["target"]:
            expected = "a target, and either words that no other line has, or a code list"
            raise ContractError(f"schemas/codes/{HINTS}.csv", f"line {line}", expected)
        if words:
            found[words] = row["target"]
    return found
