"""What happened at a property, told of the people who live there now.

The rule, with its reasons in decision 20. An event at a place becomes an event of a person, under the type with
`_AT_HOME`, only where all of this holds:

- the event has a UPRN, and a record of the person has the same UPRN at a HOME address of its latest delivery;
- that address is current on the as-of day, and the day since when it is known lies on or before the event;
- no other record says that the person has moved since: the postcode is that of the person's newest HOME address;
- the property is a household's: no more people of the release live there than `LARGEST_HOUSEHOLD`;
- the person may be found: no restricted or sealed record, no confidential address.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from pipelines.identity.runs import LinkRun

LARGEST_HOUSEHOLD = 12
AT_HOME = "_AT_HOME"

_ADD_EVENTS = text("""
    WITH told AS (
        SELECT r.person_id, a.record_id, a.address_type, a.postcode, a.uprn, a.valid_from, a.valid_to,
               rank() OVER (PARTITION BY a.record_id, x.file ORDER BY x.period DESC, x.extract_id DESC) AS age
        FROM normalised.person_address a JOIN release_record r USING (record_id)
        JOIN audit.extract x USING (extract_id)
        WHERE a.extract_id = ANY(:extract_ids)
    ), current_home AS (
        SELECT person_id, postcode, uprn, valid_from FROM told
        WHERE age = 1 AND address_type = 'HOME' AND postcode IS NOT NULL AND valid_from <= :as_of
          AND (valid_to IS NULL OR valid_to >= :as_of)
    ), newest AS (
        SELECT DISTINCT ON (person_id) person_id, postcode FROM current_home
        ORDER BY person_id, valid_from DESC, postcode COLLATE "C"
    ), lives_at AS (
        SELECT person_id, uprn, min(valid_from) AS since
        FROM current_home JOIN newest USING (person_id, postcode)
        WHERE uprn IS NOT NULL GROUP BY person_id, uprn
    ), household AS (
        SELECT uprn FROM lives_at GROUP BY uprn HAVING count(DISTINCT person_id) <= :largest
    ), hidden AS (
        SELECT r.person_id FROM release_record r JOIN identity.protection_notice n USING (record_id)
        UNION
        SELECT r.person_id FROM release_record r JOIN normalised.person_address a USING (record_id)
        WHERE a.extract_id = ANY(:extract_ids) AND a.postcode_status = 'CONFIDENTIAL'
    ), happened AS (
        SELECT DISTINCT ON (e.place_event_id)
               e.place_event_id, e.agency, e.event_type, e.event_date, e.category, e.uprn
        FROM normalised.place_event e JOIN audit.extract x USING (extract_id)
        WHERE e.extract_id = ANY(:extract_ids)
        ORDER BY e.place_event_id, x.period DESC, e.extract_id DESC, e.row_number DESC
    )
    INSERT INTO release_event (event_id, person_id, agency, event_type, event_date, event_end_date, category)
    SELECT md5(h.place_event_id::text || l.person_id::text)::uuid, l.person_id, h.agency, h.event_type || :at_home,
           h.event_date, NULL,
           CASE WHEN h.agency || ' ' || h.event_type || :at_home = ANY(:shared) THEN h.category END
    FROM happened h
    JOIN household USING (uprn)
    JOIN lives_at l USING (uprn)
    WHERE h.event_date BETWEEN l.since AND :as_of
      AND l.person_id NOT IN (SELECT person_id FROM hidden)
""")


def add_events_at_home(connection: Connection, run: LinkRun, shared: list[str]) -> int:
    """Return how many events of people were added to the working table, from events at the places they live at.

    `shared` names the event types whose category is published, as 'agency event type'.
    """
    values = {
        "extract_ids": list(run.extract_ids),
        "as_of": run.as_of,
        "largest": LARGEST_HOUSEHOLD,
        "at_home": AT_HOME,
        "shared": shared,
    }
    return connection.execute(_ADD_EVENTS, values).rowcount
