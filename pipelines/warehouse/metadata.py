"""The MetaData that every table of the warehouse belongs to, the schemas, and how shared types become columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.types import TypeEngine

from pipelines.contracts.shared import SharedColumn

SCHEMAS: Mapping[str, str] = {
    "landing": "Each extract's contracted columns as text, with extract_id and row_number.",
    "quarantine": "Rows set aside: where they came from and why.",
    "normalised": "The shared schema: every agency's records made comparable, the raw value beside.",
    "linked": "Linkage models, scored pairs and clusters, by run.",
    "identity": "Which record belongs to which person, from which run to which.",
    "publication": "Releases as they are stored; analysts see them through the views in published.",
    "published": "The analysts' views of the current release; nothing else is stored here.",
    "audit": "Extracts, deliveries, runs, stage reports, expectation results, accesses.",
    "staging": "Tables of a bulk load while it runs.",
    "restricted": "Time-limited, logged reading of landing, quarantine and normalised.",
}

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

TYPES: Mapping[str, TypeEngine[Any]] = {
    "text": Text(),
    "text[]": ARRAY(Text()),
    "uuid": UUID(as_uuid=False),
    "bigint": BigInteger(),
    "integer": Integer(),
    "smallint": SmallInteger(),
    "double": Double(),
    "date": Date(),
    "timestamptz": DateTime(timezone=True),
    "boolean": Boolean(),
    "jsonb": JSONB(),
}


def quote(name: str) -> str:
    """Return a name as PostgreSQL reads it literally, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def shared_column(column: SharedColumn, primary_key: Iterable[str] = ()) -> Column[Any]:
    """Return the SQLAlchemy column of a column declared in `schemas/shared/`."""
    in_key = column.name in set(primary_key)
    return Column(
        column.name,
        TYPES[column.type],
        nullable=column.nullable and not in_key,
        primary_key=in_key,
        autoincrement=False,
        comment=column.description,
    )


def id_column(name: str) -> Column[Any]:
    """Return a primary key that the database counts up."""
    return Column(name, BigInteger, Identity(always=False), primary_key=True)


def uuid_column(name: str, **options: Any) -> Column[Any]:
    """Return a column of uuids, read as text."""
    return Column(name, UUID(as_uuid=False), **options)


def text_column(name: str, nullable: bool = False, **options: Any) -> Column[Any]:
    """Return a text column, not null unless said."""
    return Column(name, Text, nullable=nullable, **options)


def time_column(name: str, nullable: bool = False) -> Column[Any]:
    """Return a time with zone; where it may not be null it is the moment of insertion unless given."""
    default = None if nullable else text("clock_timestamp()")
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


def json_column(name: str, nullable: bool = False, **options: Any) -> Column[Any]:
    """Return a jsonb column; where it may not be null it is an empty object unless given."""
    default = None if nullable else text("'{}'::jsonb")
    return Column(name, JSONB, nullable=nullable, server_default=default, **options)
