"""The scored pairs of a run in all: those that an earlier run found and that still hold, and those found now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.compare import Pairs
from pipelines.link.engines.base import Scored, weight_of
from pipelines.link.features import Bools, Floats, Ints
from pipelines.link.incremental.before import Before
from pipelines.link.incremental.delta import GONE, Delta
from pipelines.link.score import probability_of
from pipelines.link.trained import TrainedModel


@dataclass(frozen=True)
class Known:
    """Pairs of positions of today; the first `carried` were found by the earlier run, the others now.

    Args:
        a: with `b`, the pair.
        b: see `a`.
        weight: the total match weight in bits.
        barred: whether the pair may never be linked.
        was_link: whether the earlier run held the pair as a link; false for those found now.
        carried: how many pairs are carried over.
        row: per pair that is carried over, its row among the earlier edges.
        ended: the rows of the earlier edges that do not hold any more: a record is gone, or is not what it was.
        left: the positions of today that a pair of `ended` leads to.
    """

    a: Ints
    b: Ints
    weight: Floats
    barred: Bools
    was_link: Bools
    carried: int
    row: Ints
    ended: Ints
    left: Ints


def known_pairs(before: Before, delta: Delta, scored: Scored, forced: Pairs) -> Known:
    """Return all pairs: `scored` has those of which one record or both are new or changed.

    A pair below the lowest threshold is an edge only as long as judgements join it, as those of `forced`.
    """
    edges, touched = before.edges, delta.touched
    a, b = delta.place[edges.a], delta.place[edges.b]
    holds = (a != GONE) & (b != GONE) & ~np.append(touched, True)[a] & ~np.append(touched, True)[b]
    low = np.flatnonzero(holds & (edges.weight < weight_of(scored.trained.definition.edge_probability)))
    holds[low] = is_among((a[low], b[low]), forced, len(touched))
    row, ended, found = np.flatnonzero(holds), np.flatnonzero(~holds), scored.found
    left = np.concatenate([a[ended], b[ended]])
    return Known(
        a=np.concatenate([np.minimum(a, b)[row], found.pairs[0]]),
        b=np.concatenate([np.maximum(a, b)[row], found.pairs[1]]),
        weight=np.concatenate([edges.weight[row], found.scores.total]),
        barred=np.concatenate([edges.barred[row], found.barred]),
        was_link=np.concatenate([edges.is_link[row], np.zeros(len(found.barred), dtype=bool)]),
        carried=len(row),
        row=row,
        ended=ended,
        left=np.unique(left[left != GONE]),
    )


def is_among(pairs: Pairs, known: Pairs, size: int) -> Bools:
    """Return which pairs, in whichever order of their two, are among others (a < b) of `size` records."""
    a, b = pairs
    return np.isin(np.minimum(a, b) * size + np.maximum(a, b), known[0] * size + known[1])


def accepted_pairs(known: Known, trained: TrainedModel, cluster: Ints) -> Bools:
    """Return which pairs are links: at or above the join threshold, and not barred.

    Between two records that were one person before, the fracture threshold is enough: joining is harder than
    staying, so that people do not come and go with every letter. `cluster` has a number for the earlier cluster
    of each record, -1 where it had none.
    """
    probability = probability_of(known.weight)
    stayed = (cluster[known.a] == cluster[known.b]) & (cluster[known.a] != GONE)
    enough = (probability >= trained.link_probability) | (stayed & (known.weight >= trained.fracture_weight))
    return np.asarray(enough & ~known.barred)
