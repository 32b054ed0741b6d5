"""The flat, unit, room or floor in one segment of an address, and the words without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from pipelines.normalise.addresses.words import (
    CARE_OF,
    Words,
    floor_at,
    is_filler,
    is_floor_and_door,
    is_letter_of_number,
    is_number,
    is_unit_number,
    split_slash,
    unit_kind,
)

SEGMENTS_KEPT = 2**14


@dataclass
class Segment:
    """What stands between two commas: units in it, who it is in care of, and all other words."""

    units: list[str] = field(default_factory=list)
    care_of: Words = ()
    words: Words = ()


@lru_cache(SEGMENTS_KEPT)
def read_segment(words: Words) -> Segment:
    """Return the units of a segment apart from its other words; a slashed or spaced number made one.

    Towns and streets come again and again, so segments are kept: they are not to be changed.
    """
    found = Segment()
    before: Words = ()
    while words != before:  # what stands on both sides of a unit may be one as well
        before, words = words, _without_units(found, words)
    found.words = _without_care_of(found, words)
    return found


def _without_units(found: Segment, words: Words) -> Words:
    kept: list[str] = []
    at = 0
    while at < len(words):
        taken = _unit_at(found, words, at)
        if not taken:
            kept.append(words[at])
        at += taken or 1
    return _with_numbers(found, tuple(kept))


def _without_care_of(found: Segment, words: Words) -> Words:
    """Return the words after C/O and a name: from the first number on."""
    if words[:1] != (CARE_OF,):
        return words
    end = next((at for at, word in enumerate(words) if is_number(word)), len(words))
    found.care_of = words[:end]
    return words[end:]


def _unit_at(found: Segment, words: Words, at: int) -> int:
    """Return how many words a unit at this place takes; 0 when there is none."""
    floor = floor_at(words, at)
    if floor is not None:
        found.units.append(floor[0])
        return floor[1]
    kind = unit_kind(words[at])
    if kind is None:
        return 0
    skipped = at + 1 < len(words) and is_filler(words[at + 1])
    number = words[at + 1 + skipped : at + 2 + skipped]
    if not number or not is_unit_number(number[0]):
        return 0
    parts = split_slash(number[0])
    follows = words[at + 2 + skipped : at + 3 + skipped]
    if len(parts) > 1 and follows and not is_number(follows[0]):
        return 0  # FLAT 2/12 HIGH STREET: the slash is read with the number
    found.units.append(f"{kind} {number[0]}")
    return 2 + skipped


def _with_numbers(found: Segment, words: Words) -> Words:
    """Return the words with 2/12 as a flat and a number, 12/14 as a range, and 12 A as one number."""
    kept: list[str] = []
    for at, word in enumerate(words):
        parts = split_slash(word)
        has_more = at + 1 < len(words)
        if len(parts) > 1:
            kind = unit_kind(kept[-1]) if kept else None
            if kind is not None:
                kept.pop()
            found.units.append(f"{kind or 'FLAT'} {parts[0]}")
            kept.append(parts[1])
        elif is_floor_and_door(word):
            found.units.append(f"FLAT {word}")
        elif is_letter_of_number(word) and len(kept) == 1 and kept[0].isdigit() and has_more:
            kept[0] += word
        else:
            kept.append(parts[0])
    return tuple(kept)
