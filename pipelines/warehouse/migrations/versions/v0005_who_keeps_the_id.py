"""Which runs the ledger holds, where retired ids lead, and what was believed on a day.

Revision: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A run tells of its day once it is done; days are those of UTC, wherever the question is asked.
_MEMBERSHIP_AS_OF = """
    CREATE FUNCTION identity.membership_as_of(day date) RETURNS SETOF identity.membership
    LANGUAGE sql STABLE AS $$
        WITH done AS (
            SELECT r.run_id FROM audit.run r
            WHERE r.kind = 'link' AND (r.finished_at AT TIME ZONE 'UTC')::date <= day
        )
        SELECT m.* FROM identity.membership m
        JOIN done opened ON opened.run_id = m.valid_from_run
        LEFT JOIN done closed ON closed.run_id = m.valid_to_run
        WHERE closed.run_id IS NULL
    $$
"""
_PERSON_AS_OF = """
    CREATE FUNCTION identity.person_as_of(day date) RETURNS TABLE (person_id uuid, records bigint)
    LANGUAGE sql STABLE AS $$
        SELECT m.person_id, count(*) FROM identity.membership_as_of(day) m GROUP BY m.person_id
    $$
"""
_LIVING_PERSON = """
    CREATE FUNCTION identity.living_person(person uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
        WITH RECURSIVE line AS (
            SELECT p.person_id, p.successor_id, p.retired_run FROM identity.person p WHERE p.person_id = person
            UNION
            SELECT p.person_id, p.successor_id, p.retired_run
            FROM line l JOIN identity.person p ON p.person_id = l.successor_id
        )
        SELECT l.person_id FROM line l WHERE l.retired_run IS NULL
    $$
"""
_SUMMARY = """
    CREATE VIEW identity.change_summary AS
    SELECT run_id, kind, cause, count(*) AS changes, count(DISTINCT person_id) AS people, sum(records) AS records
    FROM identity.change GROUP BY run_id, kind, cause
"""
_COMMENTS = {
    "FUNCTION identity.membership_as_of(date)": (
        "Which record was which person, as we believed when a day (UTC) ended."
    ),
    "FUNCTION identity.person_as_of(date)": (
        "The people we believed in when a day (UTC) ended, with their records."
    ),
    "FUNCTION identity.living_person(uuid)": "The person that an id leads to today; none if all records are gone.",
    "VIEW identity.change_summary": "How much each run changed about the people: by kind and by cause.",
}

# Runs from before there was a list of them: all that opened or closed a membership.
_RUNS_SO_FAR = """
    INSERT INTO identity.ledger_run (run_id, previous_run)
    SELECT run_id, lag(run_id) OVER (ORDER BY run_id)
    FROM (SELECT valid_from_run AS run_id FROM identity.membership
          UNION SELECT valid_to_run FROM identity.membership WHERE valid_to_run IS NOT NULL) AS seen
"""
# People retired so far went into whoever had most of their last records in the run that retired them.
_SUCCESSORS_SO_FAR = """
    UPDATE identity.person p SET successor_id = s.successor_id
    FROM (SELECT DISTINCT ON (o.person_id) o.person_id, n.person_id AS successor_id
          FROM identity.person q
          JOIN identity.membership o ON o.person_id = q.person_id AND o.valid_to_run = q.retired_run
          JOIN identity.membership n ON n.record_id = o.record_id AND n.valid_from_run = o.valid_to_run
          JOIN identity.record r ON r.record_id = o.record_id
          GROUP BY o.person_id, n.person_id
          ORDER BY o.person_id, count(*) DESC, min(r.sequence)) AS s
    WHERE s.person_id = p.person_id
"""


def upgrade() -> None:
    """Add the list of runs and the functions, and find out the successors of who is retired already."""
    op.create_table(
        "ledger_run",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous_run", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["audit.run.run_id"], name=op.f("fk_ledger_run_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_ledger_run")),
        schema="identity",
        comment="The runs that the ledger took people from, and which was the one before.",
    )
    for statement in (_RUNS_SO_FAR, _SUCCESSORS_SO_FAR):
        op.execute(statement)
    other = "Merged: into whom. Split, joined: from whom. Left: to whom."
    op.alter_column("change", "other_person_id", comment=other, schema="identity")
    for statement in (_MEMBERSHIP_AS_OF, _PERSON_AS_OF, _LIVING_PERSON, _SUMMARY):
        op.execute(statement)
    for what, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")
