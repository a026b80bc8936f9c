"""What was purged, the calls that windows were made for, and branches that one working copy has for itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None

NAME = sa.String(200).with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.String(64).with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Add three tables; nothing that is there changes."""
    op.create_table(
        "purged_objects",
        sa.Column("repository_id", sa.Integer, sa.ForeignKey("repositories.repository_id"), primary_key=True),
        sa.Column("object_id", ID, primary_key=True),
        *_by_whom(),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("replacement", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "call_records",
        sa.Column("call_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("repository_id", sa.Integer, sa.ForeignKey("repositories.repository_id"), nullable=False),
        *_by_whom(),
        sa.Column("working_copy", NAME, nullable=False),
        sa.Column("commit_id", ID, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("rendering", JSON, nullable=False),
        sa.Column("tools", JSON, nullable=False),
        sa.Column("request_sha256", ID),
        sa.Column("usage", JSON, nullable=False),
        sa.Column("estimated", sa.Integer, nullable=False),
        sa.Column("reported", sa.Integer),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_call_records_repository_id", "call_records", ["repository_id", "call_id"])
    op.create_table(
        "claims",
        sa.Column("repository_id", sa.Integer, sa.ForeignKey("repositories.repository_id"), primary_key=True),
        sa.Column("branch", NAME, primary_key=True),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id"), nullable=False),
        sa.Column("working_copy", NAME, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )


def _by_whom() -> list[sa.Column[str]]:
    return [
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id"), nullable=False),
    ]
