"""The two small tables of a release: which agencies share how many people, and how current their data is."""

from __future__ import annotations

from itertools import combinations

from sqlalchemy import Connection, text

from pipelines.identity.runs import LinkRun
from pipelines.publish.suppression import suppress

Agencies = tuple[str, ...]

_INSERT_OVERLAP = text("""
    INSERT INTO publication.agency_overlap (release_id, as_of, agencies, agency_count, people, is_suppressed)
    VALUES (:release_id, :as_of, :agencies, :agency_count, :people, :is_suppressed)
""")

_CURRENCY = text("""
    INSERT INTO publication.data_currency (
        release_id, as_of, agency, period, received_at, is_carried_forward, records, events, earliest_event,
        latest_event)
    SELECT :release_id, :as_of, d.agency, d.period, d.accepted_at, d.period <> :period,
           coalesce(r.records, 0), coalesce(e.events, 0), e.earliest, e.latest
    FROM (
        SELECT DISTINCT ON (agency) agency, period, accepted_at FROM audit.delivery
        WHERE delivery_id = ANY(:delivery_ids) ORDER BY agency, period DESC, sequence DESC
    ) AS d
    LEFT JOIN (SELECT agency, count(*) AS records FROM release_record GROUP BY agency) AS r USING (agency)
    LEFT JOIN (
        SELECT agency, count(*) AS events, min(event_date) AS earliest, max(event_date) AS latest
        FROM release_event GROUP BY agency
    ) AS e USING (agency)
""")


def insert_overlap(connection: Connection, release_id: int, run: LinkRun) -> int:
    """Return how many combinations of agencies were written, safe counts only; see `suppression`."""
    found: dict[Agencies, int] = {
        tuple(row.agencies): row.people
        for row in connection.execute(
            text("""
                SELECT agencies, count(*) AS people FROM publication.person
                WHERE release_id = :release_id GROUP BY agencies
            """),
            {"release_id": release_id},
        )
    }
    safe = suppress(with_every_combination(found))
    rows = [
        {
            "release_id": release_id,
            "as_of": run.as_of,
            "agencies": list(agencies),
            "agency_count": len(agencies),
            "people": people,
            "is_suppressed": people is None,
        }
        for agencies, people in safe.items()
    ]
    if rows:
        connection.execute(_INSERT_OVERLAP, rows)
    return len(rows)


def with_every_combination(found: dict[Agencies, int]) -> dict[Agencies, int]:
    """Return the counts with a zero for each combination that nobody has: a missing row would say so."""
    agencies = sorted({agency for combination in found for agency in combination})
    return {
        combination: found.get(combination, 0)
        for size in range(1, len(agencies) + 1)
        for combination in combinations(agencies, size)
    }


def insert_currency(connection: Connection, release_id: int, run: LinkRun) -> int:
    """Return how many agencies the release has data from, after writing one row for each."""
    values = {
        "release_id": release_id,
        "as_of": run.as_of,
        "period": run.period,
        "delivery_ids": list(run.delivery_ids),
    }
    return connection.execute(_CURRENCY, values).rowcount
