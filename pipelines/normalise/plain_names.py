"""Names that no rule has anything to say about: words of ASCII letters, none of which a rule looks for.

Most names are such, and the full rules take tens of microseconds. A test holds the two ways together.
"""

from __future__ import annotations

import re

from pipelines.contracts.codes import load_code_map, load_terms, remember

LISTS = (
    "name_migration_marks", "name_newborn_counts", "name_newborn_words", "name_noise", "name_placeholders",
    "name_prefixes", "name_titles", "missing_values",
)  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z '-]+")
_NOT_LETTERS = re.compile(r"[^A-Z]+")


@remember
def special_words() -> frozenset[str]:
    """Return every word that a rule about names looks for, also as a part of a phrase (N/A: N and A)."""
    terms = {term for name in LISTS for term in load_terms(name)}
    codes = {code for field in ("given", "family") for code in load_code_map("name_suffix", field)}
    whole = {word for term in terms | codes for word in term.split()}
    parts = {word for term in terms | codes for word in _NOT_LETTERS.sub(" ", term).split()}
    return frozenset(whole | parts | {"OF"})


def plain_words(raw: str | None) -> list[str] | None:
    """Return the words of a name, in upper case and without apostrophes; None when the full rules have to look.

    A hyphen parts two words, as everywhere in names.
    """
    if raw is None or not _PLAIN.fullmatch(raw):
        return None
    words = raw.replace("'", "").replace("-", " ").upper().split()
    return words if words and special_words().isdisjoint(words) else None
