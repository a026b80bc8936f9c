"""Runs migrations on the connection that the caller opened; Alembic's entry file."""

from alembic import context

from commontrace_backend.database.tables import metadata

connection = context.config.attributes["connection"]
# Constraints without a name get the one that our convention gives them.
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
context.run_migrations()
