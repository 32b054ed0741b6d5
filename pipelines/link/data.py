"""The normalised tables that linking reads, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import LinkageError
from pipelines.link.features import Ints

COLUMNS: dict[str, tuple[str, ...]] = {
    "records": ("record_id", "agency", "sex"),
    "names": ("record_id", "given", "middle", "family"),
    "births": ("record_id", "date_of_birth", "precision", "earliest", "latest"),
    "identifiers": ("record_id", "identifier_type", "value", "status", "verification", "valid_to"),
    "addresses": ("record_id", "building_number", "postcode", "postcode_status", "outward", "uprn"),
    "contacts": ("record_id", "contact_type", "value", "status"),
}
# What a table may have besides.
OPTIONAL: dict[str, tuple[str, ...]] = {
    "addresses": ("lines", "flat", "building_name", "address_type", "valid_from", "valid_to"),
}
EXTRAS = pa.schema([("record_id", pa.string()), ("field", pa.string()), ("value", pa.string())])


@dataclass(frozen=True)
class LinkData:
    """Normalised records; each table has at least the columns of `COLUMNS`.

    `record_id` is text. A table other than `records` may instead have an integer column `record`, the position of
    the record in `records`. `addresses` may have the columns of `OPTIONAL`; `lines` is the folded address without
    its postcode. `extras` holds further fields of a file (record, field, value). `unique_sources` are agencies that
    hold each person once.
    """

    records: pa.Table
    names: pa.Table
    births: pa.Table
    identifiers: pa.Table
    addresses: pa.Table
    contacts: pa.Table
    extras: pa.Table = field(default_factory=EXTRAS.empty_table)
    unique_sources: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, columns in COLUMNS.items():
            present = set(getattr(self, name).column_names)
            wanted = [each for each in columns if each != "record_id" or name == "records"]
            missing = [column for column in wanted if column not in present]
            if name != "records" and not present & {"record_id", "record"}:
                missing.append("record_id")
            if missing:
                raise LinkageError(f"linking: table {name} lacks the columns {', '.join(missing)}")

    def positions(self, name: str) -> Ints:
        """Return, for each row of a table, the position of its record in `records`.

        Raises:
            LinkageError: a row belongs to a record that is not among the records.
        """
        table: pa.Table = getattr(self, name)
        if "record" in table.column_names:
            return np.asarray(table["record"].to_numpy(), dtype=np.int64)
        found = pc.index_in(_text(table["record_id"]), value_set=_text(self.records["record_id"]))
        if found.null_count:
            raise LinkageError("linking: a row belongs to a record that is not among the records")
        return np.asarray(found.to_numpy(), dtype=np.int64)

    def without(self, record_ids: frozenset[str]) -> LinkData:
        """Return the data without these records."""
        gone = pa.array(sorted(record_ids), pa.string())
        return self._where(pc.invert(pc.is_in(_text(self.records["record_id"]), value_set=gone)))

    def only(self, record_ids: frozenset[str]) -> LinkData:
        """Return the data of these records alone."""
        wanted = pa.array(sorted(record_ids), pa.string())
        return self._where(pc.is_in(_text(self.records["record_id"]), value_set=wanted))

    def _where(self, kept: pa.ChunkedArray) -> LinkData:
        """Return the data of the records where `kept` is true."""
        mask = np.asarray(kept.to_numpy(), dtype=bool)
        place = np.cumsum(mask) - 1
        tables = {"records": self.records.filter(kept)}
        for name in (each.name for each in fields(self) if each.name not in ("records", "unique_sources")):
            at = self.positions(name)
            table = getattr(self, name).filter(pa.array(mask[at]))
            if "record" in table.column_names:
                moved = pa.array(place[at[mask[at]]])
                table = table.set_column(table.column_names.index("record"), "record", moved)
            tables[name] = table
        return replace(self, **tables)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())
