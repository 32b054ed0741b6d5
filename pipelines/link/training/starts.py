"""Several starts: does training end in the same place wherever it starts from? The likeliest end is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.features import Floats
from pipelines.link.training.evidence import Evidence
from pipelines.link.training.passes import plan_passes
from pipelines.link.training.rounds import Settled, first_state, settle, weight_differences

MODEL, FLATTER, SHARPER = "model", "flatter", "sharper"
# Another start is better only when its log-likelihood is higher by more than this: less is rounding.
BETTER = 0.01


@dataclass(frozen=True)
class Trial:
    """Where training ended from each start, and which of the ends is the likeliest."""

    model: LinkageModel
    ends: Mapping[str, Settled]
    chosen: str

    @property
    def best(self) -> Settled:
        """The end that was chosen."""
        return self.ends[self.chosen]

    def distance(self, name: str) -> float:
        """Return how far this end lies from the chosen one: the largest difference of a notable weight, in bits."""
        found = weight_differences(self.model, self.best.state, self.ends[name].state)
        return max(float(each.max()) for each in found)


def settle_from_starts(model: LinkageModel, evidence: Evidence) -> Trial:
    """Return where training ends from the model's own m, from a flatter and from a sharper one."""
    start, plans = first_state(model, evidence), plan_passes(model, evidence.rules)
    ends = {
        name: settle(model, evidence, replace(start, m=tuple(change(vector) for vector in start.m)), plans)
        for name, change in _STARTS.items()
    }
    chosen = MODEL
    for name, end in ends.items():
        if end.log_likelihood > ends[chosen].log_likelihood + BETTER:
            chosen = name
    return Trial(model, ends, chosen)


def _same(m: Floats) -> Floats:
    return m


def _flatter(m: Floats) -> Floats:
    """Return m on the way to knowing nothing: half of it spread over all levels alike."""
    return np.asarray(0.5 * m + 0.5 / len(m))


def _sharper(m: Floats) -> Floats:
    """Return m of much cleaner data: its squares, so that what was likely is likelier."""
    return np.asarray(m**2 / (m**2).sum())


_STARTS: dict[str, Callable[[Floats], Floats]] = {MODEL: _same, FLATTER: _flatter, SHARPER: _sharper}
