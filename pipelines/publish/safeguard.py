"""The last look at a release before it is kept: nobody who must not be found is found in it.

Only while a release is built do records and pseudonyms stand side by side. Afterwards an expectation can count, and
no more.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from pipelines.errors import ReleaseError
from pipelines.identity.runs import LinkRun

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


def require_nobody_found(connection: Connection, release_id: int, run: LinkRun) -> None:
    """Raise unless no restricted person of the release shows a location and no sealed one is in it.

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
