"""Names by tradition: Faker's locales as pools, ranked and skewed as real names are."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml
from anyascii import anyascii

from pipelines.errors import SettingsError
from pipelines.synth.dice import Dice, Weighted
from pipelines.synth.profiles import SYNTH_SCHEMAS

# The pools are shuffled by a constant and not by the run's seed: which surname is common does not change by seed.
POOL_SEED = 20260901


@dataclass(frozen=True)
class Tradition:
    """One naming tradition: its pools and its habits."""

    name: str
    ethnicity: Weighted[str]
    family: Weighted[str]
    male: tuple[tuple[int, Weighted[str]], ...]
    female: tuple[tuple[int, Weighted[str]], ...]
    wife_takes_name: float
    middle: float
    hyphen: float
    sikh: float = 0.0
    double_family: float = 0.0
    gendered_family: bool = False
    male_prefix: tuple[tuple[str, ...], float] = ((), 0.0)
    female_family: tuple[tuple[str, ...], float] = ((), 0.0)

    def given(self, dice: Dice, sex: str, year: int) -> str:
        """Return a given name for someone of that sex born in that year."""
        cohorts = self.male if sex == "M" else self.female
        chosen = cohorts[0][1]
        for born_from, pool in cohorts:
            if year >= born_from:
                chosen = pool
        return dice.draw(chosen)

    def family_for(self, family: str, sex: str) -> str:
        """Return the form of the family name that a person of that sex bears."""
        if self.gendered_family and sex == "F" and family.endswith(("ski", "cki", "dzki")):
            return family[:-1] + "a"
        return family

    def new_family(self, dice: Dice) -> str:
        """Return a family name for a household, double or hyphenated where the tradition does so."""
        first = dice.draw(self.family)
        if self.double_family and dice.chance(self.double_family):
            return f"{first} {dice.draw(self.family)}"
        if self.hyphen and dice.chance(self.hyphen):
            return f"{first}-{dice.draw(self.family)}"
        return first


@dataclass(frozen=True)
class Variants:
    """Known other spellings and nicknames of a name."""

    spellings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    nicknames: dict[str, tuple[str, ...]] = field(default_factory=dict)


@cache
def load_traditions() -> Weighted[Tradition]:
    """Return all traditions with their shares of the households."""
    document = yaml.safe_load((SYNTH_SCHEMAS / "name_traditions.yaml").read_text(encoding="utf-8"))
    return Weighted(
        [(_tradition(name, entry), entry["share"]) for name, entry in document["traditions"].items()]
    )


@cache
def load_variants() -> Variants:
    """Return the spellings and nicknames of `schemas/synth/name_variants.yaml`."""
    document = yaml.safe_load((SYNTH_SCHEMAS / "name_variants.yaml").read_text(encoding="utf-8"))
    spellings: dict[str, tuple[str, ...]] = {}
    for group in document["spellings"]:
        for name in group:
            spellings.setdefault(name, tuple(other for other in group if other != name))
    nicknames = {name: tuple(short) for name, short in document["nicknames"].items()}
    return Variants(spellings, nicknames)


def _tradition(name: str, entry: dict[str, Any]) -> Tradition:
    """Return one tradition from its YAML entry."""
    family = entry["family"]
    compound = family.get("compound", {"first": [], "last": []})
    tail = [*_faker(family["faker"]), *(a + b for a in compound["first"] for b in compound["last"])]
    prefix, wives = entry.get("male_prefix"), entry.get("female_family")
    return Tradition(
        name=name,
        ethnicity=Weighted(entry["ethnicity"]),
        family=_ranked(family["leading"], tail, family["skew"], family["offset"]),
        male=_cohorts(entry["given"], "male"),
        female=_cohorts(entry["given"], "female"),
        wife_takes_name=entry["wife_takes_name"],
        middle=entry["middle"],
        hyphen=entry["hyphen"],
        sikh=entry.get("sikh", 0.0),
        double_family=entry.get("double_family", 0.0),
        gendered_family=entry.get("gendered_family", False),
        male_prefix=(tuple(prefix["names"]), prefix["share"]) if prefix else ((), 0.0),
        female_family=(tuple(wives["names"]), wives["share"]) if wives else ((), 0.0),
    )


def _cohorts(given: dict[str, Any], sex: str) -> tuple[tuple[int, Weighted[str]], ...]:
    """Return the pools of given names for a sex, by the first year of birth each serves."""
    leading = given.get("cohorts", {0: {sex: given.get(f"leading_{sex}", [])}})
    tail = _faker(given[f"faker_{sex}"])
    return tuple(
        (int(year), _ranked(lists[sex], tail, given["skew"], given["offset"]))
        for year, lists in sorted(leading.items())
    )


def _ranked(leading: Sequence[str], tail: Iterable[str], skew: float, offset: float) -> Weighted[str]:
    """Return names weighted by rank: the leading ones in order, then the tail in a fixed random order."""
    known = set(leading)
    rest = sorted({name for name in tail if name not in known})
    ordered = [*dict.fromkeys(leading), *Dice(POOL_SEED, len(rest)).shuffled(rest)]
    return Weighted([(name, 1.0 / (rank + 1 + offset) ** skew) for rank, name in enumerate(ordered)])


def _faker(pools: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of Faker's providers, in Latin letters and as people write them."""
    names: list[str] = []
    for locale, attribute in pools:
        try:
            module = importlib.import_module(f"faker.providers.person.{locale}")
        except ModuleNotFoundError as error:
            raise SettingsError("the synthetic population needs Faker: install the extra `synth`") from error
        names.extend(_tidy(str(name)) for name in getattr(module.Provider, attribute))
    return [name for name in names if len(name) > 1]


def _tidy(name: str) -> str:
    """Return a pool name without stray spaces, and in Latin letters."""
    name = " ".join(name.replace("’", "'").split())
    return (
        name
        if all(ord(letter) < 0x250 or 0x1E00 <= ord(letter) < 0x1F00 for letter in name)
        else anyascii(name)
    )
