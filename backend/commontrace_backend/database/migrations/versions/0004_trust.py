"""Trust: who may do what, who decided what, what was read and logged."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None

NAME = sa.String(200).with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.String(64).with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    _log()


def _log() -> None:
    """The log begins empty: what is there already is taken in when the store is next opened."""
    op.create_table(
        "log_leaves",
        sa.Column("leaf_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("trace_id", ID, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("facts", JSON),
        sa.Column("leaf_hash", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_log_leaves_trace_id", "log_leaves", ["trace_id"])
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("node_hash", ID, nullable=False),
    )
