"""What two name values have in common: spelling variants, nicknames, phonetic codes, shared tokens, initials."""

from __future__ import annotations

import csv
from functools import cache

import jellyfish
from nicknames import NickNamer

from pipelines.errors import ContractError
from pipelines.settings import load_settings

VARIANTS_FILE = "nicknames_uk.csv"
VARIANTS_HEADER = ["group", "name", "kind", "source"]


@cache
def phonetic(name: str) -> str:
    """Return the metaphone code of a name, spaces removed; empty when it has no letters."""
    return jellyfish.metaphone("".join(letter for letter in name if letter.isalpha())).replace(" ", "")


def tokens(name: str) -> tuple[str, ...]:
    """Return the tokens of a name that say something: more than one letter."""
    return tuple(token for token in name.replace("-", " ").split() if len(token) > 1)


@cache
def curated_groups() -> dict[str, frozenset[str]]:
    """Return, for each name in our curated list, the groups of interchangeable spellings it belongs to."""
    path = load_settings().schemas_dir / "codes" / VARIANTS_FILE
    groups: dict[str, set[str]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if reader.fieldnames != VARIANTS_HEADER:
                raise ContractError(str(path), "(header)", f"expected {','.join(VARIANTS_HEADER)}")
            for row in reader:
                groups.setdefault(row["name"], set()).add(row["group"])
    except FileNotFoundError:
        raise ContractError(str(path), "(file)", "expected this file to exist") from None
    return {name: frozenset(of_name) for name, of_name in groups.items()}


@cache
def _namer() -> NickNamer:
    return NickNamer()


@cache
def _nicknames(name: str) -> frozenset[str]:
    return frozenset(_namer().nicknames_of(name.lower()))


def are_variants(left: str, right: str) -> bool:
    """Return whether two given names are one name: a nickname of the other, or in one curated group.

    Two nicknames of one formal name (Al, Sandy) are not variants: that chain is noisy.
    """
    groups = curated_groups()
    if groups.get(left, frozenset()) & groups.get(right, frozenset()):
        return True
    return left.lower() in _nicknames(right) or right.lower() in _nicknames(left)


def share_token(left: str, right: str) -> bool:
    """Return whether two names share a token, as when half of a double-barrelled name was dropped."""
    return bool(set(tokens(left)) & set(tokens(right)))


def share_initial(left: str, right: str) -> bool:
    """Return whether one name is only an initial, and the other begins with it."""
    return min(len(left), len(right)) == 1 and left[:1] == right[:1]


def has_variants(name: str) -> bool:
    """Return whether a name stands in any list of variants."""
    return name in curated_groups() or bool(_nicknames(name)) or bool(_namer().canonicals_of(name.lower()))
