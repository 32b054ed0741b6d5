"""The working tables of one build: which records are which published person, and which events count.

They are temporary and end with the transaction. Only here do record ids, person ids and pseudonyms stand side
by side, since the key behind a pseudonym never enters the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from pipelines.contracts.loader import load_contracts
from pipelines.identity.protection import record_protections
from pipelines.identity.runs import LinkRun
from pipelines.keys import EVENT, PERSON, pseudonym
from pipelines.publish.places import add_events_at_home
from pipelines.settings import load_settings

CHUNK = 50_000

_TABLES = (
    """CREATE TEMP TABLE release_record (record_id uuid PRIMARY KEY, person_id uuid NOT NULL, agency text NOT NULL,
        first_period text NOT NULL, last_period text NOT NULL, cluster_id uuid NOT NULL) ON COMMIT DROP""",
    "CREATE TEMP TABLE withheld_person (person_id uuid PRIMARY KEY) ON COMMIT DROP",
    """CREATE TEMP TABLE release_event (event_id uuid NOT NULL, person_id uuid NOT NULL, agency text NOT NULL,
        event_type text NOT NULL, event_date date NOT NULL, event_end_date date, category text) ON COMMIT DROP""",
    "CREATE TEMP TABLE person_name_of (id uuid NOT NULL, pseudonym text NOT NULL) ON COMMIT DROP",
    "CREATE TEMP TABLE event_name_of (id uuid NOT NULL, pseudonym text NOT NULL) ON COMMIT DROP",
)

_RECORDS = text("""
    INSERT INTO release_record (record_id, person_id, agency, first_period, last_period, cluster_id)
    SELECT m.record_id, m.person_id, r.agency, r.first_period, least(r.last_period, :period), c.cluster_id
    FROM identity.membership m
    JOIN identity.record r USING (record_id)
    JOIN linked.cluster_of(:run_id) c ON c.record_id = m.record_id
    WHERE m.valid_from_run <= :run_id AND (m.valid_to_run IS NULL OR m.valid_to_run > :run_id)
""")

# A notice may have come after the run that linked the record; the whole person is withheld then, since the
# link itself is what must not be known. So it is where a record was purged after that run.
_WITHHELD = text("""
    INSERT INTO withheld_person (person_id)
    SELECT DISTINCT r.person_id FROM release_record r
    WHERE EXISTS (
        SELECT FROM identity.protection_notice n WHERE n.record_id = r.record_id AND n.level = 'SEALED')
       OR EXISTS (SELECT FROM identity.purge p WHERE p.record_id = r.record_id AND p.after_run >= :run_id)
""")

# The latest extract has the last word about an event: by period, then by arrival.
_EVENTS = text("""
    INSERT INTO release_event (event_id, person_id, agency, event_type, event_date, event_end_date, category)
    SELECT DISTINCT ON (e.event_id) e.event_id, r.person_id, e.agency, e.event_type, e.event_date,
           e.event_end_date, CASE WHEN e.agency || ' ' || e.event_type = ANY(:shared) THEN e.category END
    FROM normalised.event e
    JOIN audit.extract x USING (extract_id)
    JOIN release_record r USING (record_id)
    WHERE e.extract_id = ANY(:extract_ids)
    ORDER BY e.event_id, x.period DESC, e.extract_id DESC, e.row_number DESC
""")


_COUNTS = text("""
    WITH sent AS (
        SELECT DISTINCT record_id FROM normalised.person_record WHERE extract_id = ANY(:extract_ids)
    ), records AS (
        SELECT count(*) AS all_in,
               count(*) FILTER (WHERE r.record_id IS NULL) AS not_linked,
               count(*) FILTER (WHERE w.person_id IS NOT NULL) AS withheld
        FROM sent LEFT JOIN release_record r USING (record_id) LEFT JOIN withheld_person w USING (person_id)
    ), events AS (
        SELECT count(*) AS all_in, count(*) FILTER (WHERE r.record_id IS NULL) AS not_linked
        FROM normalised.event e LEFT JOIN release_record r USING (record_id)
        WHERE e.extract_id = ANY(:extract_ids)
    ), chosen AS (
        SELECT count(*) AS chosen, count(*) FILTER (WHERE w.person_id IS NOT NULL) AS withheld,
               count(*) FILTER (WHERE w.person_id IS NULL AND e.event_date > :as_of) AS after_as_of
        FROM release_event e LEFT JOIN withheld_person w USING (person_id)
    )
    SELECT records.all_in AS records_in, records.not_linked AS records_not_linked,
           records.withheld AS records_withheld, events.all_in AS events_in,
           events.not_linked AS events_not_linked, chosen.chosen, chosen.withheld AS events_withheld,
           chosen.after_as_of AS events_after_as_of
    FROM records, events, chosen
""")


@dataclass(frozen=True)
class RowCounts:
    """Where the records and events of the run went; both balance.

    `events_at_home` come on top: events at places, told of the people who live there.
    """

    records_in: int
    records_published: int
    records_withheld: int
    records_not_linked: int
    events_in: int
    events_published: int
    events_duplicate: int
    events_withheld: int
    events_not_linked: int
    events_after_as_of: int
    events_at_home: int = 0


def prepare_working_tables(connection: Connection, run: LinkRun) -> RowCounts:
    """Return where the run's records and events went; the working tables hold those to be published."""
    for statement in _TABLES:
        connection.execute(text(statement))
    extracts = {"extract_ids": list(run.extract_ids)}
    connection.execute(_RECORDS, {"run_id": run.run_id, "period": run.period})
    record_protections(connection, run.run_id)
    connection.execute(_WITHHELD, {"run_id": run.run_id})
    connection.execute(text("ANALYZE release_record, withheld_person"))
    shared = _shared_categories()
    connection.execute(_EVENTS, {**extracts, "shared": shared})
    counts = _count(connection, run)
    for statement in (
        "DELETE FROM release_record WHERE person_id IN (SELECT person_id FROM withheld_person)",
        "DELETE FROM release_event WHERE person_id IN (SELECT person_id FROM withheld_person)",
    ):
        connection.execute(text(statement))
    connection.execute(text("DELETE FROM release_event WHERE event_date > :as_of"), {"as_of": run.as_of})
    at_home = add_events_at_home(connection, run, shared)
    name_all(connection, PERSON, "SELECT DISTINCT person_id AS id FROM release_record", "person_name_of")
    name_all(connection, EVENT, "SELECT event_id AS id FROM release_event", "event_name_of")
    connection.execute(text("ANALYZE release_record, release_event, person_name_of, event_name_of"))
    return replace(counts, events_at_home=at_home)


def _shared_categories() -> list[str]:
    """Return 'agency event type' for each event type whose category a contract shares."""
    return [
        f"{name} {event}" for name, contract in load_contracts().items() for event in contract.shares_category
    ]


def name_all(connection: Connection, kind: str, ids: str, table: str) -> None:
    """Give each id that a query finds its pseudonym of this kind, in a working table."""
    key = load_settings().key
    insert = text(f"""
        INSERT INTO {table} (id, pseudonym)
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[]))
    """)  # noqa: S608 - names of our own
    for chunk in _chunks([str(row.id) for row in connection.execute(text(ids))]):
        connection.execute(insert, {"ids": chunk, "names": [pseudonym(key, kind, one) for one in chunk]})


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    """Yield the ids, some tens of thousands at a time."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _count(connection: Connection, run: LinkRun) -> RowCounts:
    """Return where the rows went, counted before what is withheld is taken out."""
    row = connection.execute(
        _COUNTS,
        {"extract_ids": list(run.extract_ids), "as_of": run.as_of},
    ).one()
    return RowCounts(
        records_in=row.records_in,
        records_published=row.records_in - row.records_not_linked - row.records_withheld,
        records_withheld=row.records_withheld,
        records_not_linked=row.records_not_linked,
        events_in=row.events_in,
        events_published=row.chosen - row.events_withheld - row.events_after_as_of,
        events_duplicate=row.events_in - row.events_not_linked - row.chosen,
        events_withheld=row.events_withheld,
        events_not_linked=row.events_not_linked,
        events_after_as_of=row.events_after_as_of,
    )
