"""Names by the rules of `normalise.names`, with a short way for the plain words that most names are.

A file of ten million rows has a million distinct names, and the full rules take 30 microseconds a name. One word of
ASCII letters that no rule knows comes out of them as it went in, in upper case; a test holds the two ways together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from nameparser.config import CONSTANTS

from pipelines.normalise.names import normalise_name, parse_full_name
from pipelines.normalise.plain_names import special_words

PLACEHOLDER = "NAME_PLACEHOLDER"
_MOST_PLAIN_WORDS = 3
_ROMAN = re.compile(r"[IVXLCDM]+")


@dataclass(frozen=True)
class Name:
    """A name as it is compared; any part may be missing. `rule` is what was wrong with it."""

    given: str | None = None
    middle: str | None = None
    family: str | None = None
    rule: str | None = None


@cache
def _words_of_full_names() -> frozenset[str]:
    """Return every word that nameparser reads as something else than a name, and those of our own rules."""
    lists = (
        CONSTANTS.titles, CONSTANTS.first_name_titles, CONSTANTS.prefixes, CONSTANTS.conjunctions,
        CONSTANTS.bound_first_names, CONSTANTS.non_first_name_prefixes, CONSTANTS.suffix_acronyms,
        CONSTANTS.suffix_acronyms_ambiguous, CONSTANTS.suffix_not_acronyms,
    )  # fmt: skip
    return special_words() | {word.upper().strip(".") for each in lists for word in each}


def _plain(text: str) -> str | None:
    """Return the one plain word that a text is, in upper case; None when the full rules have to look."""
    word = text.strip()
    if word.isascii() and word.isalpha():
        word = word.upper()
        if word not in special_words():
            return word
    return None


def given_name(text: str) -> Name:
    """Return the given and the middle names of a field that holds given names."""
    word = _plain(text)
    if word:
        return Name(given=word)
    found = normalise_name(None, text, None, None)
    return Name(found.given, found.middle, None, PLACEHOLDER if found.is_placeholder else None)


def middle_names(text: str) -> Name:
    """Return the middle names of a field that holds them."""
    word = _plain(text)
    return Name(middle=word or normalise_name(None, None, text, None).middle)


def family_name(text: str) -> Name:
    """Return the family name of a field that holds it."""
    word = _plain(text)
    if word:
        return Name(family=word)
    found = normalise_name(None, None, None, text)
    return Name(None, None, found.family, PLACEHOLDER if found.is_placeholder else None)


def full_names(text: str) -> tuple[Name, ...]:
    """Return the readings of a name in one field, likeliest first.

    "The first word is the family" is not among them: the model has a level for swapped names, and as a second
    name of every record it would let "James Thomas" share both names with "Thomas Brown".
    """
    words = _plain_words(text)
    if words:
        return (Name(words[0], " ".join(words[1:-1]) or None, words[-1]),)
    readings = parse_full_name(text)
    found = [normalise_name(None, *reading) for reading in readings[:2]]
    names = [
        Name(each.given, each.middle, each.family, PLACEHOLDER if each.is_placeholder else None)
        for each in found
    ]
    return tuple(dict.fromkeys(names))


def _plain_words(text: str) -> list[str]:
    """Return two or three plain words in upper case; none when the full rules have to look."""
    words = text.upper().split()
    if not 2 <= len(words) <= _MOST_PLAIN_WORDS:
        return []
    return words if all(_is_only_a_name(word) for word in words) else []


def _is_only_a_name(word: str) -> bool:
    """Whether a word is no initial, no number such as IV, and nothing that a rule about full names looks for."""
    plain = len(word) > 1 and word.isascii() and word.isalpha()
    return plain and word not in _words_of_full_names() and not _ROMAN.fullmatch(word)
