"""Runs that go on from earlier ones, what changed about people and why, judgements, and the review queue.

Revision: 0004
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What a run holds in all: the rows of its chain that began with it or before it, and had not ended by then.
_IN_ALL = """
    CREATE FUNCTION linked.{name}_of(run bigint) RETURNS SETOF linked.{name} LANGUAGE sql STABLE AS $$
        SELECT t.* FROM linked.{name} t
        WHERE t.chain_run = (SELECT l.chain_run FROM linked.lineage l WHERE l.run_id = run)
          AND t.run_id <= run AND (t.until_run IS NULL OR t.until_run > run)
    $$
"""
CHANGES = "'CREATED', 'JOINED', 'LEFT', 'MERGED', 'SPLIT', 'RETIRED', 'RETURNED'"
CAUSES = "'NEW_DATA', 'CHANGED_DATA', 'VANISHED_DATA', 'PURGE', 'PROTECTION', 'JUDGEMENT', 'MODEL_VERSION'"


def upgrade() -> None:
    """Give every row that there is to its own run, which is a chain of one; add the new tables."""
    _add_lineage()
    for table in ("edge", "cluster", "cluster_summary"):
        _give_to_chains(table)
    _add_flags()
    _index_by_record()
    for name in ("edge", "cluster", "cluster_summary", "record"):
        op.execute(_IN_ALL.format(name=name))
    _add_changes()
    _add_judgements()


def _uuid(name: str, nullable: bool = False, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.UUID(as_uuid=False), nullable=nullable, comment=comment)


def _add_lineage() -> None:
    op.create_table(
        "lineage",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "chain_run", sa.BigInteger(), nullable=False, comment="The first run of the chain: a full one."
        ),
        sa.Column(
            "base_run",
            sa.BigInteger(),
            nullable=True,
            comment="The run that this one went on from; none if it is full.",
        ),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column(
            "method",
            sa.Text(),
            nullable=False,
            comment="What the weights depend on beside the model version: the code, and settings.",
        ),
        sa.Column("counts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_lineage")),
        schema="linked",
        comment="What each linkage run stands on: the whole data anew, or an earlier run and what changed since.",
    )
    op.create_table(
        "record",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chain_run", sa.BigInteger(), nullable=False),
        sa.Column("until_run", sa.BigInteger(), nullable=True),
        _uuid("record_id"),
        sa.Column(
            "content_hash",
            sa.BigInteger(),
            nullable=False,
            comment="Of all that linking reads of it; says what changed.",
        ),
        sa.PrimaryKeyConstraint("run_id", "record_id", name=op.f("pk_record")),
        schema="linked",
        comment="The records that a run linked, as they were then.",
    )
    op.create_index(op.f("ix_record_record_id"), "record", ["record_id"], schema="linked")
    op.execute(
        "INSERT INTO linked.lineage (run_id, chain_run, model_version, method)"
        " SELECT run_id, run_id, coalesce(inputs ->> 'model_version', ''), '' FROM audit.run"
        " WHERE kind = 'link' AND status = 'SUCCEEDED'"
    )


def _give_to_chains(table: str) -> None:
    op.add_column(table, sa.Column("chain_run", sa.BigInteger(), nullable=True), schema="linked")
    op.add_column(table, sa.Column("until_run", sa.BigInteger(), nullable=True), schema="linked")
    op.execute(f"UPDATE linked.{table} SET chain_run = run_id")  # noqa: S608 - one of three constants
    op.alter_column(table, "chain_run", nullable=False, schema="linked")


def _add_flags() -> None:
    no = sa.text("false")
    barred = "Two verified numbers that differ: never one person, whatever the weight."
    attention = "Whether judgements about its records contradict each other or the evidence."
    op.add_column(
        "edge",
        sa.Column("is_barred", sa.Boolean(), server_default=no, nullable=False, comment=barred),
        schema="linked",
    )
    op.add_column(
        "cluster_summary",
        sa.Column("needs_attention", sa.Boolean(), server_default=no, nullable=False, comment=attention),
        schema="linked",
    )


def _index_by_record() -> None:
    op.drop_index(op.f("ix_edge_run_id_record_b"), table_name="edge", schema="linked")
    op.drop_index(op.f("ix_cluster_run_id_cluster_id"), table_name="cluster", schema="linked")
    for table, column in (
        ("edge", "record_a"),
        ("cluster", "record_id"),
        ("cluster", "cluster_id"),
        ("cluster", "until_run"),
        ("cluster_summary", "cluster_id"),
    ):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], schema="linked")


def _add_changes() -> None:
    successor = "The person that a retired one went into, if any."
    op.add_column("person", _uuid("successor_id", nullable=True, comment=successor), schema="identity")
    op.create_table(
        "change",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _uuid("person_id"),
        _uuid("other_person_id", True, "Merged: into whom. Split: from whom."),
        _uuid("record_id", True, "Joined or left: which record."),
        sa.Column("records", sa.Integer(), nullable=False, comment="How many records it is about."),
        sa.Column("cause", sa.Text(), nullable=False),
        _uuid("record_a", True, "With record_b, the edge that decided it, where there is one."),
        _uuid("record_b", True),
        sa.Column("match_weight", sa.Double(), nullable=True),
        sa.CheckConstraint(f"kind IN ({CHANGES})", name=op.f("ck_change_kind")),
        sa.CheckConstraint(f"cause IN ({CAUSES})", name=op.f("ck_change_cause")),
        sa.ForeignKeyConstraint(["run_id"], ["audit.run.run_id"], name=op.f("fk_change_run_id")),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_change")),
        schema="identity",
        comment="What each run changed about the people, why, and the edge that decided it.",
    )
    for column in ("run_id", "person_id"):
        op.create_index(op.f(f"ix_change_{column}"), "change", [column], schema="identity")


def _add_judgements() -> None:
    now = sa.text("clock_timestamp()")
    op.create_table(
        "judgement",
        sa.Column("judgement_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column(
            "records",
            postgresql.ARRAY(sa.UUID(as_uuid=False)),
            nullable=False,
            comment="Two records or more, sorted.",
        ),
        sa.Column(
            "scope",
            sa.Text(),
            nullable=False,
            comment="What it is about: everything, or a purpose that the decision was made for.",
        ),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("verdict IN ('SAME', 'DIFFERENT', 'UNSURE')", name=op.f("ck_judgement_verdict")),
        sa.PrimaryKeyConstraint("judgement_id", name=op.f("pk_judgement")),
        schema="identity",
        comment="What people decided about records: same person, different ones, or unsure. Rows are only added.",
    )
    op.create_table(
        "review_pair",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _uuid("record_a"),
        _uuid("record_b"),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 is to be looked at first."),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column(
            "records",
            sa.Integer(),
            nullable=False,
            comment="How many records the answer would join or part.",
        ),
        sa.Column("match_weight", sa.Double(), nullable=False),
        sa.Column("match_probability", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["audit.run.run_id"], name=op.f("fk_review_pair_run_id")),
        sa.PrimaryKeyConstraint("run_id", "record_a", "record_b", name=op.f("pk_review_pair")),
        schema="identity",
        comment="Uncertain pairs of a run, those first on which most of what is published hangs.",
    )
    op.create_index(op.f("ix_review_pair_run_id_rank"), "review_pair", ["run_id", "rank"], schema="identity")
