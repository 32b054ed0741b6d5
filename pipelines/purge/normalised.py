"""What a purge removes from `normalised.*`: every row of the record, and rows of others that name it."""

from __future__ import annotations

from sqlalchemy import Connection

from pipelines.contracts.shared import record_tables
from pipelines.purge.found import Found, Wanted, taken

RELATIONSHIP = "relationship"


def remove_normalised(connection: Connection, wanted: Wanted) -> Found:
    """Return what was deleted, of all extracts.

    What others' rows said about being related to the record goes too, but is no sign that the record came again.
    """
    values = {"records": sorted(wanted.records)}
    found = Found()
    for table in record_tables():
        statement = f"""
            DELETE FROM normalised.{table} WHERE record_id = ANY(CAST(:records AS uuid[]))
            RETURNING record_id::text, extract_id
        """  # noqa: S608 - a name of the shared schema
        found += taken(connection, statement, values)
    related = taken(connection, _RELATED, values)
    return found + Found(related.rows, extracts=related.extracts)


_RELATED = f"""
    DELETE FROM normalised.{RELATIONSHIP} WHERE related_record_id = ANY(CAST(:records AS uuid[]))
    RETURNING related_record_id::text AS record_id, extract_id
"""  # noqa: S608 - one constant
