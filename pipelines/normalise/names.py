"""Names: titles, suffixes, noise, prefixes and placeholders, so that two spellings of one name compare."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from nameparser import HumanName

from pipelines.contracts.codes import load_code_map, load_terms, remember
from pipelines.normalise.phrases import drop_phrases
from pipelines.normalise.plain_names import plain_words, special_words
from pipelines.normalise.text import fold

_NOT_LETTERS = re.compile(r"[^A-Z]+")
_NOT_ALPHANUMERIC = re.compile(r"[^A-Z0-9]+")
_BABY_OF = re.compile(r"^B/O\b")
_TITLE_NOT_KNOWN = "UN"


@dataclass(frozen=True)
class NormalisedName:
    """A name in upper-case ASCII with single spaces.

    `given` is one word, `middle` the other given names, `family` every word with prefixes joined.
    `maternal_name` is what followed "Baby of"; `is_placeholder` says that a part named nobody.
    """

    title: str | None
    given: str | None
    middle: str | None
    family: str | None
    suffix: str | None
    is_placeholder: bool
    maternal_name: str | None


@dataclass(frozen=True)
class _Part:
    """Some fields of a name, taken apart."""

    tokens: list[str]
    title: str | None = None
    suffix: str | None = None
    is_placeholder: bool = False
    maternal_name: str | None = None


def normalise_name(
    title: str | None, given: str | None, middle: str | None, family: str | None
) -> NormalisedName:
    """Return the comparable form of a name in four fields."""
    given_part, family_part = _read_given(given), _read_family(family)
    tokens = [*given_part.tokens, *_read_middle(middle)]
    names = _Part(tokens) if special_words().isdisjoint(tokens) else _settle_given(_Part(tokens))
    first = names.tokens[:1] if given_part.tokens else []
    return NormalisedName(
        title=_read_title(title) or _read_title(given_part.title) or _read_title(family_part.title),
        given=" ".join(first) or None,
        middle=" ".join(names.tokens[len(first) :]) or None,
        family=" ".join(family_part.tokens) or None,
        suffix=family_part.suffix or names.suffix or given_part.suffix,
        is_placeholder=given_part.is_placeholder or family_part.is_placeholder,
        maternal_name=given_part.maternal_name or family_part.maternal_name,
    )


def parse_full_name(full: str | None) -> tuple[tuple[str, str, str], ...]:
    """Return the (given, middle, family) readings of a name in one field, likeliest first.

    `nameparser` mis-orders some traditions (family first, mother's name first), so without a comma the
    readings "last word is the family" and "first word is the family" stand beside its own.
    """
    text = " ".join((full or "").split())
    if not text:
        return ()
    parsed = HumanName(text)
    readings = [(parsed.first, parsed.middle, parsed.last)]
    ends = {*parsed.title.split(), *parsed.suffix.split()}
    words = [word for word in text.split(" ") if word not in ends]
    if "," not in text and len(words) > 1:
        readings.append((words[0], " ".join(words[1:-1]), words[-1]))
        readings.append((words[1], " ".join(words[2:]), words[0]))
    return tuple(reading for reading in dict.fromkeys(readings) if any(reading))


@remember
def _read_middle(raw: str | None) -> list[str]:
    """Return the words of the field for middle names."""
    return _words(_without_migration_marks(fold(raw)))


@remember
def _read_title(raw: str | None) -> str | None:
    """Return a title without its full stop; none for the code that means unknown."""
    text = " ".join(_words(fold(raw)))
    known = load_code_map("name_title", "gb")
    return known.get(text, text) if text and text != _TITLE_NOT_KNOWN else None


@remember
def _read_given(raw: str | None) -> _Part:
    """Return the given names of a field that may hold several, a title, or a newborn's stand-in."""
    plain = plain_words(raw)
    if plain:
        return _Part(plain)
    text = _without_migration_marks(fold(raw))
    newborn = _read_newborn(text)
    if newborn:
        return newborn
    words = _words(text)
    part = _settle_given(_Part(words))
    names_nobody = not part.tokens and not load_terms("name_titles").issuperset(words)
    return replace(part, is_placeholder=names_nobody)


def _settle_given(part: _Part) -> _Part:
    """Return given names without titles, suffix and noise, once nothing more comes off."""
    before = None
    while part.tokens != before:
        before = part.tokens
        tokens = _without_leading_newborn_words(_without_noise(part.tokens))
        part = _take_ends(replace(part, tokens=tokens), "given", fewest=0)
    return part


@remember
def _read_family(raw: str | None) -> _Part:
    """Return the family name's words; a word that only looks like a title stays when it is all there is."""
    plain = plain_words(raw)
    if plain:
        return _Part(plain)
    text = _without_migration_marks(fold(raw))
    part, before = _Part(_words(text)), None
    while part.tokens != before:
        before = part.tokens
        newborn = _read_newborn(text)
        if newborn and (newborn.maternal_name or len(before) > 1):
            return replace(newborn, title=part.title, suffix=part.suffix)
        tokens = _without_noise(before)
        if not tokens and before:
            is_placeholder = len(drop_phrases(before, "name_placeholders")) < len(before)
            return replace(part, tokens=[] if is_placeholder else before, is_placeholder=is_placeholder)
        part = _take_ends(replace(part, tokens=tokens), "family", fewest=1)
        part = replace(part, tokens=_join_prefixes(part.tokens))
        text = " ".join(part.tokens)
    return part


def _read_newborn(text: str) -> _Part | None:
    """Return a part without a name for "Baby", "Twin 1 of ADEYEMI" and the like; None for other names."""
    words = _NOT_ALPHANUMERIC.sub(" ", _BABY_OF.sub("BABY OF", text)).split()
    newborn = load_terms("name_newborn_words")
    stand_in = newborn | load_terms("name_newborn_counts")
    before_of = words[: words.index("OF")] if "OF" in words else words
    if not before_of or not newborn.intersection(before_of) or not stand_in.issuperset(before_of):
        return None
    mother = _join_prefixes(_words(" ".join(words[len(before_of) + 1 :])))
    return _Part([], is_placeholder=True, maternal_name=" ".join(mother) or None)


def _words(text: str) -> list[str]:
    """Return the runs of letters: a hyphen parts two words, a digit is dropped."""
    return _NOT_LETTERS.sub(" ", text).split()


def _without_migration_marks(text: str) -> str:
    """Return the text without the marks that data migrations leave in names."""
    for mark in sorted(load_terms("name_migration_marks")):
        text = text.replace(mark, " ")
    return text


def _without_noise(tokens: list[str]) -> list[str]:
    """Return the words without phrases that are never part of a name."""
    return drop_phrases(tokens, "name_noise", "name_placeholders")


def _without_leading_newborn_words(tokens: list[str]) -> list[str]:
    """Return the words after a stand-in such as "Baby" or "Twin one" that stands before a real name."""
    newborn, counts = load_terms("name_newborn_words"), load_terms("name_newborn_counts")
    if not tokens or tokens[0] not in newborn:
        return tokens
    start = 0
    while start < len(tokens) and (tokens[start] in newborn or tokens[start] in counts):
        start += 1
    return tokens[start:]


def _take_ends(part: _Part, field: str, *, fewest: int) -> _Part:
    """Return a part with title and suffix taken off its ends; titles only down to the fewest words."""
    titles, suffixes = load_terms("name_titles"), load_code_map("name_suffix", field)
    tokens, title, suffix = part.tokens, part.title, part.suffix
    while len(tokens) > fewest and tokens[0] in titles:
        title, tokens = title or tokens[0], tokens[1:]
    while len(tokens) > fewest and tokens[-1] in titles:
        title, tokens = title or tokens[-1], tokens[:-1]
    while len(tokens) > 1 and tokens[-1] in suffixes:
        suffix, tokens = suffix or suffixes[tokens[-1]], tokens[:-1]
    return replace(part, tokens=tokens, title=title, suffix=suffix)


def _join_prefixes(tokens: list[str]) -> list[str]:
    """Return the words with each prefix joined to the word after it: VAN DER BERG is VANDERBERG."""
    prefixes = load_terms("name_prefixes")
    joined: list[str] = []
    carried = ""
    for token in tokens:
        carried += token
        if token not in prefixes:
            joined.append(carried)
            carried = ""
    return [*joined, carried] if carried else joined
