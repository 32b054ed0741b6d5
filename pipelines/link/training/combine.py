"""One m from many passes: a pass in which few pairs are matches counts for less.

The passes look at different pairs, and each can be misled: by strangers who share a phone, by a number typed for
somebody else. What misleads a pass adds pairs that are no matches, so a pass with n expected matches counts as

    n * purity ** 2

purity being the share of matches among the pairs of the pass. That passes differ takes no weight from any: they see
different sources, and birth dates are better known in some than in others; the report tells how far they lie apart.
The sums of the weighted counts, drawn to where training starts, are the m.

A level that a pass cannot see, because blocking on a name leaves no swapped names, is estimated from the others:
its share among all levels by the passes that see it, the proportions of the other levels by all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.features import Bools, Floats
from pipelines.link.trained import PassRecord
from pipelines.link.training.passes import Pass
from pipelines.link.training.shrink import shrink
from pipelines.link.training.state import MATCH, State, starting_m

NOTABLE_SHARE = 0.01


@dataclass(frozen=True)
class Estimate:
    """What one pass says of one comparison: expected matches per level, its m, and which levels it cannot see."""

    rule: str
    counts: Floats
    m: Floats
    blind: Bools
    purity: float

    @property
    def size(self) -> float:
        """The expected matches of the pass that inform the comparison."""
        return float(self.counts.sum())


def estimates_of(model: LinkageModel, passes: Sequence[Pass], column: int) -> list[Estimate]:
    """Return what each pass that informs a comparison says of it."""
    size = len(model.comparisons[column].levels)
    found = []
    for each in passes:
        if each.informs(column):
            counts = each.patterns.level_counts(column, size, each.fit.posterior_of(MATCH))
            blind = np.array([(column, position) in each.blind for position in range(size)])
            found.append(Estimate(each.rule, counts, each.fit.of(MATCH).vectors[column], blind, each.purity))
    return [each for each in found if each.size > 0]


def pass_weights(estimates: Sequence[Estimate]) -> Floats:
    """Return the weight of a match in each pass: 1 in a pass of matches only."""
    return np.array([each.purity**2 for each in estimates])


def combined_counts(estimates: Sequence[Estimate], minimum: float) -> Floats:
    """Return the level counts of all passes together, each pass with its weight."""
    weights = pass_weights(estimates)
    counts = np.stack([each.counts for each in estimates]) * weights[:, None]
    blind = np.stack([each.blind for each in estimates])
    total = np.asarray(counts.sum(axis=0))
    unseen, seeing = blind.any(axis=0), ~blind.any(axis=1)
    seen = counts[seeing].sum(axis=0)
    known = float(sum(each.size for each in estimates if not each.blind.any()))
    if not unseen.any() or known < minimum:
        return total
    share = seen[unseen].sum() / seen.sum()
    others = np.where(unseen, 0.0, total)
    split = np.where(unseen, seen, 0.0) / max(seen[unseen].sum(), 1e-300)
    return np.asarray(total.sum() * (split * share + others / others.sum() * (1.0 - share)))


def combine(model: LinkageModel, state: State, passes: Sequence[Pass]) -> State:
    """Return the state with m combined over the passes; with too few matches, as it started."""
    m = []
    for column, start in enumerate(starting_m(model)):
        estimates = estimates_of(model, passes, column)
        if sum(each.size for each in estimates) >= model.training.minimum_pairs:
            counts = combined_counts(estimates, model.training.minimum_pairs)
            m.append(shrink(counts, start, model.training))
        else:
            m.append(start)
    return replace(state, m=tuple(m))


def describe(model: LinkageModel, state: State, passes: Sequence[Pass]) -> tuple[PassRecord, ...]:
    """Return how each pass ended, and how far its m lies from the combined one (notable levels, in bits)."""
    informing = [estimates_of(model, passes, column) for column in range(len(model.comparisons))]
    weights = [
        dict(zip([each.rule for each in estimates], pass_weights(estimates).tolist(), strict=True))
        for estimates in informing
    ]
    names = [comparison.name for comparison in model.comparisons]
    return tuple(
        PassRecord(
            rule=each.rule,
            pairs=int(each.patterns.pairs),
            matches=round(each.matches, 1),
            iterations=each.fit.iterations,
            last_change=each.fit.last_change,
            converged=each.fit.converged,
            left_out=tuple(names[column] for column in sorted(each.left_out)),
            disagreement=_disagreement(model, state, each),
            weight={
                names[column]: round(known[each.rule], 4)
                for column, known in enumerate(weights)
                if each.rule in known
            },
        )
        for each in passes
    )


def _disagreement(model: LinkageModel, state: State, each: Pass) -> dict[str, float]:
    found = {}
    for column, vector in each.fit.of(MATCH).vectors.items():
        seen = each.patterns.level_counts(column, len(vector), each.fit.posterior_of(MATCH))
        if seen.sum() < model.training.minimum_pairs or not each.informs(column):
            continue
        notable = (seen >= 0.5) & ((state.m[column] >= NOTABLE_SHARE) | (vector >= NOTABLE_SHARE))
        bits = np.abs(np.log2(vector / state.m[column]))[notable]
        found[model.comparisons[column].name] = round(float(bits.max(initial=0.0)), 3)
    return found
