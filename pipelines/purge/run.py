"""A purge as a whole: every store in one transaction, then the archived files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from pipelines.contracts.loader import load_contracts
from pipelines.errors import JoinedupError
from pipelines.identity.forget import forget_purged
from pipelines.identity.purges import Request, add_tombstones
from pipelines.publish.protect import withhold_protected_everywhere
from pipelines.purge.archive import delete_marked_files, mark_archived
from pipelines.purge.found import Found, Wanted
from pipelines.purge.landing import remove_landed, wait_for_landing
from pipelines.purge.normalised import remove_normalised
from pipelines.purge.quarantine import blank_quarantined
from pipelines.purge.seals import require_nobody_unsealed
from pipelines.warehouse.engine import lock_in_transaction, transaction

_AGENCIES = text("""
    SELECT record_id::text, agency FROM identity.record WHERE record_id = ANY(CAST(:records AS uuid[]))
    UNION
    SELECT record_id::text, agency FROM normalised.person_record WHERE record_id = ANY(CAST(:records AS uuid[]))
""")
_UNREVIEWED = text("""
    DELETE FROM identity.review_pair
    WHERE record_a = ANY(CAST(:records AS uuid[])) OR record_b = ANY(CAST(:records AS uuid[]))
""")


@dataclass(frozen=True)
class Purged:
    """What a purge removed, by store: counts only.

    Args:
        tombstones: how many were added; none for a record of which nothing had come since an earlier purge.
        landed: rows of `landing.*`.
        quarantined: rows whose text was removed.
        normalised: rows of `normalised.*`.
        linked: rows of `linked.*` and of the review queue; the next run's basis goes with the next run.
        published: people taken out of a kept release, once for each release.
        files: archived files that were deleted.
    """

    tombstones: int = 0
    landed: int = 0
    quarantined: int = 0
    normalised: int = 0
    linked: int = 0
    published: int = 0
    files: int = 0


def purge_for_good(record_ids: Collection[str], by: str, reason: str) -> Purged:
    """Return what was removed of these records; done again it removes what is left, or what came since.

    Raises:
        JoinedupError: see `purge_records`.
    """
    with transaction() as connection:
        purged = purge_records(connection, record_ids, by, reason)
    return replace(purged, files=delete_marked_files())


def purge_records(connection: Connection, record_ids: Collection[str], by: str, reason: str) -> Purged:
    """Return what was removed of these records in this transaction; archived files are only marked.

    Raises:
        JoinedupError: no name or reason is given, no record is named, one was never seen, or others would be
            unsealed with it.
    """
    request = Request(by, reason)
    wanted = _wanted(connection, frozenset(record_ids))
    _wait_for_stages(connection, wanted)
    require_nobody_unsealed(connection, wanted.records)
    landed = remove_landed(connection, wanted)
    quarantined = blank_quarantined(connection, wanted)
    normalised = remove_normalised(connection, wanted)
    found = landed + quarantined + normalised
    _require_seen(connection, wanted, found)
    added = add_tombstones(connection, wanted.records, request, agencies=wanted.agencies, found=found.records)
    unreviewed = connection.execute(_UNREVIEWED, {"records": sorted(wanted.records)}).rowcount
    linked = forget_purged(connection) + unreviewed
    withheld = withhold_protected_everywhere(connection)
    files = mark_archived(connection, found.extracts)
    published = sum(each.people for each in withheld.values())
    return Purged(added, landed.rows, quarantined.rows, normalised.rows, linked, published, files)


def _wanted(connection: Connection, records: frozenset[str]) -> Wanted:
    """Return the records with the agencies that may hold them: all, when one of them was never linked."""
    if not records:
        raise JoinedupError("a purge names at least one record")
    known = connection.execute(_AGENCIES, {"records": sorted(records)}).all()
    if records - {row.record_id for row in known}:
        return Wanted(records, tuple(load_contracts()))
    return Wanted(records, tuple(sorted({row.agency for row in known})))


def _wait_for_stages(connection: Connection, wanted: Wanted) -> None:
    """Let nobody link, normalise or land until the purge is done: they would write what they have read before."""
    for name in ("link", *(f"normalise {agency}" for agency in wanted.agencies)):
        lock_in_transaction(connection, name)
    wait_for_landing(connection, wanted)


def _require_seen(connection: Connection, wanted: Wanted, found: Found) -> None:
    """Raise JoinedupError when a record was never registered and nothing of it was found."""
    registered = text(
        "SELECT record_id::text FROM identity.record WHERE record_id = ANY(CAST(:records AS uuid[]))"
    )
    known = frozenset(connection.scalars(registered, {"records": sorted(wanted.records)}))
    unknown = wanted.records - known - found.records
    purged = text(
        "SELECT record_id::text FROM identity.purge WHERE record_id = ANY(CAST(:records AS uuid[]))"
    )
    unknown -= frozenset(connection.scalars(purged, {"records": sorted(unknown)}))
    if unknown:
        raise JoinedupError(f"{len(unknown)} of these records were never seen: nothing was purged")
