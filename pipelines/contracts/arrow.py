"""Arrow schemas of the shared tables: the declared shape of every frame that crosses a boundary."""

from __future__ import annotations

import pyarrow as pa

from pipelines.contracts.shared import SharedTable

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "text[]": pa.list_(pa.string()),
    "uuid": pa.string(),
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "jsonb": pa.string(),
}


def arrow_schema(table: SharedTable) -> pa.Schema:
    """Return the Arrow schema of a shared table, columns in declared order; uuid and jsonb travel as text."""
    return pa.schema(
        [
            pa.field(column.name, ARROW_TYPES[column.type], nullable=column.nullable)
            for column in table.columns
        ]
    )
