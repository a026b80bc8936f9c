"""Runs migrations on the connection that the caller opened; Alembic's entry file."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=False)
context.run_migrations()
