"""Dates written as their format says, digit for digit: read without `strptime`, which takes ten times as long.

What is read here is what `strptime` reads; whatever looks different is left to it. A test holds the two together.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache

_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_LIMITS = {"H": 24, "M": 60, "S": 60}  # below these; a leap second is left to strptime
# strftime writes earlier years with fewer digits, which a format without separators must give back.
_FIRST_YEAR = 1000


def plain_date(text: str, declared: str) -> date | None:
    """Return the day of a text in a format of numbers only; None when it has to be read by `strptime`."""
    pattern = _pattern(declared)
    found = pattern.fullmatch(text) if pattern else None
    if found is None:
        return None
    parts = {name: int(digits) for name, digits in found.groupdict().items()}
    if parts["Y"] < _FIRST_YEAR or any(parts.get(name, 0) >= limit for name, limit in _LIMITS.items()):
        return None
    try:
        return date(parts["Y"], parts.get("m", 1), parts.get("d", 1))
    except ValueError:
        return None


@cache
def _pattern(declared: str) -> re.Pattern[str] | None:
    """Return what a text in this format looks like with every number at its full width; None for other formats."""
    pieces = re.split(r"%(.)", declared)
    names, between = pieces[1::2], pieces[::2]
    if "Y" not in names or len(set(names)) < len(names) or not _WIDTHS.keys() >= set(names):
        return None
    if any(not piece.isascii() or (piece.isspace() and piece != " ") for piece in between):
        return None
    numbers = [f"(?P<{name}>[0-9]{{{_WIDTHS[name]}}})" for name in names]
    return re.compile(
        "".join(re.escape(piece) + number for piece, number in zip(between, [*numbers, ""], strict=True))
    )
