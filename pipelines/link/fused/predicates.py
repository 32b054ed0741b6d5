"""Compiled predicates: what two records have in common, by their cells."""

from __future__ import annotations

import numpy as np

from pipelines.link.compiled import inlined, lowest_one, step
from pipelines.link.features import Ints
from pipelines.link.fused.agreement import Held
from pipelines.link.fused.arrays import Bytes, Words
from pipelines.link.fused.pack import EXACT, FIRST_DAY, LAST_DAY, LAST_YEAR, NIBBLES, YEAR, Matrix
from pipelines.link.fused.program import (
    AGE_RANGE,
    EDITED,
    EQUAL,
    IMPRECISE,
    SAME_MONTH,
    SWAPPED,
    VARIANT,
)
from pipelines.link.fused.strings import Texts, is_one_edit, jaro_winkler

# The distinct values, as compiled code is given them; and the codes of records with several values.
Known = tuple[Bytes, Ints, Words, Matrix, Ints, Matrix]
Several = tuple[Ints, Matrix]
DAYS_IN_A_YEAR = 366


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


@inlined
def similarity(
    texts: Texts, held: Held, several: Several, values: tuple[int, int, int, int], floor: float
) -> float:
    """Return the highest Jaro-Winkler similarity of a value of cell x and one of cell y; 0 where below `floor`.

    `values` are the slot of their feature, where its letters begin, and the cells.
    """
    slot, base, x, y = values
    if x >= 0 and y >= 0:
        if x == y:
            return 1.0
        return jaro_winkler(texts, held, (slot, base + x, base + y), floor)
    if x == -1 or y == -1:
        return 0.0
    return _most_similar(texts, held, several, values, floor)


@step
def _most_similar(
    texts: Texts, held: Held, several: Several, values: tuple[int, int, int, int], floor: float
) -> float:
    """Return the highest similarity over all values of both cells."""
    slot, base, x, y = values
    result = 0.0
    for i in range(value_count(several, x)):
        for j in range(value_count(several, y)):
            first, second = value_at(several, x, i), value_at(several, y, j)
            if first == second:
                return 1.0
            result = max(result, jaro_winkler(texts, held, (slot, base + first, base + second), floor))
    return result


@step
def are_close(operation: int, base: int, known: Known, several: Several, x: int, y: int) -> bool:
    """Return whether some value of cell x and some of cell y are variants, or one edit apart."""
    letters, starts, _, _, variant_starts, variants = known
    for i in range(value_count(several, x)):
        for j in range(value_count(several, y)):
            first, second = value_at(several, x, i), value_at(several, y, j)
            if operation == VARIANT:
                if _adjacent(variant_starts, variants, base + first, second):
                    return True
            elif is_one_edit(letters, starts, base + first, base + second):
                return True
    return False


@inlined
def _adjacent(starts: Ints, variants: Matrix, x: int, y: int) -> bool:
    for at in range(starts[x], starts[x + 1]):  # noqa: SIM110 - compiled: a generator is not
        if variants[at] == y:
            return True
    return False


@inlined
def dates_meet(detail: int, dates: Matrix, several: Several, x: int, y: int) -> bool:
    """Return whether some date of cell x and some of cell y meet a condition."""
    if x >= 0 and y >= 0:
        return _dates(detail, dates, x, y)
    return x != -1 and y != -1 and _some_dates(detail, dates, several, x, y)


@step
def _some_dates(detail: int, dates: Matrix, several: Several, x: int, y: int) -> bool:
    for i in range(value_count(several, x)):
        for j in range(value_count(several, y)):
            if _dates(detail, dates, value_at(several, x, i), value_at(several, y, j)):
                return True
    return False


@inlined
def _dates(detail: int, dates: Matrix, x: int, y: int) -> bool:
    """Return whether two dates meet a condition; see `pipelines.link.dates.date_condition`."""
    condition, years = detail & 15, detail >> 4
    both = dates[x, EXACT] == 1 and dates[y, EXACT] == 1
    if condition == EQUAL:
        return bool(both and dates[x, FIRST_DAY] == dates[y, FIRST_DAY])
    if condition == SWAPPED:
        return both and _is_swapped(dates[x, NIBBLES], dates[y, NIBBLES])
    if condition == EDITED:
        return both and _is_one_edit(dates[x, NIBBLES], dates[y, NIBBLES])
    if condition == SAME_MONTH:
        return bool(both and (dates[x, NIBBLES] ^ dates[y, NIBBLES]) < 256)
    overlap = dates[x, FIRST_DAY] <= dates[y, LAST_DAY] and dates[y, FIRST_DAY] <= dates[x, LAST_DAY]
    if condition in (IMPRECISE, AGE_RANGE):
        widest = max(dates[x, LAST_DAY] - dates[x, FIRST_DAY], dates[y, LAST_DAY] - dates[y, FIRST_DAY])
        return not both and overlap and (widest > DAYS_IN_A_YEAR) == (condition == AGE_RANGE)
    gap = max(dates[x, YEAR] - dates[y, LAST_YEAR], dates[y, YEAR] - dates[x, LAST_YEAR])
    return gap <= years and (both or not overlap)


@inlined
def _is_swapped(x: int, y: int) -> bool:
    """Return whether two dates have day and month exchanged; four bits a digit."""
    return x >> 16 == y >> 16 and x >> 8 & 0xFF == y & 0xFF and x & 0xFF == y >> 8 & 0xFF


@inlined
def _is_one_edit(x: int, y: int) -> bool:
    """Return whether one of eight digits differs, or two neighbouring ones changed places; four bits a digit."""
    difference = x ^ y
    places = (difference | difference >> 1 | difference >> 2 | difference >> 3) & 0x11111111
    if places & (places - 1) == 0:
        return places != 0
    low = places & -places
    if places != low | low << 4:
        return False
    shift = lowest_one(np.uint64(low))
    return (x >> shift) & 15 == (y >> shift + 4) & 15 and (y >> shift) & 15 == (x >> shift + 4) & 15
