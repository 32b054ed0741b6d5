"""Compiled predicates: what two records have in common, by their cells."""

from __future__ import annotations

import numpy as np

from pipelines.link.features import Floats, Ints
from pipelines.link.fused.arrays import Bytes, Words
from pipelines.link.fused.compiled import inlined, step
from pipelines.link.fused.pack import Matrix
from pipelines.link.fused.program import (
    AGE_RANGE,
    AT_LEAST,
    BASE,
    DATE,
    DETAIL,
    EDITED,
    EQUAL,
    IMPRECISE,
    OPERATION,
    SAME_MONTH,
    SIMILAR,
    SWAPPED,
    VARIANT,
    Table,
)
from pipelines.link.fused.strings import is_one_edit, jaro_winkler_at_least, may_reach

# The distinct values, as compiled code is given them; and the codes of records with several values.
Known = tuple[Bytes, Ints, Words, Ints, Ints, Matrix]
Several = tuple[Ints, Matrix]
DAYS_IN_A_YEAR = 366
FIRST, LAST, DIGITS, LAST_DIGITS, EXACT = range(5)


@inlined
def share(several: Several, x: int, y: int) -> bool:
    """Return whether two cells have a value in common."""
    if x == -1 or y == -1:
        return False
    if x >= 0 and y >= 0:
        return x == y
    return smallest_shared(several, x, y) >= 0


@inlined
def value_count(several: Several, cell: int) -> int:
    """Return how many values a cell stands for."""
    if cell >= 0:
        return 1
    return 0 if cell == -1 else several[0][-cell - 1] - several[0][-cell - 2]


@inlined
def value_at(several: Several, cell: int, at: int) -> int:
    """Return one of the values that a cell stands for."""
    return cell if cell >= 0 else several[1][several[0][-cell - 2] + at]


@step
def smallest_shared(several: Several, x: int, y: int) -> int:
    """Return the smallest value that two cells share, -1 when there is none; values of a cell are in order."""
    i, j = 0, 0
    left, right = value_count(several, x), value_count(several, y)
    while i < left and j < right:
        first, second = value_at(several, x, i), value_at(several, y, j)
        if first == second:
            return first
        if first < second:
            i += 1
        else:
            j += 1
    return -1


@step
def rarest(several: Several, x: int, y: int, logs: np.ndarray, base: int) -> float:
    """Return the smallest log frequency among the values that two cells share, 1.0 when they share none."""
    result = 1.0
    i, j = 0, 0
    left, right = value_count(several, x), value_count(several, y)
    while i < left and j < right:
        first, second = value_at(several, x, i), value_at(several, y, j)
        if first == second:
            result = min(result, logs[base + first])
        i += first <= second
        j += second <= first
    return result


@step
def some_values(
    levels: Table, bits: Floats, level: int, several: Several, known: Known, x: int, y: int
) -> bool:
    """Return whether some value of cell x and some of cell y meet the condition of a level."""
    if x == -1 or y == -1:
        return False
    if x >= 0 and y >= 0:
        return _judge(levels, bits, level, known, x, y)
    for i in range(value_count(several, x)):
        for j in range(value_count(several, y)):
            if _judge(levels, bits, level, known, value_at(several, x, i), value_at(several, y, j)):
                return True
    return False


@step
def _judge(levels: Table, bits: Floats, level: int, known: Known, x: int, y: int) -> bool:
    """Return whether two distinct values meet the condition of a level."""
    operation, base = levels[level, OPERATION], levels[level, BASE]
    letters, starts, masks, dates, variant_starts, variants = known
    if operation == DATE:
        return _dates(levels[level, DETAIL], dates, x, y)
    if operation == VARIANT:
        return _adjacent(variant_starts, variants, base + x, y)
    if operation == SIMILAR:
        least = bits[level, AT_LEAST]
        return may_reach(masks, starts, base + x, base + y, least) and jaro_winkler_at_least(
            letters, starts, base + x, base + y, least
        )
    return is_one_edit(letters, starts, base + x, base + y)


@inlined
def _adjacent(starts: Ints, variants: Matrix, x: int, y: int) -> bool:
    for at in range(starts[x], starts[x + 1]):  # noqa: SIM110 - compiled: a generator is not
        if variants[at] == y:
            return True
    return False


@step
def _dates(detail: int, dates: np.ndarray, x: int, y: int) -> bool:
    """Return whether two dates meet a condition; see `pipelines.link.dates.date_condition`."""
    condition, years = detail % 16, detail // 16
    both = dates[x, EXACT] == 1 and dates[y, EXACT] == 1
    if condition == EQUAL:
        return bool(both and dates[x, FIRST] == dates[y, FIRST])
    if condition == SWAPPED:
        return both and _is_swapped(dates[x, DIGITS], dates[y, DIGITS])
    if condition == EDITED:
        return both and _is_one_edit(dates[x, DIGITS], dates[y, DIGITS])
    if condition == SAME_MONTH:
        return bool(both and dates[x, DIGITS] // 100 == dates[y, DIGITS] // 100)
    overlap = dates[x, FIRST] <= dates[y, LAST] and dates[y, FIRST] <= dates[x, LAST]
    if condition in (IMPRECISE, AGE_RANGE):
        widest = max(dates[x, LAST] - dates[x, FIRST], dates[y, LAST] - dates[y, FIRST])
        return not both and overlap and (widest > DAYS_IN_A_YEAR) == (condition == AGE_RANGE)
    gap = max(
        dates[x, DIGITS] // 10_000 - dates[y, LAST_DIGITS] // 10_000,
        dates[y, DIGITS] // 10_000 - dates[x, LAST_DIGITS] // 10_000,
    )
    return gap <= years and (both or not overlap)


@inlined
def _is_swapped(x: int, y: int) -> bool:
    return x // 10_000 == y // 10_000 and x // 100 % 100 == y % 100 and x % 100 == y // 100 % 100


@step
def _is_one_edit(x: int, y: int) -> bool:
    """Return whether one of eight digits differs, or two neighbouring digits changed places."""
    differing, first_x, first_y, swapped, previous = 0, 0, 0, False, False
    for _ in range(8):
        digit_x, digit_y = x % 10, y % 10
        if digit_x != digit_y:
            differing += 1
            swapped = previous and digit_x == first_y and digit_y == first_x
            first_x, first_y, previous = digit_x, digit_y, True
        else:
            previous = False
        x //= 10
        y //= 10
    return differing == 1 or (differing == 2 and swapped)
