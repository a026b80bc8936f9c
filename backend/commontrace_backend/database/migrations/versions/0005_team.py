"""A team: what several servers, remotes and the people behind keys need to be kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None

ID = sa.String(64).with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
NAME = sa.String(200).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    _identities()
    _changes()
    _reputations()
    _deliveries()
    _comparisons()


def _identities() -> None:
    """Keys whose proof is a token of an identity provider."""
    op.add_column("api_keys", sa.Column("issuer", NAME))
    op.add_column("api_keys", sa.Column("subject", NAME))
    op.create_index(
        "uq_api_keys_issuer_subject",
        "api_keys",
        ["issuer", "subject"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def _changes() -> None:
    """At which leaf of the log a trace changed last."""
    op.add_column("traces", sa.Column("changed_at_leaf", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.create_index("ix_traces_changed_at_leaf", "traces", ["changed_at_leaf"])
    op.execute(
        "UPDATE traces SET changed_at_leaf = coalesce((SELECT max(leaf_index) FROM log_leaves"
        " WHERE log_leaves.trace_id = traces.trace_id), 0)"
    )


def _reputations() -> None:
    """How well what somebody wrote has worked for others; counted by a job."""
    op.create_index("ix_outcomes_updated_at", "outcomes", ["updated_at"])
    op.create_index("ix_trace_errors_fingerprint_version", "trace_errors", ["fingerprint_version"])
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


def _deliveries() -> None:
    """Commits that were sent with a key of their own, and what was answered."""
    op.create_table(
        "commit_keys",
        sa.Column("repository_id", sa.Integer, sa.ForeignKey("repositories.repository_id"), primary_key=True),
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id"), primary_key=True),
        sa.Column("key", NAME, primary_key=True),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("request_digest", ID, nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        tenant = "current_setting('commontrace.tenant', true)"
        op.execute("ALTER TABLE commit_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON commit_keys USING (tenant_id = {tenant} OR {tenant} = '*')")


def _comparisons() -> None:
    """Which traces were compared with older ones, and which of them say nearly the same."""
    op.create_table(
        "comparisons",
        sa.Column("trace_id", ID, sa.ForeignKey("traces.trace_id"), primary_key=True),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("twin_id", ID),
        sa.Column("similarity", sa.Double, nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
    )
    if op.get_bind().dialect.name == "postgresql":
        mine = "current_setting('commontrace.tenant', true)"
        op.execute("ALTER TABLE comparisons ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON comparisons USING (tenant_id = {mine} OR {mine} = '*')")
