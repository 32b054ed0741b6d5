"""What the other pairs between two parts say about merging them, learned from the merges themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.thresholds.edges import Floats
from pipelines.link.thresholds.sweep import (
    KINDS,
    MERGE_KINDS,
    MERGE_LEFT,
    MERGE_RIGHT,
    MERGE_WEIGHT,
)

ROUNDS = 200
TOLERANCE = 1e-6
# What the estimates start from and are drawn to, in pairs: between two parts of one person most pairs are likely
# edges, between two people most are none.
ONE_PERSON = np.array([1.0, 1.0, 8.0])
TWO_PEOPLE = np.array([6.0, 3.0, 1.0])


@dataclass(frozen=True)
class Support:
    """Shares of absent, doubtful and likely pairs between two parts of one person, and of two people."""

    one_person: Floats
    two_people: Floats

    @property
    def ratios(self) -> Floats:
        """The weight of evidence of each kind of pair, in bits."""
        return np.asarray(np.log2(self.one_person / self.two_people))


def learn_support(merges: Floats) -> Support:
    """Return the shares that explain `merges` best: expectation maximisation with two classes of merges.

    A merge is of one person with the posterior of the edge that makes it, before the other pairs between the two
    parts are looked at; that prior stays fixed, so the classes cannot swap. The pairs of a merge count together as
    much as the records that they bring, since the pairs of one record resemble each other.
    """
    sizes = merges[:, MERGE_LEFT] * merges[:, MERGE_RIGHT]
    several = sizes > 1
    rows, sizes = merges[several], sizes[several]
    share = (rows[:, MERGE_LEFT] + rows[:, MERGE_RIGHT] - 2.0) / (sizes - 1.0)
    kinds = rows[:, MERGE_KINDS : MERGE_KINDS + KINDS] * share[:, None]
    found = Support(ONE_PERSON / ONE_PERSON.sum(), TWO_PEOPLE / TWO_PEOPLE.sum())
    for _ in range(ROUNDS):
        odds = rows[:, MERGE_WEIGHT] + kinds @ found.ratios
        chance = 1.0 / (1.0 + np.exp2(-np.clip(odds, -1000.0, 1000.0)))
        one, two = chance @ kinds + ONE_PERSON, (1.0 - chance) @ kinds + TWO_PEOPLE
        updated = Support(one / one.sum(), two / two.sum())
        change = np.abs(updated.one_person - found.one_person).max()
        found = updated
        if change < TOLERANCE:
            break
    return found
