"""Tables of `identity`: persons that outlast runs, what changed about them, and what people decided."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Double, ForeignKey, Index, Integer, Table, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from pipelines.warehouse.metadata import id_column, metadata, text_column, time_column, uuid_column
from pipelines.warehouse.tables_audit import one_of

CHANGES = ("CREATED", "JOINED", "LEFT", "MERGED", "SPLIT", "RETIRED", "RETURNED")
CAUSES = (
    *("NEW_DATA", "CHANGED_DATA", "VANISHED_DATA", "PURGE"),
    *("PROTECTION", "JUDGEMENT", "MODEL_VERSION"),
)
VERDICTS = ("SAME", "DIFFERENT", "UNSURE")


def _run_id(name: str = "run_id", **options: Any) -> Column[Any]:
    """Return a reference to the run."""
    return Column(name, BigInteger, ForeignKey("audit.run.run_id"), **options)


identity_record = Table(
    "record",
    metadata,
    uuid_column("record_id", primary_key=True),
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
    uuid_column("person_id", primary_key=True),
    _run_id("created_run", nullable=False),
    _run_id("retired_run", nullable=True),
    uuid_column("successor_id", nullable=True, comment="The person that a retired one went into, if any."),
    schema="identity",
    comment="The real individuals, as we believe.",
)

membership = Table(
    "membership",
    metadata,
    uuid_column("record_id", primary_key=True),
    uuid_column("person_id", nullable=False),
    Column("valid_from_run", BigInteger, primary_key=True, autoincrement=False),
    Column("valid_to_run", BigInteger, nullable=True),
    Index(None, "person_id"),
    Index("uq_membership_current", "record_id", unique=True, postgresql_where=text("valid_to_run IS NULL")),
    schema="identity",
    comment="Which record belonged to which person, from which run to which.",
)

ledger_run = Table(
    "ledger_run",
    metadata,
    _run_id(primary_key=True, autoincrement=False),
    Column("previous_run", BigInteger, nullable=True),
    schema="identity",
    comment="The runs that the ledger took people from, and which was the one before.",
)

protection_notice = Table(
    "protection_notice",
    metadata,
    id_column("notice_id"),
    uuid_column("record_id", nullable=False),
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

change = Table(
    "change",
    metadata,
    id_column("change_id"),
    _run_id(nullable=False),
    text_column("kind"),
    uuid_column("person_id", nullable=False),
    uuid_column(
        "other_person_id",
        nullable=True,
        comment="Merged: into whom. Split, joined: from whom. Left: to whom.",
    ),
    uuid_column("record_id", nullable=True, comment="Joined or left: which record."),
    Column("records", Integer, nullable=False, comment="How many records it is about."),
    text_column("cause"),
    uuid_column(
        "record_a", nullable=True, comment="With record_b, the edge that decided it, where there is one."
    ),
    uuid_column("record_b", nullable=True),
    Column("match_weight", Double, nullable=True),
    Index(None, "run_id"),
    Index(None, "person_id"),
    one_of("kind", CHANGES),
    one_of("cause", CAUSES),
    schema="identity",
    comment="What each run changed about the people, why, and the edge that decided it.",
)

judgement = Table(
    "judgement",
    metadata,
    id_column("judgement_id"),
    text_column("verdict"),
    Column("records", ARRAY(UUID(as_uuid=False)), nullable=False, comment="Two records or more, sorted."),
    text_column(
        "scope", comment="What it is about: everything, or a purpose that the decision was made for."
    ),
    text_column("decided_by"),
    text_column("reason"),
    time_column("decided_at"),
    Column("expires_at", DateTime(timezone=True), nullable=True),
    one_of("verdict", VERDICTS),
    schema="identity",
    comment="What people decided about records: same person, different ones, or unsure. Rows are only added.",
)

purge = Table(
    "purge",
    metadata,
    id_column("purge_id"),
    uuid_column("record_id", nullable=False),
    time_column("purged_at"),
    text_column("requested_by"),
    text_column("reason"),
    Column(
        "content_hash",
        BigInteger,
        nullable=True,
        comment="Of what linking read of it last, as linked.record had it.",
    ),
    Column(
        "after_run",
        BigInteger,
        nullable=True,
        comment="The last linkage run before; what later runs hold of the record was sent again.",
    ),
    text_column("until_period", comment="Extracts of periods up to this one do not bring the record back."),
    Index(None, "record_id"),
    schema="identity",
    comment="Records that were deleted for good: their tombstones. Rows are only added.",
)

review_pair = Table(
    "review_pair",
    metadata,
    _run_id(primary_key=True, autoincrement=False),
    uuid_column("record_a", primary_key=True),
    uuid_column("record_b", primary_key=True),
    Column("rank", Integer, nullable=False, comment="1 is to be looked at first."),
    text_column("why"),
    Column("records", Integer, nullable=False, comment="How many records the answer would join or part."),
    Column("match_weight", Double, nullable=False),
    Column("match_probability", Double, nullable=False),
    Index(None, "run_id", "rank"),
    schema="identity",
    comment="Uncertain pairs of a run, those first on which most of what is published hangs.",
)
