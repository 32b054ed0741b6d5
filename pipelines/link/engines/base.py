"""The interface of an engine: a trained model and encoded records in, level vectors out; what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf, log2
from typing import Protocol

import numpy as np
import pyarrow as pa

from pipelines.contracts.model import LinkageModel
from pipelines.link.block import RuleReport
from pipelines.link.compare import Levels, Pairs, barred_pairs
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded, encode
from pipelines.link.features import Bools, Floats, Ints
from pipelines.link.fused.grouping import order_of
from pipelines.link.linkable import linkable
from pipelines.link.score import Scores, score_pairs
from pipelines.link.terms import Compared, shared_frequency
from pipelines.link.threads import on_all_cores
from pipelines.link.trained import TrainedModel

# What an engine leaves out lies below the bound by more than its rounding.
SLACK = 1e-6
# Few enough that little memory is needed beside the result, and enough that a part is more than its calls.
PAIRS_AT_ONCE = 2**17
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """Pairs of positions (a < b) above an additive bound with their level vectors; pairs compared, and per rule."""

    a: Ints
    b: Ints
    levels: Levels
    pairs: int
    rules: tuple[RuleReport, ...]


class Engine(Protocol):
    """Finds and compares the candidate pairs of a model. Knows nothing of any database."""

    name: str

    def find(
        self,
        trained: TrainedModel,
        encoded: Encoded,
        bound: float,
        progress: Progress | None = None,
        touched: Bools | None = None,
    ) -> Found:
        """Return the candidate pairs whose prior and comparison weights add up to `bound` at least.

        The household correction only lowers a weight, so no pair whose total reaches the bound is left out.
        Pairs inside a source that holds each person once are no candidates. `progress` is told how many pairs of
        how many were enumerated. With `touched`, one value per record, only pairs are looked at of which one
        record or both are touched.

        Raises:
            LinkageError: the blocking rules exceed the model's pair budget.
        """
        ...

    def levels(self, model: LinkageModel, encoded: Encoded, pairs: Pairs) -> Levels:
        """Return the level vectors of any pairs of positions."""
        ...


@dataclass(frozen=True)
class ScoringReport:
    """Counts of a scoring run: pairs compared, in all and per rule; edges kept, links, edges barred."""

    model_version: str
    records: int
    pairs: int
    edges: int
    links: int
    barred: int
    rules: tuple[RuleReport, ...]


@dataclass(frozen=True)
class ScoredPairs:
    """Pairs of positions with their levels, their scores, and whether they may never be linked."""

    pairs: Pairs
    levels: Levels
    scores: Scores
    barred: Bools

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What it is made of, in its order: an entry per pair in each."""
        return (*self.pairs, self.levels, *self.scores.arrays, self.barred)

    @classmethod
    def of(cls, arrays: Iterable[np.ndarray]) -> ScoredPairs:
        """Return what is made of these; see `arrays`."""
        a, b, levels, *scores, barred = arrays
        return cls((a, b), levels, Scores(*scores), barred)

    @classmethod
    def together(cls, *parts: ScoredPairs) -> ScoredPairs:
        """Return the pairs of one part or more, one after the other."""
        return cls.of(np.concatenate(column) for column in zip(*(part.arrays for part in parts), strict=True))

    def where(self, rows: Ints) -> ScoredPairs:
        """Return these pairs only, in this order."""
        return self.of(column[rows] for column in self.arrays)


@dataclass(frozen=True)
class Scored:
    """The edges of a run, sorted by position: pairs above the lowest threshold; and what the engine did."""

    trained: TrainedModel
    encoded: Encoded
    found: ScoredPairs
    pairs: int
    rules: tuple[RuleReport, ...]

    @property
    def is_link(self) -> Bools:
        """Which edges are accepted: at or above the join threshold, and not barred."""
        accepted = self.found.scores.probability >= self.trained.link_probability
        return np.asarray(accepted & ~self.found.barred)

    @property
    def edges(self) -> pa.Table:
        """The edges as a table with the columns of `edge_schema`."""
        found, model = self.found, self.trained.definition
        columns = [
            self.encoded.ids(found.pairs[0]),
            self.encoded.ids(found.pairs[1]),
            pa.array(found.scores.total),
            pa.array(found.scores.probability),
            *(pa.array(found.levels[:, column]) for column in range(len(model.comparisons))),
            pa.array(found.barred),
            pa.array(self.is_link),
        ]
        return pa.Table.from_arrays(columns, schema=edge_schema(model))

    def links(self) -> pa.Table:
        """Return the accepted edges."""
        edges = self.edges
        return edges.filter(edges["is_link"])

    @property
    def report(self) -> ScoringReport:
        """What the run did, in counts."""
        return ScoringReport(
            model_version=self.trained.version,
            records=self.encoded.size,
            pairs=self.pairs,
            edges=len(self.found.barred),
            links=int(self.is_link.sum()),
            barred=int(self.found.barred.sum()),
            rules=self.rules,
        )


def edge_schema(model: LinkageModel) -> pa.Schema:
    """Return the columns of an edge; a level is its position in the model, best 0, null -1."""
    return pa.schema(
        [
            ("record_a", pa.string()),
            ("record_b", pa.string()),
            ("match_weight", pa.float64()),
            ("match_probability", pa.float64()),
            *((f"level_{comparison.name}", pa.int8()) for comparison in model.comparisons),
            ("is_barred", pa.bool_()),
            ("is_link", pa.bool_()),
        ]
    )


def weight_of(probability: float) -> float:
    """Return the weight in bits of a posterior probability."""
    return log2(probability / (1.0 - probability))


def score_levels(
    trained: TrainedModel, encoded: Encoded, pairs: Pairs, levels: Levels, at_least: float = -inf
) -> ScoredPairs:
    """Return the scores of pairs whose levels an engine found, of those whose weight is `at_least` this much.

    The one place where levels become weights.
    """
    known = trained.frequencies(encoded)

    def part(start: int) -> ScoredPairs:
        rows = slice(start, start + PAIRS_AT_ONCE)
        scored = _scored(trained, encoded, (pairs[0][rows], pairs[1][rows]), levels[rows], known)
        kept = scored.scores.total >= at_least
        return scored if kept.all() else scored.where(np.flatnonzero(kept))

    return ScoredPairs.together(*on_all_cores(part, range(0, max(1, len(levels)), PAIRS_AT_ONCE)))


def _scored(
    trained: TrainedModel, encoded: Encoded, pairs: Pairs, levels: Levels, known: dict[str, Floats]
) -> ScoredPairs:
    model = trained.definition
    compared = Compared(levels, shared_frequency(model, encoded, pairs, levels, known))
    sources = (encoded.agency[pairs[0]], encoded.agency[pairs[1]])
    scores = score_pairs(trained, compared, sources, encoded.agencies)
    return ScoredPairs(pairs, levels, scores, barred_pairs(model, encoded, pairs))


def score_encoded(
    engine: Engine,
    trained: TrainedModel,
    encoded: Encoded,
    progress: Progress | None = None,
    touched: Bools | None = None,
) -> Scored:
    """Return the edges among encoded records: the candidate pairs above the model's lowest threshold.

    A record that says nothing of who it is about is in none. With `touched`, one value per record, only those of
    which one record or both are touched.
    """
    bound = weight_of(trained.definition.edge_probability)
    found = engine.find(trained, encoded, bound - SLACK, progress, touched)
    may = linkable(trained.definition, encoded)
    rows = np.flatnonzero(may[found.a] & may[found.b])
    scored = score_levels(trained, encoded, (found.a[rows], found.b[rows]), found.levels[rows], bound)
    a, b = scored.pairs
    scored = scored.where(order_of(a * encoded.size + b))
    return Scored(trained, encoded, scored, found.pairs, found.rules)


class DataEngine:
    """What every engine can do with normalised tables: encode them, then find and score."""

    name: str

    def score(self: Engine, trained: TrainedModel, data: LinkData) -> Scored:
        """Return the edges of `data` above the model's lowest threshold; independent of the order of rows.

        Raises:
            LinkageError: the blocking rules exceed the model's pair budget, or a table lacks a column.
        """
        return score_encoded(self, trained, encode(trained.definition, data, trained.hubs))
