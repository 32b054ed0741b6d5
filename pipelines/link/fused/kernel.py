"""The fused pass: block, compare and weigh in one go; a pair lives only as long as it may still reach the bound."""

from __future__ import annotations

import numpy as np

from pipelines.link.features import Floats, Ints
from pipelines.link.fused.compiled import compiled, inlined, step
from pipelines.link.fused.pack import Matrix
from pipelines.link.fused.predicates import Known, Several, rarest, share, smallest_shared, some_values
from pipelines.link.fused.program import (
    COLUMN,
    ELSE,
    END,
    LEFT,
    LOG_BASE,
    LOG_M,
    MOST,
    OPERATION,
    PRESENT_END,
    PRESENT_START,
    RIGHT,
    SHARE,
    SILENCE_END,
    SILENCE_START,
    START,
    TERM,
    UNLESS,
    WEIGHT,
    Smalls,
    Table,
)

OUT_OF_REACH = -1e300
FIRST_ROOM = 1024

# What a pass is given: comparisons, levels, bits, rest, lists, logs of its program; several and known values.
Pass = tuple[Table, Table, Floats, Floats, Smalls, Floats, Several, Known]


@step
def compare(
    work: Pass, rows: Matrix, a: int, b: int, weight: float, bound: float, vector: np.ndarray
) -> float:
    """Return the weight of a pair of rows that starts from `weight`, and write its level vector.

    Stops, and returns `OUT_OF_REACH`, as soon as no levels that are still open could lift the pair to the bound.
    """
    comparisons, levels, bits, rest, lists, logs, several, known = work
    for at in range(len(comparisons)):
        start, found, gained = comparisons[at, START], -1, 0.0
        room = bound - weight - rest[at]
        if _is_open(comparisons[at], lists, rows, a, b, vector):
            for level in range(start, comparisons[at, END]):
                if bits[level, MOST] < room and room > 0.0:
                    return OUT_OF_REACH
                if _holds(levels, bits, level, several, known, rows, a, b):
                    found = level - start
                    gained = bits[level, WEIGHT]
                    term = levels[level, TERM]
                    if term >= 0:
                        log = rarest(several, rows[a, term], rows[b, term], logs, levels[level, LOG_BASE])
                        gained = gained if log > 0.0 else bits[level, LOG_M] - log
                    break
        vector[comparisons[at, COLUMN]] = found
        weight += gained
        if weight + rest[at] < bound:
            return OUT_OF_REACH
    return weight


@inlined
def _is_open(comparison: Smalls, lists: Smalls, rows: Matrix, a: int, b: int, vector: np.ndarray) -> bool:
    """Return whether both rows have a value to compare, and no level found before has silenced the comparison."""
    for at in range(comparison[SILENCE_START], comparison[SILENCE_END], 2):
        if vector[lists[at]] == lists[at + 1]:
            return False
    first, second = False, False
    for at in range(comparison[PRESENT_START], comparison[PRESENT_END]):
        first |= rows[a, lists[at]] != -1
        second |= rows[b, lists[at]] != -1
    return first and second


@inlined
def _holds(
    levels: Table, bits: Floats, level: int, several: Several, known: Known, rows: Matrix, a: int, b: int
) -> bool:
    """Return whether two rows meet the predicate of a level."""
    operation, left, right = levels[level, OPERATION], levels[level, LEFT], levels[level, RIGHT]
    if operation == ELSE:
        return True
    if operation == SHARE:
        met = share(several, rows[a, left], rows[b, right])
        if not met and left != right:
            met = share(several, rows[b, left], rows[a, right])
    else:
        met = some_values(levels, bits, level, several, known, rows[a, left], rows[b, left])
    unless = levels[level, UNLESS]
    return met and not (unless >= 0 and share(several, rows[a, unless], rows[b, unless]))


@compiled
def levels_of_pairs(work: Pass, matrix: Matrix, a: Ints, b: Ints, vectors: np.ndarray) -> None:
    """Write the level vectors of pairs of positions."""
    for pair in range(len(a)):
        compare(work, matrix, a[pair], b[pair], 0.0, OUT_OF_REACH, vectors[pair])


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
    bound: float,
) -> tuple[Ints, Ints, np.ndarray, int, int]:
    """Return the pairs of a stretch of blocks that reach the bound, their levels, and pairs met and pairs new.

    `pairs` are the prior weight per pair of agencies, and whether an agency holds each person once; `blocks` the
    members and starts of a rule's blocks; `place` the first and the last member whose pairs with later members of
    its block are looked at, and the columns of the first rule's keys and of this one's.
    """
    (prior, unique), (members, starts), (begin, end, first, column) = pairs, blocks, place
    several = work[6]
    out_a, out_b = np.empty(FIRST_ROOM, np.int64), np.empty(FIRST_ROOM, np.int64)
    out_vectors = np.empty((FIRST_ROOM, len(work[0])), np.int8)
    kept, met, new = 0, 0, 0
    vector = np.empty(len(work[0]), np.int8)
    rows = np.empty((FIRST_ROOM, matrix.shape[1]), np.int32)
    block = np.searchsorted(starts, begin, side="right") - 1
    while block < len(starts) - 1 and starts[block] < end:
        low, high = max(begin, starts[block]), starts[block + 1]
        size = high - low
        if len(rows) < size:
            rows = np.empty((size, matrix.shape[1]), np.int32)
        for k in range(size):
            rows[k] = matrix[members[low + k]]
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
                if compare(work, rows, i, j, prior[rows[i, 0], rows[j, 0]], bound, vector) < bound:
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
