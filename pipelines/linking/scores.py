"""The pairs and clusters of a run: going on from an earlier run where that is possible, else everybody anew."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from pipelines.contracts.model import load_model
from pipelines.identity.judgements import NOBODY_JUDGED, JudgedNow
from pipelines.identity.purges import purged_since
from pipelines.link import FusedEngine, LinkData, TrainedModel, train_encoded
from pipelines.link.checks import MADE_BEFORE, check_threshold, reason_to_skip, report_threshold
from pipelines.link.encode import encode
from pipelines.link.engines.base import score_encoded
from pipelines.link.fused.arrays import Words
from pipelines.link.hold import choose_join, judge_join
from pipelines.link.incremental import Before, Relinked, compare_content, content_hashes, nothing_before
from pipelines.link.incremental.relink import go_on, relink
from pipelines.link.judged import Judged
from pipelines.link.thresholds.assess import Objective
from pipelines.link.thresholds.choose import FALSE_LINK_RATE
from pipelines.link.thresholds.edges import make_edges
from pipelines.link.thresholds.report import ThresholdReport
from pipelines.linking.method import content_seed, linking_method
from pipelines.warehouse.chains import Base, find_base, read_before
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.linkage import latest_model, read_model

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


def link_data(data: LinkData, period: str, retrain: bool, judged: JudgedNow = NOBODY_JUDGED) -> Linked:
    """Return what linking finds among the records of a period, under the youngest version of today's definition.

    A version is frozen, its join threshold too: later periods are scored and linked by the same, so that a weight
    does not depend on when a pair came in. Where there is no version, or another is asked for, one is trained.
    """
    with transaction() as connection:
        known = None if retrain else _usable(connection)
        base = find_base(connection, period, linking_method(), known.version) if known else None
    if known is None:
        return _trained(data, judged)
    return _gone_on(data, known, base, judged)


def link_anew(data: LinkData, model_version: str | None, judged: JudgedNow = NOBODY_JUDGED) -> Linked:
    """Return what linking finds when it compares everybody with everybody, whatever was found before.

    Under the model of a version; with None, under one that is trained for it.
    """
    if model_version is None:
        return _trained(data, judged)
    with transaction() as connection:
        return _gone_on(data, read_model(connection, model_version), None, judged)


def _objective() -> Objective:
    return Objective(FALSE_LINK_RATE, load_model().target_false_link_rate)


def _gone_on(data: LinkData, trained: TrainedModel, base: Base | None, judged: JudgedNow) -> Linked:
    """Return what linking finds under a model version, going on from an earlier run where there is one."""
    encoded = encode(trained.definition, data, trained.hubs)
    content = content_hashes(data, content_seed())[encoded.source_row]
    before = nothing_before() if base is None else _since_purges(read_before(base.run_id), base)
    relinked = relink(
        FusedEngine(),
        trained,
        encoded,
        content,
        before,
        judged=Judged.compiled(judged.rulings, encoded),
        look_at=encoded.positions_of(judged.named),
    )
    return Linked(trained, base, before, relinked, content, _judged(trained, data, relinked))


def _usable(connection: Connection) -> TrainedModel | None:
    """Return the youngest version of today's definition with a threshold for today's objective, if any."""
    objective, known = _objective(), latest_model(connection, load_model().model)
    if known is None or known.definition != load_model() or known.join is None:
        return None
    return known if (known.join.objective, known.join.target) == (objective.name, objective.bound) else None


def _since_purges(before: Before, base: Base) -> Before:
    """Return what a run left, where records that were purged since are not what they were.

    One that came in again is linked as if it were new, so that nothing from before its purge is gone on from.
    """
    with transaction() as connection:
        purged = purged_since(connection, base.run_id)
    if not purged:
        return before
    is_purged = pc.is_in(before.record_ids, pa.array(sorted(purged), pa.string()))
    other = np.where(is_purged.to_numpy(zero_copy_only=False), ~before.content, before.content)
    return replace(before, content=other)


def _trained(data: LinkData, judged: JudgedNow) -> Linked:
    """Return what linking finds with a model that is trained on these very records."""
    definition, engine = load_model(), FusedEngine()
    encoded = encode(definition, data)
    content = content_hashes(data, content_seed())[encoded.source_row]
    log.info("link: training the model %s on %d records", definition.model, encoded.size)
    scored = score_encoded(engine, train_encoded(definition, encoded, engine), encoded)
    scored, threshold = choose_join(scored, data, _objective())
    nobody = nothing_before()
    everything = compare_content(nobody, encoded.record_ids, content)
    relinked = go_on(engine, scored, everything, nobody, Judged.compiled(judged.rulings, encoded))
    skipped = reason_to_skip(encoded.size, None)
    checked = check_threshold(scored, data, threshold, relinked.held, skipped)
    return Linked(scored.trained, None, nobody, relinked, content, checked)


def _judged(trained: TrainedModel, data: LinkData, relinked: Relinked) -> ThresholdReport:
    """Return what is expected of a threshold that was chosen before, among the pairs of today."""
    known, encoded = relinked.known, relinked.held.encoded
    row = encoded.source_row
    edges = make_edges(encoded.size, row[known.a], row[known.b], known.weight, known.barred)
    threshold = judge_join(trained, edges, data, _objective())
    return report_threshold(edges, threshold, relinked.held, MADE_BEFORE)
