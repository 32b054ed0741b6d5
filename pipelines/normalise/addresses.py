"""Addresses: the lines as one text, the building number, and whether there is no fixed abode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.contracts.codes import load_terms
from pipelines.normalise.phrases import drop_phrases
from pipelines.normalise.text import fold

_NOT_KEPT = re.compile(r"[^A-Z0-9-]+")
_LONE_HYPHEN = re.compile(r"(?<!\d)-|-(?!\d)")
_NUMBER = re.compile(r"\d{1,5}[A-Z]?(-\d{1,5}[A-Z]?)?")


@dataclass(frozen=True)
class NormalisedAddress:
    """An address as one line of upper-case ASCII."""

    text: str | None
    building_number: str | None
    is_no_fixed_abode: bool


def normalise_address(lines: Sequence[str | None]) -> NormalisedAddress:
    """Return the lines joined, without lines that only say that nothing is known."""
    missing = load_terms("missing_values")
    cleaned = [_clean_line(line) for line in lines if fold(line) not in missing]
    tokens = [token for line in cleaned for token in line]
    remaining = drop_phrases(tokens, "no_fixed_abode")
    if len(remaining) < len(tokens):
        cleaned = [drop_phrases(line, "no_fixed_abode") for line in cleaned]
    number = _building_number([line for line in cleaned if line])
    return NormalisedAddress(" ".join(remaining) or None, number, len(remaining) < len(tokens))


def _clean_line(line: str | None) -> list[str]:
    """Return the words and numbers of a line; a hyphen stays between digits only (12-14)."""
    return _LONE_HYPHEN.sub(" ", _NOT_KEPT.sub(" ", fold(line))).split()


def _building_number(lines: list[list[str]]) -> str | None:
    """Return the number before a street's name; else the last number that stands alone on its line."""
    alone = None
    for line in lines:
        rest = _without_premises(line)
        numbers = [token for token in rest if _NUMBER.fullmatch(token)]
        if numbers and len(rest) > len(numbers):
            return numbers[0]
        if numbers:
            alone = numbers[-1]
    return alone


def _without_premises(line: list[str]) -> list[str]:
    """Return a line without a flat, unit, room or floor and its number."""
    words = load_terms("premises_words")
    kept: list[str] = []
    skip_next = False
    for token in line:
        if skip_next or token in words:
            skip_next = token in words
            continue
        kept.append(token)
    return kept
