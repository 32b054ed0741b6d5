"""The normalised tables that linking reads, as one value."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import LinkageError

COLUMNS: dict[str, tuple[str, ...]] = {
    "records": ("record_id", "agency", "sex"),
    "names": ("record_id", "given", "middle", "family"),
    "births": ("record_id", "date_of_birth", "precision", "earliest", "latest"),
    "identifiers": ("record_id", "identifier_type", "value", "status", "verification", "valid_to"),
    "addresses": ("record_id", "building_number", "postcode", "postcode_status", "outward", "uprn"),
    "contacts": ("record_id", "contact_type", "value", "status"),
}


@dataclass(frozen=True)
class LinkData:
    """Normalised records; each table has at least the columns of `COLUMNS`, and `record_id` as text."""

    records: pa.Table
    names: pa.Table
    births: pa.Table
    identifiers: pa.Table
    addresses: pa.Table
    contacts: pa.Table

    def __post_init__(self) -> None:
        for name, columns in COLUMNS.items():
            missing = [column for column in columns if column not in getattr(self, name).column_names]
            if missing:
                raise LinkageError(f"linking: table {name} lacks the columns {', '.join(missing)}")

    def without(self, record_ids: frozenset[str]) -> LinkData:
        """Return the data without these records."""
        gone = pa.array(sorted(record_ids), pa.string())
        kept = {
            field.name: table.filter(
                pc.invert(pc.is_in(table["record_id"].cast(pa.string()), value_set=gone))
            )
            for field in fields(self)
            if (table := getattr(self, field.name)) is not None
        }
        return replace(self, **kept)

    def only(self, record_ids: frozenset[str]) -> LinkData:
        """Return the data of these records alone."""
        wanted = pa.array(sorted(record_ids), pa.string())
        kept = {
            field.name: table.filter(pc.is_in(table["record_id"].cast(pa.string()), value_set=wanted))
            for field in fields(self)
            if (table := getattr(self, field.name)) is not None
        }
        return replace(self, **kept)
