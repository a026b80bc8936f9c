"""Branches that one working copy has for itself for a while."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None

NAME = sa.String(200).with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.String(64).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add claims."""
    op.create_table(
        "claims",
        sa.Column("repository_id", sa.Integer, sa.ForeignKey("repositories.repository_id"), primary_key=True),
        sa.Column("branch", NAME, primary_key=True),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id"), nullable=False),
        sa.Column("working_copy", NAME, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
