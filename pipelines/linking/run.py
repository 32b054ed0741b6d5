"""A linkage run as the stage calls it: what it works on, what linking finds, what is kept of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from pipelines.contracts.model import load_model
from pipelines.errors import LinkageError
from pipelines.identity.forget import forget_purged
from pipelines.identity.judgements import JudgedNow, as_run_input, read_judgements_now
from pipelines.identity.people import assign_people
from pipelines.identity.protection import latest_demand
from pipelines.identity.purges import latest_purge
from pipelines.identity.records import register_records
from pipelines.identity.review import fill_review_queue
from pipelines.identity.runs import later_period
from pipelines.ingest.link_inputs import LinkInputs, link_inputs
from pipelines.link.incremental.rows import difference
from pipelines.link.judged import Ruling, joined_with, needing_attention
from pipelines.link.report.content import as_data, describe_blocking
from pipelines.link.thresholds.rates import error_rates
from pipelines.linking.counts import count_records
from pipelines.linking.find import find_or_open
from pipelines.linking.method import linking_method
from pipelines.linking.scope import Scope, read_scope
from pipelines.linking.scores import Linked, link_data
from pipelines.stage_report import StageReport
from pipelines.warehouse.chain_rows import save_alone, save_clusters, save_edges, save_lineage
from pipelines.warehouse.chains import Place
from pipelines.warehouse.engine import stage_lock, transaction
from pipelines.warehouse.linkage import save_model
from pipelines.warehouse.runs import Run, finish_run, save_report

log = logging.getLogger("joinedup")


def link_run(period: str, retrain: bool = False) -> int:
    """Return the id of the linkage run over a period's latest deliveries; done before, it is not done again.

    Raises:
        LinkageError: an agency that is required has nothing that may be used.
    """
    inputs = link_inputs(period)
    if inputs.missing:
        raise LinkageError(f"{period} cannot be linked: nothing usable from {', '.join(inputs.missing)}")
    with transaction() as connection:
        judged = read_judgements_now(connection)
        decided = _decided(connection, judged)
    with stage_lock("link"):
        run = find_or_open(period, {**_as_inputs(inputs, retrain), **decided})
        if run.is_done:
            log.info("link %s: run %d linked the same deliveries before; nothing to do", period, run.run_id)
            return run.run_id
        started = time.monotonic()
        scope = read_scope(run.run_id, inputs.extract_ids)
        linked = link_data(scope.data, period, retrain, judged)
        with transaction() as connection:
            counts = count_records(connection, linked)
            _tell(linked, counts)
            _save(connection, run, scope, linked, judged.rulings, counts)
            fill_review_queue(connection, run.run_id, judged.rulings, linked.model.link_probability)
            report = _report(period, scope, linked, counts)
            save_report(connection, run.run_id, report, time.monotonic() - started)
            finish_run(connection, run.run_id, model_version=linked.model.version)
    return run.run_id


def _as_inputs(inputs: LinkInputs, retrain: bool) -> dict[str, object]:
    return {
        "period": inputs.period,
        "delivery_ids": list(inputs.delivery_ids),
        "extract_ids": list(inputs.extract_ids),
        "carried_forward": dict(inputs.carried_forward),
        "definition": load_model().model,
        "retrain": retrain,
    }


def _decided(connection: Connection, judged: JudgedNow) -> dict[str, object]:
    """Return what people decided so far: after a further decision the same deliveries link anew."""
    purge = latest_purge(connection)
    return {
        "notice_id": latest_demand(connection),
        "judgements": as_run_input(judged),
        # Not named before there is one: runs from before there were purges are still found by their inputs.
        **({} if purge is None else {"purge_id": purge}),
    }


def _tell(linked: Linked, counts: Mapping[str, int]) -> None:
    base = linked.base
    told = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    since = "everybody anew" if base is None else f"what changed since run {base.run_id}"
    log.info("link: model %s, %s: %s records", linked.model.version, since, told)


def _save(
    connection: Connection,
    run: Run,
    scope: Scope,
    linked: Linked,
    rulings: Sequence[Ruling],
    counts: Mapping[str, int],
) -> None:
    """Keep what linking found; of a period before the one where the ledger stands, the ledger takes no people."""
    run_id = run.run_id
    place = Place(run_id, linked.base, linked.model.version, linking_method())
    found = difference(linked.before, linked.relinked, linked.content)
    save_model(connection, linked.model)
    save_lineage(connection, place, counts)
    save_edges(connection, place, found)
    joined = joined_with(rulings, scope.never_compared)
    marked = needing_attention(found.summaries, linked.relinked.held.table, joined)
    save_clusters(connection, place, replace(found, summaries=marked))
    save_alone(connection, place, scope.alone, joined)
    register_records(connection, run_id)
    if (later := later_period(connection, run.period)) is None:
        assign_people(connection, run_id)
    else:
        log.warning("link %s: %s was linked before; the people stay as that run left them", run.period, later)
    forget_purged(connection)


def _report(period: str, scope: Scope, linked: Linked, counts: Mapping[str, int]) -> StageReport:
    relinked = linked.relinked
    scored, known, held = relinked.scored, relinked.known, relinked.held
    return StageReport(
        stage="link",
        period=period,
        rows_in=scope.records,
        rows_out=held.encoded.size + len(scope.alone),
        withheld=len(scope.sealed),
        details={
            "records": dict(counts),
            "base_run": linked.base and linked.base.run_id,
            "pairs": scored.pairs,
            "edges": len(known.weight),
            "links": int(relinked.is_link.sum()),
            "barred": int(known.barred.sum()),
            "clusters": len(held.names) + len(scope.alone),
            "cutting": as_data(held.report),
            "link_probability": linked.model.link_probability,
            "model_version": linked.model.version,
            "blocking": describe_blocking(linked.model, scored.pairs, scored.rules),
            "threshold_report": as_data(linked.checked),
            "error_rates": as_data(error_rates(linked.checked)),
        },
    )
