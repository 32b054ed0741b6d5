"""The checks of a threshold that was chosen without labels: made where they are asked for or cost little."""

from __future__ import annotations

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.data import LinkData
from pipelines.link.engines.base import Scored
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.hold import Held
from pipelines.link.thresholds.assess import Frozen, assess_threshold, held_by
from pipelines.link.thresholds.choose import Threshold
from pipelines.link.thresholds.edges import Edges, Ints, Score, edges_of, score_with
from pipelines.link.thresholds.report import ThresholdReport
from pipelines.link.training.train import train

# The checks score all records twice more and train once more; beyond this they are made when asked for.
MOST_RECORDS = 300_000
NOT_WANTED = "the checks were left out, as asked for"
TOO_MANY = (
    "the checks were left out: they score every record twice more and train another model, and with more than"
    f" {MOST_RECORDS:,} records they are made only when asked for"
)
MADE_BEFORE = "the checks were made when this version of the model was trained"


def check_threshold(
    scored: Scored, data: LinkData, threshold: Threshold, held: Held, skipped: str = ""
) -> ThresholdReport:
    """Return the report on a threshold with every check that the data allow; with none when `skipped` says why.

    The checks go by the fused engine, whatever found the edges: all engines give one answer.
    """
    edges, clusters = edges_of(scored), clusters_by_row(held)
    if skipped:
        return report_threshold(edges, threshold, held, skipped)
    trained = scored.trained
    frozen = Frozen(trained.definition, trained.parameters, score_with(FusedEngine(), trained), _fit)
    return assess_threshold(frozen, data, edges, threshold, clusters)


def report_threshold(edges: Edges, threshold: Threshold, held: Held, skipped: str) -> ThresholdReport:
    """Return the report on a threshold without checks; `skipped` says why there are none."""
    return ThresholdReport(threshold, held=held_by(edges, clusters_by_row(held)), skipped=skipped)


def reason_to_skip(records: int, wanted: bool | None) -> str:
    """Return why the checks are not to be made; empty when they are. `wanted` None leaves it to the size."""
    if wanted is None:
        return TOO_MANY if records > MOST_RECORDS else ""
    return "" if wanted else NOT_WANTED


def clusters_by_row(held: Held) -> Ints:
    """Return the cluster of each record, placed at the rows of the records."""
    rows = np.empty(held.encoded.size, dtype=np.int64)
    rows[held.encoded.source_row] = held.labels
    return rows


def _fit(model: LinkageModel, data: LinkData) -> Score:
    return score_with(FusedEngine(), train(model, data))
