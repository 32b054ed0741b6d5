"""Rows that share a key, and dense numbers for keys: over tens of millions of rows, by one radix sort.

The large arrays are made here and filled by compiled steps: NumPy asks for large memory pages, Numba does not,
and scattered writes need them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipelines.errors import LinkageError
from pipelines.link.compiled import compiled, inlined
from pipelines.link.fused.arrays import Ints, Positions, Words, read_only

MOST_ROWS = np.iinfo(np.int32).max

_U = np.uint64
_ONE = _U(1)
_WORD = 64
_DIGIT = 10  # bits a pass: 1,024 counters and as many open lines fit the nearest cache, 2,048 do not
_FEW = 48  # a run this short is quicker to sort by insertion than by counting


class Groups(NamedTuple):
    """Blocks of rows with one key: block i is `order[starts[i]:starts[i + 1]]`, blocks by key, rows ascending.

    `group` is the block of each row, -1 for a row without a key or with one that no other row has.
    """

    order: Positions
    starts: Ints
    group: Positions


class _Sorted(NamedTuple):
    """Words that end in a row number, by key and then by row; before it as much of the key as there is room.

    `keys` are asked where `is_whole` is False and two words have the same part of a key.
    """

    keys: Ints
    words: Words
    row_bits: int
    is_whole: bool


def group_keys(keys: Ints) -> Groups:
    """Return the rows whose key occurs at least twice, block by block; a negative key means none.

    Raises:
        LinkageError: there are more rows than positions of 32 bits.
    """
    rows = _sort(keys)
    blocks, members = _count_blocks(rows)
    order, starts = np.empty(members, np.int32), np.empty(blocks + 1, np.int64)
    group = np.full(len(keys), -1, dtype=np.int32)
    _fill_blocks(rows, order, starts, group)
    return Groups(order, starts, group)


def renumber(keys: Ints) -> tuple[Positions, int]:
    """Return the number of each key by order of first appearance, and how many there are; negative becomes -1.

    Raises:
        LinkageError: there are more rows than positions of 32 bits.
    """
    codes = np.full(len(keys), -1, dtype=np.int32)
    _name_first_rows(_sort(keys), codes)
    return codes, _number_first_rows(codes)


def order_of(keys: Ints) -> Ints:
    """Return the rows in the order of their keys; of equal keys, the first row first. A negative key is left out.

    Raises:
        LinkageError: there are more rows than positions of 32 bits.
    """
    rows = _sort(keys)
    return (rows.words & ((_ONE << _U(rows.row_bits)) - _ONE)).view(np.int64)


def _sort(keys: Ints) -> _Sorted:
    """Return the rows with a key, sorted.

    Bits that are the same in all keys are left out. Where the others do not fit beside the row number, the
    highest are sorted first: few rows are then undecided, and only those are sorted by the rest.
    """
    if len(keys) > MOST_ROWS:
        raise LinkageError(f"{len(keys)} rows at once are more than {MOST_ROWS}")
    keys = read_only(keys)
    row_bits = max(len(keys) - 1, 1).bit_length()
    varying, count = _bits_in_use(keys)
    lowest = (varying & -varying).bit_length() - 1 if varying else 0
    bits = varying.bit_length() - lowest
    wide = min(bits, _WORD - row_bits)
    words, spare = np.empty(count, np.uint64), np.empty(count, np.uint64)
    _pack(keys, words, row_bits, lowest + bits - wide, wide)
    if _sort_by(words, spare, row_bits, wide):
        words, spare = spare, words
    if bits > wide:
        _sort_undecided(keys, words, spare, row_bits, bits - wide, lowest)
    return _Sorted(keys, words, row_bits, bits == wide)


@compiled
def _bits_in_use(keys: Ints) -> tuple[int, int]:
    """Return the bits in which the keys differ, and how many rows have a key."""
    first, varying, count = -1, 0, 0
    for key in keys:
        if key >= 0:
            if first < 0:
                first = key
            varying |= key ^ first
            count += 1
    return varying, count


@compiled
def _pack(keys: Ints, words: Words, row_bits: int, shift: int, wide: int) -> None:
    """Fill `words` with `wide` bits of each key from `shift`, then its row."""
    mask, at = (_ONE << _U(wide)) - _ONE, 0
    for row in range(len(keys)):
        if keys[row] >= 0:
            words[at] = (_U(keys[row]) >> _U(shift) & mask) << _U(row_bits) | _U(row)
            at += 1


@compiled
def _sort_by(words: Words, spare: Words, shift: int, wide: int) -> bool:
    """Sort `words` by `wide` bits from `shift`, lowest digit first; return whether the outcome is in `spare`."""
    passes = (wide + _DIGIT - 1) // _DIGIT
    if len(words) < 2 or passes == 0:
        return False
    digit = (wide + passes - 1) // passes
    place = np.empty(1 << digit, np.int64)
    is_moved = False
    for at in range(shift, shift + wide, digit):
        source, target = (spare, words) if is_moved else (words, spare)
        is_moved ^= _scatter(source, target, at, place)
    return is_moved


@compiled
def _scatter(source: Words, target: Words, shift: int, place: Ints) -> bool:
    """Fill `target` with `source` sorted by one digit, stably; return False where all have the same digit."""
    mask = _U(len(place) - 1)
    place[:] = 0
    for word in source:
        place[word >> _U(shift) & mask] += 1
    if place[source[0] >> _U(shift) & mask] == len(source):
        return False
    total = 0
    for value in range(len(place)):
        size = place[value]
        place[value] = total
        total += size
    for word in source:
        value = word >> _U(shift) & mask
        target[place[value]] = word
        place[value] += 1
    return True


@compiled
def _sort_undecided(keys: Ints, words: Words, spare: Words, row_bits: int, wide: int, shift: int) -> None:
    """Sort each run of words with the same part of a key by the `wide` lower bits of the key from `shift`."""
    rows, mask = (_ONE << _U(row_bits)) - _ONE, (_ONE << _U(wide)) - _ONE
    start = 0
    while start < len(words):
        part, end = words[start] & ~rows, start + 1
        while end < len(words) and words[end] & ~rows == part:
            end += 1
        if end - start > 1:
            run = words[start:end]
            for at in range(len(run)):
                row = run[at] & rows
                run[at] = (_U(keys[row]) >> _U(shift) & mask) << _U(row_bits) | row
            if len(run) <= _FEW:
                _insert(run)
            elif _sort_by(run, spare[start:end], row_bits, wide):
                run[:] = spare[start:end]
            for at in range(len(run)):
                run[at] = part | run[at] & rows
        start = end


@compiled
def _insert(run: Words) -> None:
    """Sort a short run in place."""
    for at in range(1, len(run)):
        word, left = run[at], at
        while left > 0 and run[left - 1] > word:
            run[left] = run[left - 1]
            left -= 1
        run[left] = word


@inlined
def _row_at(rows: _Sorted, at: int) -> np.uint64:
    """Return the row that stands at a position of the sorted rows."""
    return _U(rows.words[at] & ((_ONE << _U(rows.row_bits)) - _ONE))


@inlined
def _end_of_run(rows: _Sorted, start: int) -> int:
    """Return where the rows that have the key of the one at `start` end."""
    part, end = rows.words[start] >> _U(rows.row_bits), start + 1
    while end < len(rows.words) and rows.words[end] >> _U(rows.row_bits) == part:
        if not rows.is_whole and rows.keys[_row_at(rows, end)] != rows.keys[_row_at(rows, start)]:
            break
        end += 1
    return end


@compiled
def _count_blocks(rows: _Sorted) -> tuple[int, int]:
    """Return how many keys occur at least twice, and in how many rows."""
    blocks = members = start = 0
    while start < len(rows.words):
        end = _end_of_run(rows, start)
        if end - start > 1:
            blocks += 1
            members += end - start
        start = end
    return blocks, members


@compiled
def _fill_blocks(rows: _Sorted, order: Positions, starts: Ints, group: Positions) -> None:
    """Fill the three arrays of `Groups` from the sorted rows."""
    block = filled = start = 0
    while start < len(rows.words):
        end = _end_of_run(rows, start)
        if end - start > 1:
            starts[block] = filled
            for at in range(start, end):
                row = _row_at(rows, at)
                order[filled] = row
                group[row] = block
                filled += 1
            block += 1
        start = end
    starts[block] = filled


@compiled
def _name_first_rows(rows: _Sorted, codes: Positions) -> None:
    """Fill `codes` with the first row that has the same key."""
    start = 0
    while start < len(rows.words):
        end = _end_of_run(rows, start)
        first = _row_at(rows, start)
        for at in range(start, end):
            codes[_row_at(rows, at)] = first
        start = end


@compiled
def _number_first_rows(codes: Positions) -> int:
    """Replace first rows by their numbers in order of appearance; return how many there are."""
    count = 0
    for row in range(len(codes)):
        first = codes[row]
        if first == row:
            codes[row] = count
            count += 1
        elif first >= 0:
            codes[row] = codes[first]
    return count
