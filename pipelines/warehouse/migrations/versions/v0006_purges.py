"""Records that were deleted for good: their tombstones, and what a question about an earlier day says of them.

Revision: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A membership from before the purge is answered, and marked: the ledger says that there was a record, and no more.
_MEMBERSHIP_AS_OF = """
    CREATE FUNCTION identity.membership_as_of(day date)
    RETURNS TABLE (record_id uuid, person_id uuid, valid_from_run bigint, valid_to_run bigint, state text)
    LANGUAGE sql STABLE AS $$
        WITH done AS (
            SELECT r.run_id FROM audit.run r
            WHERE r.kind = 'link' AND (r.finished_at AT TIME ZONE 'UTC')::date <= day
        )
        SELECT m.record_id, m.person_id, m.valid_from_run, m.valid_to_run,
               CASE WHEN EXISTS (SELECT FROM identity.purge p
                                 WHERE p.record_id = m.record_id AND p.after_run >= m.valid_from_run
                                   AND NOT EXISTS (
                                       SELECT FROM linked.record again JOIN done ON done.run_id = again.run_id
                                       WHERE again.record_id = m.record_id AND again.run_id > p.after_run))
                    THEN 'PURGED' ELSE 'HELD' END
        FROM identity.membership m
        JOIN done opened ON opened.run_id = m.valid_from_run
        LEFT JOIN done closed ON closed.run_id = m.valid_to_run
        WHERE closed.run_id IS NULL
    $$
"""
_PERSON_AS_OF = """
    CREATE FUNCTION identity.person_as_of(day date) RETURNS TABLE (person_id uuid, records bigint, purged bigint)
    LANGUAGE sql STABLE AS $$
        SELECT m.person_id, count(*), count(*) FILTER (WHERE m.state = 'PURGED')
        FROM identity.membership_as_of(day) m GROUP BY m.person_id
    $$
"""
_COMMENTS = {
    "FUNCTION identity.membership_as_of(date)": (
        "Which record was which person, as we believed when a day (UTC) ended; PURGED if it was deleted since."
    ),
    "FUNCTION identity.person_as_of(date)": (
        "The people we believed in when a day (UTC) ended, with their records, and how many were purged since."
    ),
}


def upgrade() -> None:
    """Add the tombstones and the mark of archived files; the functions answer with one column more."""
    _add_purges()
    op.add_column(
        "extract",
        sa.Column("archive_purged_at", sa.DateTime(timezone=True), nullable=True),
        schema="audit",
    )
    op.execute("DROP FUNCTION identity.person_as_of(date)")
    op.execute("DROP FUNCTION identity.membership_as_of(date)")
    for statement in (_MEMBERSHIP_AS_OF, _PERSON_AS_OF):
        op.execute(statement)
    for what, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")


def _add_purges() -> None:
    now = sa.text("clock_timestamp()")
    op.create_table(
        "purge",
        sa.Column("purge_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("record_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("purged_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "content_hash",
            sa.BigInteger(),
            nullable=True,
            comment="Of what linking read of it last, as linked.record had it.",
        ),
        sa.Column(
            "after_run",
            sa.BigInteger(),
            nullable=True,
            comment="The last linkage run before; what later runs hold of the record was sent again.",
        ),
        sa.Column(
            "until_period",
            sa.Text(),
            nullable=False,
            comment="Extracts of periods up to this one do not bring the record back.",
        ),
        sa.PrimaryKeyConstraint("purge_id", name=op.f("pk_purge")),
        schema="identity",
        comment="Records that were deleted for good: their tombstones. Rows are only added.",
    )
    op.create_index(op.f("ix_purge_record_id"), "purge", ["record_id"], schema="identity")
