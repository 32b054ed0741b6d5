"""The weight of one pair, and its levels: a pair lives only as long as it may still reach the bound."""

from __future__ import annotations

import numpy as np

from pipelines.link.compiled import borrowed, compiled, fetch_ahead, inlined
from pipelines.link.features import Floats, Ints
from pipelines.link.fused.agreement import Held, nothing_held
from pipelines.link.fused.pack import Matrix
from pipelines.link.fused.predicates import (
    Known,
    Several,
    are_close,
    dates_meet,
    rarest,
    share,
    similarity,
)
from pipelines.link.fused.program import (
    AT_LEAST,
    BASE,
    COLUMN,
    DATE,
    DETAIL,
    ELSE,
    END,
    IS_CHEAP,
    LEFT,
    LOG_BASE,
    LOG_M,
    MOST,
    ONE_EDIT,
    OPERATION,
    PRESENT_END,
    PRESENT_START,
    RIGHT,
    SILENCE_END,
    SILENCE_START,
    SIMILAR,
    SLOT,
    START,
    TERM,
    UNLESS,
    VARIANT,
    WEIGHT,
    Smalls,
    Table,
)
from pipelines.link.fused.tile import ROUNDING, Singles

OUT_OF_REACH = -1e300
AHEAD = 8  # records: long enough before they are compared, and few enough to stay in the nearest cache
CELLS_OF_A_LINE = 16  # of a cache
# A comparison without a value on either side.
NULL = -1

# What a pass is given: comparisons, levels, bits, lists and logs of its program; several and known values.
Pass = tuple[Table, Table, Floats, Smalls, Floats, Several, Known]


@inlined
def compare(
    work: Pass,
    rows: Matrix,
    pair: tuple[int, int],
    limits: tuple[float, float],
    ceilings: tuple[Singles, int],
    room: tuple[np.ndarray, Held],
) -> float:
    """Return the weight of a pair of rows, and write its level vector.

    `limits` are the weight that it starts from, and the bound; `ceilings` the most that each comparison may give,
    in a column of a table; `room` takes the levels, and what is known of the first row's texts. Returns
    `OUT_OF_REACH` as soon as what is left could not lift the pair to the bound.
    """
    comparisons, levels, bits, lists, logs, several, known = work
    letters, starts, shapes, dates, _, _ = known
    (a, b), (weight, bound), (most, place), (vector, held) = pair, limits, ceilings, room
    left_over = ROUNDING
    for at in range(len(comparisons)):
        left_over += most[at, place]
    for at in range(len(comparisons)):
        column, gained, found, likeness = comparisons[at, COLUMN], 0.0, NULL, -1.0
        left_over -= most[at, place]
        if _is_open(comparisons, at, lists, rows, a, b) and not _is_silenced(comparisons, at, lists, vector):
            start = comparisons[at, START]
            for level in range(start, comparisons[at, END]):
                if weight + bits[level, MOST] + left_over < bound:
                    return OUT_OF_REACH
                operation, left = levels[level, OPERATION], levels[level, LEFT]
                if operation == SIMILAR:
                    if likeness < 0.0:
                        values = (levels[level, SLOT], levels[level, BASE], rows[a, left], rows[b, left])
                        floor = _floor(levels, bits, level, comparisons[at, END], bound - weight - left_over)
                        likeness = similarity((letters, starts, shapes), held, several, values, floor)
                    met = likeness >= bits[level, AT_LEAST]
                elif operation == VARIANT or operation == ONE_EDIT:  # noqa: PLR1714, SIM109 - compiled
                    base = levels[level, BASE]
                    met = are_close(operation, base, known, several, rows[a, left], rows[b, left])
                else:
                    met = _holds_cheaply(levels, level, dates, several, rows, a, b)
                if met:
                    found = level - start
                    gained = _gained(levels, bits, level, logs, several, rows, a, b)
                    break
        vector[column] = found
        weight += gained
        if weight + left_over < bound:
            return OUT_OF_REACH
    return weight


@inlined
def _floor(levels: Table, bits: Floats, level: int, end: int, needed: float) -> float:
    """Return the lowest similarity that a level from this one on asks for, if it may still give what is needed."""
    floor = 1.0
    while level < end and bits[level, MOST] >= needed:
        if levels[level, OPERATION] == SIMILAR:
            floor = min(floor, bits[level, AT_LEAST])
        level += 1
    return floor


@inlined
def reach_of_one(
    work: Pass, rows: Matrix, a: int, b: int, prior: float, ceilings: tuple[Singles, int]
) -> float:
    """Return the most that a pair may reach, and write the most that each comparison may give.

    Each comparison is asked level by level, as long as that is cheap to tell; where none holds, less is left.
    """
    comparisons, levels, bits, lists, logs, several, known = work
    most, place = ceilings
    total = prior
    for at in range(len(comparisons)):
        start, ceiling = comparisons[at, START], 0.0
        if _is_open(comparisons, at, lists, rows, a, b):
            for level in range(start, comparisons[at, END]):
                if not levels[level, IS_CHEAP]:
                    ceiling = bits[level, MOST]
                    break
                if _holds_cheaply(levels, level, known[3], several, rows, a, b):
                    ceiling = _gained(levels, bits, level, logs, several, rows, a, b)
                    break
            if comparisons[at, SILENCE_START] < comparisons[at, SILENCE_END]:
                ceiling = max(ceiling, 0.0)
        most[at, place] = ceiling
        total += most[at, place]
    return total


@inlined
def _is_open(comparisons: Table, at: int, lists: Smalls, rows: Matrix, a: int, b: int) -> bool:
    """Return whether both rows have a value to compare."""
    first, second = False, False
    for place in range(comparisons[at, PRESENT_START], comparisons[at, PRESENT_END]):
        first |= rows[a, lists[place]] != -1
        second |= rows[b, lists[place]] != -1
    return first and second


@inlined
def _is_silenced(comparisons: Table, at: int, lists: Smalls, vector: np.ndarray) -> bool:
    """Return whether a level found before has silenced a comparison."""
    for place in range(comparisons[at, SILENCE_START], comparisons[at, SILENCE_END], 2):
        if vector[lists[place]] == lists[place + 1]:
            return True
    return False


@inlined
def _holds_cheaply(
    levels: Table, level: int, dates: Matrix, several: Several, rows: Matrix, a: int, b: int
) -> bool:
    """Return whether two rows meet a predicate that looks at codes or dates alone."""
    operation, left = levels[level, OPERATION], levels[level, LEFT]
    if operation == ELSE:
        return True
    if operation == DATE:
        return dates_meet(levels[level, DETAIL], dates, several, rows[a, left], rows[b, left])
    right, unless = levels[level, RIGHT], levels[level, UNLESS]
    met = share(several, rows[a, left], rows[b, right])
    if not met and left != right:
        met = share(several, rows[b, left], rows[a, right])
    return met and not (unless >= 0 and share(several, rows[a, unless], rows[b, unless]))


@inlined
def _gained(
    levels: Table, bits: Floats, level: int, logs: Floats, several: Several, rows: Matrix, a: int, b: int
) -> float:
    """Return the weight of a level; by the frequency of the rarest value shared, where the level asks for it."""
    term = levels[level, TERM]
    if term < 0:
        return float(bits[level, WEIGHT])
    x, y, base = rows[a, term], rows[b, term], levels[level, LOG_BASE]
    if x >= 0 and x == y:
        return float(bits[level, LOG_M] - logs[base + x])
    log = rarest(several, x, y, logs, base)
    return float(bits[level, WEIGHT] if log > 0.0 else bits[level, LOG_M] - log)


@inlined
def borrowed_pass(work: Pass) -> Pass:
    """Return the same work without a share in the memory of its arrays."""
    comparisons, levels, bits, lists, logs, several, known = work
    letters, starts, shapes, dates, variant_starts, variants = known
    return (
        borrowed(comparisons),
        borrowed(levels),
        borrowed(bits),
        borrowed(lists),
        borrowed(logs),
        (borrowed(several[0]), borrowed(several[1])),
        (
            borrowed(letters),
            borrowed(starts),
            borrowed(shapes),
            borrowed(dates),
            borrowed(variant_starts),
            borrowed(variants),
        ),
    )


@inlined
def borrowed_held(held: Held) -> Held:
    """Return the same places without a share in the memory of their arrays."""
    return Held(borrowed(held.places), borrowed(held.text))


@inlined
def look_ahead(known: Known, texts: Table, rows: Matrix, records: Smalls | Ints, at: int, ahead: int) -> None:
    """Ask for the texts of a record that comes `ahead` later, and for the cells of one twice as far away."""
    sooner, later = at + ahead, at + 2 * ahead
    if later < len(records):
        fetch_ahead(rows, records[later])
        fetch_ahead(rows[:, CELLS_OF_A_LINE:], records[later])
    if sooner < len(records):
        for text in range(len(texts)):
            value = max(rows[records[sooner], texts[text, 0]], 0)
            fetch_ahead(known[2], texts[text, 1] + value)


@compiled
def levels_of_pairs(
    work: Pass, matrix: Matrix, all_texts: Table, a: Ints, b: Ints, vectors: np.ndarray
) -> None:
    """Write the level vectors of pairs of positions; `all_texts` are the texts of the program."""
    mine, rows, all_vectors = borrowed_pass(work), borrowed(matrix), borrowed(vectors)
    texts, others = borrowed(all_texts), borrowed(b)
    nothing = np.zeros((len(work[0]), 1), np.float32)
    ceilings, limits = (borrowed(nothing), 0), (0.0, OUT_OF_REACH)
    owned = nothing_held(len(work[1]))
    held = borrowed_held(owned)
    for pair in range(len(a)):
        look_ahead(mine[6], texts, rows, others, pair, AHEAD)
        compare(mine, rows, (a[pair], others[pair]), limits, ceilings, (all_vectors[pair], held))
    nothing[:], owned.text[:], owned.places[:] = (
        0.0,
        -1,
        0,
    )  # kept until here: what was borrowed is used above
