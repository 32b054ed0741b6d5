"""Building a release beside the live one: everything in one transaction, nobody reads it before the swap."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from pipelines.contracts.shared import published_tables
from pipelines.errors import ReleaseError
from pipelines.identity.runs import LinkRun, later_period, read_link_run
from pipelines.publish.change_counts import insert_change_counts
from pipelines.publish.change_log import insert_changes, release_before
from pipelines.publish.headlines import linked_person_statement
from pipelines.publish.manifest import keep_manifest
from pipelines.publish.people import insert_people
from pipelines.publish.safeguard import require_nobody_found
from pipelines.publish.successors import insert_successors
from pipelines.publish.summaries import insert_currency, insert_overlap
from pipelines.publish.working import RowCounts, prepare_working_tables
from pipelines.warehouse.engine import lock_in_transaction, transaction

RELEASE_LOCK = "release"

_EVENTS = text("""
    INSERT INTO publication.person_event (
        release_id, as_of, event_pseudonym, person_pseudonym, agency, event_type, event_date, event_end_date,
        category)
    SELECT :release_id, :as_of, e.pseudonym, p.pseudonym, agency, event_type, event_date, event_end_date, category
    FROM release_event
    JOIN event_name_of e ON e.id = event_id
    JOIN person_name_of p ON p.id = person_id
""")


@dataclass(frozen=True)
class BuiltRelease:
    """A release that stands ready to be checked: its id, what went into it, and the rows of each table."""

    release_id: int
    run_id: int
    counts: RowCounts
    tables: Mapping[str, int]


def build_release(link_run_id: int) -> BuiltRelease:
    """Return the release built from a linkage run; built again, it replaces one that nobody decided on yet.

    Raises:
        LinkageError: there is no such linkage run.
        ReleaseError: the run's people are not in the ledger, it is of a period before the latest linked one, or
            somebody who must not be found would be.
    """
    with transaction() as connection:
        lock_in_transaction(connection, RELEASE_LOCK)
        run = read_link_run(connection, link_run_id)
        _require_latest(connection, run)
        release_id, run_id = _open_release(connection, run)
        counts = prepare_working_tables(connection, run)
        if counts.records_published == 0:
            raise ReleaseError(f"linkage run {link_run_id} has no people to publish; were they assigned?")
        tables = _fill(connection, release_id, run)
        require_nobody_found(connection, release_id, run)
        for name in tables:
            # A second release doubles the tables; with old statistics the checks would take a minute.
            connection.exec_driver_sql(f"ANALYZE publication.{name}")
        built = BuiltRelease(release_id, run_id, counts, tables)
        keep_manifest(connection, release_id, run, {"rows": vars(counts), "tables": dict(tables)})
    return built


def _require_latest(connection: Connection, run: LinkRun) -> None:
    """Raise ReleaseError when the ledger stands at a later period: a release does not go back."""
    later = later_period(connection, run.period)
    if later is not None:
        raise ReleaseError(
            f"linkage run {run.run_id} is of {run.period}, and {later} was linked before it: a release does not go"
            f" back. `joinedup link {later}` takes in what the correction changes for {later};"
            " `joinedup roll-back` brings an earlier release back"
        )


def _fill(connection: Connection, release_id: int, run: LinkRun) -> dict[str, int]:
    """Return the number of rows written to each table of `publication`, from the working tables."""
    key = {"release_id": release_id, "as_of": run.as_of}
    statement, headlines = linked_person_statement()
    since = release_before(connection)
    return {
        "person": insert_people(connection, release_id, run),
        "person_event": connection.execute(_EVENTS, key).rowcount,
        "linked_person": connection.execute(statement, {**key, **headlines}).rowcount,
        "agency_overlap": insert_overlap(connection, release_id, run),
        "data_currency": insert_currency(connection, release_id, run),
        "person_successor": insert_successors(connection, release_id, run),
        "person_change": insert_changes(connection, release_id, run, since),
        "change_count": insert_change_counts(connection, release_id, run, since),
    }


def _open_release(connection: Connection, run: LinkRun) -> tuple[int, int]:
    """Return the ids of the release and its run: an undecided release of this linkage run, emptied, or new ones."""
    undecided = connection.execute(
        text(
            "SELECT release_id, run_id FROM publication.release WHERE link_run_id = :run_id AND status = 'BUILT'"
        ),
        {"run_id": run.run_id},
    ).first()
    if undecided is not None:
        empty_release(connection, undecided.release_id)
        return undecided.release_id, undecided.run_id
    run_id = connection.scalar(
        text("""
            INSERT INTO audit.run (kind, period, inputs) VALUES ('publish', :period, CAST(:inputs AS jsonb))
            RETURNING run_id
        """),
        {"period": run.period, "inputs": json.dumps({"link_run_id": run.run_id})},
    )
    release_id = connection.scalar(
        text("""
            INSERT INTO publication.release (run_id, link_run_id, as_of, status)
            VALUES (:run_id, :link_run_id, :as_of, 'BUILT') RETURNING release_id
        """),
        {"run_id": run_id, "link_run_id": run.run_id, "as_of": run.as_of},
    )
    return int(release_id or 0), int(run_id or 0)


def empty_release(connection: Connection, release_id: int) -> None:
    """Delete the stored rows of a release; the register keeps the release itself."""
    for table in published_tables():
        delete = text(f"DELETE FROM publication.{table} WHERE release_id = :release_id")  # noqa: S608 - our names
        connection.execute(delete, {"release_id": release_id})
