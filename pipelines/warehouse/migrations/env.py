"""What Alembic runs: the migrations, on the connection that the caller passed in and in its transaction."""

from __future__ import annotations

from alembic import context

from pipelines.warehouse.migrate import context_options

context.configure(connection=context.config.attributes["connection"], **context_options())
context.run_migrations()
