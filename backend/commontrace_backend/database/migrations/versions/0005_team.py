"""A team: what several servers, remotes and the people behind keys need to be kept."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    _changes()


def _changes() -> None:
    """At which leaf of the log a trace changed last."""
    op.add_column("traces", sa.Column("changed_at_leaf", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.create_index("ix_traces_changed_at_leaf", "traces", ["changed_at_leaf"])
    op.execute(
        "UPDATE traces SET changed_at_leaf = coalesce((SELECT max(leaf_index) FROM log_leaves"
        " WHERE log_leaves.trace_id = traces.trace_id), 0)"
    )
