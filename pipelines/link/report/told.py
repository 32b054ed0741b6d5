"""Plain words for a linkage: rates with their intervals, checks, weights, and what was cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.link.thresholds.choose import EXPECTED_F1
from pipelines.link.thresholds.rates import DECOYS, HIDDEN, MODEL, UNIQUE
from pipelines.words import number, percent, title

METHODS = {
    MODEL: "The model's own estimate",
    DECOYS: "Decoys",
    UNIQUE: "Links inside sources that hold each person once",
    HIDDEN: "A hidden identifier",
}
DECOY_KINDS = {
    "sibling": "Brother or sister",
    "twin": "Twin",
    "namesake": "Namesake in the household",
    "random": "Stranger",
}
CUT_REASONS = {
    "evidence": "the other pairs speak against it",
    "barred": "two verified identifiers conflict",
    "source": "two records of a source that holds each person once",
    "apart": "declared to be two people",
    "scope": "records of different scopes",
    "limit": "more records than one person may have",
}


def between(rate: Mapping[str, Any]) -> str:
    """Return an estimate with its interval, as in `0.50 % (0.25 % to 1.2 %)`."""
    return f"{percent(rate['estimate'])} ({percent(rate['low'])} to {percent(rate['high'])})"


def sentence(words: str) -> str:
    """Return words with a capital at the front."""
    return words[:1].upper() + words[1:]


def one_in(share: float) -> str:
    """Return a small share as `1 in N`."""
    return f"1 in {number(1 / share)}" if share > 0 else "none"


def method(part: Mapping[str, Any]) -> str:
    """Return what an estimate was made with, the hidden identifier by its name."""
    return METHODS[part["method"]] + (f": {title(part['about'].lower())}" if part["about"] else "")


def objective(threshold: Mapping[str, Any]) -> str:
    """Return in words what the threshold was chosen for."""
    if threshold["objective"] == EXPECTED_F1:
        return "the highest expected F1, the balance of false and missed links"
    return f"at most {percent(threshold['target'])} of links that join two people"


def probability(share: float) -> str:
    """Return m or u with three significant digits, as a share."""
    if share <= 0:
        return "0"
    return f"{share:.3g}" if share >= 1e-4 else f"{share:.1e}"


def signed(weight: float | None) -> str:
    """Return a weight in bits with its sign; a dash where there is none."""
    return "–" if weight is None else f"{weight:+.1f}"


def source_pair(sources: str) -> str:
    """Return a pair of sources as it reads."""
    first, second = sources.split("|")
    return f"inside {first}" if first == second else f"{first} and {second}"


def household_prior(sources: str, priors: Sequence[Mapping[str, Any]]) -> float:
    """Return the prior of two people of one household between two sources."""
    return next(float(each["household"]) for each in priors if "|".join(each["sources"]) == sources)


def key(name: str) -> str:
    """Return what a blocking key shares, as a title."""
    return title(name.replace(".", " "))


def rounds(count: int) -> str:
    """Return a number of rounds."""
    return f"{number(count)} round" + ("" if count == 1 else "s")


def cuts(cutting: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return why accepted links were not held, and how many for each reason; only those that occurred."""
    return [(CUT_REASONS[name], count) for name, count in cutting["links_cut_by"].items() if count]


def furthest(each: Mapping[str, Any]) -> str:
    """Return the comparison about which a pass lies furthest from the others, and by how many bits."""
    if not each["disagreement"]:
        return "–"
    name, bits = max(each["disagreement"].items(), key=lambda item: item[1])
    return f"{title(name)}, {bits:.1f} bits"
