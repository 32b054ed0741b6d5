"""The letters that two strings have in common by Jaro's rule, as bit masks: what Jaro-Winkler is counted from.

A letter of one string agrees with the first free equal letter of the other that stands no further away than
half the longer string, less one. Taking letters in order makes the outcome the same from either side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipelines.link.compiled import compiled, count_ones, inlined, lowest_one, step
from pipelines.link.fused.arrays import Bytes, Ints, Words

WORD = 64
LETTERS = 128  # of ASCII
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
    """Return how many first letters two strings share, up to eight; given their first eight."""
    return min(lowest_one(word_a ^ word_b) >> 3, shorter)


@inlined
def _places(word: np.uint64, letter: np.uint64) -> np.uint64:
    """Return which of the eight bytes of `word` are `letter`, as the lowest eight bits; all below 128."""
    differing = (word ^ (letter * _EACH_BYTE)) + _LOW_BITS
    return (((~differing & _HIGH_BITS) >> _U(7)) * _GATHER) >> _U(56)


class Held(NamedTuple):
    """Where the letters of some texts stand: to be compared with many, a text is looked through once.

    One row a slot: for each ASCII letter its positions, a bit each; and which text it is, -1 for none yet.
    """

    places: Words
    text: Ints


@inlined
def nothing_held(slots: int) -> Held:
    """Return room for the places of so many texts."""
    return Held(np.zeros((slots, LETTERS), np.uint64), np.full(slots, -1, np.int64))


@step
def hold(held: Held, slot: int, text: int, letters: Bytes) -> None:
    """Take up where the letters of a text of 64 letters at most stand."""
    places = held.places[slot]
    places[:] = _NONE
    for at in range(len(letters)):
        places[_U(letters[at])] |= _ONE << _U(at)
    held.text[slot] = text


@step
def agreeing(
    places: Words, reach: int, other: Bytes, same: int, spare: int
) -> tuple[np.uint64, np.uint64, bool]:
    """Return the agreeing positions of two texts as masks, and whether those of the first are taken in order.

    `places` are those of the first text; both have 1 to 64 letters. The first `same` letters are equal, and agree
    each with itself: whatever stands before such a letter is taken when its turn comes. None agree at all, as
    soon as more than `spare` letters of the other text agree with none of the first.
    """
    free = _ALL << _U(same)
    window = _ALL >> _U(63 - min(same + reach, 63)) & _ALL << _U(max(same - reach, 0))
    found, last, is_in_order = ~free, _NONE, True
    for j in range(same, len(other)):
        met = places[_U(other[_U(j)])] & free & window
        first = met & (~met + _ONE)
        spare -= first == _NONE
        if spare < 0:
            return _NONE, _NONE, True
        is_in_order &= (first > last) | (first == _NONE)
        last = max(last, first)
        free ^= first
        found |= _U(first != _NONE) << _U(j)
        window = window << _ONE | _U(j < reach)
    return ~free, found, is_in_order


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
    reach = max(max(length_a, length_b) // 2 - 1, 0)
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
        byte = data[_U(at)]
        once = _ONE << _U(2 * (byte & 31 if byte >= 64 else 27 + byte % 5))
        # A letter that was there before moves up by one: from once to twice, and on into the other word.
        twice, thrice, four = (low & once) << _ONE, (low & once << _ONE) >> _ONE, (high & once) << _ONE
        low, high = low | once | twice, high | thrice | four
    return low, high
