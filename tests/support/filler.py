"""Rows for every table of the warehouse, with one marker wherever a text can stand."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

SCHEMAS = ("landing", "quarantine", "normalised", "linked", "identity", "publication", "audit")

_COLUMNS = text("""
    SELECT n.nspname AS schema, c.relname AS relation, a.attname AS name, format_type(a.atttypid, NULL) AS type,
           a.attidentity <> '' AS is_identity,
           (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
             WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS allowed
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE n.nspname = ANY(:schemas) AND c.relkind = 'r' AND c.relname NOT IN ('schema_version', 'warehouse_state')
       AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY 1, 2, a.attnum
""")


def fill_every_table(
    connection: Connection, marker: str, number: int, schemas: tuple[str, ...] = SCHEMAS
) -> None:
    """Add a row with this marker and this number to every table; needs a superuser, who may skip foreign keys."""
    connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
    tables: dict[str, dict[str, Any]] = {}
    for column in connection.execute(_COLUMNS, {"schemas": list(schemas)}):
        place = f'{column.schema}."{column.relation}"'
        tables.setdefault(place, {})[column.name] = _value(column, marker, number)
    for place, row in tables.items():
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(f":v{position}" for position in range(len(row)))
        statement = (
            f"INSERT INTO {place} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values}) ON CONFLICT DO NOTHING"
        )
        parameters = {f"v{position}": value for position, value in enumerate(row.values())}
        connection.execute(text(statement), parameters)


def _value(column: Any, marker: str, number: int) -> Any:
    """Return a value for a column: the marker in every kind of text, the first allowed word where words are set."""
    words = re.findall(r"'(\w+)'::text", column.allowed or "")
    if words:
        return words[0]
    hour = 13 if column.name.startswith("expires") else 12
    values: dict[str, Any] = {
        "text": marker,
        "text[]": [marker],
        "jsonb": json.dumps({marker: marker}),
        "uuid": UUID(int=number),
        "bigint": number,
        "uuid[]": [UUID(int=number)],
        "bigint[]": [number],
        "integer": number,
        "smallint": number,
        "double precision": float(number),
        "date": f"2026-09-{number:02}",
        "timestamp with time zone": f"2026-09-{number:02} {hour}:00+00",
        "boolean": True,
    }
    return values[column.type]
