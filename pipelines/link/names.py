"""What two name values have in common: spelling variants, nicknames, phonetic codes, shared tokens, initials."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt
from doublemetaphone import doublemetaphone
from nicknames import NickNamer

from pipelines.contracts.codes import load_terms
from pipelines.errors import ContractError
from pipelines.settings import load_settings

VARIANTS_FILES = {"given": "nicknames_uk.csv", "family": "name_variants_family.csv"}
VARIANTS_HEADER = ["group", "name", "kind", "source"]
KINDS = frozenset({"spelling", "diminutive", "translation"})
FEWEST_LETTERS_OF_MAC = 6


@cache
def phonetics(name: str) -> tuple[str, ...]:
    """Return the distinct double metaphone codes of a name, primary first; none when it has no letters."""
    codes = doublemetaphone("".join(letter for letter in name if letter.isalpha()))
    return tuple(dict.fromkeys(code for code in codes if code))


def phonetic(name: str) -> str:
    """Return the primary double metaphone code of a name; empty when it has no letters."""
    return next(iter(phonetics(name)), "")


def tokens(name: str) -> tuple[str, ...]:
    """Return the tokens of a name that say something: more than one letter."""
    return tuple(token for token in name.replace("-", " ").split() if len(token) > 1)


@cache
def name_tokens(name: str) -> tuple[str, ...]:
    """Return the distinct tokens of a name, the same whether its parts are hyphenated or its prefixes joined.

    A prefix written apart joins the word after it, which also counts alone (O BRIEN: OBRIEN, BRIEN). A
    joined prefix comes off the names in `name_stems.csv` (ALHASSAN: ALHASSAN, HASSAN), and MAC is also MC.
    """
    found: list[str] = []
    prefixes, carried = load_terms("name_prefixes"), ""
    for word in name.replace("-", " ").replace("'", " ").split():
        if word in prefixes:
            carried += word
            continue
        found += [carried + word, word] if carried else [word]
        carried = ""
    found += [carried] if carried else []
    every = [form for token in found for form in _forms(token)]
    return tuple(dict.fromkeys(token for token in every if len(token) > 1))


def _forms(token: str) -> Iterator[str]:
    """Yield a token, the same with MC for MAC, and its stem when a prefix is joined to a known one."""
    yield token
    if token.startswith("MAC") and len(token) >= FEWEST_LETTERS_OF_MAC:
        yield "MC" + token[3:]
    stems, prefixes = load_terms("name_stems"), load_terms("name_prefixes")
    for start in range(1, len(token) - 1):
        if token[start:] in stems and _is_prefix(token[:start], prefixes):
            yield token[start:]


def _is_prefix(text: str, prefixes: frozenset[str]) -> bool:
    return text in prefixes or any(
        text[:at] in prefixes and text[at:] in prefixes for at in range(1, len(text))
    )


@cache
def is_family_evidence(name: str) -> bool:
    """Return whether a family name says which family: some token is not in `name_not_family.csv`.

    KAUR and SINGH are borne by most Sikh women and men; BEGUM, BIBI and KHATUN are what many Bangladeshi
    and Pakistani women are called after their own name; MIAH and UDDIN are the like for men; THI, BIN, AP
    stand before other parts. Two people who share only these need not be relatives, and relatives need not
    share them. They still identify the person, so leave them out of what joins families, not of what
    compares people.
    """
    return any(token not in load_terms("name_not_family") for token in tokens(name))


@cache
def known_names(kind: str) -> frozenset[str]:
    """Return the names, `given` or `family`, that have a variant in any list."""
    return frozenset(_variants(kind))


@cache
def _variants(kind: str) -> Mapping[str, frozenset[str]]:
    """Return, for each name in any list for `kind`, the names that are variants of it; symmetric."""
    pairs = list(_curated_pairs(kind))
    if kind == "given":
        lookup = NickNamer().nickname_lookup
        pairs += [(name.upper(), nick.upper()) for name, nicks in lookup.items() for nick in nicks]
    variants: dict[str, set[str]] = {}
    for one, other in pairs:
        if one != other:
            variants.setdefault(one, set()).add(other)
            variants.setdefault(other, set()).add(one)
    return {name: frozenset(of_name) for name, of_name in variants.items()}


def _curated_pairs(kind: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of each group: its spellings among each other and with its other forms.

    Two diminutives or translations of one name (ANDREI, ANDRZEJ) are not variants of each other.
    """
    groups: dict[str, dict[str, list[str]]] = {}
    for row in _read_variants(kind):
        groups.setdefault(row["group"], {}).setdefault(row["kind"], []).append(row["name"])
    for forms in groups.values():
        spellings = forms.get("spelling", [])
        yield from product(spellings, [name for names in forms.values() for name in names])


def _read_variants(kind: str) -> list[dict[str, str]]:
    path = load_settings().schemas_dir / "codes" / VARIANTS_FILES[kind]
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if reader.fieldnames != VARIANTS_HEADER:
                raise ContractError(str(path), "(header)", f"expected {','.join(VARIANTS_HEADER)}")
            rows = list(reader)
    except FileNotFoundError:
        raise ContractError(str(path), "(file)", "expected this file to exist") from None
    if not KINDS.issuperset(row["kind"] for row in rows):
        raise ContractError(str(path), "kind", f"one of {', '.join(sorted(KINDS))}")
    return rows


def variants_of(names: Sequence[str], kind: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return which of these distinct names are variants of each: (offsets, positions), the latter sorted.

    The variants of `names[i]` are at `positions[offsets[i]:offsets[i + 1]]`; the relation is symmetric and
    leaves out the name itself. `kind` is `given` or `family`: which lists apply.
    """
    known = _variants(kind)
    place = {name: position for position, name in enumerate(names)}
    found = [sorted(place[other] for other in known.get(name, ()) if other in place) for name in names]
    offsets = np.zeros(len(names) + 1, dtype=np.int64)
    np.cumsum([len(of_name) for of_name in found], out=offsets[1:])
    return offsets, np.array([at for of_name in found for at in of_name], dtype=np.int32)


def are_variants(left: str, right: str, kind: str = "given") -> bool:
    """Return whether two names are one name: a nickname of the other, or in one curated group.

    Two nicknames of one formal name (Al, Sandy) are not variants: that chain is noisy.
    """
    return left == right or right in _variants(kind).get(left, ())
