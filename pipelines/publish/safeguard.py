"""The last look at a release before it is kept: nobody who must not be found is found in it.

Only while a release is built do records and pseudonyms stand side by side. Afterwards an expectation can count, and
no more.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from pipelines.errors import ReleaseError
from pipelines.identity.runs import LinkRun
from pipelines.keys import PERSON, pseudonym
from pipelines.settings import load_settings

# What agencies and people asked for, read where they said it and not where the release's own statements look.
_FOUND = text("""
    WITH demanded AS (
        SELECT record_id, level FROM identity.protection_notice
        UNION
        SELECT record_id, level FROM normalised.person_protection WHERE extract_id = ANY(:extract_ids)
        UNION
        SELECT record_id, 'RESTRICTED' FROM normalised.person_address
        WHERE extract_id = ANY(:extract_ids) AND postcode_status = 'CONFIDENTIAL'
    )
    SELECT count(DISTINCT p.person_pseudonym) FILTER (WHERE p.outward_postcode IS NOT NULL) AS locations,
           count(DISTINCT p.person_pseudonym) FILTER (WHERE d.level = 'SEALED') AS sealed
    FROM publication.person p
    JOIN person_name_of n ON n.pseudonym = p.person_pseudonym
    JOIN identity.membership m ON m.person_id = n.id AND m.valid_from_run <= :run_id
     AND (m.valid_to_run IS NULL OR m.valid_to_run > :run_id)
    JOIN demanded d ON d.record_id = m.record_id
    WHERE p.release_id = :release_id
""")

# Everybody who was ever somebody with a sealed record, living or not.
_EVER_SEALED = text("""
    SELECT DISTINCT person_id FROM identity.membership
    WHERE record_id IN (
        SELECT record_id FROM identity.protection_notice WHERE level = 'SEALED'
        UNION
        SELECT record_id FROM normalised.person_protection
        WHERE level = 'SEALED' AND extract_id = ANY(:extract_ids))
""")
_TRACES = text("""
    SELECT count(*)
    FROM (SELECT unnest(ARRAY[retired_pseudonym, living_pseudonym]) AS name
          FROM publication.person_successor WHERE release_id = :release_id
          UNION ALL
          SELECT unnest(ARRAY[person_pseudonym, other_pseudonym])
          FROM publication.person_change WHERE release_id = :release_id) AS named
    WHERE name = ANY(:names)
""")


def require_nobody_found(connection: Connection, release_id: int, run: LinkRun) -> None:
    """Raise unless no restricted person shows a location, no sealed one is in the release and nothing leads to one.

    Raises:
        ReleaseError: somebody would be found; the transaction that builds the release is undone.
    """
    values = {"release_id": release_id, "run_id": run.run_id, "extract_ids": list(run.extract_ids)}
    found = connection.execute(_FOUND, values).one()
    if found.locations or found.sealed:
        raise ReleaseError(
            f"linkage run {run.run_id}: the release would show where {found.locations} protected people are and"
            f" hold {found.sealed} sealed ones; it is not built. This is a defect of ours: report it"
        )
    traces = _traces(connection, release_id, run)
    if traces:
        raise ReleaseError(
            f"linkage run {run.run_id}: the release would tell {traces} times what became of sealed people; it"
            " is not built. This is a defect of ours: report it"
        )


def _traces(connection: Connection, release_id: int, run: LinkRun) -> int:
    """Return how often what changed about people names somebody who ever held a sealed record."""
    key = load_settings().key
    sealed = connection.scalars(_EVER_SEALED, {"extract_ids": list(run.extract_ids)})
    names = [pseudonym(key, PERSON, str(person)) for person in sealed]
    return int(connection.scalar(_TRACES, {"release_id": release_id, "names": names}) or 0)
