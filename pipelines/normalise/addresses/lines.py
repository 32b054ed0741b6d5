"""The lines of an address: one text, its parts, and whether there is no fixed abode."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipelines.contracts.codes import load_terms
from pipelines.normalise.addresses.grammar import AddressParts, parse_segments
from pipelines.normalise.addresses.words import Words
from pipelines.normalise.phrases import drop_phrases
from pipelines.normalise.text import fold

_NOT_KEPT = re.compile(r"[^A-Z0-9-]+")
_LONE_HYPHEN = re.compile(r"(?<!\d)-|-(?!\d)")
_BETWEEN_SEGMENTS = re.compile(r"[,;\r\n]+")
_BREAK_IN_UNIT = re.compile(r"\b(FLAT|APT|APARTMENT|UNIT|ROOM)\s*[\r\n]+\s*(?=\w)", re.IGNORECASE)
_CARE_OF = re.compile(r"^(?:C ?/ ?O|CARE OF)\b")
# In parts a slash stays between a flat and a number, and in C/O.
_NO_PART = re.compile(r"[^A-Z0-9/-]+")
_LONE_SLASH = re.compile(r"(?<![A-Z0-9])/|/(?![A-Z0-9])")
_AROUND_SLASH = re.compile(r"(?<=\d) ?([/-]) ?(?=\d)")


LINES_KEPT = 2**14


@dataclass(frozen=True)
class NormalisedAddress:
    """An address as one line of upper-case ASCII, and the parts that the grammar found in it."""

    text: str | None
    flat: str | None
    building_number: str | None
    building_name: str | None
    street: str | None
    is_no_fixed_abode: bool


def normalise_address(lines: Sequence[str | None]) -> NormalisedAddress:
    """Return the lines joined, without lines that only say that nothing is known, and their parts.

    The text holds every word; the parts are extra, and those that the grammar does not find are None.
    """
    said = {line: words for line in lines if line and (words := _known_words(line)) is not None}
    known = [line for line in lines if line in said]
    tokens = [token for line in known if line for token in said[line]]
    remaining = drop_phrases(tokens, "no_fixed_abode")
    is_homeless = len(remaining) < len(tokens)
    parts = parse_lines(known, is_homeless)
    return NormalisedAddress(
        " ".join(remaining) or None, parts.flat, parts.number, parts.name, parts.street, is_homeless
    )


def parse_lines(lines: Iterable[str | None], is_homeless: bool = False) -> AddressParts:
    """Return the parts of an address; a comma, a line break and the end of a line all end a segment."""
    segments = [words for line in lines if line for words in _segments(line)]
    if is_homeless:
        segments = [tuple(drop_phrases(list(words), "no_fixed_abode")) for words in segments]
    return parse_segments([words for words in segments if words])


@lru_cache(LINES_KEPT)
def _segments(line: str) -> tuple[Words, ...]:
    """Return the words of each segment of a line: towns and streets come again and again."""
    missing = load_terms("missing_values")
    texts = (fold(piece) for piece in _BETWEEN_SEGMENTS.split(_joined_units(line)))
    return tuple(_part_words(text) for text in texts if text not in missing)


def _joined_units(line: str) -> str:
    """Return a line without a line break between a flat and its number."""
    return _BREAK_IN_UNIT.sub(r"\1 ", line) if "\n" in line or "\r" in line else line


@lru_cache(LINES_KEPT)
def _known_words(line: str) -> Words | None:
    """Return the words and numbers of a line, hyphens only between digits; None where it says nothing is known."""
    text = fold(line)
    if text in load_terms("missing_values"):
        return None
    return tuple(_LONE_HYPHEN.sub(" ", _NOT_KEPT.sub(" ", text)).split())


def _part_words(text: str) -> Words:
    """Return the words of a segment; hyphens and slashes stay between numbers, a slash in C/O too."""
    joined = _AROUND_SLASH.sub(r"\1", _CARE_OF.sub("C/O ", _NO_PART.sub(" ", text)))
    cleaned = _LONE_SLASH.sub(" ", _LONE_HYPHEN.sub(" ", joined))
    return tuple(word for each in cleaned.split() for word in _unslashed(each))


def _unslashed(word: str) -> Words:
    """Return a word in pieces where its slash stands between words that are no numbers."""
    if word == "C/O" or any(character.isdigit() for character in word):
        return (word,)
    return tuple(word.split("/"))
