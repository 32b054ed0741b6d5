"""What changed about the people since a run, for people to read: counts first, then the largest changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from pipelines.errors import LinkageError

_COUNTS = text("""
    SELECT kind, cause, sum(changes) AS changes, sum(people) AS people, sum(records) AS records
    FROM identity.change_summary WHERE run_id > :since
    GROUP BY kind, cause ORDER BY sum(changes) DESC, kind, cause
""")

# A record that joins one person from another is told of once, though it left there too.
_LARGEST = text("""
    SELECT run_id, CASE kind WHEN 'JOINED' THEN 'MOVED' ELSE kind END AS kind, person_id::text,
           other_person_id::text, record_id::text, records, cause, record_a::text, record_b::text, match_weight
    FROM identity.change
    WHERE run_id > :since
      AND (kind IN ('MERGED', 'SPLIT') OR kind = 'JOINED' AND other_person_id IS NOT NULL)
    ORDER BY records DESC, run_id DESC, kind, change_id LIMIT :size
""")

# The same count as that of the expectation about the change budget, which looks at one run.
_UNREST = text("""
    SELECT count(*) AS people, count(changed.person_id) AS changed
    FROM (SELECT DISTINCT m.person_id FROM identity.membership m
          WHERE m.valid_from_run < :run_id AND (m.valid_to_run IS NULL OR m.valid_to_run >= :run_id)) AS people
    LEFT JOIN (SELECT person_id FROM identity.change WHERE run_id = :run_id AND cause <> 'NEW_DATA'
               UNION SELECT other_person_id FROM identity.change
               WHERE run_id = :run_id AND cause <> 'NEW_DATA') AS changed USING (person_id)
""")


@dataclass(frozen=True)
class History:
    """What the runs after `since` changed; ids and counts only, never a value of a record."""

    since: int
    newest: int
    counts: Sequence[Row[Any]]
    largest: Sequence[Row[Any]]


@dataclass(frozen=True)
class Unrest:
    """Of the people before a run, how many changed for another cause than new data."""

    people: int
    changed: int

    @property
    def share(self) -> float:
        """The share of the people; 0 when there were none."""
        return self.changed / self.people if self.people else 0.0


def read_history(connection: Connection, since: int | None, size: int) -> History:
    """Return what all runs after `since` changed, with the `size` largest changes; the newest run's unless given.

    Raises:
        LinkageError: the ledger holds no run yet.
    """
    row = connection.execute(
        text("SELECT run_id, previous_run FROM identity.ledger_run ORDER BY run_id DESC LIMIT 1")
    ).one_or_none()
    if row is None:
        raise LinkageError("the ledger holds no run yet: joinedup link PERIOD")
    start = since if since is not None else row.previous_run or 0
    values = {"since": start, "size": size}
    counts = connection.execute(_COUNTS, values).all()
    return History(start, row.run_id, counts, connection.execute(_LARGEST, values).all())


def read_unrest(connection: Connection, run_id: int) -> Unrest:
    """Return what the change budget is compared with, for a run that the ledger holds."""
    row = connection.execute(_UNREST, {"run_id": run_id}).one()
    return Unrest(row.people, row.changed)
