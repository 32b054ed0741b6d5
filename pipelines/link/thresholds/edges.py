"""Scored edges as arrays, and the callables through which this package sees an engine and a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipelines.contracts.model import LinkageModel
from pipelines.link.data import LinkData
from pipelines.link.encode import encode
from pipelines.link.engines.base import Engine, Scored, score_encoded
from pipelines.link.trained import TrainedModel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Edges:
    """Every scored pair above the lowest threshold.

    `a` and `b` are rows of `LinkData.records`, `weight` is the total match weight in bits (log2 of the posterior
    odds), `barred` says which pairs may never be linked. Equal weights keep the order given here, so a caller that
    sorts edges by record id gets the same answers for any order of rows.
    """

    size: int
    a: Ints
    b: Ints
    weight: Floats
    barred: Bools

    @property
    def probability(self) -> Floats:
        """The posterior probability that each pair is one person."""
        return probability_of(self.weight)

    def where(self, rows: Bools | Ints) -> Edges:
        """Return these edges only."""
        return replace(
            self, a=self.a[rows], b=self.b[rows], weight=self.weight[rows], barred=self.barred[rows]
        )

    def allowed(self) -> Edges:
        """Return the edges without the barred ones."""
        return self.where(~self.barred)


Score = Callable[[LinkData], Edges]
"""A frozen model and an engine: data in, edges out."""

Fit = Callable[[LinkageModel, LinkData], Score]
"""A training: a model's definition and data in, what scores with the trained model out."""


def make_edges(size: int, a: Ints, b: Ints, weight: Floats, barred: Bools | None = None) -> Edges:
    """Return edges over `size` records; none is barred unless `barred` says so."""
    none = np.zeros(len(weight), dtype=np.bool_)
    return Edges(
        size,
        np.asarray(a, dtype=np.int64),
        np.asarray(b, dtype=np.int64),
        np.asarray(weight, dtype=np.float64),
        none if barred is None else np.asarray(barred, dtype=np.bool_),
    )


def probability_of(weight: Floats) -> Floats:
    """Return the probability of odds given as log2."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(weight, -1000.0, 1000.0))))


def weight_of(probability: float) -> float:
    """Return the odds of a probability as log2; 0 and 1 are kept within 1000 bits."""
    if probability <= 0.0 or probability >= 1.0:
        return 1000.0 if probability >= 1.0 else -1000.0
    return float(np.log2(probability) - np.log2(1.0 - probability))


def score_with(engine: Engine, trained: TrainedModel) -> Score:
    """Return the scoring of an engine with a trained model, its edges placed at the rows of the records."""

    def score(data: LinkData) -> Edges:
        return edges_of(score_encoded(engine, trained, encode(trained.definition, data, trained.hubs)))

    return score


def edges_of(scored: Scored) -> Edges:
    """Return the edges of a scoring, in the order of record ids, placed at the rows of the records."""
    row, found = scored.encoded.source_row, scored.found
    a, b = row[found.pairs[0]], row[found.pairs[1]]
    return make_edges(scored.encoded.size, a, b, found.scores.total, found.barred)
