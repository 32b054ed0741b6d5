"""People who must not be found: restricted records link but show no location, sealed ones never link.

The register `identity.protection_notice` only grows. A protection that an agency asked for once holds until
the register says otherwise, also when a later delivery lacks the file that names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Connection, text

from pipelines.errors import JoinedupError
from pipelines.identity.runs import read_link_run

Level = Literal["RESTRICTED", "SEALED"]
RESTRICTED: Level = "RESTRICTED"
SEALED: Level = "SEALED"


@dataclass(frozen=True)
class Protection:
    """What is demanded for a record; the highest level counts, identities of one scope never link."""

    record_id: str
    level: Level
    scopes: tuple[str, ...]


_COPY = text("""
    INSERT INTO identity.protection_notice (record_id, level, scope, effective_from, reason, extract_id)
    SELECT DISTINCT ON (p.record_id, p.level, p.scope)
           p.record_id, p.level, p.scope, p.effective_from, p.reason, p.extract_id
    FROM normalised.person_protection p
    WHERE p.extract_id = ANY(:extract_ids) AND NOT EXISTS (
        SELECT FROM identity.protection_notice n
        WHERE n.record_id = p.record_id AND n.level = p.level AND n.scope IS NOT DISTINCT FROM p.scope)
    ORDER BY p.record_id, p.level, p.scope, p.extract_id, p.row_number
""")

# Whoever ever held a sealed record, as an SQL query: what is told of them could tell of it.
EVER_SEALED = """
    SELECT m.person_id FROM identity.membership m JOIN identity.protection_notice n USING (record_id)
    WHERE n.level = 'SEALED'
"""

# 'RESTRICTED' < 'SEALED' by the alphabet, so the greatest is the stricter.
_PROTECTED = text("""
    SELECT record_id, max(level) AS level,
           array_remove(array_agg(DISTINCT scope ORDER BY scope), NULL) AS scopes
    FROM identity.protection_notice GROUP BY record_id ORDER BY record_id
""")


def record_protections(connection: Connection, run_id: int) -> int:
    """Return how many notices were added: those of the run's extracts that the register does not have yet.

    Raises:
        LinkageError: there is no such linkage run.
    """
    run = read_link_run(connection, run_id)
    return connection.execute(_COPY, {"extract_ids": list(run.extract_ids)}).rowcount


def add_protection_notice(
    connection: Connection,
    record_id: str,
    level: Level,
    reason: str,
    *,
    scope: str | None = None,
    effective_from: date | None = None,
) -> int:
    """Return the id of a new notice for one record, which counts from the next run and release on.

    Raises:
        JoinedupError: the level is unknown, the reason is empty, or no such record was ever registered.
    """
    if level not in (RESTRICTED, SEALED):
        raise JoinedupError("level must be RESTRICTED or SEALED")
    if not reason.strip():
        raise JoinedupError("a protection notice needs a reason")
    known = connection.scalar(
        text("SELECT EXISTS (SELECT FROM identity.record WHERE record_id = CAST(:record_id AS uuid))"),
        {"record_id": record_id},
    )
    if not known:
        raise JoinedupError("no record of this id was ever registered")
    values = {
        "record_id": record_id,
        "level": level,
        "reason": reason.strip(),
        "scope": scope,
        "effective_from": effective_from,
    }
    notice_id = connection.scalar(
        text("""
            INSERT INTO identity.protection_notice (record_id, level, scope, effective_from, reason)
            VALUES (:record_id, :level, :scope, :effective_from, :reason) RETURNING notice_id
        """),
        values,
    )
    return int(notice_id or 0)


def latest_demand(connection: Connection) -> int | None:
    """Return the id of the last notice that came from a person and not with an extract, if any."""
    found: int | None = connection.scalar(
        text("SELECT max(notice_id) FROM identity.protection_notice WHERE extract_id IS NULL")
    )
    return found


def protected_records(connection: Connection) -> list[Protection]:
    """Return every protected record with its strictest level; call `record_protections` for the run first."""
    return [
        Protection(str(row.record_id), row.level, tuple(row.scopes)) for row in connection.execute(_PROTECTED)
    ]
