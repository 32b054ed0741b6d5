"""Phrases of term lists, found in a row of words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from pipelines.contracts.codes import load_terms

_NOT_A_WORD = re.compile(r"[^A-Z0-9]+")


def drop_phrases(tokens: list[str], *lists: str) -> list[str]:
    """Return the words without the phrases of some term lists; where several fit, the longest goes.

    A phrase that only comes about when another goes (KNOWN KNOWN AS AS) goes too, in the same pass.
    """
    by_last_word = _phrases_by_last_word(lists)
    kept: list[str] = []
    for token in tokens:
        kept.append(token)
        for phrase in by_last_word.get(token, ()):
            if kept[-len(phrase) :] == phrase:
                del kept[-len(phrase) :]
                break
    return kept


@cache
def _phrases_by_last_word(lists: tuple[str, ...]) -> Mapping[str, list[list[str]]]:
    """Return the phrases of some term lists by their last word, longest first."""
    phrases = {tuple(_NOT_A_WORD.sub(" ", term).split()) for name in lists for term in load_terms(name)}
    found: dict[str, list[list[str]]] = {}
    for phrase in sorted(phrases, key=lambda words: (-len(words), words)):
        found.setdefault(phrase[-1], []).append(list(phrase))
    return found
