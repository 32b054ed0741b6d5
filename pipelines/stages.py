"""The four verbs, one function per task: read, call pure code, write, account for every row.

Ids go in and come out; data stays in the warehouse. Each function may be called again with the same ids, also
after it was killed half way, and leaves the same state. Airflow's tasks and the command line call nothing else.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from pipelines.contracts.loader import load_contract
from pipelines.errors import ExpectationsFailed
from pipelines.identity.purges import kept_out
from pipelines.identity.runs import later_period
from pipelines.ingest import deliveries, inbox, link_requests, requeue
from pipelines.ingest.receive import receive_delivery
from pipelines.normalise.assemble.context import NormaliseContext
from pipelines.normalising.part import Job
from pipelines.normalising.run import normalised_parts
from pipelines.normalising.save import FileTotals, save_normalised
from pipelines.periods import period_end
from pipelines.publish import build, swap
from pipelines.publish.views import create_views
from pipelines.quality import checks, reports
from pipelines.quality.gate import gate
from pipelines.quality.outcome import CheckScope, ExpectationOutcome
from pipelines.settings import load_settings
from pipelines.stage import stage
from pipelines.stage_report import StageReport
from pipelines.warehouse.engine import engine, stage_lock, transaction
from pipelines.warehouse.prepare import prepare_warehouse
from pipelines.warehouse.runs import Run, finish_run, open_run, read_run, save_report

AUTO_APPROVE = "setting JOINEDUP_AUTO_APPROVE"


@stage
def prepare() -> bool:
    """Return whether there was anything to do to make the warehouse and the analysts' views ready."""
    changed = prepare_warehouse()
    return bool(create_views()) or changed


@stage
def receive(agency: str, period: str, force: bool = False) -> dict[str, Any]:
    """Return the delivery that the agency's files in the inbox make up, received, archived and landed.

    `delivery_id` is None when nothing is left to do: every file was received before and went through all checks,
    or required files are still missing (then `waiting_for` names them).

    Raises:
        DeliveryRejected: a file is not what its contract says.
    """
    contract = load_contract(agency)
    folder = load_settings().inbox_dir / agency
    delivery = receive_delivery(contract, period, folder, force=force)
    return _received(delivery)


@stage
def requeue_delivery(agency: str, period: str) -> dict[str, Any]:
    """Return the delivery that takes an earlier one's archived files through every stage again, after a fix."""
    return _received(requeue.requeue_delivery(load_contract(agency), period))


def _received(delivery: deliveries.Delivery) -> dict[str, Any]:
    """Return what a received delivery means for the tasks that follow, its landing reports under its run."""
    waiting = list(delivery.waiting_for)
    if delivery.delivery_id is None or delivery.status == deliveries.NORMALISED:
        return {"delivery_id": None, "waiting_for": waiting}
    run = _ingest_run(delivery)
    with transaction() as connection:
        _adopt_reports(connection, run, delivery)
    return {"delivery_id": delivery.delivery_id, "waiting_for": waiting}


def _ingest_run(delivery: deliveries.Delivery) -> Run:
    inputs = {"agency": delivery.agency, "delivery_id": delivery.delivery_id}
    return open_run("ingest", delivery.period, inputs)


def _adopt_reports(connection: Connection, run: Run, delivery: deliveries.Delivery) -> None:
    """Give the landing reports of a delivery's extracts to its run: they were written before it had one."""
    connection.execute(
        text(
            "UPDATE audit.stage_report SET run_id = :run_id WHERE run_id IS NULL"
            " AND (details ->> 'extract_id')::bigint = ANY(:extract_ids)"
        ),
        {"run_id": run.run_id, "extract_ids": list(delivery.extract_ids.values())},
    )


@stage
def check_landing(delivery_id: int) -> None:
    """Check the landed rows of a delivery.

    Raises:
        ExpectationsFailed: a critical expectation failed; the delivery goes no further.
    """
    delivery = deliveries.get_delivery(delivery_id)
    scope = CheckScope(_ingest_run(delivery).run_id, delivery.period, delivery.agency)
    _gate_delivery(delivery_id, checks.check_landing(engine(), scope, delivery.extract_ids))


@stage
def normalise_delivery(delivery_id: int) -> dict[str, int]:
    """Return the balanced counts of a delivery whose landed rows became rows of the shared schema."""
    delivery = deliveries.get_delivery(delivery_id)
    run, settings = _ingest_run(delivery), load_settings()
    started = time.monotonic()
    context = NormaliseContext(
        contract=load_contract(delivery.agency).at(delivery.period),
        period_end=period_end(delivery.period),
        key=settings.key,
        allow_synthetic=settings.allow_synthetic,
    )
    with stage_lock(f"normalise {delivery.agency}"):
        with transaction() as connection:
            purged = kept_out(connection, delivery.period)
        job = Job(context, delivery.extract_ids, purged)
        with transaction() as connection, closing(normalised_parts(job)) as parts:
            totals = save_normalised(connection, delivery.extract_ids, parts)
            reports = [_normalise_report(delivery, name, found) for name, found in totals.items()]
            for each in reports:
                save_report(connection, run.run_id, each, time.monotonic() - started)
    counts = ("rows_in", "rows_out", "quarantined", "duplicates", "withheld")
    return {name: sum(getattr(each, name) for each in reports) for name in counts}


def _normalise_report(delivery: deliveries.Delivery, name: str, found: FileTotals) -> StageReport:
    """Return where a file's rows went; those left out are of records that were purged."""
    return StageReport(
        stage="normalise",
        agency=delivery.agency,
        file=name,
        period=delivery.period,
        rows_in=found.rows_in + found.left_out,
        rows_out=found.contributed,
        withheld=found.left_out,
        quarantined=found.quarantined,
        duplicates=len(found.duplicate_of),
        details={"duplicate_of": {str(row): of for row, of in sorted(found.duplicate_of.items())}},
    ).balanced()


@stage
def check_normalised(delivery_id: int) -> None:
    """Check the normalised rows of a delivery; see `check_landing`."""
    delivery = deliveries.get_delivery(delivery_id)
    scope = CheckScope(_ingest_run(delivery).run_id, delivery.period, delivery.agency)
    extract_ids = list(delivery.extract_ids.values())
    _gate_delivery(delivery_id, checks.check_normalised(engine(), scope, extract_ids))


def _gate_delivery(delivery_id: int, outcomes: tuple[ExpectationOutcome, ...]) -> None:
    """Let the delivery pass, or mark it as failed so that no link uses it."""
    try:
        gate(outcomes)
    except ExpectationsFailed:
        deliveries.mark_failed(delivery_id)
        raise


@stage
def announce(delivery_id: int) -> dict[str, Any] | None:
    """Return the link request that this delivery causes; None while its period waits for other agencies.

    The delivery went through every check: from here on it counts. Exactly one delivery causes a request.
    """
    delivery = deliveries.get_delivery(delivery_id)
    run = _ingest_run(delivery)
    with transaction() as connection:
        finish_run(connection, run.run_id)
    reports.write_reports(engine(), run.run_id, with_data_docs=False)
    request = link_requests.request_link(delivery_id)
    if request is None:
        return None
    return {"request_id": request.request_id, "period": request.period, "cause": request.cause}


@stage
def due_cutoffs() -> list[str]:
    """Return the periods that are past their cut-off and are to be linked with what may be carried forward."""
    return [request.period for request in link_requests.due_cutoffs(datetime.now(UTC).date())]


@stage
def scan_inbox() -> list[dict[str, str]]:
    """Return the deliveries that stand in the inbox, whole and at rest: agency, period, fingerprint."""
    return [
        {"agency": ready.agency, "period": ready.period, "fingerprint": ready.fingerprint}
        for ready in inbox.scan_inbox().ready
    ]


@stage
def link_period(period: str, retrain: bool = False) -> int:
    """Return the linkage run of a period's latest deliveries; linked before with the same inputs, it is that run.

    Raises:
        LinkageError: an agency that is required has nothing that may be used.
    """
    from pipelines.linking import link_run  # two seconds of imports, which the other tasks do without

    return link_run(period, retrain)


@stage
def check_linked(run_id: int) -> None:
    """Check a linkage run; raises ExpectationsFailed when a critical expectation failed.

    Of a period before the latest linked one, the people are another run's and are not checked against this one.
    """
    with transaction() as connection:
        run = read_run(connection, run_id)
        has_people = later_period(connection, run.period) is None
    gate(checks.check_linked(engine(), CheckScope(run_id, run.period), run_id, with_people=has_people))
    reports.write_reports(engine(), run_id, with_data_docs=False)


@stage
def build_release(run_id: int) -> int:
    """Return the release built from a linkage run, beside the live one; nobody reads it yet."""
    built = build.build_release(run_id)
    counts = built.counts
    with transaction() as connection:
        run = read_run(connection, built.run_id)
        save_report(
            connection,
            built.run_id,
            StageReport(
                stage="publish",
                period=run.period,
                rows_in=counts.records_in,
                rows_out=counts.records_published,
                withheld=counts.records_withheld + counts.records_not_linked,
                details={"rows": asdict(counts), "tables": dict(built.tables)},
            ),
        )
    return built.release_id


@stage
def check_release(release_id: int) -> dict[str, Any]:
    """Return whether a human must answer for this release: warnings of any stage that feeds it count.

    Raises:
        ExpectationsFailed: a critical expectation failed; the live release stays.
        ReleaseError: the live release speaks of a later day; nobody needs to be asked.
    """
    swap.reject_older(release_id)
    with transaction() as connection:
        run_id, link_run_id = _runs_of_release(connection, release_id)
        period = read_run(connection, link_run_id).period
    gate(checks.check_release(engine(), CheckScope(run_id, period), release_id))
    with transaction() as connection:
        warnings = _warnings(connection, (run_id, link_run_id, *_ingest_runs(connection, link_run_id)))
    answered = AUTO_APPROVE if warnings and load_settings().auto_approve else None
    return {"needs_approval": warnings > 0, "warnings": warnings, "answered_by": answered}


def _runs_of_release(connection: Connection, release_id: int) -> tuple[int, int]:
    row = connection.execute(
        text("SELECT run_id, link_run_id FROM publication.release WHERE release_id = :release_id"),
        {"release_id": release_id},
    ).one()
    return row.run_id, row.link_run_id


def _ingest_runs(connection: Connection, link_run_id: int) -> list[int]:
    """Return the ingest runs of the deliveries that a linkage run used."""
    deliveries_used = list(read_run(connection, link_run_id).inputs["delivery_ids"])
    rows = connection.execute(
        text(
            "SELECT run_id FROM audit.run WHERE kind = 'ingest' AND (inputs ->> 'delivery_id')::bigint = ANY(:ids)"
        ),
        {"ids": deliveries_used},
    )
    return list(rows.scalars())


def _warnings(connection: Connection, run_ids: tuple[int, ...]) -> int:
    """Return how many expectations failed with severity warning in these runs."""
    query = text(
        "SELECT count(*) FROM audit.expectation_result"
        " WHERE run_id = ANY(:run_ids) AND NOT success AND severity = 'warning'"
    )
    return int(connection.execute(query, {"run_ids": list(run_ids)}).scalar_one())


@stage
def publish_release(release_id: int, approved_by: str, reason: str) -> None:
    """Swap a checked release in, by one UPDATE, recording who approved it and why."""
    swap.publish_release(release_id, approved_by, reason)
    swap.drop_old_releases()


@stage
def reject_release(release_id: int, reason: str, rejected_by: str = "approval task") -> None:
    """Record that a release was rejected; the live one stays."""
    swap.reject_release(release_id, rejected_by, reason)


@stage
def write_reports(release_id: int) -> None:
    """Write the expectation report of a release's runs, the index, and Great Expectations' Data Docs."""
    with transaction() as connection:
        run_id, link_run_id = _runs_of_release(connection, release_id)
        runs = (*_ingest_runs(connection, link_run_id), link_run_id, run_id)
    for each in runs:
        reports.write_reports(engine(), each, with_data_docs=each == run_id)
