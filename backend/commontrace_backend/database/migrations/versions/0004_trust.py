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
    _keys()
    _standing()
    _screening()
    _commands()
    _row_level_security()


def _log() -> None:
    """The log begins empty: what is there already is taken in when the store is next opened."""
    op.create_table(
        "log_leaves",
        sa.Column("leaf_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("trace_id", ID, sa.ForeignKey("traces.trace_id"), nullable=False),
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


def _standing() -> None:
    """Who vouches for whom, decisions of reviewers, recalls, and outcomes that count for nothing."""
    op.add_column("organizations", sa.Column("invited_by", ID))
    op.add_column("traces", sa.Column("supporters", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("traces", sa.Column("published_at", TIME))
    op.add_column("outcomes", sa.Column("discounted", NAME))
    op.create_table(
        "reviews",
        sa.Column("decision_id", ID, primary_key=True),
        sa.Column("action", NAME, nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("undone_at", TIME),
        sa.Column("undone_by", ID, sa.ForeignKey("contributors.contributor_id")),
    )
    op.create_index("ix_reviews_subject", "reviews", ["subject"])
    op.create_index("ix_reviews_created_at", "reviews", ["created_at"])
    op.create_table(
        "recalls",
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id"), primary_key=True),
        sa.Column("trace_id", ID, sa.ForeignKey("traces.trace_id"), primary_key=True),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.Column("reason", NAME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("told_at", TIME),
    )
    _trust()
    # Only the owner of a store could bring in another organization; what was confirmed is known from the next vote on.
    op.execute(
        "UPDATE organizations SET invited_by = (SELECT home.organization_id FROM organizations AS home"
        " WHERE home.name = 'home') WHERE name <> 'home'"
    )
    op.execute("UPDATE traces SET published_at = updated_at WHERE visibility = 'public'")
    op.execute(
        "UPDATE traces SET supporters = (SELECT count(DISTINCT outcomes.tenant_id) FROM outcomes WHERE"
        " outcomes.trace_id = traces.trace_id AND NOT outcomes.self_report"
        " AND outcomes.outcome IN ('worked', 'worked_with_changes'))"
    )


def _trust() -> None:
    op.create_table(
        "trust_edges",
        sa.Column("source_id", ID, sa.ForeignKey("organizations.organization_id"), primary_key=True),
        sa.Column("target_id", ID, sa.ForeignKey("organizations.organization_id"), primary_key=True),
        sa.Column("confirmed", sa.Integer, nullable=False),
        sa.Column("vouched", sa.Boolean, nullable=False),
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id")),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )
    op.create_table(
        "trust_seeds",
        sa.Column("organization_id", ID, sa.ForeignKey("organizations.organization_id"), primary_key=True),
        sa.Column("contributor_id", ID, sa.ForeignKey("contributors.contributor_id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "trust_state",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("token", ID, nullable=False),
    )


def _keys() -> None:
    """What a key may publish, which key it follows, and what a trace waits to be shown to."""
    op.add_column("api_keys", sa.Column("publication", NAME, nullable=False, server_default="direct"))
    op.add_column("api_keys", sa.Column("replaces", ID))
    op.add_column("traces", sa.Column("wanted_visibility", NAME))


def _screening() -> None:
    """What newer rules would have redacted, and which rules each version was screened with."""
    op.add_column("trace_versions", sa.Column("leaks", JSON))
    op.create_index("ix_trace_versions_scanner_version", "trace_versions", ["scanner_version"])


def _commands() -> None:
    """What the commands of each version are looked up by; of versions that are there, once they are rescanned."""
    op.create_table(
        "trace_commands",
        sa.Column("trace_id", ID, primary_key=True),
        sa.Column("version_id", ID, primary_key=True),
        sa.Column("command_key", ID, primary_key=True),
        sa.Column("tenant_id", ID, sa.ForeignKey("organizations.organization_id"), nullable=False),
        sa.ForeignKeyConstraint(["trace_id", "version_id"], ["trace_versions.trace_id", "trace_versions.version_id"]),
    )
    op.create_index("ix_trace_commands_command_key", "trace_commands", ["command_key"])


# The second wall, in PostgreSQL: what a transaction may see follows from the organization it was begun for. Whoever is
# no superuser is held by it, the owner of the tables too. Identity (organizations, contributors, keys) stays outside,
# for a key is looked up before anyone is known; so do words and vectors, which are only ever read joined with traces:
# PostgreSQL would not use their indexes behind a policy.
_SET = "current_setting('commontrace.tenant', true)"
_OWN = f"(tenant_id = {_SET} OR {_SET} = '*')"
_POLICIES = {
    _OWN: (
        "receipts",
        "misses",
        "idempotency_keys",
        "repositories",
        "blobs",
        "commits",
        "refs",
        "heads",
        "claims",
        "operations",
        "commit_traces",
        "purged_objects",
        "call_records",
        "reviews",
        "recalls",
    ),
    f"(visibility = 'public' OR {_OWN})": ("traces", "trace_versions"),
    # What hangs on a trace that is seen: the policy of traces holds within this question too.
    f"({_OWN} OR EXISTS (SELECT FROM traces WHERE traces.trace_id = {{table}}.trace_id))": (  # nosec B608 - our own names
        "trace_tags",
        "trace_errors",
        "outcomes",
        "amendments",
        "flags",
        "tombstones",
        "trace_links",
        "log_leaves",
        "trace_commands",
    ),
}


def _row_level_security() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for rule, tables in _POLICIES.items():
        for table in tables:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY of_tenant ON {table} USING {rule.format(table=table)}")
