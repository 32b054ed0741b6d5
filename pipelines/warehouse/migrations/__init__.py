"""Alembic migrations of the fixed tables; tables of the shared schema follow their YAML (see `shared_sync`)."""
