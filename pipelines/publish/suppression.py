"""Small counts, made safe to pass on: withheld below 5, rounded to the nearest 5 otherwise.

The rule is that of the NHS mental health statistics, with secondary suppression. It protects a table that is
passed on, against a reader who has the table, knows this rule, and knows the exact number of people in it. To
that reader each withheld count may be any number from 0 to 4. It does not protect against an analyst who can
count `published.person`, nor against a reader who also has exact totals for single agencies, or two releases
to take from each other.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

THRESHOLD = 5
BASE = 5

Cell = TypeVar("Cell", bound=Hashable)


def round_to_base(count: int) -> int:
    """Return the count, rounded to the nearest multiple of 5."""
    return BASE * ((count + BASE // 2) // BASE)


def suppress(counts: Mapping[Cell, int]) -> dict[Cell, int | None]:
    """Return each count rounded, or None where it is below 5 or would give away one that is.

    Zero is withheld like 1 to 4: a table that shows where nobody is says that somebody is elsewhere. The
    smallest other counts follow until nothing below 5 can be told; of equal ones, the first.
    """
    withheld = {cell for cell, count in counts.items() if count < THRESHOLD}
    others = sorted((cell for cell in counts if cell not in withheld), key=lambda cell: counts[cell])
    for cell in others:
        if not withheld or _is_safe(counts, withheld):
            break
        withheld.add(cell)
    return {cell: None if cell in withheld else round_to_base(count) for cell, count in counts.items()}


def _is_safe(counts: Mapping[Cell, int], withheld: Collection[Cell]) -> bool:
    """Return whether, to the reader, every withheld count may be any number from 0 to 4.

    The reader takes the published counts from the total, and is left with the sum of the withheld ones within
    the error of rounding. Two or more may share that sum in any way; a single one is the sum.
    """
    shown = [round_to_base(count) for cell, count in counts.items() if cell not in withheld]
    total = sum(counts.values())
    most = total - sum(_bounds(value)[0] for value in shown)
    least = total - sum(_bounds(value)[1] for value in shown)
    return most >= THRESHOLD - 1 and (least <= 0 or len(withheld) > 1)


def _bounds(shown: int) -> tuple[int, int]:
    """Return the least and the greatest count that is shown as this one."""
    return max(THRESHOLD, shown - BASE // 2), shown + BASE // 2
