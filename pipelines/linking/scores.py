"""The pairs and clusters of a run: going on from an earlier run where that is possible, else everybody anew."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Connection

from pipelines.contracts.model import load_model
from pipelines.link import FusedEngine, LinkData, TrainedModel, train_encoded
from pipelines.link.checks import MADE_BEFORE, check_threshold, reason_to_skip, report_threshold
from pipelines.link.encode import Encoded, encode
from pipelines.link.engines.base import score_encoded
from pipelines.link.fused.arrays import Words
from pipelines.link.hold import choose_join, judge_join
from pipelines.link.incremental import Before, Relinked, compare_content, content_hashes, nothing_before
from pipelines.link.incremental.relink import go_on, relink
from pipelines.link.thresholds.assess import Objective
from pipelines.link.thresholds.choose import FALSE_LINK_RATE
from pipelines.link.thresholds.edges import make_edges
from pipelines.link.thresholds.report import ThresholdReport
from pipelines.linking.method import content_seed, linking_method
from pipelines.warehouse.chains import Base, find_base, read_before
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.linkage import latest_model

log = logging.getLogger("joinedup")


@dataclass(frozen=True)
class Linked:
    """What a linkage run found, before it is written.

    Args:
        model: the model version.
        base: the run that this one went on from; None where everybody was compared anew.
        before: what that run left.
        relinked: the pairs and clusters.
        content: the content hash of each record, in the order of `relinked.held.encoded`.
        checked: what is expected of the join threshold here.
    """

    model: TrainedModel
    base: Base | None
    before: Before
    relinked: Relinked
    content: Words
    checked: ThresholdReport


def link_data(data: LinkData, period: str, retrain: bool) -> Linked:
    """Return what linking finds among the records of a period, under the youngest version of today's definition.

    A version is frozen, its join threshold too: later periods are scored and linked by the same, so that a weight
    does not depend on when a pair came in. Where there is no version, or another is asked for, one is trained.
    """
    definition = load_model()
    objective = Objective(FALSE_LINK_RATE, definition.target_false_link_rate)
    with transaction() as connection:
        known = None if retrain else _usable(connection, objective)
        base = find_base(connection, period, linking_method(), known.version) if known else None
    encoded, engine = encode(definition, data), FusedEngine()
    content = content_hashes(data, content_seed())[encoded.source_row]
    if known is None:
        return _linked_anew(engine, data, encoded, content, objective)
    before = nothing_before() if base is None else read_before(base.run_id)
    relinked = relink(engine, known, encoded, content, before)
    checked = _judged(known, data, relinked, objective)
    return Linked(known, base, before, relinked, content, checked)


def _usable(connection: Connection, objective: Objective) -> TrainedModel | None:
    """Return the youngest version of today's definition with a threshold for today's objective, if any."""
    known = latest_model(connection, load_model().model)
    if known is None or known.definition != load_model() or known.join is None:
        return None
    return known if (known.join.objective, known.join.target) == (objective.name, objective.bound) else None


def _linked_anew(
    engine: FusedEngine, data: LinkData, encoded: Encoded, content: Words, objective: Objective
) -> Linked:
    """Return what linking finds with a model that is trained on these very records."""
    log.info("link: training the model %s on %d records", load_model().model, encoded.size)
    scored = score_encoded(engine, train_encoded(load_model(), encoded, engine), encoded)
    scored, threshold = choose_join(scored, data, objective)
    nobody = nothing_before()
    relinked = go_on(engine, scored, compare_content(nobody, encoded.record_ids, content), nobody)
    skipped = reason_to_skip(encoded.size, None)
    checked = check_threshold(scored, data, threshold, relinked.held, skipped)
    return Linked(scored.trained, None, nobody, relinked, content, checked)


def _judged(
    trained: TrainedModel, data: LinkData, relinked: Relinked, objective: Objective
) -> ThresholdReport:
    """Return what is expected of a threshold that was chosen before, among the pairs of today."""
    known, encoded = relinked.known, relinked.held.encoded
    row = encoded.source_row
    edges = make_edges(encoded.size, row[known.a], row[known.b], known.weight, known.barred)
    threshold = judge_join(trained, edges, data, objective)
    return report_threshold(edges, threshold, relinked.held, MADE_BEFORE)
