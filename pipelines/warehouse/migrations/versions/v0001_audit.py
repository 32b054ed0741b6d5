"""The tables of audit and quarantine.

Revision: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _moment(name: str) -> sa.Column[Any]:
    """Return a time that is the moment of insertion unless given."""
    now = sa.text("clock_timestamp()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "access_grant",
        sa.Column("grant_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("grantee", sa.Text(), nullable=False, comment="The login of one person."),
        sa.Column("schema_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        _moment("granted_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "schema_name IN ('landing', 'quarantine', 'normalised')", name=op.f("ck_access_grant_schema_name")
        ),
        sa.CheckConstraint("expires_at > granted_at", name=op.f("ck_access_grant_expires_later")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_access_grant")),
        schema="audit",
        comment="Who may read a restricted schema, why, and until when.",
    )
    op.create_index(
        op.f("ix_access_grant_grantee_schema_name"),
        "access_grant",
        ["grantee", "schema_name"],
        unique=False,
        schema="audit",
    )
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("extract_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_correction", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _moment("accepted_at"),
        sa.Column("normalised_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('ACCEPTED', 'NORMALISED', 'FAILED')", name=op.f("ck_delivery_status")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("agency", "period", "sequence", name=op.f("uq_delivery_agency_period_sequence")),
        schema="audit",
        comment="All required files of an agency for a period; a correction is the next in sequence.",
    )
    op.create_table(
        "extract",
        sa.Column("extract_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False, comment="The file's name in the contract."),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False, comment="The name under which it was delivered."),
        sa.Column("rows", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("contract_version", sa.Text(), nullable=False),
        sa.Column("archive_path", sa.Text(), nullable=True),
        sa.Column("is_forced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _moment("received_at"),
        sa.CheckConstraint(
            "status IN ('ACCEPTED', 'ACCEPTED_WITH_ERRORS', 'REJECTED')", name=op.f("ck_extract_status")
        ),
        sa.PrimaryKeyConstraint("extract_id", name=op.f("pk_extract")),
        sa.UniqueConstraint(
            "agency", "file", "period", "sha256", name=op.f("uq_extract_agency_file_period_sha256")
        ),
        schema="audit",
        comment="Every file that was received, accepted or not.",
    )
    op.create_table(
        "link_request",
        sa.Column("request_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("delivery_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        _moment("requested_at"),
        sa.CheckConstraint(
            "cause IN ('complete', 'correction', 'cutoff', 'manual')", name=op.f("ck_link_request_cause")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_link_request")),
        sa.UniqueConstraint("period", "delivery_ids", name=op.f("uq_link_request_period_delivery_ids")),
        schema="audit",
        comment="Written once by whoever completes a period: these deliveries are to be linked.",
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=True),
        _moment("started_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="RUNNING", nullable=False),
        sa.Column("inputs", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.CheckConstraint("kind IN ('ingest', 'link', 'publish')", name=op.f("ck_run_kind")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        schema="audit",
        comment="One execution of a verb, with what it worked on.",
    )
    op.create_table(
        "warehouse_state",
        sa.Column("is_only_row", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        _moment("prepared_at"),
        sa.CheckConstraint("is_only_row", name=op.f("ck_warehouse_state_one_row")),
        sa.PrimaryKeyConstraint("is_only_row", name=op.f("pk_warehouse_state")),
        schema="audit",
        comment="What the warehouse was last prepared for; one row.",
    )
    op.create_table(
        "access_log",
        sa.Column("access_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=False),
        sa.Column("grantee", sa.Text(), nullable=False),
        sa.Column("schema_name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("backend_pid", sa.Integer(), nullable=False),
        sa.Column("backend_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        _moment("opened_at"),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["audit.access_grant.grant_id"], name=op.f("fk_access_log_grant_id")
        ),
        sa.PrimaryKeyConstraint("access_id", name=op.f("pk_access_log")),
        schema="audit",
        comment="Each time somebody opened a restricted schema; rows are never changed.",
    )
    op.create_index(
        op.f("ix_access_log_grantee_schema_name"),
        "access_log",
        ["grantee", "schema_name"],
        unique=False,
        schema="audit",
    )
    op.create_table(
        "expectation_result",
        sa.Column("result_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("expectation_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("evaluated", sa.BigInteger(), nullable=True),
        sa.Column("unexpected", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        _moment("created_at"),
        sa.CheckConstraint(
            "severity IN ('critical', 'warning', 'info')", name=op.f("ck_expectation_result_severity")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["audit.run.run_id"], name=op.f("fk_expectation_result_run_id")),
        sa.PrimaryKeyConstraint("result_id", name=op.f("pk_expectation_result")),
        schema="audit",
        comment="What each expectation found: counts, no values.",
    )
    op.create_index(
        op.f("ix_expectation_result_run_id"), "expectation_result", ["run_id"], unique=False, schema="audit"
    )
    op.create_table(
        "issue_count",
        sa.Column("extract_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["extract_id"], ["audit.extract.extract_id"], name=op.f("fk_issue_count_extract_id")
        ),
        sa.PrimaryKeyConstraint("extract_id", "column_name", "rule", name=op.f("pk_issue_count")),
        schema="audit",
        comment="Problems of single fields in rows that were accepted: counts, no values.",
    )
    op.create_table(
        "release_manifest",
        sa.Column("release_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("manifest", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["run_id"], ["audit.run.run_id"], name=op.f("fk_release_manifest_run_id")),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_release_manifest")),
        schema="audit",
        comment="What a release was made from: hashes, versions, counts, approval.",
    )
    op.create_table(
        "stage_report",
        sa.Column("report_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("rows_in", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_out", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("withheld", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["run_id"], ["audit.run.run_id"], name=op.f("fk_stage_report_run_id")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_stage_report")),
        schema="audit",
        comment="Where the rows of a stage went; they balance.",
    )
    op.create_index(op.f("ix_stage_report_run_id"), "stage_report", ["run_id"], unique=False, schema="audit")
    op.create_table(
        "row",
        sa.Column("extract_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("raw", postgresql.JSONB(), nullable=True),
        _moment("quarantined_at"),
        sa.CheckConstraint("stage IN ('landing', 'normalise')", name=op.f("ck_row_stage")),
        sa.ForeignKeyConstraint(["extract_id"], ["audit.extract.extract_id"], name=op.f("fk_row_extract_id")),
        sa.PrimaryKeyConstraint("extract_id", "row_number", "stage", name=op.f("pk_row")),
        schema="quarantine",
        comment="Rows set aside, with the reason codes and the row as received.",
    )
