"""The reference engine: recordlinkage's indexing and measures, the model read plainly, all pairs in memory."""

from __future__ import annotations

import pyarrow.compute as pc

from pipelines.link.block import Candidates, block_pairs
from pipelines.link.compare import Pairs, barred_pairs, compare_pairs
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded, encode
from pipelines.link.engines.base import Scored, ScoredPairs, ScoringReport, make_edges
from pipelines.link.score import score_pairs
from pipelines.link.trained import TrainedModel


class RecordLinkageEngine:
    """Block, compare and score with recordlinkage, pandas and NumPy."""

    name = "recordlinkage"

    def score(self, trained: TrainedModel, data: LinkData) -> Scored:
        """Return the edges of `data` above the model's lowest threshold; independent of the order of rows.

        Raises:
            LinkageError: the blocking rules exceed the model's pair budget, or a table lacks a column.
        """
        encoded = encode(trained.definition, data)
        candidates = block_pairs(trained.definition, encoded)
        found = score_candidates(trained, encoded, (candidates.a, candidates.b))
        return _scored(trained, encoded, candidates, found)


def score_candidates(trained: TrainedModel, encoded: Encoded, pairs: Pairs) -> ScoredPairs:
    """Return the comparison vectors and scores of pairs of positions (a < b)."""
    compared = compare_pairs(trained.definition, encoded, pairs, trained.frequencies(encoded))
    sources = (encoded.agency[pairs[0]], encoded.agency[pairs[1]])
    scores = score_pairs(trained, compared, sources, encoded.agencies)
    return ScoredPairs(pairs, compared, scores, barred_pairs(trained.definition, encoded, pairs))


def _scored(trained: TrainedModel, encoded: Encoded, candidates: Candidates, found: ScoredPairs) -> Scored:
    edges = make_edges(trained, encoded, found)
    report = ScoringReport(
        model_version=trained.version,
        records=len(encoded.record_ids),
        pairs=len(candidates.a),
        edges=edges.num_rows,
        links=int(pc.sum(edges["is_link"]).as_py() or 0),
        barred=int(pc.sum(edges["is_barred"]).as_py() or 0),
        rules=candidates.report,
    )
    return Scored(edges, report)
