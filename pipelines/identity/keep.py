"""Writing down what a run changed about the people, and taking it back: set by set, in the caller's transaction."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection, text

from pipelines.identity.affected import Runs
from pipelines.identity.causes import Cause
from pipelines.identity.changes import Changes, Kind
from pipelines.identity.deciding import Deciding
from pipelines.identity.succession import Situation, Succession
from pipelines.keys import person_id
from pipelines.link.features import Ints
from pipelines.warehouse.numbers import write_numbers

# Whoever returned by this run is retired again, as of the run that closed the last membership.
_TAKE_BACK = (
    """UPDATE identity.person SET successor_id = NULL
        WHERE person_id IN (SELECT person_id FROM identity.change WHERE run_id = :run_id AND kind = 'MERGED')""",
    "DELETE FROM identity.membership WHERE valid_from_run = :run_id",
    "UPDATE identity.membership SET valid_to_run = NULL WHERE valid_to_run = :run_id",
    "UPDATE identity.person SET retired_run = NULL WHERE retired_run = :run_id",
    """UPDATE identity.person p
        SET retired_run = (SELECT max(m.valid_to_run) FROM identity.membership m WHERE m.person_id = p.person_id)
        WHERE person_id IN (SELECT person_id FROM identity.change WHERE run_id = :run_id AND kind = 'RETURNED')""",
    "DELETE FROM identity.person WHERE created_run = :run_id",
    "DELETE FROM identity.change WHERE run_id = :run_id",
    "DELETE FROM identity.ledger_run WHERE run_id = :run_id",
)

_FOUNDERS = text("""
    SELECT a.record_id::text FROM new_person n JOIN affected a ON a.code = n.founder ORDER BY n.code
""")
_TAKEN = text("SELECT person_id::text FROM identity.person WHERE person_id = ANY(CAST(:ids AS uuid[]))")

_CREATE = text(
    "INSERT INTO identity.person (person_id, created_run) SELECT unnest(CAST(:ids AS uuid[])), :run_id"
)

# Every person by its code: those there were, then the new ones in the order of their codes.
_PERSON_OF = text("""
    CREATE TEMP TABLE person_of ON COMMIT DROP AS
    SELECT DISTINCT person AS code, person_id FROM affected WHERE person >= 0
    UNION ALL
    SELECT :people + place - 1, person_id
    FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS new (person_id, place)
""")
_CLOSE = text("""
    UPDATE identity.membership m SET valid_to_run = :run_id
    FROM moved JOIN affected a USING (code)
    WHERE a.is_held AND m.record_id = a.record_id AND m.valid_to_run IS NULL
""")
_OPEN = text("""
    INSERT INTO identity.membership (record_id, person_id, valid_from_run)
    SELECT a.record_id, p.person_id, :run_id
    FROM moved JOIN affected a USING (code) JOIN person_of p ON p.code = moved.person
    ORDER BY a.code
""")
_RETIRE = text("""
    UPDATE identity.person p SET retired_run = coalesce(p.retired_run, :run_id), successor_id = s.person_id
    FROM ended e JOIN person_of o USING (code) LEFT JOIN person_of s ON s.code = e.successor
    WHERE p.person_id = o.person_id
""")
_BRING_BACK = text("""
    UPDATE identity.person p SET retired_run = NULL
    FROM decided d JOIN person_of o ON o.code = d.person
    WHERE d.kind = :returned AND p.person_id = o.person_id
""")
_TELL = text("""
    INSERT INTO identity.change (run_id, kind, person_id, other_person_id, record_id, records, cause,
                                 record_a, record_b, match_weight)
    SELECT :run_id, (CAST(:kinds AS text[]))[d.kind + 1], p.person_id, o.person_id, r.record_id, d.records,
           (CAST(:causes AS text[]))[d.cause + 1], a.record_id, b.record_id, CASE WHEN d.a >= 0 THEN d.weight END
    FROM decided d
    JOIN person_of p ON p.code = d.person
    LEFT JOIN person_of o ON o.code = d.other
    LEFT JOIN affected r ON r.code = d.record
    LEFT JOIN affected a ON a.code = d.a
    LEFT JOIN affected b ON b.code = d.b
    ORDER BY d.number
""")
_NOTE = text("INSERT INTO identity.ledger_run (run_id, previous_run) VALUES (:run_id, :previous)")


def take_back(connection: Connection, run_id: int) -> None:
    """Undo whatever the ledger took from this run, if anything, so that it stands as the run before left it."""
    held = text("SELECT EXISTS (SELECT FROM identity.ledger_run WHERE run_id = :run_id)")
    if not connection.scalar(held, {"run_id": run_id}):
        return
    for statement in _TAKE_BACK:
        connection.execute(text(statement), {"run_id": run_id})


def keep_people(
    connection: Connection, runs: Runs, situation: Situation, succession: Succession, key: bytes
) -> tuple[int, int]:
    """Return how many memberships were opened and closed; people are made, retired and led to their successors."""
    ids = _new_ids(connection, runs.run_id, succession, key)
    connection.exec_driver_sql("DROP TABLE IF EXISTS pg_temp.person_of")
    connection.execute(_PERSON_OF, {"people": situation.people, "ids": ids})
    connection.exec_driver_sql("ANALYZE person_of")
    connection.execute(_CREATE, {"ids": ids, "run_id": runs.run_id})
    moved = np.flatnonzero(situation.before != succession.after)
    write_numbers(connection, "moved", {"code": moved, "person": succession.after[moved]})
    closed = connection.execute(_CLOSE, {"run_id": runs.run_id}).rowcount
    opened = connection.execute(_OPEN, {"run_id": runs.run_id}).rowcount
    ended = np.flatnonzero(~succession.lasts)
    write_numbers(connection, "ended", {"code": ended, "successor": succession.successor[ended]})
    connection.execute(_RETIRE, {"run_id": runs.run_id})
    connection.execute(_NOTE, {"run_id": runs.run_id, "previous": runs.previous})
    return opened, closed


def keep_changes(
    connection: Connection, runs: Runs, changes: Changes, deciding: Deciding, causes: Ints
) -> None:
    """Write the changes down, and let live again who returned; call it after `keep_people`."""
    columns = {
        "number": np.arange(len(changes)),
        "kind": changes.kind,
        "person": changes.person,
        "other": changes.other,
        "record": changes.record,
        "records": changes.records,
        "cause": causes,
        "a": deciding.a,
        "b": deciding.b,
        "weight": deciding.weight,
    }
    write_numbers(connection, "decided", columns)
    connection.execute(_BRING_BACK, {"returned": int(Kind.RETURNED)})
    words = {"kinds": [kind.name for kind in Kind], "causes": [cause.name for cause in Cause]}
    connection.execute(_TELL, {"run_id": runs.run_id, **words})


def _new_ids(connection: Connection, run_id: int, succession: Succession, key: bytes) -> list[str]:
    """Return the ids of the new people, by code: never one that the ledger has given before."""
    founders = succession.founder
    write_numbers(connection, "new_person", {"code": np.arange(len(founders)), "founder": founders})
    records = list(connection.scalars(_FOUNDERS))
    ids = [person_id(key, record) for record in records]
    taken = set(connection.scalars(_TAKEN, {"ids": ids}))
    return [
        person_id(key, record, run_id) if wanted in taken else wanted
        for record, wanted in zip(records, ids, strict=True)
    ]
