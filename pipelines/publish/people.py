"""The rows of `publication.person`: one per person, made from everything its records say."""

from __future__ import annotations

from sqlalchemy import Connection, text

from pipelines.identity.runs import LinkRun

# How each value is chosen among a person's records, each as its latest extract of each file tells it:
#   birth     the best precision first, then the date that most records give, then the earlier date
#   sex       what more records give than any other; a tie says nothing
#   ethnic    a known group first, self-stated before observed, then what most records give
#   postcode  the latest home address that has begun, one that has not ended first; none for anyone with a
#             restricted record, or with an address that an agency marks as confidential
_PEOPLE = text("""
    INSERT INTO publication.person (
        release_id, as_of, person_pseudonym, birth_month, birth_year, sex, ethnic_group, outward_postcode,
        agencies, agency_count, record_count, first_seen, last_seen, weakest_link_probability, is_contested)
    WITH counted AS (
        SELECT person_id, array_agg(DISTINCT agency COLLATE "C" ORDER BY agency COLLATE "C") AS agencies,
               count(*) AS records, to_date(min(first_period) || '-01', 'YYYY-MM-DD') AS first_sent,
               to_date(max(last_period) || '-01', 'YYYY-MM-DD') + interval '1 month - 1 day' AS last_sent,
               min(cluster_id::text)::uuid AS cluster_id
        FROM release_record GROUP BY person_id
    ), birth AS (
        SELECT DISTINCT ON (person_id) person_id, precision, date_of_birth
        FROM (
            SELECT person_id, precision, date_of_birth, count(DISTINCT record_id) AS votes
            FROM (
                SELECT r.person_id, b.record_id, b.precision, b.date_of_birth,
                       rank() OVER (
                           PARTITION BY b.record_id, x.file ORDER BY x.period DESC, x.extract_id DESC) AS age
                FROM normalised.person_date_of_birth b JOIN release_record r USING (record_id)
                JOIN audit.extract x USING (extract_id)
                WHERE b.extract_id = ANY(:extract_ids)
            ) AS told
            WHERE age = 1 AND date_of_birth IS NOT NULL AND precision IN ('DAY', 'MONTH', 'YEAR')
            GROUP BY person_id, precision, date_of_birth
        ) AS given
        ORDER BY person_id, array_position(ARRAY['DAY', 'MONTH', 'YEAR'], precision), votes DESC, date_of_birth
    ), latest AS (
        SELECT DISTINCT ON (p.record_id) r.person_id, p.sex, p.ethnicity_5, p.ethnicity_basis
        FROM normalised.person_record p JOIN audit.extract x USING (extract_id)
        JOIN release_record r USING (record_id)
        WHERE p.extract_id = ANY(:extract_ids)
        ORDER BY p.record_id, x.period DESC, p.extract_id DESC
    ), sex AS (
        SELECT person_id, count(*) FILTER (WHERE sex = 'M') AS m, count(*) FILTER (WHERE sex = 'F') AS f,
               count(*) FILTER (WHERE sex = 'I') AS i
        FROM latest GROUP BY person_id
    ), ethnic AS (
        SELECT DISTINCT ON (person_id) person_id, ethnicity_5
        FROM (
            SELECT person_id, ethnicity_5, ethnicity_basis, count(*) AS votes
            FROM latest GROUP BY person_id, ethnicity_5, ethnicity_basis
        ) AS given
        ORDER BY person_id, array_position(ARRAY['NOT_STATED', 'NOT_KNOWN'], ethnicity_5) NULLS FIRST,
                 array_position(ARRAY['SELF', 'OBSERVED', 'UNKNOWN'], ethnicity_basis), votes DESC,
                 ethnicity_5 COLLATE "C"
    ), hidden AS (
        SELECT r.person_id FROM release_record r JOIN identity.protection_notice n USING (record_id)
        UNION
        SELECT r.person_id FROM release_record r JOIN normalised.person_address a USING (record_id)
        WHERE a.extract_id = ANY(:extract_ids) AND a.postcode_status = 'CONFIDENTIAL'
    ), home AS (
        SELECT DISTINCT ON (person_id) person_id, outward
        FROM (
            SELECT r.person_id, a.address_type, a.postcode_status, a.outward, a.valid_from, a.valid_to, x.period,
                   rank() OVER (PARTITION BY a.record_id, x.file ORDER BY x.period DESC, x.extract_id DESC) AS age
            FROM normalised.person_address a JOIN release_record r USING (record_id)
            JOIN audit.extract x USING (extract_id)
            WHERE a.extract_id = ANY(:extract_ids)
        ) AS told
        WHERE age = 1 AND address_type = 'HOME' AND outward IS NOT NULL
          AND postcode_status IN ('LIVE', 'VALID_FORMAT') AND (valid_from <= :as_of OR valid_from IS NULL)
        ORDER BY person_id, (valid_to IS NULL OR valid_to >= :as_of) DESC, valid_from DESC NULLS LAST,
                 period DESC, outward COLLATE "C"
    ), seen AS (
        SELECT person_id, min(event_date) AS first_event, max(event_date) AS last_event
        FROM release_event GROUP BY person_id
    )
    SELECT :release_id, :as_of, n.pseudonym,
           CASE WHEN birth.precision IN ('DAY', 'MONTH') THEN date_trunc('month', birth.date_of_birth)::date END,
           extract(year FROM birth.date_of_birth)::smallint,
           CASE WHEN m > f AND m > i THEN 'M' WHEN f > m AND f > i THEN 'F' WHEN i > m AND i > f THEN 'I'
                ELSE 'U' END,
           coalesce(ethnic.ethnicity_5, 'NOT_KNOWN'),
           CASE WHEN hidden.person_id IS NULL THEN home.outward END,
           counted.agencies, cardinality(counted.agencies), counted.records,
           least(counted.first_sent, seen.first_event), greatest(counted.last_sent::date, seen.last_event),
           s.weakest_link_probability, coalesce(s.is_contested, false)
    FROM counted
    JOIN person_name_of n ON n.id = counted.person_id
    LEFT JOIN birth USING (person_id)
    LEFT JOIN sex USING (person_id)
    LEFT JOIN ethnic USING (person_id)
    LEFT JOIN hidden USING (person_id)
    LEFT JOIN home USING (person_id)
    LEFT JOIN seen USING (person_id)
    LEFT JOIN linked.cluster_summary_of(:run_id) s ON s.cluster_id = counted.cluster_id
""")


def insert_people(connection: Connection, release_id: int, run: LinkRun) -> int:
    """Return how many people the release holds, after writing one row for each."""
    values = {
        "release_id": release_id,
        "as_of": run.as_of,
        "run_id": run.run_id,
        "extract_ids": list(run.extract_ids),
    }
    return connection.execute(_PEOPLE, values).rowcount
