"""From the clusters of one run to people that last: a person keeps the id of its oldest record.

Membership says which record was which person from which run to which. A row is opened, and later closed by
another run, so what was believed at a run can be read for ever. Only the newest run can be assigned again: what
it opened and closed is taken back first.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from pipelines.errors import LinkageError
from pipelines.identity.records import LEDGER_LOCK
from pipelines.keys import person_id
from pipelines.settings import load_settings
from pipelines.warehouse.engine import lock_in_transaction


@dataclass(frozen=True)
class Assignment:
    """What a run changed: people it holds, people new and gone, memberships opened and closed."""

    people: int
    created: int
    retired: int
    opened: int
    closed: int


_OLDEST = text("""
    SELECT DISTINCT ON (c.cluster_id) c.cluster_id, c.record_id
    FROM linked.cluster_of(:run_id) c JOIN identity.record r USING (record_id)
    ORDER BY c.cluster_id, r.sequence
""")

_PREPARE = text("""
    CREATE TEMP TABLE IF NOT EXISTS next_membership (record_id uuid PRIMARY KEY, person_id uuid NOT NULL)
    ON COMMIT DROP
""")

_NEXT = text("""
    INSERT INTO next_membership (record_id, person_id)
    SELECT c.record_id, p.person_id
    FROM linked.cluster_of(:run_id) c
    JOIN unnest(CAST(:clusters AS uuid[]), CAST(:people AS uuid[])) AS p (cluster_id, person_id)
      USING (cluster_id)
""")

_TAKE_BACK = (
    text("DELETE FROM identity.membership WHERE valid_from_run = :run_id"),
    text("UPDATE identity.membership SET valid_to_run = NULL WHERE valid_to_run = :run_id"),
    text("DELETE FROM identity.person WHERE created_run = :run_id"),
    text("UPDATE identity.person SET retired_run = NULL WHERE retired_run = :run_id"),
)

_CLOSE = text("""
    UPDATE identity.membership m SET valid_to_run = :run_id
    WHERE m.valid_to_run IS NULL AND NOT EXISTS (
        SELECT FROM next_membership n WHERE n.record_id = m.record_id AND n.person_id = m.person_id)
""")

_OPEN = text("""
    INSERT INTO identity.membership (record_id, person_id, valid_from_run)
    SELECT n.record_id, n.person_id, :run_id
    FROM next_membership n
    WHERE NOT EXISTS (
        SELECT FROM identity.membership m WHERE m.record_id = n.record_id AND m.valid_to_run IS NULL)
""")

# A person whose oldest record left and came back is the same person again, under the same id.
_CREATE = text("""
    INSERT INTO identity.person (person_id, created_run)
    SELECT DISTINCT person_id, CAST(:run_id AS bigint) FROM next_membership
    ON CONFLICT (person_id) DO UPDATE SET retired_run = NULL WHERE person.retired_run IS NOT NULL
""")

_RETIRE = text("""
    UPDATE identity.person p SET retired_run = :run_id
    WHERE p.retired_run IS NULL AND NOT EXISTS (
        SELECT FROM next_membership n WHERE n.person_id = p.person_id)
""")


def assign_people(connection: Connection, run_id: int) -> Assignment:
    """Return what this run changes in the ledger: the same, and with the same result, when it is done again.

    Records that the run does not hold (vanished, sealed) leave their person.

    Raises:
        LinkageError: the run has no clusters, holds unregistered records, or is older than one already assigned.
    """
    lock_in_transaction(connection, LEDGER_LOCK)
    _check(connection, run_id)
    people = _prepare_next(connection, run_id)
    for statement in _TAKE_BACK:
        connection.execute(statement, {"run_id": run_id})
    closed = connection.execute(_CLOSE, {"run_id": run_id}).rowcount
    opened = connection.execute(_OPEN, {"run_id": run_id}).rowcount
    created = connection.execute(_CREATE, {"run_id": run_id}).rowcount
    retired = connection.execute(_RETIRE, {"run_id": run_id}).rowcount
    return Assignment(people, created, retired, opened, closed)


def _prepare_next(connection: Connection, run_id: int) -> int:
    """Return the number of people; the temporary table next_membership says who is whom by this run."""
    key = load_settings().key
    oldest = connection.execute(_OLDEST, {"run_id": run_id}).all()
    connection.execute(_PREPARE)
    connection.execute(text("TRUNCATE next_membership"))
    values = {
        "run_id": run_id,
        "clusters": [str(row.cluster_id) for row in oldest],
        "people": [person_id(key, str(row.record_id)) for row in oldest],
    }
    connection.execute(_NEXT, values)
    connection.execute(text("ANALYZE next_membership"))
    return len(oldest)


def _check(connection: Connection, run_id: int) -> None:
    """Raise LinkageError unless the run has clusters of registered records and is the newest assigned."""
    row = connection.execute(
        text("""
            SELECT count(*) AS records, count(*) FILTER (WHERE r.record_id IS NULL) AS unregistered,
                   (SELECT greatest(max(valid_from_run), max(valid_to_run)) FROM identity.membership) AS newest
            FROM linked.cluster_of(:run_id) c LEFT JOIN identity.record r USING (record_id)
        """),
        {"run_id": run_id},
    ).one()
    if not row.records:
        raise LinkageError(f"run {run_id} has no clusters")
    if row.unregistered:
        raise LinkageError(f"run {run_id}: {row.unregistered} record(s) in clusters are not registered")
    if row.newest is not None and row.newest > run_id:
        raise LinkageError(f"run {run_id} is older than run {row.newest}, which the ledger already holds")
