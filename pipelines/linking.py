"""A linkage run from the warehouse to the warehouse: who may be linked, with which model, and what came of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Connection

from pipelines.contracts.model import load_model
from pipelines.errors import LinkageError
from pipelines.identity.judgements import as_run_input, live_judgements
from pipelines.identity.people import assign_people
from pipelines.identity.protection import SEALED, latest_demand, protected_records, record_protections
from pipelines.identity.records import register_records
from pipelines.identity.review import fill_review_queue
from pipelines.identity.runs import later_period
from pipelines.ingest.link_inputs import LinkInputs, link_inputs
from pipelines.link import FusedEngine, TrainedModel, seal_closure, train_encoded
from pipelines.link.checks import MADE_BEFORE, check_threshold, reason_to_skip
from pipelines.link.clusters import ClusterReport
from pipelines.link.data import LinkData
from pipelines.link.encode import encode
from pipelines.link.engines.base import Scored, ScoringReport, score_encoded
from pipelines.link.forced import with_judged
from pipelines.link.hold import choose_join, hold_together
from pipelines.link.judged import Judged, Ruling, joined_with, needing_attention
from pipelines.link.report.content import as_data, describe_blocking
from pipelines.link.thresholds.assess import Objective
from pipelines.link.thresholds.choose import FALSE_LINK_RATE, Threshold
from pipelines.link.thresholds.rates import error_rates
from pipelines.link.thresholds.report import ThresholdReport
from pipelines.settings import load_settings
from pipelines.stage_report import StageReport
from pipelines.warehouse.engine import stage_lock, transaction
from pipelines.warehouse.linkage import (
    latest_model,
    read_link_data,
    save_clusters,
    save_edges,
    save_lineage,
    save_model,
)
from pipelines.warehouse.runs import Run, finish_run, open_run, save_report

log = logging.getLogger("joinedup")


@dataclass(frozen=True)
class Linked:
    """What a linkage run found, before it is written."""

    model: TrainedModel
    report: ScoringReport
    held: ClusterReport
    checked: ThresholdReport
    edges: pa.Table
    clusters: pa.Table
    summaries: pa.Table
    records_in: int
    withheld: int


def link_run(period: str, retrain: bool = False) -> int:
    """Return the id of the linkage run over a period's latest deliveries; done before, it is not done again.

    Raises:
        LinkageError: an agency that is required has nothing that may be used.
    """
    inputs = link_inputs(period)
    if inputs.missing:
        raise LinkageError(f"{period} cannot be linked: nothing usable from {', '.join(inputs.missing)}")
    rulings = _rulings()
    run = open_run("link", period, _as_inputs(inputs, retrain, rulings))
    if run.is_done:
        log.info("link %s: run %d linked the same deliveries before; nothing to do", period, run.run_id)
        return run.run_id
    with stage_lock("link"):
        started = time.monotonic()
        linked = _link(run.run_id, inputs, retrain, rulings)
        with transaction() as connection:
            _save(connection, run, linked)
            fill_review_queue(connection, run.run_id, rulings, linked.model.link_probability)
            save_report(connection, run.run_id, _report(period, linked), time.monotonic() - started)
            finish_run(connection, run.run_id, model_version=linked.model.version)
    return run.run_id


def _as_inputs(inputs: LinkInputs, retrain: bool, rulings: Sequence[Ruling]) -> dict[str, object]:
    return {
        "period": inputs.period,
        "delivery_ids": list(inputs.delivery_ids),
        "extract_ids": list(inputs.extract_ids),
        "carried_forward": dict(inputs.carried_forward),
        "definition": load_model().model,
        "retrain": retrain,
        "notice_id": _latest_demand(),
        "judgements": as_run_input(rulings),
    }


def _rulings() -> list[Ruling]:
    """Return what people decided about pairs of records, as it counts now."""
    with transaction() as connection:
        return live_judgements(connection)


def _latest_demand() -> int | None:
    """Return the last notice that somebody gave by hand: after a further one the same deliveries link anew."""
    with transaction() as connection:
        return latest_demand(connection)


def _link(run_id: int, inputs: LinkInputs, retrain: bool, rulings: Sequence[Ruling]) -> Linked:
    """Return what linking finds among the records that may be linked."""
    with transaction() as connection:
        record_protections(connection, run_id)
        sealed = [each.record_id for each in protected_records(connection) if each.level == SEALED]
    everyone = read_link_data(inputs.extract_ids, load_settings().allow_synthetic)
    present = frozenset(everyone.records["record_id"].to_pylist())
    sealed_here = frozenset(sealed) & present
    # Who shares an identifier with a sealed record is not linked either, but stays known, each record alone.
    alone = seal_closure(everyone.identifiers, sealed) & present
    data, engine = everyone.without(alone), FusedEngine()
    scored, threshold, is_new = _scored(data, engine, retrain)
    log.info("link: %d records, model %s", data.records.num_rows, scored.trained.version)
    judged = Judged.compiled(rulings, scored.encoded)
    edges = with_judged(engine, scored, judged)
    held = hold_together(engine, edges, judged)
    skipped = reason_to_skip(data.records.num_rows, None) if is_new else MADE_BEFORE
    checked = check_threshold(scored, data, threshold, held, skipped)
    clusters, summaries = _with_singletons(held.table, held.summaries, present - sealed_here)
    summaries = needing_attention(summaries, clusters, joined_with(rulings, alone))
    return Linked(
        scored.trained,
        scored.report,
        held.clusters.report,
        checked,
        held.edges(edges),
        clusters,
        summaries,
        len(present),
        len(sealed_here),
    )


def _with_singletons(
    clusters: pa.Table, summaries: pa.Table, records: frozenset[str]
) -> tuple[pa.Table, pa.Table]:
    """Return clusters and summaries and, for each further record, a cluster of its own; both sorted."""
    alone = sorted(records - frozenset(clusters["record_id"].to_pylist()))
    size = len(alone)
    more = pa.table({"record_id": alone, "cluster_id": alone}, schema=clusters.schema)
    facts = pa.table(
        {
            "cluster_id": alone,
            "records": [1] * size,
            "weakest_link_probability": [None] * size,
            "density": [1.0] * size,
            "was_cut": [False] * size,
            "is_contested": [False] * size,
            "needs_attention": [False] * size,
        },
        schema=summaries.schema,
    )
    return (
        pa.concat_tables([clusters, more]).sort_by("record_id"),
        pa.concat_tables([summaries, facts]).sort_by("cluster_id"),
    )


def _scored(data: LinkData, engine: FusedEngine, retrain: bool) -> tuple[Scored, Threshold, bool]:
    """Return the edges under the youngest trained version of today's definition; a new one when there is none.

    Beside them what is expected of the threshold here, and whether the version is new. A version is frozen, its
    join threshold too: later periods are scored and linked by the same, so that a weight does not depend on when
    a pair came in.
    """
    definition = load_model()
    with transaction() as connection:
        known = latest_model(connection, definition.model)
    encoded = encode(definition, data)
    objective = Objective(FALSE_LINK_RATE, definition.target_false_link_rate)
    if known is not None and known.definition == definition and not retrain:
        return *choose_join(score_encoded(engine, known, encoded), data, objective), False
    log.info("link: training the model %s on %d records", definition.model, data.records.num_rows)
    scored = score_encoded(engine, train_encoded(definition, encoded, engine), encoded)
    return *choose_join(scored, data, objective), True


def _save(connection: Connection, run: Run, linked: Linked) -> None:
    """Keep what linking found; of a period before the one where the ledger stands, the ledger takes no people."""
    run_id = run.run_id
    save_model(connection, linked.model)
    save_lineage(connection, run_id, linked.model.version, "")
    save_edges(connection, run_id, linked.model.version, linked.edges)
    save_clusters(connection, run_id, linked.clusters, linked.summaries)
    register_records(connection, run_id)
    if (later := later_period(connection, run.period)) is None:
        assign_people(connection, run_id)
    else:
        log.warning("link %s: %s was linked before; the people stay as that run left them", run.period, later)


def _report(period: str, linked: Linked) -> StageReport:
    found = linked.report
    return StageReport(
        stage="link",
        period=period,
        rows_in=linked.records_in,
        rows_out=linked.clusters.num_rows,
        withheld=linked.withheld,
        details={
            "pairs": found.pairs,
            "edges": found.edges,
            "links": found.links,
            "barred": found.barred,
            "clusters": linked.summaries.num_rows,
            "cutting": as_data(linked.held),
            "link_probability": linked.model.link_probability,
            "model_version": linked.model.version,
            "blocking": describe_blocking(linked.model, found.pairs, found.rules),
            "threshold_report": as_data(linked.checked),
            "error_rates": as_data(error_rates(linked.checked)),
        },
    )
