"""The rows of `publication.change_count`: how much changed about people, in counts that are safe to pass on."""

from __future__ import annotations

from itertools import product

from sqlalchemy import Connection, text

from pipelines.contracts.shared import published_tables
from pipelines.identity.runs import LinkRun
from pipelines.publish.change_log import Since
from pipelines.publish.suppression import round_to_base, suppress

_COUNT = text("""
    SELECT kind, cause, count(DISTINCT person_id) AS people, sum(records)::bigint AS records
    FROM told_change GROUP BY kind, cause
""")
_INSERT = text("""
    INSERT INTO publication.change_count (
        release_id, as_of, kind, cause, people, records, is_suppressed, since_release)
    VALUES (:release_id, :as_of, :kind, :cause, :people, :records, :is_suppressed, :since_release)
""")


def insert_change_counts(connection: Connection, release_id: int, run: LinkRun, since: Since | None) -> int:
    """Return how many kinds and causes were counted: all there can be, since a missing row would say that it is 0.

    Call it after `insert_changes`, which says what is told. Nothing is counted for a first release.
    """
    if since is None:
        return 0
    found = {(row.kind, row.cause): row for row in connection.execute(_COUNT)}
    declared = published_tables()["change_count"]
    cells = list(product(declared.column("kind").values, declared.column("cause").values))
    people = suppress({cell: found[cell].people if cell in found else 0 for cell in cells})
    rows = [
        {
            "release_id": release_id,
            "as_of": run.as_of,
            "kind": kind,
            "cause": cause,
            "people": people[kind, cause],
            "records": None if people[kind, cause] is None else round_to_base(found[kind, cause].records),
            "is_suppressed": people[kind, cause] is None,
            "since_release": since.release_id,
        }
        for kind, cause in cells
    ]
    connection.execute(_INSERT, rows)
    return len(rows)
