"""From when to when each release was the one that analysts read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

# Dropping the rows of a release leaves both: the register, and the manifest with every decision.
_PUBLISHED = text("""
    SELECT r.release_id, r.published_at, coalesce(m.manifest -> 'decisions', '[]'::jsonb) AS decisions
    FROM publication.release r LEFT JOIN audit.release_manifest m USING (release_id)
    WHERE r.published_at IS NOT NULL
""")


@dataclass(frozen=True)
class LiveTime:
    """A time, in UTC, during which a release was live; without an end it still is."""

    since: datetime
    until: datetime | None


def live_times(connection: Connection) -> dict[int, tuple[LiveTime, ...]]:
    """Return when each release was live, oldest first: more than once where it was rolled back to."""
    begins = sorted(begin for row in connection.execute(_PUBLISHED) for begin in _begins(row))
    found: dict[int, list[LiveTime]] = defaultdict(list)
    ends = [since for since, _ in begins[1:]]
    for (since, release_id), until in zip(begins, [*ends, None], strict=False):
        found[release_id].append(LiveTime(since, until))
    return {release_id: tuple(times) for release_id, times in found.items()}


def _begins(row: Row[Any]) -> Iterator[tuple[datetime, int]]:
    """Yield when a release became live; the register knows the last time, to the microsecond."""
    decisions = [decision for decision in row.decisions if decision["status"] == "LIVE"]
    for decision in decisions[:-1]:
        yield datetime.fromisoformat(decision["at"]).astimezone(UTC), row.release_id
    yield row.published_at.astimezone(UTC), row.release_id
