"""The fused pass: block, compare and weigh in one go; a pair lives only as long as it may still reach the bound."""

from __future__ import annotations

import numpy as np

from pipelines.link.features import Floats, Ints
from pipelines.link.fused.compiled import borrowed, compiled, inlined
from pipelines.link.fused.pack import Matrix
from pipelines.link.fused.predicates import (
    Known,
    Several,
    are_close,
    dates_meet,
    rarest,
    share,
    similarity,
    smallest_shared,
)
from pipelines.link.fused.program import (
    AT_LEAST,
    BASE,
    COLUMN,
    DATE,
    DETAIL,
    ELSE,
    END,
    FLOOR,
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
    START,
    TERM,
    UNLESS,
    VARIANT,
    WEIGHT,
    Smalls,
    Table,
)

OUT_OF_REACH = -1e300
FIRST_ROOM = 1024
# A comparison without a value on either side, and one that is not decided yet.
NULL, OPEN = -1, -2

# What a pass is given: comparisons, levels, bits, lists and logs of its program; several and known values.
Pass = tuple[Table, Table, Floats, Smalls, Floats, Several, Known]


@inlined
def compare(
    work: Pass, rows: Matrix, a: int, b: int, limits: tuple[float, float], vector: np.ndarray, marks: Floats
) -> float:
    """Return the weight of a pair of rows, and write its level vector.

    `limits` are the weight that it starts from, and the bound. First every comparison is asked for its best level,
    which is cheap to tell; where that does not hold, less is left to be gained. Then the rest is found, level by
    level. Returns `OUT_OF_REACH` as soon as what is left could not lift the pair to the bound. `marks` has room
    for what each comparison may still give.
    """
    comparisons, levels, bits, lists, logs, several, known = work
    letters, starts, masks, dates, _, _ = known
    weight, bound = limits
    left_over = 0.0
    for at in range(len(comparisons)):
        start, found, ceiling = comparisons[at, START], NULL, 0.0
        if _is_open(comparisons, at, lists, rows, a, b):
            found, ceiling = OPEN, bits[start, MOST]
            if levels[start, IS_CHEAP]:
                if _holds_cheaply(levels, start, dates, several, rows, a, b):
                    found, ceiling = 0, _gained(levels, bits, start, logs, several, rows, a, b)
                else:
                    ceiling = bits[start + 1, MOST]
            if comparisons[at, SILENCE_START] < comparisons[at, SILENCE_END]:
                ceiling = max(ceiling, 0.0)
        vector[comparisons[at, COLUMN]] = found
        marks[at] = ceiling
        left_over += ceiling
    if weight + left_over < bound:
        return OUT_OF_REACH
    for at in range(len(comparisons)):
        column, start, gained = comparisons[at, COLUMN], comparisons[at, START], 0.0
        left_over -= marks[at]
        found = vector[column]
        if found != NULL and _is_silenced(comparisons, at, lists, vector):
            found = NULL
        elif found == 0:
            gained = _gained(levels, bits, start, logs, several, rows, a, b)
        elif found == OPEN:
            found, likeness = NULL, -1.0
            for level in range(start + levels[start, IS_CHEAP], comparisons[at, END]):
                if weight + bits[level, MOST] + left_over < bound and weight + left_over < bound:
                    return OUT_OF_REACH
                operation, left = levels[level, OPERATION], levels[level, LEFT]
                if operation == SIMILAR:
                    if likeness < 0.0:
                        cells = (rows[a, left], rows[b, left], levels[level, BASE])
                        likeness = similarity(letters, starts, masks, several, cells, bits[level, FLOOR])
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
    levels: Table, level: int, dates: Ints, several: Several, rows: Matrix, a: int, b: int
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
def _borrowed(work: Pass) -> Pass:
    """Return the same work without a share in the memory of its arrays."""
    comparisons, levels, bits, lists, logs, several, known = work
    letters, starts, masks, dates, variant_starts, variants = known
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
            borrowed(masks),
            borrowed(dates),
            borrowed(variant_starts),
            borrowed(variants),
        ),
    )


@compiled
def levels_of_pairs(work: Pass, matrix: Matrix, a: Ints, b: Ints, vectors: np.ndarray) -> None:
    """Write the level vectors of pairs of positions."""
    mine, rows, all_vectors = _borrowed(work), borrowed(matrix), borrowed(vectors)
    room = np.empty(len(work[0]))
    marks, limits = borrowed(room), (0.0, OUT_OF_REACH)
    for pair in range(len(a)):
        compare(mine, rows, a[pair], b[pair], limits, all_vectors[pair], marks)
    room[:] = 0.0  # kept until here: what was borrowed from it is used above


@inlined
def _is_first_meeting(several: Several, rows: Matrix, a: int, b: int, first: int, column: int) -> bool:
    """Return whether no earlier rule has met a pair; the keys of the rules stand in columns from `first` on."""
    for earlier in range(first, column):  # noqa: SIM110 - compiled: a generator is not
        if share(several, rows[a, earlier], rows[b, earlier]):
            return False
    return True


@compiled
def scan(
    work: Pass,
    matrix: Matrix,
    pairs: tuple[Floats, np.ndarray],
    blocks: tuple[Smalls, Ints],
    place: tuple[int, int, int, int],
    room: tuple[Matrix, np.ndarray, Floats, float],
) -> tuple[Ints, Ints, np.ndarray, int, int]:
    """Return the pairs of a stretch of blocks that reach the bound, their levels, and pairs met and pairs new.

    `pairs` are the prior weight per pair of agencies, and whether an agency holds each person once; `blocks` the
    members and starts of a rule's blocks; `place` the first and the last member whose pairs with later members of
    its block are looked at, and the columns of the first rule's keys and of this one's; `room` has space for the
    rows of the largest block, for one level vector and for the marks of one pair; and the bound.
    """
    mine, (begin, end, first, column) = _borrowed(work), place
    prior, unique, members, starts = (
        borrowed(pairs[0]),
        borrowed(pairs[1]),
        borrowed(blocks[0]),
        borrowed(blocks[1]),
    )
    cells, rows, vector, bound = borrowed(matrix), borrowed(room[0]), borrowed(room[1]), room[3]
    marks, several, width = borrowed(room[2]), mine[5], cells.shape[1]
    out_a, out_b = np.empty(FIRST_ROOM, np.int64), np.empty(FIRST_ROOM, np.int64)
    out_vectors = np.empty((FIRST_ROOM, len(vector)), np.int8)
    kept, met, new = 0, 0, 0
    block = np.searchsorted(starts, begin, side="right") - 1
    while block < len(starts) - 1 and starts[block] < end:
        low, high = max(begin, starts[block]), starts[block + 1]
        size = high - low
        for k in range(size):
            row = members[low + k]
            for at in range(width):
                rows[k, at] = cells[row, at]
        for i in range(min(end, high) - low):
            for j in range(i + 1, size):
                if rows[i, 0] == rows[j, 0] and unique[rows[i, 0]]:
                    continue
                x, y = rows[i, column], rows[j, column]
                # Two records with several keys of one rule may share more than one: the first block counts.
                if x < 0 and y < 0 and smallest_shared(several, x, y) != block:
                    continue
                met += 1
                if not _is_first_meeting(several, rows, i, j, first, column):
                    continue
                new += 1
                limits = (prior[rows[i, 0], rows[j, 0]], bound)
                if compare(mine, rows, i, j, limits, vector, marks) < bound:
                    continue
                if kept == len(out_a):
                    out_a, out_b = _roomier(out_a), _roomier(out_b)
                    out_vectors = _roomier_rows(out_vectors)
                out_a[kept], out_b[kept], out_vectors[kept] = members[low + i], members[low + j], vector
                kept += 1
        block += 1
    return out_a[:kept], out_b[:kept], out_vectors[:kept], met, new


@inlined
def _roomier(array: Ints) -> Ints:
    result = np.empty(2 * len(array), array.dtype)
    result[: len(array)] = array
    return result


@inlined
def _roomier_rows(array: np.ndarray) -> np.ndarray:
    result = np.empty((2 * len(array), array.shape[1]), array.dtype)
    result[: len(array)] = array
    return result


@compiled
def pairs_before(starts: Ints) -> Floats:
    """Return, for each member, how many pairs the members before it have with later members of their blocks."""
    result = np.zeros(starts[-1] + 1, np.float64)
    for block in range(len(starts) - 1):
        for place in range(starts[block], starts[block + 1]):
            result[place + 1] = result[place] + (starts[block + 1] - place - 1)
    return result
