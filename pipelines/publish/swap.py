"""What becomes of a release: published by one update of the current release, rejected, or rolled back to.

Every published row carries its release, and the views follow a table of one row. A reader sees the release of
the moment its statement (or its transaction, where isolation asks for that) began, whole.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, text

from pipelines.errors import ReleaseError
from pipelines.publish.build import RELEASE_LOCK, empty_release
from pipelines.publish.manifest import keep_decision, write_manifest
from pipelines.publish.protect import withhold_protected
from pipelines.publish.views import create_views
from pipelines.warehouse.engine import lock_in_transaction, transaction
from pipelines.warehouse.runs import finish_run

KEPT_RELEASES = 3
THE_RULE = "the rule that a release does not go back"


def publish_release(release_id: int, approved_by: str, reason: str) -> None:
    """Swap a built release in; what was live is kept and superseded. Doing it twice changes nothing.

    Raises:
        ReleaseError: nobody approved it, it is not a release that was built and waits, or the live one speaks of
            a later day; then it is rejected.
    """
    _require(approved_by, reason)
    reject_older(release_id)
    _swap_in(release_id, approved_by, reason, expected="BUILT")


def roll_back(release_id: int, approved_by: str, reason: str) -> None:
    """Swap an earlier release in again; protections that came since are applied to it first.

    Raises:
        ReleaseError: nobody approved it, or the release was not live before, or its rows are gone.
    """
    _swap_in(release_id, approved_by, reason, expected="SUPERSEDED")


def reject_release(release_id: int, rejected_by: str, reason: str) -> None:
    """Mark a built release as rejected; the live one stays. Doing it twice changes nothing.

    Raises:
        ReleaseError: no name or no reason is given, or the release is not waiting.
    """
    _require(rejected_by, reason)
    with transaction() as connection:
        release = _locked_release(connection, release_id)
        if release.status == "REJECTED":
            return
        _expect(release, "BUILT")
        _decide(connection, release_id, "REJECTED", rejected_by, reason)
    write_manifest(release_id)


def reject_older(release_id: int) -> None:
    """Reject a built release that speaks of an earlier day than the live one; any other is left alone.

    Raises:
        ReleaseError: it was rejected for that, now or before.
    """
    with transaction() as connection:
        release = _locked_release(connection, release_id)
        if not release.is_older or release.status not in ("BUILT", "REJECTED"):
            return
        why = f"it is as of {release.as_of}, the live release as of {release.live_as_of}"
        if release.status == "BUILT":
            _decide(connection, release_id, "REJECTED", THE_RULE, why)
    write_manifest(release_id)
    raise ReleaseError(
        f"release {release_id} is rejected: {why}. `joinedup roll-back` brings an earlier release back on purpose"
    )


def drop_old_releases(keep: int = KEPT_RELEASES) -> list[int]:
    """Return the ids of the releases whose rows were deleted: superseded or rejected, beyond the newest few.

    The register and the manifests keep them. A reader who still sees one in an open transaction is not disturbed.
    """
    with transaction() as connection:
        lock_in_transaction(connection, RELEASE_LOCK)
        old = connection.execute(
            text("""
                SELECT r.release_id FROM publication.release r
                WHERE r.status IN ('SUPERSEDED', 'REJECTED')
                  AND EXISTS (SELECT FROM publication.person p WHERE p.release_id = r.release_id)
                ORDER BY r.published_at DESC NULLS LAST, r.release_id DESC OFFSET :keep
            """),
            {"keep": keep},
        )
        dropped = [int(row.release_id) for row in old]
        for release_id in dropped:
            empty_release(connection, release_id)
    return dropped


def _swap_in(release_id: int, approved_by: str, reason: str, expected: str) -> None:
    """Make a release of the expected status the current one."""
    _require(approved_by, reason)
    create_views()
    with transaction() as connection:
        release = _locked_release(connection, release_id)
        if release.status != "LIVE":
            _expect(release, expected)
            withhold_protected(connection, release_id)
            connection.execute(
                text("UPDATE publication.release SET status = 'SUPERSEDED' WHERE status = 'LIVE'"),
            )
            _decide(connection, release_id, "LIVE", approved_by, reason)
            connection.execute(
                text("""
                    INSERT INTO publication.current_release (release_id) VALUES (:release_id)
                    ON CONFLICT (is_only_row) DO UPDATE SET release_id = excluded.release_id
                """),
                {"release_id": release_id},
            )
    write_manifest(release_id)


def _require(name: str, reason: str) -> None:
    """Raise ReleaseError unless somebody decided, for a reason."""
    if not name.strip() or not reason.strip():
        raise ReleaseError("a decision about a release needs a name and a reason")


def _locked_release(connection: Connection, release_id: int) -> Row[Any]:
    """Return the release's status, whether it has rows, whether the live one is of a later day.

    Nobody else decides on releases meanwhile.
    """
    lock_in_transaction(connection, RELEASE_LOCK)
    release = connection.execute(
        text("""
            SELECT r.release_id, r.status, r.as_of, live.as_of AS live_as_of,
                   coalesce(r.as_of < live.as_of, false) AS is_older,
                   EXISTS (SELECT FROM publication.person p WHERE p.release_id = r.release_id) AS has_rows
            FROM publication.release r LEFT JOIN publication.release live ON live.status = 'LIVE'
            WHERE r.release_id = :release_id
        """),
        {"release_id": release_id},
    ).one_or_none()
    if release is None:
        raise ReleaseError(f"there is no release {release_id}")
    return release


def _expect(release: Row[Any], status: str) -> None:
    """Raise ReleaseError unless the release has this status and its rows."""
    if release.status != status:
        raise ReleaseError(f"release {release.release_id} is {release.status}, expected {status}")
    if not release.has_rows:
        raise ReleaseError(f"the rows of release {release.release_id} are gone")


def _decide(connection: Connection, release_id: int, status: str, by: str, reason: str) -> None:
    """Record the decision in the register and in the manifest."""
    connection.execute(
        text("""
            UPDATE publication.release
            SET status = :status, approved_by = :by, approval_reason = :reason,
                published_at = CASE WHEN :status = 'LIVE' THEN clock_timestamp() ELSE published_at END
            WHERE release_id = :release_id
        """),
        {"status": status, "by": by.strip(), "reason": reason.strip(), "release_id": release_id},
    )
    run_id = connection.scalar(
        text("SELECT run_id FROM publication.release WHERE release_id = :release_id"),
        {"release_id": release_id},
    )
    finish_run(connection, int(run_id or 0), release_id=release_id, decision=status)
    keep_decision(connection, release_id, status, by.strip(), reason.strip())
