"""The names of the benchmark's population: the synthetic population's traditions, with a generated long tail.

As in `schemas/synth/name_traditions.yaml`, a name's weight is 1 / (rank + offset) ** skew inside its tradition.
There the tail of a ranking comes from Faker; here it is made of syllables, so that only the seed decides it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import yaml
from anyascii import anyascii

from pipelines.settings import load_settings

Codes = npt.NDArray[np.int32]

FAMILY_TAIL, GIVEN_TAIL = 20_000, 1_200
FAMILY_STEPS, GIVEN_STEPS = 2**19, 2**16
SEXES = ("female", "male")


def _words(text: str) -> list[str]:
    return text.split()


ONSETS = _words("B BR C CH D DR F G GR H J K KR L M N P R S SH ST T TR V W Z")
VOWELS = _words("A E I O U AI EA OU")
CODAS = _words("L LL M N ND R RD S SS T TH CK")
ENDINGS = {
    "family": _words("BY ELL ER FORD HAM IDGE INGTON LEY MAN OW SEN SON STONE TON WELL WORTH OVIC ESCU AN I"),
    "female": _words("A AH ANA ELLA EN ETTE IA IE INA ISE LYN NA RA Y"),
    "male": _words("AN AR EN ER IAN IN ON OS RICK RON US VIN Y"),
}


@dataclass(frozen=True)
class Names:
    """Tables of names, and for each ranking the name at each of equal steps through its weights.

    `family_at[tradition, step]` and `given_at[tradition, sex, cohort, step]` are positions in the tables;
    `traditions` are the steps through the shares of the traditions, `cohorts` the years in which cohorts begin.
    """

    family: pa.Array
    given: pa.Array
    traditions: Codes
    family_at: Codes
    given_at: Codes
    cohorts: tuple[int, ...]


def load_names(seed: int) -> Names:
    """Return the names of all traditions; the same for the same seed."""
    path = load_settings().schemas_dir / "synth" / "name_traditions.yaml"
    traditions = yaml.safe_load(path.read_text(encoding="utf-8"))["traditions"]
    shares = np.array([tradition["share"] for tradition in traditions.values()])
    tails = {kind: _tail(kind, seed) for kind in ENDINGS}
    cohorts = tuple(traditions["british"]["given"]["cohorts"])
    family, given = _Table(), _Table()
    starts = np.concatenate([[0.0], np.cumsum(shares / shares.sum())])
    family_at, given_at = [], []
    for tradition, start, end in zip(traditions.values(), starts[:-1], starts[1:], strict=True):
        tail = _part(tails["family"], start, end)
        family_at.append(
            _steps(
                family.codes(_family_ranking(tradition["family"], tail)), tradition["family"], FAMILY_STEPS
            )
        )
        ranks = tradition["given"]
        given_at.append(
            [
                [
                    _steps(
                        given.codes(_given_ranking(ranks, sex, year, _part(tails[sex], start, end))),
                        ranks,
                        GIVEN_STEPS,
                    )
                    for year in cohorts
                ]
                for sex in SEXES
            ]
        )
    return Names(
        pa.array(family.names),
        pa.array(given.names),
        _steps(np.arange(len(shares), dtype=np.int32), None, GIVEN_STEPS, shares),
        np.array(family_at),
        np.array(given_at),
        cohorts,
    )


class _Table:
    """Distinct names in order of first appearance."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.at: dict[str, int] = {}

    def codes(self, names: list[str]) -> Codes:
        for name in names:
            if name not in self.at:
                self.at[name] = len(self.names)
                self.names.append(name)
        return np.array([self.at[name] for name in names], dtype=np.int32)


def _tail(kind: str, seed: int) -> list[str]:
    """Return made-up names in an order of their own."""
    made = sorted({"".join(parts) for parts in product(ONSETS, VOWELS, CODAS, ENDINGS[kind])})
    random.Random(f"{seed} {kind}").shuffle(made)  # noqa: S311 - not a secret
    return made[: FAMILY_TAIL if kind == "family" else GIVEN_TAIL]


def _part(names: list[str], start: float, end: float) -> list[str]:
    return names[int(start * len(names)) : int(end * len(names))]


def _family_ranking(names: dict[str, Any], tail: list[str]) -> list[str]:
    parts = names.get("compound", {"first": [], "last": []})
    compound = [first + last for first, last in product(parts["first"], parts["last"])]
    random.Random(len(compound)).shuffle(compound)  # noqa: S311 - not a secret
    return _folded([*names["leading"], *compound, *tail])


def _given_ranking(names: dict[str, Any], sex: str, year: int, tail: list[str]) -> list[str]:
    cohorts = names.get("cohorts", {0: {other: names.get(f"leading_{other}", []) for other in SEXES}})
    mine = cohorts[max(start for start in cohorts if start <= year)][sex]
    others = [name for cohort in cohorts.values() for name in cohort[sex]]
    return _folded([*mine, *others, *tail])


def _folded(names: list[str]) -> list[str]:
    return list(dict.fromkeys(anyascii(name).upper() for name in names))


def _steps(
    codes: Codes, names: dict[str, Any] | None, steps: int, weights: npt.NDArray[np.float64] | None = None
) -> Codes:
    """Return the code at the middle of each of `steps` equal steps through the weights."""
    if weights is None:
        assert names is not None  # noqa: S101 - one of the two is given
        weights = 1.0 / (np.arange(1, len(codes) + 1) + names["offset"]) ** names["skew"]
    edges = np.cumsum(weights / weights.sum())
    middle = (np.arange(steps) + 0.5) / steps
    return codes[np.minimum(np.searchsorted(edges, middle), len(codes) - 1)]
