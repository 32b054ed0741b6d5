"""The tables of linked, identity and publication.

Revision: 0002
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _moment(name: str) -> sa.Column[Any]:
    """Return a time that is the moment of insertion unless given."""
    now = sa.text("clock_timestamp()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "membership",
        sa.Column("record_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("valid_from_run", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to_run", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("record_id", "valid_from_run", name=op.f("pk_membership")),
        schema="identity",
        comment="Which record belonged to which person, from which run to which.",
    )
    op.create_index(
        op.f("ix_membership_person_id"), "membership", ["person_id"], unique=False, schema="identity"
    )
    op.create_index(
        "uq_membership_current",
        "membership",
        ["record_id"],
        unique=True,
        schema="identity",
        postgresql_where=sa.text("valid_to_run IS NULL"),
    )
    op.create_table(
        "protection_notice",
        sa.Column("notice_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("record_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("extract_id", sa.BigInteger(), nullable=True),
        _moment("noticed_at"),
        sa.CheckConstraint("level IN ('RESTRICTED', 'SEALED')", name=op.f("ck_protection_notice_level")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_protection_notice")),
        schema="identity",
        comment="Protection that an agency has ever asked for; rows are only added.",
    )
    op.create_index(
        op.f("ix_protection_notice_record_id"),
        "protection_notice",
        ["record_id"],
        unique=False,
        schema="identity",
    )
    op.create_table(
        "record",
        sa.Column("record_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("first_period", sa.Text(), nullable=False),
        sa.Column("last_period", sa.Text(), nullable=False),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            nullable=False,
            comment="Age: the order in which records were first seen.",
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_record")),
        schema="identity",
        comment="Every record ever linked, and when it was first and last sent.",
    )
    op.create_index(op.f("ix_record_sequence"), "record", ["sequence"], unique=False, schema="identity")
    op.create_table(
        "cluster",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("cluster_id", sa.UUID(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "record_id", name=op.f("pk_cluster")),
        schema="linked",
        comment="Records held together in one run.",
    )
    op.create_index(
        op.f("ix_cluster_run_id_cluster_id"),
        "cluster",
        ["run_id", "cluster_id"],
        unique=False,
        schema="linked",
    )
    op.create_table(
        "cluster_summary",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cluster_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("weakest_link_probability", sa.Double(), nullable=True),
        sa.Column("is_contested", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "cluster_id", name=op.f("pk_cluster_summary")),
        schema="linked",
        comment="What holds each cluster of a run together, and whether its evidence contradicts itself.",
    )
    op.create_table(
        "edge",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_a", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("record_b", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("match_weight", sa.Double(), nullable=False),
        sa.Column("match_probability", sa.Double(), nullable=False),
        sa.Column("levels", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("is_link", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "record_a", "record_b", name=op.f("pk_edge")),
        schema="linked",
        comment="Scored pairs above the lowest threshold: weight, probability, comparison levels.",
    )
    op.create_index(
        op.f("ix_edge_run_id_record_b"), "edge", ["run_id", "record_b"], unique=False, schema="linked"
    )
    op.create_table(
        "model",
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "parameters",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="m, u, prior, and term frequencies: these hold values.",
        ),
        sa.Column("training", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("model_version", name=op.f("pk_model")),
        schema="linked",
        comment="Linkage models, each version with its parameters and how it was trained.",
    )
    op.create_table(
        "person",
        sa.Column("person_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("created_run", sa.BigInteger(), nullable=False),
        sa.Column("retired_run", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["created_run"], ["audit.run.run_id"], name=op.f("fk_person_created_run")),
        sa.ForeignKeyConstraint(["retired_run"], ["audit.run.run_id"], name=op.f("fk_person_retired_run")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        schema="identity",
        comment="The real individuals, as we believe.",
    )
    op.create_table(
        "release",
        sa.Column("release_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("link_run_id", sa.BigInteger(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), server_default="BUILT", nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approval_reason", sa.Text(), nullable=True),
        _moment("created_at"),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('BUILT', 'LIVE', 'SUPERSEDED', 'REJECTED')", name=op.f("ck_release_status")
        ),
        sa.ForeignKeyConstraint(["link_run_id"], ["audit.run.run_id"], name=op.f("fk_release_link_run_id")),
        sa.ForeignKeyConstraint(["run_id"], ["audit.run.run_id"], name=op.f("fk_release_run_id")),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_release")),
        schema="publication",
        comment="Every release, what became of it, who approved it and why.",
    )
    op.create_table(
        "current_release",
        sa.Column("is_only_row", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("is_only_row", name=op.f("ck_current_release_one_row")),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publication.release.release_id"], name=op.f("fk_current_release_release_id")
        ),
        sa.PrimaryKeyConstraint("is_only_row", name=op.f("pk_current_release")),
        schema="publication",
        comment="The release that analysts see; one row, null before the first release.",
    )
