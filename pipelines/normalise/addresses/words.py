"""The words of the grammar of addresses: numbers, flats, floors, street types, buildings."""

from __future__ import annotations

import re
from functools import cache

from pipelines.contracts.codes import load_code_map, load_terms

Words = tuple[str, ...]

_NUMBER = re.compile(r"\d{1,5}[A-Z]?(-\d{1,5}[A-Z]?)?")
_UNIT_NUMBER = re.compile(
    r"\d{1,5}[A-Z]?(-\d{1,5}[A-Z]?)?|[A-Z]\d{0,4}|(\d{1,2}|[BGPT])F\d{1,2}[A-Z]?|[A-Z0-9]{1,2}[/-][A-Z0-9]{1,2}"
)
# A flat by floor and door, as in Edinburgh: 2F1, GF2.
_FLOOR_AND_DOOR = re.compile(r"(\d{1,2}|[BGPT])F\d{1,2}[A-Z]?")
_SLASHED = re.compile(r"(\d{1,5})/(\d{1,5}[A-Z]?)")
_LETTER = re.compile(r"[A-H]")
# Numbers that lie so close stand for one building: 12/14.
_NEIGHBOURS = (1, 2)
_DIRECTIONS = frozenset({"NORTH", "SOUTH", "EAST", "WEST", "UPPER", "LOWER"})
_FILLERS = frozenset({"NO", "NUMBER"})
CARE_OF = "C/O"


def is_number(word: str) -> bool:
    """Return whether a word is a building's number, or a range of them: 12, 12A, 12-14."""
    return word[:1].isdigit() and _NUMBER.fullmatch(word) is not None


def is_unit_number(word: str) -> bool:
    """Return whether a word can be what follows FLAT: 2, 2B, A, A4, 2F1, 2/1."""
    return _UNIT_NUMBER.fullmatch(word) is not None


def is_letter_of_number(word: str) -> bool:
    """Return whether a lone letter can belong to the number before it: 12 A."""
    return _LETTER.fullmatch(word) is not None


def is_floor_and_door(word: str) -> bool:
    """Return whether a word is a flat by floor and door: 2F1."""
    return "F" in word and _FLOOR_AND_DOOR.fullmatch(word) is not None


def unit_kind(word: str) -> str | None:
    """Return the kind of unit that a word announces: FLAT for APARTMENT; None for any other word."""
    return load_code_map("address_units", "gb").get(word)


def is_filler(word: str) -> bool:
    """Return whether a word between a unit and its number says nothing: FLAT NO 2."""
    return word in _FILLERS


@cache
def _floors() -> tuple[tuple[Words, str], ...]:
    """Return the floors as words and what they stand for, longest first."""
    floors = ((tuple(code.split()), value) for code, value in load_code_map("address_floors", "gb").items())
    return tuple(sorted(floors, key=lambda floor: (-len(floor[0]), floor[0])))


@cache
def _first_words_of_floors() -> frozenset[str]:
    return frozenset(phrase[0] for phrase, _ in _floors())


def floor_at(words: Words, at: int) -> tuple[str, int] | None:
    """Return the floor that is named at a place, and how many words name it: FIRST FLOOR FLAT takes three."""
    if words[at] not in _first_words_of_floors():
        return None
    for phrase, floor in _floors():
        if words[at : at + len(phrase)] == phrase:
            follows = words[at + len(phrase) : at + len(phrase) + 2]
            named = follows[:1] == ("FLAT",) and not (len(follows) > 1 and is_unit_number(follows[1]))
            return floor, len(phrase) + named
    return None


def split_slash(word: str) -> Words:
    """Return `2/12` as flat and number, `12/14` as the range 12-14, any other word as it is."""
    found = _SLASHED.fullmatch(word) if "/" in word else None
    if found is None:
        return (word,)
    first, second = found.groups()
    if second.isdigit() and int(second) - int(first) in _NEIGHBOURS:
        return (f"{first}-{second}",)
    return (first, second)


def street_end(words: Words) -> int:
    """Return how many words make up the street's name, its type the last but for a direction; 0 without a type."""
    types = load_code_map("street_types", "gb")
    for at, word in enumerate(words):
        if at and word in types:
            return at + 1 + (words[at + 1 : at + 2] != () and words[at + 1] in _DIRECTIONS)
    return 0


def folded_street(words: Words) -> str:
    """Return a street with its type written out: HIGH ST is HIGH STREET, and ST JOHNS RD is ST JOHNS ROAD."""
    types = load_code_map("street_types", "gb")
    end = street_end(words)
    last = end - 1 - (words[end - 1] in _DIRECTIONS and words[end - 1] not in types) if end else -1
    return " ".join(types[word] if at == last else word for at, word in enumerate(words))


def is_building(words: Words) -> bool:
    """Return whether words are a building's name: THE OLD RECTORY, VICTORIA MILL."""
    return bool(words) and (
        words[-1] in load_terms("building_words") or (len(words) > 1 and words[0] == "THE")
    )
