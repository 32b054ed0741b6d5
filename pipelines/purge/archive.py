"""What a purge removes from the archive: the whole file of every extract that held the record.

An archived file is proof by its SHA-256 only as long as it is whole, so no row is cut out of it. `audit.extract`
keeps name, hash and counts. The mark is set in the purge's transaction; the file goes after it, and if the process
is killed in between, the next purge deletes it.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from pipelines.ingest.archive import archived_path
from pipelines.settings import load_settings
from pipelines.warehouse.engine import lock_in_transaction, transaction

# The same bytes may be the extract of another period too: then they hold the record there as well.
_MARK = text("""
    UPDATE audit.extract SET archive_path = NULL, archive_purged_at = clock_timestamp()
    WHERE archive_path IS NOT NULL
      AND sha256 IN (SELECT sha256 FROM audit.extract WHERE extract_id = ANY(:extracts))
    RETURNING sha256
""")
_MARKED = text("""
    SELECT agency, period, sha256 FROM audit.extract e
    WHERE archive_purged_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM audit.extract o WHERE o.sha256 = e.sha256 AND o.archive_path IS NOT NULL)
    ORDER BY agency, period, sha256
""")


def mark_archived(connection: Connection, extracts: Collection[int]) -> int:
    """Return how many archived files are to be deleted because these extracts held a record that was purged."""
    return len(set(connection.scalars(_MARK, {"extracts": sorted(extracts)})))


def delete_marked_files() -> int:
    """Return how many archived files were deleted; call it after a purge is committed."""
    archive = load_settings().archive_dir
    with transaction() as connection:
        # Whoever receives a file of the same period meanwhile may be about to keep the very same bytes.
        for row in connection.execute(_MARKED).all():
            if archived_path(archive, row.sha256).exists():
                lock_in_transaction(connection, f"receive {row.agency} {row.period}")
        left = [archived_path(archive, row.sha256) for row in connection.execute(_MARKED)]
        there = sorted({path for path in left if path.exists()})
        for path in there:
            path.unlink(missing_ok=True)
    return len(there)
