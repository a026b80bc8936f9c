"""A team: what several servers, remotes and the people behind keys need to be kept."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None


NAME = sa.String(200).with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.String(64).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    _reputations()


def _reputations() -> None:
    """How well what somebody wrote has worked for others; counted by a job."""
    op.create_index("ix_outcomes_updated_at", "outcomes", ["updated_at"])
    op.create_table(
        "reputations",
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id"), primary_key=True),
        sa.Column("tag", NAME, primary_key=True),
        sa.Column("audience", NAME, primary_key=True),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("positive", sa.Integer, nullable=False),
        sa.Column("voices", sa.Integer, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        mine = "current_setting('commontrace.tenant', true)"
        op.execute("ALTER TABLE reputations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY of_tenant ON reputations USING (audience = 'public' OR tenant_id = {mine} OR {mine} = '*')"
        )
