"""The fused pass: block, compare and weigh in one go; a pair lives only as long as it may still reach the bound.

The records of a block stand side by side, so many at a time. Each is held against those after it: which of them it
meets for the first time, what it may reach with them at most, and only then, one by one, what its weight is.
"""

from __future__ import annotations

import numpy as np

from pipelines.link.compiled import borrowed, compiled, inlined
from pipelines.link.features import Floats, Ints
from pipelines.link.fused.agreement import nothing_held
from pipelines.link.fused.kernel import (
    AHEAD,
    Pass,
    borrowed_held,
    borrowed_pass,
    compare,
    look_ahead,
    reach_of_one,
)
from pipelines.link.fused.pack import Matrix
from pipelines.link.fused.predicates import Several, share, smallest_shared
from pipelines.link.fused.program import Smalls, Table
from pipelines.link.fused.reach import reach
from pipelines.link.fused.tile import ROUNDING, SIDE, TOTAL, Flags, Tile, borrowed_tile, empty_tile, fill_tile

FIRST_ROOM = 1024
# Records side by side are looked at by so many at least: what a machine takes in one step.
LANES = 16
# So few records are compared without asking first what they may reach.
FEW = 4
_DEAD = np.int32(0)
# A row of the matrix of cells.
Cell = Matrix


@inlined
def _unmet(
    alive: Flags, tile: Tile, span: tuple[int, int], row: Cell, rule: tuple[int, int, int], several: Several
) -> tuple[int, int]:
    """Mark which records of a tile a row meets in its block for the first time; return how many it meets, and anew.

    `rule` are the columns of the first rule's keys and of this one's, and the block. Of two records with several
    keys of one rule, which may share more than one, the first block counts.
    """
    begin, end = span
    first, column, block = rule
    keys = tile.cells[column, begin:end]
    if row[column] < 0:
        for at in range(len(keys)):
            if keys[at] < 0 and smallest_shared(several, row[column], keys[at]) != block:
                alive[at] = 0
    met = new = 0
    for at in range(len(keys)):
        met += alive[at]
    for earlier in range(first, column):
        x, keys = row[earlier], tile.cells[earlier, begin:end]
        if x >= 0:
            for at in range(len(keys)):
                alive[at] = alive[at] if keys[at] != x else _DEAD
        if x < -1 or (x >= 0 and tile.several[earlier] != 0):
            for at in range(len(keys)):
                if alive[at] != 0 and (x < -1 or keys[at] < -1) and share(several, x, keys[at]):
                    alive[at] = _DEAD
    for at in range(len(keys)):
        new += alive[at]
    return met, new


@inlined
def _unmet_among_few(
    alive: Flags, cells: Matrix, a: int, others: Smalls, rule: tuple[int, int, int], several: Several
) -> tuple[int, int]:
    """Mark which of a few records a row meets in its block for the first time; as `_unmet` does for many."""
    first, column, block = rule
    met = new = 0
    for at in range(len(others)):
        b = others[at]
        is_met = alive[at] != 0
        if is_met and cells[a, column] < 0 and cells[b, column] < 0:
            is_met = smallest_shared(several, cells[a, column], cells[b, column]) == block
        is_new = is_met
        for earlier in range(first, column):
            if is_new and share(several, cells[a, earlier], cells[b, earlier]):
                is_new = False
        alive[at] = is_new
        met, new = met + is_met, new + is_new
    return met, new


@compiled
def scan(
    work: Pass,
    matrix: Matrix,
    pairs: tuple[Floats, np.ndarray],
    blocks: tuple[Smalls, Ints, Ints],
    place: tuple[int, int, int, int],
    texts: tuple[Table, int],
    bound: float,
) -> tuple[Ints, Ints, np.ndarray, int, int]:
    """Return the pairs of a stretch of blocks that reach the bound, their levels, and pairs met and pairs new.

    `pairs` are the prior weight per pair of agencies, and whether an agency holds each person once; `blocks` the
    members and starts of a rule's blocks, and where the members end with which pairs begin; `place` the first and
    the last member whose pairs with later members of its block are looked at, and the columns of the first rule's
    keys and of this one's; `texts` what is compared letter by letter, and the column of the date of birth.
    """
    mine, (begin, end, first, column) = borrowed_pass(work), place
    prior, unique, members, starts = (
        borrowed(pairs[0]),
        borrowed(pairs[1]),
        borrowed(blocks[0]),
        borrowed(blocks[1]),
    )
    head_ends = borrowed(blocks[2])
    cells, table, several = borrowed(matrix), borrowed(texts[0]), mine[5]
    owned, flags = empty_tile(matrix.shape[1], len(table), len(mine[0])), np.zeros(SIDE, np.int32)
    tile, every_flag = borrowed_tile(owned), borrowed(flags)
    levels, texts_held = np.empty(len(mine[0]), np.int8), nothing_held(len(mine[1]))
    room = (borrowed(levels), borrowed_held(texts_held))
    out_a, out_b = np.empty(FIRST_ROOM, np.int64), np.empty(FIRST_ROOM, np.int64)
    out_vectors = np.empty((FIRST_ROOM, len(levels)), np.int8)
    kept, all_met, all_new = 0, 0, 0
    block = int(np.searchsorted(starts, begin, side="right")) - 1
    while block < len(starts) - 1 and starts[block] < end:
        last = min(end, head_ends[block])
        stop = starts[block + 1] if max(begin, starts[block]) < last else 0
        for low in range(max(begin, starts[block]), stop, SIDE):
            high = min(low + SIDE, stop)
            is_small = stop - starts[block] <= FEW + 1
            if not is_small:
                fill_tile(tile, mine[6], table, texts[1], (cells, column + 1), members[low:high])
            for member in range(max(begin, starts[block]), min(last, high - 1)):
                a = members[member]
                look_ahead(mine[6], table, cells, members, member, max(high - low, AHEAD))
                first_after, rule = max(member + 1 - low, 0), (first, column, block)
                if is_small:
                    span = (first_after, high - low)
                    alive, others = every_flag[: span[1] - span[0]], members[low + first_after : high]
                    for at in range(len(alive)):
                        alive[at] = not unique[cells[a, 0]] or cells[others[at], 0] != cells[a, 0]
                    met, new = _unmet_among_few(alive, cells, a, others, rule, several)
                else:
                    # Whole vectors: what lies outside the block is there, and not alive.
                    span = (first_after & -LANES, min(high - low + LANES - 1 & -LANES, SIDE))
                    alive, agencies = every_flag[span[0] : span[1]], tile.cells[0, span[0] : span[1]]
                    alive[:] = 0
                    alive[first_after - span[0] : high - low - span[0]] = 1
                    if unique[cells[a, 0]]:
                        for at in range(len(alive)):
                            alive[at] = alive[at] if agencies[at] != cells[a, 0] else _DEAD
                    met, new = _unmet(alive, tile, span, cells[a], rule, several)
                all_met, all_new = all_met + met, all_new + new
                if new == 0:
                    continue
                floor, is_alone = bound - ROUNDING, new <= FEW
                if not is_alone:
                    reach(mine, tile, span, cells, a, prior)
                    total, least = tile.lanes[TOTAL, span[0] : span[1]], np.float32(floor)
                    for at in range(len(alive)):
                        alive[at] = alive[at] if total[at] >= least else _DEAD
                for at in range(len(alive)):
                    if alive[at] == 0:
                        continue
                    b = members[low + span[0] + at]
                    start, ceilings = prior[cells[a, 0], cells[b, 0]], (tile.ceilings, span[0] + at)
                    if is_alone and reach_of_one(mine, cells, a, b, start, ceilings) < floor:
                        continue
                    if compare(mine, cells, (a, b), (start, bound), ceilings, room) < bound:
                        continue
                    if kept == len(out_a):
                        out_a, out_b = _roomier(out_a), _roomier(out_b)
                        out_vectors = _roomier_rows(out_vectors)
                    out_a[kept], out_b[kept], out_vectors[kept] = a, b, room[0]
                    kept += 1
        block += 1
    # Kept until here: what was borrowed from them is used above.
    owned.present[:], owned.ceilings[:], flags[:], levels[:] = 0, 0, 0, 0
    owned.lanes[:], owned.cells[:], owned.masks[:], owned.shapes[:] = 0, 0, 0, 0
    texts_held.places[:], texts_held.text[:] = 0, 0
    owned.beginnings[:], owned.dates[:], owned.several[:] = 0, 0, 0
    return out_a[:kept], out_b[:kept], out_vectors[:kept], all_met, all_new


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
def pairs_before(starts: Ints, head_ends: Ints) -> Floats:
    """Return, for each member, how many pairs the members before it have with later members of their blocks.

    Pairs begin only with the members of a block before its `head_ends`.
    """
    result = np.zeros(starts[-1] + 1, np.float64)
    for block in range(len(starts) - 1):
        for place in range(starts[block], starts[block + 1]):
            begun = starts[block + 1] - place - 1 if place < head_ends[block] else 0
            result[place + 1] = result[place] + begun
    return result
