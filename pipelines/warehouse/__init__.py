"""The warehouse: tables, migrations, bulk load, roles, and the embedded PostgreSQL server."""
