"""The letters that two strings have in common by Jaro's rule, as bit masks: what Jaro-Winkler is counted from.

A letter of one string agrees with the first free equal letter of the other that stands no further away than
half the longer string, less one. Taking letters in order makes the outcome the same from either side, so the
longer string is the one held in words and the shorter one is walked through.
"""

from __future__ import annotations

import numpy as np

from pipelines.link.compiled import compiled, count_ones, inlined, lowest_one
from pipelines.link.fused.arrays import Bytes

WORD = 64
FIRST_LETTERS = 4  # how many of a common prefix count

_U = np.uint64
_NONE, _ONE, _ALL = _U(0), _U(1), _U(0xFFFFFFFFFFFFFFFF)
_EACH_BYTE = _U(0x0101010101010101)
_LOW_BITS = _U(0x7F7F7F7F7F7F7F7F)
_HIGH_BITS = _U(0x8080808080808080)
_GATHER = _U(0x0102040810204080)  # multiplying by it moves the lowest bit of byte k to bit 56 + k


@inlined
def eight_bytes(data: Bytes, start: int) -> np.uint64:
    """Return the eight bytes from `start`, the first one lowest, on any machine (one load where it can be)."""
    at = _U(start)  # an unsigned index needs no test for counting from the end
    return (
        _U(data[at])
        | _U(data[at + _U(1)]) << _U(8)
        | _U(data[at + _U(2)]) << _U(16)
        | _U(data[at + _U(3)]) << _U(24)
        | _U(data[at + _U(4)]) << _U(32)
        | _U(data[at + _U(5)]) << _U(40)
        | _U(data[at + _U(6)]) << _U(48)
        | _U(data[at + _U(7)]) << _U(56)
    )


@inlined
def word_of(data: Bytes, start: int, length: int, at: int) -> np.uint64:
    """Return the (up to) eight bytes from position `at` of a string, the rest zero; none beyond `data` is read."""
    left = min(length - at, 8)
    if left <= 0:
        return _NONE
    if start + at + 8 <= len(data):
        return eight_bytes(data, start + at) & (_ALL >> _U(64 - 8 * left))
    word = _NONE
    for k in range(left):
        word |= _U(data[_U(start + at + k)]) << _U(8 * k)
    return word


@inlined
def same_start(word_a: np.uint64, word_b: np.uint64, shorter: int) -> int:
    """Return how many first letters two strings share, up to four; given their first eight."""
    return min(lowest_one(word_a ^ word_b) >> 3, shorter, FIRST_LETTERS)


@inlined
def _places(word: np.uint64, letter: np.uint64) -> np.uint64:
    """Return which of the eight bytes of `word` are `letter`, as the lowest eight bits; all below 128."""
    differing = (word ^ (letter * _EACH_BYTE)) + _LOW_BITS
    return (((~differing & _HIGH_BITS) >> _U(7)) * _GATHER) >> _U(56)


@compiled
def agreeing(
    data: Bytes, a: int, length_a: int, b: int, length_b: int, spare: int
) -> tuple[np.uint64, np.uint64]:
    """Return the agreeing positions of two strings as masks; `0 < length_b <= length_a <= 64`.

    None at all, as soon as more than `spare` letters of the second string agree with none of the first.
    """
    reach = max(length_a // 2 - 1, 0)
    free = _ALL >> _U(WORD - length_a)
    window = _ALL >> _U(63 - reach)
    found = _NONE
    first_word, second_word = word_of(data, a, length_a, 0), word_of(data, a, length_a, 8)
    third_word, fourth_word = word_of(data, a, length_a, 16), word_of(data, a, length_a, 24)
    for j in range(length_b):
        letter = _U(data[_U(b + j)])
        places = _places(first_word, letter) | _places(second_word, letter) << _U(8)
        if length_a > 16:
            places |= _places(third_word, letter) << _U(16) | _places(fourth_word, letter) << _U(24)
            for at in range(max(32, (j - reach) & ~7), min(length_a, j + reach + 1), 8):
                places |= _places(word_of(data, a, length_a, at), letter) << _U(at)
        places &= free & window
        first = places & (~places + _ONE)
        if first == _NONE:
            spare -= 1
            if spare < 0:
                return _NONE, _NONE
        free ^= first
        found |= _U(first != _NONE) << _U(j)
        window = window << _ONE | _U(j < reach)
    return free ^ (_ALL >> _U(WORD - length_a)), found


@inlined
def agreeing_in_words(word_a: np.uint64, word_b: np.uint64, length_a: int, length_b: int) -> tuple[int, int]:
    """Return how many letters of two strings of 1 to 8 letters agree, and how many of those are out of order.

    The masks have the highest bit of each byte. The loop always takes all eight steps: it is unrolled, and a
    step costs less than guessing the wrong end of a loop. Beyond a string its word is zero, which no letter is.
    """
    reach = max(max(length_a, length_b) // 2 - 1, 0)
    every_a = free = _HIGH_BITS >> _U(64 - 8 * length_a)
    window = _HIGH_BITS >> _U(56 - 8 * reach)
    found = _NONE
    for j in range(8):
        letter = (word_b >> _U(8 * j)) & _U(0xFF)
        places = ~((word_a ^ (letter * _EACH_BYTE)) + _LOW_BITS) & free & window
        first = places & (~places + _ONE)
        free ^= first
        found |= _U(first != _NONE) << _U(8 * j + 7)
        window = window << _U(8) | _U(j < reach) << _U(7)
    taken = free ^ every_a
    if taken == found:  # the usual case among similar strings: each letter faces its own place
        return count_ones(found), count_ones(((word_a ^ word_b) + _LOW_BITS) & found)
    common, differing = count_ones(found), 0
    while found != _NONE:
        from_a, from_b = word_a >> _U(lowest_one(taken) - 7), word_b >> _U(lowest_one(found) - 7)
        differing += (from_a ^ from_b) & _U(0xFF) != _NONE
        taken &= taken - _ONE
        found &= found - _ONE
    return common, differing


@compiled
def out_of_order(data: Bytes, a: int, b: int, agreeing_a: np.uint64, agreeing_b: np.uint64) -> int:
    """Return how many agreeing letters stand in another order, counted on one side."""
    differing = 0
    while agreeing_b != _NONE:
        differing += data[_U(a + lowest_one(agreeing_a))] != data[_U(b + lowest_one(agreeing_b))]
        agreeing_a &= agreeing_a - _ONE
        agreeing_b &= agreeing_b - _ONE
    return differing


@compiled
def long_agreement(data: Bytes, a: int, length_a: int, b: int, length_b: int) -> tuple[int, int]:
    """Return how many letters agree, and how many of those are out of order; for strings of any length."""
    reach = max(length_a // 2 - 1, 0)
    taken = np.zeros(length_a, np.bool_)
    partner = np.empty(length_b, np.int64)
    count = 0
    for j in range(length_b):
        for i in range(max(0, j - reach), min(length_a, j + reach + 1)):
            if not taken[i] and data[a + i] == data[b + j]:
                taken[i] = True
                partner[count] = j
                count += 1
                break
    differing, at = 0, 0
    for i in range(length_a):
        if taken[i]:
            differing += data[a + i] != data[b + partner[at]]
            at += 1
    return count, differing


@inlined
def letter_masks(data: Bytes, start: int, length: int) -> tuple[np.uint64, np.uint64]:
    """Return which letters a string has once and twice (even and odd bits), and which three and four times.

    There are 32 classes: each letter has one, and what is none falls into those that are left.
    """
    low, high = _NONE, _NONE
    for at in range(start, start + length):
        byte = data[at]
        once = _ONE << _U(2 * (byte & 31 if byte >= 64 else 27 + byte % 5))
        twice = once << _ONE
        if low & once == _NONE:
            low |= once
        elif low & twice == _NONE:
            low |= twice
        elif high & once == _NONE:
            high |= once
        else:
            high |= twice
    return low, high
