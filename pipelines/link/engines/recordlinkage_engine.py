"""The reference engine: recordlinkage's indexing and measures, the model read plainly, all pairs in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import recordlinkage

from pipelines.contracts.model import LinkageModel
from pipelines.link.block import RulePlan, plan_blocks, report_of
from pipelines.link.compare import Levels, Pairs, compare_pairs
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import DataEngine, Found, Progress, score_levels
from pipelines.link.features import Bools, Ints
from pipelines.link.trained import TrainedModel


class RecordLinkageEngine(DataEngine):
    """Block, compare and score with recordlinkage, pandas and NumPy."""

    name = "recordlinkage"

    def find(
        self,
        trained: TrainedModel,
        encoded: Encoded,
        bound: float,
        progress: Progress | None = None,
        touched: Bools | None = None,
    ) -> Found:
        """Return the candidate pairs whose prior and comparison weights reach the bound; see `Engine`."""
        plans = plan_blocks(trained.definition, encoded, trained.narrowing)
        known: Ints = np.empty(0, np.int64)
        reports = []
        for plan in plans:
            pairs = _outside_unique(encoded, _pairs_of(plan, encoded.size))
            if touched is not None:
                pairs = pairs[touched[pairs // encoded.size] | touched[pairs % encoded.size]]
            new = np.setdiff1d(pairs, known, assume_unique=True)
            known = np.union1d(known, new)
            reports.append(report_of(plan, len(new), len(pairs)))
            if progress is not None:
                progress(len(reports), len(plans))
        width = max(encoded.size, 1)
        both = (known // width, known % width)
        levels = self.levels(trained.definition, encoded, both)
        scores = score_levels(trained, encoded, both, levels).scores
        kept = np.flatnonzero(scores.total - scores.household >= bound)
        return Found(both[0][kept], both[1][kept], levels[kept], len(known), tuple(reports))

    def levels(self, model: LinkageModel, encoded: Encoded, pairs: Pairs) -> Levels:
        """Return the level vectors of any pairs of positions."""
        return compare_pairs(model, encoded, pairs)


def _pairs_of(plan: RulePlan, size: int) -> Ints:
    """Return the distinct pairs that share a block, each as a * size + b with a < b, sorted."""
    block = np.repeat(np.arange(len(plan.starts) - 1), np.diff(plan.starts))
    if not len(block):
        return np.empty(0, np.int64)
    indexer = recordlinkage.Index()
    indexer.block("block")
    pairs = indexer.index(pd.DataFrame({"block": block}))
    record = plan.members.astype(np.int64)
    left, right = record[pairs.get_level_values(0)], record[pairs.get_level_values(1)]
    return np.unique(np.minimum(left, right) * size + np.maximum(left, right))


def _outside_unique(encoded: Encoded, pairs: Ints) -> Ints:
    """Return the pairs without those inside a source that holds each person once."""
    unique = np.array(encoded.unique or [False] * len(encoded.agencies), dtype=bool)
    a, b = encoded.agency[pairs // max(encoded.size, 1)], encoded.agency[pairs % max(encoded.size, 1)]
    return np.asarray(pairs[~((a == b) & unique[a])])
