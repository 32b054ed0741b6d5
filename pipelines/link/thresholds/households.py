"""How many pairs of records are two people of one household, as the trained model has it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.data import LinkData
from pipelines.link.thresholds.decoys import NAMESAKE, RANDOM, SIBLING, TWIN
from pipelines.link.thresholds.tables import sources
from pipelines.link.trained import Parameters, source_pair


@dataclass(frozen=True)
class HouseholdPairs:
    """Expected pairs of records of two people in one household, by the type of decoy that stands for them."""

    sibling: float
    twin: float
    namesake: float

    def of(self, kind: str) -> float:
        """Return the number for a type; 0 for random."""
        return {SIBLING: self.sibling, TWIN: self.twin, NAMESAKE: self.namesake, RANDOM: 0.0}[kind]


NO_HOUSEHOLDS = HouseholdPairs(0.0, 0.0, 0.0)


def household_pairs(parameters: Parameters, data: LinkData) -> HouseholdPairs:
    """Return the pairs of people in one household that the model expects among the records.

    Pairs inside a source that holds each person once are left out: they are no candidates.
    """
    home = parameters.household
    if home is None:
        return NO_HOUSEHOLDS
    names, codes = sources(data)
    sizes = np.bincount(codes, minlength=len(names)).astype(np.float64)
    total = 0.0
    for i, first in enumerate(names):
        for j in range(i, len(names)):
            if i == j and first in data.unique_sources:
                continue
            pairs = sizes[i] * (sizes[i] - 1.0) / 2.0 if i == j else sizes[i] * sizes[j]
            prior = parameters.priors.get(source_pair(first, names[j]), parameters.default_prior)
            total += float(pairs * prior.household)
    plain = max(0.0, 1.0 - home.twins - home.namesakes)
    return HouseholdPairs(total * plain, float(total * home.twins), float(total * home.namesakes))
