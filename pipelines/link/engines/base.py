"""The interface of an engine: a trained model and data in, edges and a report out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from pipelines.contracts.model import LinkageModel
from pipelines.link.block import RuleReport
from pipelines.link.compare import Compared
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded
from pipelines.link.features import Bools, Ints
from pipelines.link.score import Scores
from pipelines.link.trained import TrainedModel


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
class Scored:
    """Edges (columns of `edge_schema`, sorted by record_a and record_b) and the report of the run."""

    edges: pa.Table
    report: ScoringReport

    def links(self) -> pa.Table:
        """Return the accepted edges."""
        return self.edges.filter(self.edges["is_link"])


class Engine(Protocol):
    """Finds, compares and scores the candidate pairs of a model. Knows nothing of any database."""

    name: str

    def score(self, trained: TrainedModel, data: LinkData) -> Scored:
        """Return the edges of `data` above the model's lowest threshold."""
        ...


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


@dataclass(frozen=True)
class ScoredPairs:
    """Pairs with what was found about them, before they become edges."""

    pairs: tuple[Ints, Ints]
    compared: Compared
    scores: Scores
    barred: Bools


def make_edges(trained: TrainedModel, encoded: Encoded, found: ScoredPairs) -> pa.Table:
    """Return the edges among scored pairs: those above the lowest threshold; a link unless barred."""
    model = trained.definition
    probability = found.scores.probability
    kept = np.flatnonzero(probability >= model.edge_probability)
    a, b = found.pairs[0][kept], found.pairs[1][kept]
    order = np.lexsort((b, a))
    kept = kept[order]
    barred = found.barred[kept]
    columns = [
        pa.array(encoded.record_ids[found.pairs[0][kept]], pa.string()),
        pa.array(encoded.record_ids[found.pairs[1][kept]], pa.string()),
        pa.array(found.scores.total[kept]),
        pa.array(probability[kept]),
        *(pa.array(found.compared.levels[kept, column]) for column in range(len(model.comparisons))),
        pa.array(barred),
        pa.array((probability[kept] >= model.link_probability) & ~barred),
    ]
    return pa.Table.from_arrays(columns, schema=edge_schema(model))
