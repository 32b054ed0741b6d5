"""Hashes that stay the same on every platform and in every run: of strings, of integers, of pairs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.link.compiled import compiled, inlined
from pipelines.link.fused.agreement import eight_bytes
from pipelines.link.fused.arrays import Bytes, Ints, Words
from pipelines.link.fused.strings import text_buffers

_U = np.uint64
# The primes of XXH64 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
_P1, _P2, _P3 = _U(0x9E3779B185EBCA87), _U(0xC2B2AE3D27D4EB4F), _U(0x165667B19E3779F9)
_P4, _P5 = _U(0x85EBCA77C2B2AE63), _U(0x27D4EB2F165667C5)


def hash_strings(values: pa.Array | pa.ChunkedArray, seed: int = 0) -> Words:
    """Return the XXH64 of the UTF-8 bytes of each string, with `seed` (0 to 2**64 - 1).

    Raises:
        LinkageError: the values are not text, or one is missing.
    """
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    hashes = np.empty(len(values), np.uint64)
    start = 0
    for chunk in chunks:
        table = text_buffers(chunk)
        _hash_rows(table.data, table.offsets, _U(seed), hashes[start : start + len(chunk)])
        start += len(chunk)
    return hashes


@compiled
def mix64(value: np.uint64) -> np.uint64:
    """Return a bijective mix of a 64-bit word: the finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    word = _U(value)  # a signed word would turn the arithmetic into floating point
    mixed = (word ^ (word >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> _U(27))) * _U(0x94D049BB133111EB)
    return mixed ^ (mixed >> _U(31))


@compiled
def pair_hash(a: np.uint64, b: np.uint64) -> np.uint64:
    """Return a hash of an unordered pair of 64-bit words: the same for (a, b) and (b, a)."""
    one, other = _U(a), _U(b)
    return mix64(mix64(min(one, other) + _P1) * _P2 + max(one, other))


@compiled
def _hash_rows(data: Bytes, offsets: Ints, seed: np.uint64, hashes: Words) -> None:
    """Fill `hashes` with the hash of each string of a table."""
    for row in range(len(hashes)):
        hashes[row] = _xxh64(data, offsets[row], offsets[row + 1], seed)


@inlined
def _turn(word: np.uint64, by: int) -> np.uint64:
    """Return the word rotated left."""
    return word << _U(by) | word >> _U(64 - by)


@inlined
def _round(state: np.uint64, word: np.uint64) -> np.uint64:
    """Return a lane's state after eight more bytes."""
    return _turn(state + word * _P2, 31) * _P1


@compiled
def _stripes(data: Bytes, start: int, end: int, seed: np.uint64) -> np.uint64:
    """Return the state after all whole stripes of 32 bytes, of which there is at least one."""
    one, two, three, four = seed + _P1 + _P2, seed + _P2, seed, seed - _P1
    for at in range(start, end - 31, 32):
        one = _round(one, eight_bytes(data, at))
        two = _round(two, eight_bytes(data, at + 8))
        three = _round(three, eight_bytes(data, at + 16))
        four = _round(four, eight_bytes(data, at + 24))
    state = _turn(one, 1) + _turn(two, 7) + _turn(three, 12) + _turn(four, 18)
    for lane in (one, two, three, four):
        state = (state ^ _round(_U(0), lane)) * _P1 + _P4
    return state


@compiled
def _xxh64(data: Bytes, start: int, end: int, seed: np.uint64) -> np.uint64:
    """Return XXH64 of the bytes from `start` to `end`."""
    length = end - start
    if length >= 32:
        state = _stripes(data, start, end, seed) + _U(length)
        start = end - (length & 31)
    else:
        state = seed + _P5 + _U(length)
    while start + 8 <= end:
        state = _turn(state ^ _round(_U(0), eight_bytes(data, start)), 27) * _P1 + _P4
        start += 8
    if start + 4 <= end:
        word = _U(0)
        for k in range(4):
            word |= _U(data[_U(start + k)]) << _U(8 * k)
        state = _turn(state ^ word * _P1, 23) * _P2 + _P3
        start += 4
    while start < end:
        state = _turn(state ^ _U(data[_U(start)]) * _P5, 11) * _P1
        start += 1
    state = (state ^ (state >> _U(33))) * _P2
    state = (state ^ (state >> _U(29))) * _P3
    return state ^ (state >> _U(32))
