"""Tables of `linked` and `identity`: what the model found in a run, and the persons that outlast a run."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, ForeignKey, Index, Integer, Table, text
from sqlalchemy.dialects.postgresql import UUID

from pipelines.warehouse.metadata import id_column, json_column, metadata, text_column, time_column
from pipelines.warehouse.tables_audit import one_of


def _uuid(name: str, **options: Any) -> Column[Any]:
    """Return a column of uuids, read as text."""
    return Column(name, UUID(as_uuid=False), **options)


def _run_id(name: str = "run_id", **options: Any) -> Column[Any]:
    """Return a reference to the run."""
    return Column(name, BigInteger, ForeignKey("audit.run.run_id"), **options)


model = Table(
    "model",
    metadata,
    text_column("model_version", primary_key=True),
    text_column("name"),
    json_column("definition"),
    json_column("parameters", comment="m, u, prior, and term frequencies: these hold values."),
    json_column("training"),
    time_column("created_at"),
    schema="linked",
    comment="Linkage models, each version with its parameters and how it was trained.",
)

# Edges and clusters are loaded in bulk, a whole run at a time; the stage that writes them checks the run once, so
# these tables do without a foreign key that would check it for every row.
edge = Table(
    "edge",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    _uuid("record_a", primary_key=True),
    _uuid("record_b", primary_key=True),
    text_column("model_version"),
    Column("match_weight", Double, nullable=False),
    Column("match_probability", Double, nullable=False),
    json_column("levels"),
    Column("is_link", Boolean, nullable=False),
    Index(None, "run_id", "record_b"),
    schema="linked",
    comment="Scored pairs above the lowest threshold: weight, probability, comparison levels.",
)

cluster = Table(
    "cluster",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    _uuid("record_id", primary_key=True),
    _uuid("cluster_id", nullable=False),
    Index(None, "run_id", "cluster_id"),
    schema="linked",
    comment="Records held together in one run.",
)

cluster_summary = Table(
    "cluster_summary",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    _uuid("cluster_id", primary_key=True),
    Column("records", Integer, nullable=False),
    Column("weakest_link_probability", Double, nullable=True),
    Column("is_contested", Boolean, nullable=False),
    Column(
        "density", Double, nullable=True, comment="Links held over pairs of records; 1 for a record alone."
    ),
    Column("was_cut", Boolean, nullable=True, comment="Whether an accepted link out of the cluster was cut."),
    schema="linked",
    comment="What holds each cluster of a run together, and whether its evidence contradicts itself.",
)

identity_record = Table(
    "record",
    metadata,
    _uuid("record_id", primary_key=True),
    text_column("agency"),
    text_column("first_period"),
    text_column("last_period"),
    Column(
        "sequence", BigInteger, nullable=False, comment="Age: the order in which records were first seen."
    ),
    Index(None, "sequence"),
    schema="identity",
    comment="Every record ever linked, and when it was first and last sent.",
)

person = Table(
    "person",
    metadata,
    _uuid("person_id", primary_key=True),
    _run_id("created_run", nullable=False),
    _run_id("retired_run", nullable=True),
    schema="identity",
    comment="The real individuals, as we believe.",
)

membership = Table(
    "membership",
    metadata,
    _uuid("record_id", primary_key=True),
    _uuid("person_id", nullable=False),
    Column("valid_from_run", BigInteger, primary_key=True, autoincrement=False),
    Column("valid_to_run", BigInteger, nullable=True),
    Index(None, "person_id"),
    Index("uq_membership_current", "record_id", unique=True, postgresql_where=text("valid_to_run IS NULL")),
    schema="identity",
    comment="Which record belonged to which person, from which run to which.",
)

protection_notice = Table(
    "protection_notice",
    metadata,
    id_column("notice_id"),
    _uuid("record_id", nullable=False),
    text_column("level"),
    text_column("scope", nullable=True),
    Column("effective_from", Date, nullable=True),
    text_column("reason", nullable=True),
    Column("extract_id", BigInteger, nullable=True),
    time_column("noticed_at"),
    Index(None, "record_id"),
    one_of("level", ("RESTRICTED", "SEALED")),
    schema="identity",
    comment="Protection that an agency has ever asked for; rows are only added.",
)
