"""How Arrow columns become PostgreSQL columns and the other way; uuid and jsonb travel as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Double, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.types import TypeEngine

from pipelines.errors import WarehouseError

UUID_BYTES = 16
# Where the hyphens of a uuid's text stand among its 36 signs.
HYPHENS = (8, 13, 18, 23)

# Column type -> the Arrow type that carries it, and the type of a staging column that takes it.
_SCALARS: dict[type[TypeEngine[Any]], tuple[pa.DataType, str]] = {
    Text: (pa.string(), "text"),
    UUID: (pa.string(), "text"),
    JSONB: (pa.string(), "text"),
    BigInteger: (pa.int64(), "bigint"),
    Integer: (pa.int32(), "integer"),
    SmallInteger: (pa.int16(), "smallint"),
    Double: (pa.float64(), "double precision"),
    Date: (pa.date32(), "date"),
    DateTime: (pa.timestamp("us", tz="UTC"), "timestamptz"),
    Boolean: (pa.bool_(), "boolean"),
}


def arrow_type(column_type: TypeEngine[Any]) -> pa.DataType:
    """Return the Arrow type that carries a column of this type; raises WarehouseError for one that none carries."""
    if isinstance(column_type, ARRAY):
        return pa.list_(arrow_type(column_type.item_type))
    return _carrier(column_type)[0]


def staged_type(column_type: TypeEngine[Any]) -> str:
    """Return the PostgreSQL type of a staging column, whose rows are cast to the column's own type afterwards."""
    if isinstance(column_type, ARRAY):
        return staged_type(column_type.item_type) + "[]"
    return _carrier(column_type)[1]


def _carrier(column_type: TypeEngine[Any]) -> tuple[pa.DataType, str]:
    """Return what carries a scalar column."""
    found = _SCALARS.get(type(column_type))
    if found is None:
        raise WarehouseError(f"no Arrow type is known for {type(column_type).__name__}")
    return found


def staged_schema(table: Table, names: Iterable[str]) -> pa.Schema:
    """Return the Arrow schema of rows on their way to these columns of a table.

    Raises:
        WarehouseError: the table has no column of such a name.
    """
    unknown = [name for name in names if name not in table.columns]
    if unknown:
        raise WarehouseError(f"{table.fullname} has no column {', '.join(unknown)}")
    return pa.schema([(name, arrow_type(table.columns[name].type)) for name in names])


def as_staged(batch: pa.RecordBatch, schema: pa.Schema, place: str) -> pa.RecordBatch:
    """Return the batch in the types of the schema.

    Raises:
        WarehouseError: naming the column whose values do not fit; Arrow's own message would repeat one.
    """
    columns = []
    for field in schema:
        try:
            columns.append(_plain(batch.column(field.name)).cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise WarehouseError(f"{place}.{field.name}: values do not fit {field.type}") from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _plain(column: pa.Array) -> pa.Array:
    """Return a column without dictionary encoding and without extension types."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return _readable_array(column)


def readable(table: pa.Table) -> pa.Table:
    """Return what ADBC read with uuid and jsonb as text, and numeric (counts, sums, averages) as double."""
    columns = [
        pa.chunked_array(
            [_readable_array(chunk) for chunk in column.chunks], type=_readable_type(column.type)
        )
        for column in table.columns
    ]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def _readable_type(arrow: pa.DataType) -> pa.DataType:
    """Return the type in which a column of this type is handed out."""
    if not isinstance(arrow, pa.BaseExtensionType):
        return arrow
    if isinstance(arrow, pa.OpaqueType) and arrow.type_name == "numeric":
        return pa.float64()
    return pa.string() if isinstance(arrow, pa.UuidType | pa.JsonType) else arrow.storage_type


def _readable_array(column: pa.Array) -> pa.Array:
    """Return an array in the type in which it is handed out."""
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    if isinstance(column.type, pa.UuidType):
        return uuid_text(column.storage)
    return column.storage.cast(_readable_type(column.type))


def uuid_text(column: pa.Array) -> pa.Array:
    """Return 16-byte uuids as their text, nulls kept; whole columns at once, since there may be millions."""
    filled = pc.fill_null(column, bytes(UUID_BYTES))
    octets = np.frombuffer(filled.buffers()[1], dtype=np.uint8).reshape(-1, UUID_BYTES)
    octets = octets[filled.offset : filled.offset + len(filled)]
    signs = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    digits = signs[np.stack([octets >> 4, octets & 15], axis=2)].reshape(-1, 2 * UUID_BYTES)
    text = np.insert(digits, [position - gap for gap, position in enumerate(HYPHENS)], ord("-"), axis=1)
    length = text.shape[1]
    offsets = np.arange(len(column) + 1, dtype=np.int32) * length
    made = pa.StringArray.from_buffers(
        len(column), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text))
    )
    return pc.if_else(column.is_valid(), made, pa.scalar(None, pa.string()))
