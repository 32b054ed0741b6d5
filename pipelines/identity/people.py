"""From the clusters of one run to people that last.

Membership says which record was which person from which run to which. A row is opened, and later closed by
another run, so what was believed at a run can be read for ever. Only the newest run can be assigned again: what
it changed is taken back first. Who keeps the id is decided in `succession`, why in `causes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from pipelines.errors import LinkageError
from pipelines.identity.affected import Runs, find_affected, read_facts, read_links
from pipelines.identity.causes import find_causes
from pipelines.identity.changes import Kind, list_changes
from pipelines.identity.deciding import Links, deciding_links
from pipelines.identity.keep import keep_changes, keep_people, take_back
from pipelines.identity.records import LEDGER_LOCK
from pipelines.identity.succession import decide
from pipelines.link.features import Ints
from pipelines.settings import load_settings
from pipelines.warehouse.engine import lock_in_transaction

# With old statistics the queries after a first run would take minutes.
MANY = 10_000
NO_LINKS = Links(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class Assignment:
    """What a run changed: people it holds, people new and gone, memberships opened and closed."""

    people: int
    created: int
    retired: int
    opened: int
    closed: int


def assign_people(connection: Connection, run_id: int) -> Assignment:
    """Return what this run changes in the ledger: the same, and with the same result, when it is done again.

    Records that the run does not hold (vanished, sealed) leave their person.

    Raises:
        LinkageError: the run has no clusters, holds unregistered records, or is older than one already assigned.
    """
    lock_in_transaction(connection, LEDGER_LOCK)
    people = _check(connection, run_id)
    take_back(connection, run_id)
    runs = Runs(run_id, _newest(connection))
    situation = find_affected(connection, runs)
    succession = decide(situation)
    changes = list_changes(situation, succession)
    now, then = (_links(connection, run, changes.kind) for run in (run_id, runs.previous))
    deciding = deciding_links(situation, succession, changes, now, then)
    causes = find_causes(situation, succession, changes, deciding, read_facts(connection, runs))
    opened, closed = keep_people(connection, runs, situation, succession, load_settings().key)
    keep_changes(connection, runs, changes, deciding, causes)
    if opened + closed > MANY:
        connection.exec_driver_sql("ANALYZE identity.membership, identity.person, identity.change")
    retired = int((~succession.lasts & ~situation.is_retired).sum())
    return Assignment(people, len(succession.founder), retired, opened, closed)


def _links(connection: Connection, run_id: int | None, kinds: Ints) -> Links:
    """Return the links of a run; none where nobody merged, split or moved, so that none decided anything."""
    if run_id is None or not np.isin(kinds, (Kind.MERGED, Kind.SPLIT, Kind.JOINED, Kind.LEFT)).any():
        return NO_LINKS
    return read_links(connection, run_id)


def _newest(connection: Connection) -> int | None:
    """Return the newest run that the ledger took people from, if any."""
    found: int | None = connection.scalar(text("SELECT max(run_id) FROM identity.ledger_run"))
    return found


def _check(connection: Connection, run_id: int) -> int:
    """Return how many clusters the run has, all of registered records.

    Raises:
        LinkageError: it has none, holds unregistered records, or is not the newest.
    """
    row = connection.execute(
        text("""
            SELECT count(*) AS clusters, coalesce(sum(unregistered), 0) AS unregistered
            FROM (SELECT count(*) FILTER (WHERE r.record_id IS NULL) AS unregistered
                  FROM linked.cluster_of(:run_id) c LEFT JOIN identity.record r USING (record_id)
                  GROUP BY c.cluster_id) AS clusters
        """),
        {"run_id": run_id},
    ).one()
    newest = _newest(connection)
    if not row.clusters:
        raise LinkageError(f"run {run_id} has no clusters")
    if row.unregistered:
        raise LinkageError(f"run {run_id}: {row.unregistered} record(s) in clusters are not registered")
    if newest is not None and newest > run_id:
        raise LinkageError(f"run {run_id} is older than run {newest}, which the ledger already holds")
    return int(row.clusters)
