"""The most weight that one record may reach with each of many, worked out for all of them side by side.

Only codes, dates and counts of letters are looked at, by loops without branches, which the compiler turns into
vector instructions. What may be reached is never less than the weight: where one cannot tell, a level is taken to
hold. Most pairs of a block stay below the bound even so, and are never compared.
"""

from __future__ import annotations

import numpy as np

from pipelines.link.compiled import count_ones, inlined, step
from pipelines.link.features import Floats
from pipelines.link.fused.kernel import Pass
from pipelines.link.fused.pack import (
    EXACT,
    FIRST_DAY,
    LAST_DAY,
    LAST_YEAR,
    NIBBLES,
    YEAR,
    Matrix,
)
from pipelines.link.fused.predicates import Known
from pipelines.link.fused.program import (
    AFTER,
    AGE_RANGE,
    AT_LEAST,
    BASE,
    DATE,
    DETAIL,
    EDITED,
    END,
    EQUAL,
    FOLDED,
    IMPRECISE,
    IS_FOLDED,
    LEFT,
    LOG_BASE,
    LOG_M,
    MOST,
    OPERATION,
    PRESENT_END,
    PRESENT_START,
    RIGHT,
    SAME_MONTH,
    SHARE,
    SILENCE_END,
    SILENCE_START,
    SIMILAR,
    SLOT,
    START,
    SWAPPED,
    TERM,
    VARIANT,
    WEIGHT,
    Table,
)
from pipelines.link.fused.strings import BEGINNING, HIGH, LOW, SIZES
from pipelines.link.fused.tile import (
    COMMON,
    INVERSE,
    LENGTH,
    LIKENESS,
    SPARE,
    TOTAL,
    Singles,
    Tile,
    length_of,
    spare_of,
)

LIKENESS_ROUNDING = 1e-5
_U = np.uint64
# Numbers of 32 bits, as what they are combined with: wider ones would halve how much is done in one step.
_1, _2, _3, _4, _8 = np.int32(1), np.int32(2), np.int32(3), np.int32(4), np.int32(8)
_LOWEST_BITS = np.int32(0x11111111)


@inlined
def reach(
    work: Pass,
    tile: Tile,
    span: tuple[int, int],
    cells: Matrix,
    row: int,
    prior: Floats,
) -> None:
    """Fill ceilings and totals of a tile between `span` with the most that a row may reach with each record."""
    comparisons, lists = work[0], work[3]
    begin, end = span
    total = tile.lanes[TOTAL, begin:end]
    present = tile.present[begin:end]
    agency, mine = tile.cells[0, begin:end], prior[cells[row, 0]]
    for at in range(len(total)):
        total[at] = np.float32(mine[agency[at]])
    for comparison in range(len(comparisons)):
        first, last = comparisons[comparison, PRESENT_START], comparisons[comparison, PRESENT_END]
        ceiling = tile.ceilings[comparison, begin:end]
        ceiling[:] = np.float32(0.0)
        is_open = False
        for place in range(first, last):
            is_open |= cells[row, lists[place]] != -1
        if not is_open:
            continue
        _lift_by_levels(work, tile, span, cells, row, comparison)
        if comparisons[comparison, SILENCE_START] < comparisons[comparison, SILENCE_END]:
            for at in range(len(total)):
                ceiling[at] = max(ceiling[at], np.float32(0.0))
        if last - first == 1:
            _add_where_present(total, ceiling, tile.cells[lists[first], begin:end])
        else:
            present[:] = -1
            for place in range(first, last):
                column = tile.cells[lists[place], begin:end]
                for at in range(len(total)):
                    present[at] = max(present[at], abs(column[at] + 1) - 1)
            _add_where_present(total, ceiling, present)


@inlined
def _lift_by_levels(
    work: Pass, tile: Tile, span: tuple[int, int], cells: Matrix, row: int, comparison: int
) -> None:
    """Lift the ceilings of a comparison, from its last level to its best, of what may reach each."""
    comparisons, levels, bits, _, logs, _, known = work
    begin, end = span
    ceiling = tile.ceilings[comparison, begin:end]
    likened = -1
    for level in range(comparisons[comparison, END] - 1, comparisons[comparison, START] - 1, -1):
        operation, left = levels[level, OPERATION], levels[level, LEFT]
        x, most = cells[row, left], np.float32(bits[level, FOLDED])
        column = tile.cells[left, begin:end]
        if levels[level, IS_FOLDED]:
            ceiling[:] = most
        elif operation == SHARE:
            right = levels[level, RIGHT]
            if levels[level, TERM] >= 0:
                most = np.float32(_most(levels, bits, level, logs, cells, row))
            _sharing(ceiling, tile.cells[right, begin:end], x, most)
            if left != right:
                _sharing(ceiling, column, cells[row, right], most)
        elif x == -1:
            continue
        elif x < -1:
            _having(ceiling, column, most)
        elif operation == DATE:
            if levels[level, TERM] >= 0:
                most = np.float32(_most(levels, bits, level, logs, cells, row))
            _dated(ceiling, column, (tile, begin, end), levels[level, DETAIL], known[3][x], most)
        elif operation == VARIANT:
            _varying(ceiling, column, _variants(known, levels[level, BASE] + x), most)
        else:
            slot, value = levels[level, SLOT], levels[level, BASE] + x
            if likened != slot:
                likened = slot
                _liken(tile, slot, span, known, value)
            if operation == SIMILAR:
                least = np.float32(bits[level, AT_LEAST] - LIKENESS_ROUNDING)
                _reaching(ceiling, column, tile.lanes[LIKENESS, begin:end], least, most)
            else:
                lengths = tile.shapes[3 * slot + LENGTH, begin:end]
                common, length = tile.lanes[COMMON, begin:end], length_of(known[2][value, SIZES])
                _nearly_whole(ceiling, column, common, lengths, length, most)


@step
def _most(levels: Table, bits: Floats, level: int, logs: Floats, cells: Matrix, row: int) -> float:
    """Return the most that a level or a later one can give, where the frequency of the row's value counts."""
    term = levels[level, TERM]
    value = cells[row, term]
    if value < 0:
        return float(bits[level, MOST])
    most = max(bits[level, LOG_M] - logs[levels[level, LOG_BASE] + value], bits[level, AFTER])
    # What two records share is the value itself; of another feature they may also share none.
    if levels[level, LEFT] == term and levels[level, RIGHT] == term:
        return float(most)
    return float(max(most, bits[level, WEIGHT]))


@step
def _add_where_present(total: Singles, ceiling: Singles, column: Matrix) -> None:
    for at in range(len(total)):
        ceiling[at] = ceiling[at] if column[at] != -1 else np.float32(0.0)
        total[at] += ceiling[at]


@step
def _having(ceiling: Singles, column: Matrix, most: np.float32) -> None:
    """Lift what has any value: against several values one cannot tell."""
    for at in range(len(ceiling)):
        ceiling[at] = most if column[at] != -1 else ceiling[at]


@step
def _sharing(ceiling: Singles, column: Matrix, x: int, most: np.float32) -> None:
    """Lift what has the value x, or several values."""
    if x < -1:
        _having(ceiling, column, most)
    elif x >= 0:
        for at in range(len(ceiling)):
            y = column[at]
            ceiling[at] = most if (y == x) | (y < -1) else ceiling[at]


@step
def _variants(known: Known, value: int) -> np.uint64:
    """Return the variants of a value as a mask: of a code its lowest six bits count."""
    starts, variants, mask = known[4], known[5], _U(0)
    for at in range(starts[value], starts[value + 1]):
        mask |= _U(1) << _U(variants[at] & 63)
    return mask


@step
def _varying(ceiling: Singles, column: Matrix, mask: np.uint64, most: np.float32) -> None:
    """Lift what may be one of the variants."""
    if mask != _U(0):
        for at in range(len(ceiling)):
            y = column[at]
            met = (mask >> _U(y & 63)) & _U(1) != _U(0)
            ceiling[at] = most if met | (y < -1) else ceiling[at]


@step
def _liken(tile: Tile, slot: int, span: tuple[int, int], known: Known, value: int) -> None:
    """Fill how many letters a value may have in common with each, and so how similar (Jaro-Winkler) they may be."""
    begin, end = span
    lows, highs = tile.masks[2 * slot, begin:end], tile.masks[2 * slot + 1, begin:end]
    beginnings = tile.beginnings[slot, begin:end]
    spares, lengths = tile.shapes[3 * slot + SPARE, begin:end], tile.shapes[3 * slot + LENGTH, begin:end]
    inverses = tile.shapes[3 * slot + INVERSE, begin:end]
    commons, likeness = tile.lanes[COMMON, begin:end], tile.lanes[LIKENESS, begin:end]
    low, high, sizes = known[2][value, LOW], known[2][value, HIGH], known[2][value, SIZES]
    spare, length, beginning = spare_of(sizes), length_of(sizes), np.uint32(known[2][value, BEGINNING])
    inverse = np.float32(1.0) / max(length, np.float32(1.0))
    one, third, tenth = np.float32(1.0), np.float32(1.0 / 3.0), np.float32(0.1)
    for at in range(len(commons)):
        both = np.float32(count_ones(low & lows[at]) + count_ones(high & highs[at])) + min(spare, spares[at])
        commons[at] = min(both, min(length, lengths[at]))
    for at in range(len(commons)):
        common = commons[at]
        jaro = (common * inverse + common * inverses[at] + one) * third
        apart = beginning ^ beginnings[at]
        same = (
            np.float32(apart & np.uint32(0xFF) == 0)
            + np.float32(apart & np.uint32(0xFFFF) == 0)
            + np.float32(apart & np.uint32(0xFFFFFF) == 0)
            + np.float32(apart == 0)
        )
        lifted = jaro + tenth * same * (one - jaro)
        jaro = lifted if jaro > np.float32(0.699) else jaro
        likeness[at] = jaro if common > np.float32(0.0) else np.float32(0.0)


@step
def _reaching(
    ceiling: Singles, column: Matrix, likeness: Singles, least: np.float32, most: np.float32
) -> None:
    """Lift what may be as similar."""
    for at in range(len(ceiling)):
        ceiling[at] = most if (likeness[at] >= least) | (column[at] < -1) else ceiling[at]


@step
def _nearly_whole(
    ceiling: Singles, column: Matrix, common: Singles, lengths: Singles, length: np.float32, most: np.float32
) -> None:
    """Lift what may be one edit away: an edit gives or takes at most one letter."""
    for at in range(len(ceiling)):
        met = common[at] + np.float32(1.5) > max(length, lengths[at])
        ceiling[at] = most if met | (column[at] < -1) else ceiling[at]


@step
def _dated(
    ceiling: Singles, column: Matrix, part: tuple[Tile, int, int], detail: int, x: Matrix, most: np.float32
) -> None:
    """Lift what may meet a condition with a date; see `pipelines.link.dates.date_condition`."""
    condition, years = detail & 15, detail >> 4
    tile, begin, end = part
    first, last = tile.dates[FIRST_DAY, begin:end], tile.dates[LAST_DAY, begin:end]
    year, last_year = tile.dates[YEAR, begin:end], tile.dates[LAST_YEAR, begin:end]
    exact, nibbles = tile.dates[EXACT, begin:end], tile.dates[NIBBLES, begin:end]
    is_exact, digits, from_day, to_day = x[EXACT], x[NIBBLES], x[FIRST_DAY], x[LAST_DAY]
    from_year, to_year = x[YEAR], x[LAST_YEAR]
    if condition == EQUAL:
        for at in range(len(ceiling)):
            met = (exact[at] & is_exact != 0) & (first[at] == from_day)
            ceiling[at] = most if met | (column[at] < -1) else ceiling[at]
    elif condition == SWAPPED:
        turned = np.int32(digits & ~0xFFFF | (digits & 0xFF) << 8 | digits >> 8 & 0xFF)
        for at in range(len(ceiling)):
            met = (exact[at] & is_exact != 0) & (nibbles[at] == turned)
            ceiling[at] = most if met | (column[at] < -1) else ceiling[at]
    elif condition == EDITED:
        for at in range(len(ceiling)):
            apart = nibbles[at] ^ digits
            places = (apart | apart >> _1 | apart >> _2 | apart >> _3) & _LOWEST_BITS
            low = places & -places
            met = (exact[at] & is_exact != 0) & ((places == low) | (places == low | low << _4))
            ceiling[at] = most if met | (column[at] < -1) else ceiling[at]
    elif condition == SAME_MONTH:
        month = digits >> _8
        for at in range(len(ceiling)):
            met = (exact[at] & is_exact != 0) & (nibbles[at] >> _8 == month)
            ceiling[at] = most if met | (column[at] < -1) else ceiling[at]
    elif condition == IMPRECISE or condition == AGE_RANGE:  # noqa: PLR1714, SIM109 - compiled
        for at in range(len(ceiling)):
            met = (exact[at] & is_exact == 0) & (first[at] <= to_day) & (from_day <= last[at])
            ceiling[at] = most if met | (column[at] < -1) else ceiling[at]
    else:
        for at in range(len(ceiling)):
            gap = max(year[at] - to_year, from_year - last_year[at])
            ceiling[at] = most if (gap <= years) | (column[at] < -1) else ceiling[at]
