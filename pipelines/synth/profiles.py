"""The error profiles: every rate of `schemas/synth/error_profiles.yaml`, checked when loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import ContractError
from pipelines.settings import PROJECT_ROOT
from pipelines.synth.dice import Weighted

SYNTH_SCHEMAS = PROJECT_ROOT / "schemas" / "synth"
PROFILES_FILE = SYNTH_SCHEMAS / "error_profiles.yaml"
SECTIONS = ("childrens_services", "health", "mental_health", "police", "fire_rescue", "population", "defects")
_SOURCE_KEY = re.compile(r"[A-Z0-9][A-Z0-9-]*|assumption")


class Profile(Mapping[str, float]):
    """The rates of one section by name, and how many records an agency holds per head."""

    def __init__(self, rates: Mapping[str, float], records_per_head: Weighted[int] | None) -> None:
        self._rates = dict(rates)
        self._records_per_head = records_per_head

    def __getitem__(self, name: str) -> float:
        """Return the rate of that name."""
        return self._rates[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names of the rates."""
        return iter(self._rates)

    def __len__(self) -> int:
        """Return how many rates there are."""
        return len(self._rates)

    @property
    def records_per_head(self) -> Weighted[int]:
        """The distribution of local ids per known person."""
        if self._records_per_head is None:
            raise ContractError(PROFILES_FILE.name, "records_per_head", "expected weights in this section")
        return self._records_per_head


@dataclass(frozen=True)
class Profiles:
    """All sections of the error profile file."""

    childrens_services: Profile
    health: Profile
    mental_health: Profile
    police: Profile
    fire_rescue: Profile
    population: Profile
    defects: Profile


def load_profiles(path: Path = PROFILES_FILE) -> Profiles:
    """Return the profiles; raise ContractError naming the first entry that is not what it should be."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if sorted(document) != sorted(SECTIONS):
        raise ContractError(path.name, "top level", f"expected the sections {', '.join(SECTIONS)}")
    return Profiles(**{name: _profile(path.name, name, document[name]) for name in SECTIONS})


def _profile(file: str, section: str, entries: dict[str, dict[str, Any]]) -> Profile:
    """Return one section, its sources checked."""
    rates: dict[str, float] = {}
    per_head: Weighted[int] | None = None
    for name, entry in entries.items():
        key = f"{section}.{name}"
        if not _SOURCE_KEY.fullmatch(str(entry.get("source", ""))):
            raise ContractError(file, key, "expected a source key or `assumption`")
        if not entry.get("why"):
            raise ContractError(file, key, "expected a `why`")
        if name == "records_per_head":
            per_head = Weighted({int(count): float(weight) for count, weight in entry["weights"].items()})
            continue
        rate = entry.get("rate")
        if not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ContractError(file, key, "expected a rate between 0 and 1")
        rates[name] = float(rate)
    return Profile(rates, per_head)
