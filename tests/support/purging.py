"""Where a record is still named: every table with a column of ids or a text, asked for it."""

from __future__ import annotations

from sqlalchemy import Connection, text

_TABLES = text("""
    SELECT schemaname || '.' || quote_ident(tablename) FROM pg_tables
    WHERE schemaname = ANY(:schemas) ORDER BY 1
""")


def places_of(connection: Connection, words: list[str], *schemas: str) -> dict[str, int]:
    """By table, how many rows hold one of these words anywhere; tables without are left out."""
    found = {}
    for table in connection.scalars(_TABLES, {"schemas": list(schemas)}).all():
        query = text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE ANY(:words)")
        rows = connection.scalar(query, {"words": [f"%{word}%" for word in words]})
        if rows:
            found[table] = rows
    return found
