"""Canaries, made-up values that occur nowhere else; the people of a population; and the search for both."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from anyascii import anyascii

from pipelines.contracts.loader import load_contracts
from pipelines.ingest.inbox import files_of
from pipelines.normalise.addresses import normalise_address

MARK = "Qvxkz"  # every canary begins so: a part of one, or one in capitals, is still found
LONGEST_PHRASE = 8

_WORD = re.compile(r"[^\W_]+")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_CANARY = re.compile(f"{MARK}[a-z]*", re.IGNORECASE)


class Canaries:
    """Gives a new canary for each place, and tells afterwards where one was put."""

    def __init__(self) -> None:
        self._numbers = count()
        self._places: dict[str, str] = {}

    def at(self, place: str) -> str:
        """Return a new canary: letters only, so that it lives on in a normalised name."""
        number, letters = next(self._numbers), ""
        for _ in range(4):
            number, letter = divmod(number, 26)
            letters = chr(ord("a") + letter) + letters
        canary = f"{MARK}{letters}"
        self._places[canary.lower()] = place
        return canary

    def found_in(self, text: str) -> list[str]:
        """Return where the canaries in a text were put, each with a few words around it."""
        found = {match[0].lower(): match for match in _CANARY.finditer(text)}
        return sorted(
            f"{self._places.get(canary, canary)}: ...{text[max(0, match.start() - 60) : match.end() + 20]}..."
            for canary, match in found.items()
        )


@dataclass(frozen=True)
class Population:
    """What identifies the people of some extracts: phrases, as words in lower case joined by one space."""

    phrases: frozenset[str]
    longest: int = LONGEST_PHRASE

    def found_in(self, text: str) -> list[str]:
        """Return the phrases that stand in a text, whatever stands between their words."""
        plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
        words = [word.lower() for word in _WORD.findall(plain)]
        found = set()
        for start in range(len(words)):
            for length in range(1, self.longest + 1):
                phrase = " ".join(words[start : start + length])
                if phrase in self.phrases:
                    found.add(phrase)
        return sorted(found)


def population_of(extracts: Path, periods: Iterable[str]) -> Population:
    """Return the full names, NHS numbers, phone numbers and first address lines in these extracts."""
    phrases: set[str] = set()
    for agency, contract in load_contracts().items():
        for period in periods:
            for name, path in files_of(contract, period, extracts / agency).items():
                with path.open(encoding=contract.files[name].format.encoding, newline="") as stream:
                    for row in csv.DictReader(stream):
                        phrases.update(_phrases(row))
    longest = max((phrase.count(" ") + 1 for phrase in phrases), default=1)
    return Population(frozenset(phrases), longest)


GIVEN = ("GIVEN_NAME", "Forename1", "pers_forename")
FAMILY = ("FAMILY_NAME", "Surname", "pers_surname")
NUMBERS = (
    *("NHS_NO", "TELEPHONE_NUMBER", "MOBILE_NUMBER", "Mobile"),
    *("pers_common_child_id", "pers_upn", "link_identifier_value", "NINo", "PncId"),
)
LINES = ("ADDRESS_LINE1", "Address1")


def _phrases(row: Mapping[str, str]) -> Iterator[str]:
    """Yield what identifies the person of a row, as it was sent and in plain ASCII."""
    given, family = (next((row[name] for name in names if name in row), "") for names in (GIVEN, FAMILY))
    if given.strip() and family.strip():
        yield from _as_words(f"{given} {family}")
        yield from _as_words(f"{family} {given}")
    for name in NUMBERS:
        digits = re.sub(r"\W", "", row.get(name, ""))
        if len(digits) >= 9:
            yield digits.lower()
            yield from _as_words(row[name])
            yield f"44{digits[1:]}"
    lines = [row[name] for name in LINES if name in row]
    if "addr_address_json" in row:
        address = json.loads(row["addr_address_json"])
        lines.append(f"{address['HOUSE']} {address['STREET']}")
    for line in lines:
        # "Flat 2" alone names no place, nor does "No fixed abode", which our own texts speak of.
        if len(line.split()) >= 3 and not normalise_address([line]).is_no_fixed_abode:
            yield from _as_words(line)


def _as_words(text: str) -> Iterator[str]:
    for variant in (text, anyascii(text)):
        yield " ".join(_WORD.findall(variant.lower()))


@dataclass
class Evidence:
    """Everything that was left where no value may be, as text by place."""

    places: dict[str, str] = field(default_factory=dict)

    def add(self, place: str, text: str) -> None:
        """Add a text to what was found in a place."""
        self.places[place] = self.places.get(place, "") + text + "\n"

    def add_files(self, place: str, folder: Path, pattern: str = "**/*") -> None:
        """Add the bytes of a folder's files, whatever they are."""
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                self.add(place, path.read_bytes().decode("utf-8", "replace"))

    def add_names(self, place: str, folder: Path, *, but_not: Iterable[str] = ()) -> None:
        """Add the names of a folder's files, those below some of its own folders excepted."""
        left_out = set(but_not)
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if relative.parts[0] not in left_out:
                self.add(place, str(relative))
