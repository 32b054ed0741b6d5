"""Tables of `publication`: the register of releases, and the pointer that the views in `published` follow."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, ForeignKey, Table, text

from pipelines.warehouse.metadata import id_column, metadata, text_column, time_column
from pipelines.warehouse.tables_audit import one_of

release = Table(
    "release",
    metadata,
    id_column("release_id"),
    Column("run_id", BigInteger, ForeignKey("audit.run.run_id"), nullable=True),
    Column("link_run_id", BigInteger, ForeignKey("audit.run.run_id"), nullable=True),
    Column("as_of", Date, nullable=False),
    text_column("status", server_default="BUILT"),
    text_column("approved_by", nullable=True),
    text_column("approval_reason", nullable=True),
    time_column("created_at"),
    time_column("published_at", nullable=True),
    one_of("status", ("BUILT", "LIVE", "SUPERSEDED", "REJECTED")),
    schema="publication",
    comment="Every release, what became of it, who approved it and why.",
)

current_release = Table(
    "current_release",
    metadata,
    Column("is_only_row", Boolean, primary_key=True, server_default=text("true")),
    Column("release_id", BigInteger, ForeignKey("publication.release.release_id"), nullable=True),
    CheckConstraint("is_only_row", name="one_row"),
    schema="publication",
    comment="The release that analysts see; one row, null before the first release.",
)
