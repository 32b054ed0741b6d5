"""Tables of `audit` and `quarantine`: what arrived, what ran, what was found, who looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pipelines.warehouse.metadata import id_column, json_column, metadata, text_column, time_column


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """Return the constraint that a column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def _run_id(nullable: bool = True, **options: Any) -> Column[Any]:
    """Return a reference to the run."""
    return Column("run_id", BigInteger, ForeignKey("audit.run.run_id"), nullable=nullable, **options)


def _extract_id(**options: Any) -> Column[Any]:
    """Return a reference to the extract."""
    reference = ForeignKey("audit.extract.extract_id")
    return Column("extract_id", BigInteger, reference, nullable=False, autoincrement=False, **options)


def _count(name: str) -> Column[Any]:
    """Return a number of rows."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


extract = Table(
    "extract",
    metadata,
    id_column("extract_id"),
    text_column("agency"),
    text_column("file", comment="The file's name in the contract."),
    text_column("period"),
    text_column("sha256"),
    Column("size_bytes", BigInteger, nullable=False),
    text_column("file_name", comment="The name under which it was delivered."),
    _count("rows"),
    text_column("status"),
    text_column("contract_version"),
    text_column("archive_path", nullable=True),
    time_column("archive_purged_at", nullable=True),
    Column("is_forced", Boolean, nullable=False, server_default=false()),
    time_column("received_at"),
    UniqueConstraint("agency", "file", "period", "sha256"),
    one_of("status", ("ACCEPTED", "ACCEPTED_WITH_ERRORS", "REJECTED")),
    schema="audit",
    comment="Every file that was received, accepted or not.",
)

delivery = Table(
    "delivery",
    metadata,
    id_column("delivery_id"),
    text_column("agency"),
    text_column("period"),
    Column("sequence", Integer, nullable=False),
    Column("extract_ids", ARRAY(BigInteger), nullable=False),
    text_column("status"),
    Column("is_correction", Boolean, nullable=False, server_default=false()),
    time_column("accepted_at"),
    time_column("normalised_at", nullable=True),
    UniqueConstraint("agency", "period", "sequence"),
    one_of("status", ("ACCEPTED", "NORMALISED", "FAILED")),
    schema="audit",
    comment="All required files of an agency for a period; a correction is the next in sequence.",
)

run = Table(
    "run",
    metadata,
    id_column("run_id"),
    text_column("kind"),
    text_column("period", nullable=True),
    time_column("started_at"),
    time_column("finished_at", nullable=True),
    text_column("status", server_default="RUNNING"),
    json_column("inputs"),
    one_of("kind", ("ingest", "link", "publish")),
    schema="audit",
    comment="One execution of a verb, with what it worked on.",
)

stage_report = Table(
    "stage_report",
    metadata,
    id_column("report_id"),
    _run_id(),
    text_column("stage"),
    text_column("agency", nullable=True),
    text_column("file", nullable=True),
    text_column("period", nullable=True),
    _count("rows_in"),
    _count("rows_out"),
    _count("quarantined"),
    _count("duplicates"),
    _count("withheld"),
    json_column("details"),
    Column("seconds", Double, nullable=True),
    time_column("created_at"),
    Index(None, "run_id"),
    schema="audit",
    comment="Where the rows of a stage went; they balance.",
)

issue_count = Table(
    "issue_count",
    metadata,
    _extract_id(primary_key=True),
    text_column("column_name", primary_key=True),
    text_column("rule", primary_key=True),
    _count("rows"),
    schema="audit",
    comment="Problems of single fields in rows that were accepted: counts, no values.",
)

expectation_result = Table(
    "expectation_result",
    metadata,
    id_column("result_id"),
    _run_id(),
    text_column("stage"),
    text_column("table_name"),
    text_column("agency", nullable=True),
    text_column("period", nullable=True),
    text_column("expectation_id"),
    text_column("type"),
    text_column("column_name", nullable=True),
    text_column("severity"),
    Column("success", Boolean, nullable=False),
    Column("evaluated", BigInteger, nullable=True),
    Column("unexpected", BigInteger, nullable=True),
    text_column("why", nullable=True),
    time_column("created_at"),
    Index(None, "run_id"),
    one_of("severity", ("critical", "warning", "info")),
    schema="audit",
    comment="What each expectation found: counts, no values.",
)

link_request = Table(
    "link_request",
    metadata,
    id_column("request_id"),
    text_column("period"),
    text_column("cause"),
    Column("delivery_ids", ARRAY(BigInteger), nullable=False),
    time_column("requested_at"),
    UniqueConstraint("period", "delivery_ids"),
    one_of("cause", ("complete", "correction", "cutoff", "manual")),
    schema="audit",
    comment="Written once by whoever completes a period: these deliveries are to be linked.",
)

access_grant = Table(
    "access_grant",
    metadata,
    id_column("grant_id"),
    text_column("grantee", comment="The login of one person."),
    text_column("schema_name"),
    text_column("reason"),
    text_column("granted_by"),
    time_column("granted_at"),
    Column("expires_at", time_column("granted_at").type, nullable=False),
    time_column("revoked_at", nullable=True),
    Index(None, "grantee", "schema_name"),
    one_of("schema_name", ("landing", "quarantine", "normalised")),
    CheckConstraint("expires_at > granted_at", name="expires_later"),
    schema="audit",
    comment="Who may read a restricted schema, why, and until when.",
)

access_log = Table(
    "access_log",
    metadata,
    id_column("access_id"),
    Column("grant_id", BigInteger, ForeignKey("audit.access_grant.grant_id"), nullable=False),
    text_column("grantee"),
    text_column("schema_name"),
    text_column("purpose"),
    Column("backend_pid", Integer, nullable=False),
    time_column("backend_start", nullable=True),
    text_column("transaction_id"),
    time_column("opened_at"),
    Column("closes_at", time_column("opened_at").type, nullable=False),
    Index(None, "grantee", "schema_name"),
    schema="audit",
    comment="Each time somebody opened a restricted schema; rows are never changed.",
)

release_manifest = Table(
    "release_manifest",
    metadata,
    Column("release_id", BigInteger, primary_key=True, autoincrement=False),
    _run_id(),
    json_column("manifest"),
    time_column("created_at"),
    schema="audit",
    comment="What a release was made from: hashes, versions, counts, approval.",
)

warehouse_state = Table(
    "warehouse_state",
    metadata,
    Column("is_only_row", Boolean, primary_key=True, server_default=text("true")),
    text_column("fingerprint"),
    time_column("prepared_at"),
    CheckConstraint("is_only_row", name="one_row"),
    schema="audit",
    comment="What the warehouse was last prepared for; one row.",
)

quarantine_row = Table(
    "row",
    metadata,
    _extract_id(primary_key=True),
    Column("row_number", BigInteger, primary_key=True, autoincrement=False),
    text_column("stage", primary_key=True),
    text_column("file"),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("raw", JSONB, nullable=True),
    time_column("quarantined_at"),
    one_of("stage", ("landing", "normalise")),
    schema="quarantine",
    comment="Rows set aside, with the reason codes and the row as received.",
)
