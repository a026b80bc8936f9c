"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "1"
down_revision = None
branch_labels = None
depends_on = None

BYTEWISE = sa.Text(collation="C")  # as SQLite compares
ID = sa.String(64).with_variant(BYTEWISE, "postgresql")
NAME = sa.String(200).with_variant(BYTEWISE, "postgresql")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Create every table of the first release."""
    _contributors()
    _traces()
    _trace_details()
    _outcomes()
    _moderation()
    _bookkeeping()
    _context_objects()
    _context_refs()
    op.create_table("schema_info", sa.Column("min_reader", sa.Integer, nullable=False))
    op.execute("INSERT INTO schema_info VALUES (1)")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE trace_search USING fts5"
            "(title, problem, solution, tags, errors, tokenize='porter unicode61')"
        )
        op.execute("CREATE VIRTUAL TABLE trace_terms USING fts5vocab(trace_search, row)")
    else:
        op.execute("CREATE EXTENSION IF NOT EXISTS vector")
        _postgres_search()


def _postgres_search() -> None:
    """The words of the served versions; how many hold each; how many there are, and their length in words."""
    op.create_table(
        "trace_search",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("terms", postgresql.TSVECTOR, nullable=False),
        _number("length"),
    )
    op.create_index("ix_trace_search_terms", "trace_search", ["terms"], postgresql_using="gin")
    op.create_table("search_terms", sa.Column("term", BYTEWISE, primary_key=True), _number("documents"))
    op.create_table("search_totals", _number("documents"), sa.Column("length", sa.BigInteger, nullable=False))
    op.execute("INSERT INTO search_totals VALUES (0, 0)")


def _key(name: str, references: str | None = None) -> sa.Column[str]:
    """A column of the primary key that holds an id."""
    return sa.Column(name, ID, *([sa.ForeignKey(references)] if references else []), primary_key=True)


def _reference(name: str, column: str, *, nullable: bool = False, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, ID, sa.ForeignKey(column), nullable=nullable, index=index)


def _tenant() -> sa.Column[str]:
    return _reference("tenant_id", "organizations.organization_id")


def _actor() -> sa.Column[str]:
    return _reference("contributor_id", "contributors.contributor_id")


def _version() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["trace_id", "version_id"], ["trace_versions.trace_id", "trace_versions.version_id"])


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, ID, nullable=nullable)


def _name(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, NAME, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIME, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, JSON, nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _contributors() -> None:
    op.create_table(
        "organizations",
        _key("organization_id"),
        sa.Column("name", NAME, nullable=False, unique=True),
        _time("created_at"),
    )
    op.create_table(
        "contributors",
        _key("contributor_id"),
        _tenant(),
        _name("name"),
        _name("kind"),
        _reference("invited_by", "contributors.contributor_id", nullable=True),
        _id("lineage_id"),
        _time("created_at"),
    )
    op.create_index("uq_contributors_tenant_id_name", "contributors", ["tenant_id", "name"], unique=True)
    op.create_table(
        "api_keys",
        _key("key_id"),
        _tenant(),
        _reference("contributor_id", "contributors.contributor_id", index=True),
        _id("digest"),
        _json("scopes"),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("revoked_at", nullable=True),
        _time("last_used_at", nullable=True),
    )
    op.create_table("store_secrets", sa.Column("name", NAME, primary_key=True), _name("value"))


def _traces() -> None:
    op.create_table(
        "traces",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("trace_id", ID, nullable=False, unique=True),
        _tenant(),
        _name("visibility"),
        _actor(),
        _id("version_id"),
        _number("version_number"),
        _name("title"),
        _name("state"),
        _name("tier"),
        _name("language", nullable=True),
        _time("created_at"),
        _time("updated_at"),
    )
    op.create_index("ix_traces_tenant_id_contributor_id", "traces", ["tenant_id", "contributor_id"])
    op.create_index("ix_traces_version_id", "traces", ["version_id"])
    op.create_table(
        "trace_versions",
        _key("trace_id", "traces.trace_id"),
        _key("version_id"),
        _tenant(),
        _name("visibility"),
        _number("number"),
        _id("parent_version_id", nullable=True),
        _id("inherits_from", nullable=True),
        _actor(),
        *(_json(name) for name in ("content", "redactions", "hidden", "labels", "lint", "risks")),
        _name("scanner_version"),
        _bytes("signature", nullable=True),
        _time("created_at"),
    )


def _trace_details() -> None:
    op.create_table(
        "trace_tags",
        _key("trace_id", "traces.trace_id"),
        sa.Column("tag", NAME, primary_key=True, index=True),
        _tenant(),
    )
    op.create_table(
        "trace_errors",
        _key("trace_id", "traces.trace_id"),
        sa.Column("fingerprint", ID, primary_key=True, index=True),
        _name("fingerprint_version"),
        _tenant(),
    )
    op.create_table(
        "trace_links",
        _key("trace_id", "traces.trace_id"),
        sa.Column("kind", NAME, primary_key=True),
        sa.Column("target", ID, primary_key=True, index=True),
        _tenant(),
        _actor(),
        _time("created_at"),
    )


def _outcomes() -> None:
    op.create_table(
        "receipts",
        _key("contributor_id", "contributors.contributor_id"),
        _key("trace_id"),
        _key("version_id"),
        _tenant(),
        _time("shown_at"),
        _version(),
    )
    op.create_table(
        "outcomes",
        _key("trace_id"),
        _key("version_id"),
        _key("contributor_id", "contributors.contributor_id"),
        _tenant(),
        _id("lineage_id"),
        _name("outcome"),
        _text("note"),
        _json("evidence", nullable=True),
        sa.Column("self_report", sa.Boolean, nullable=False),
        _time("created_at"),
        _time("updated_at"),
        _version(),
    )


def _moderation() -> None:
    op.create_table(
        "amendments",
        _key("amendment_id"),
        _reference("trace_id", "traces.trace_id", index=True),
        _tenant(),
        _id("base_version_id"),
        _id("version_id"),
        _name("status"),
        _text("reason"),
        _actor(),
        _time("created_at"),
        _time("decided_at", nullable=True),
        _reference("decided_by", "contributors.contributor_id", nullable=True),
        _text("decision_note"),
        _version(),
    )
    op.create_table(
        "flags",
        _key("flag_id"),
        _reference("trace_id", "traces.trace_id", index=True),
        _tenant(),
        _actor(),
        _id("lineage_id"),
        _name("reason"),
        _text("note"),
        _time("created_at"),
        _time("undone_at", nullable=True),
    )
    op.create_table(
        "tombstones",
        _key("tombstone_id"),
        _reference("trace_id", "traces.trace_id", index=True),
        _tenant(),
        _actor(),
        _text("reason"),
        _name("state_before"),
        _time("created_at"),
        _time("restored_at", nullable=True),
        _reference("restored_by", "contributors.contributor_id", nullable=True),
    )


def _bookkeeping() -> None:
    op.create_table(
        "idempotency_keys",
        _key("contributor_id", "contributors.contributor_id"),
        sa.Column("key", NAME, primary_key=True),
        _tenant(),
        _id("request_digest"),
        _reference("trace_id", "traces.trace_id"),
        _id("version_id"),
        _time("created_at"),
    )
    op.create_table(
        "misses",
        _key("miss_id"),
        _tenant(),
        _actor(),
        _text("query"),
        _id("fingerprint", nullable=True),
        _time("created_at"),
    )
    op.create_index("ix_misses_tenant_id_created_at", "misses", ["tenant_id", "created_at"])


def _repository() -> sa.Column[int]:
    return sa.Column("repository_id", sa.Integer, sa.ForeignKey("repositories.repository_id"), nullable=False)


def _in_repository() -> sa.Column[int]:
    """The column that the primary key of what belongs to a repository begins with."""
    return sa.Column("repository_id", sa.Integer, sa.ForeignKey("repositories.repository_id"), primary_key=True)


def _context_objects() -> None:
    op.create_table(
        "repositories",
        sa.Column("repository_id", sa.Integer, primary_key=True, autoincrement=True),
        _tenant(),
        _actor(),
        _name("visibility"),
        _name("name"),
        _time("created_at"),
    )
    op.create_index("uq_repositories_contributor_id_name", "repositories", ["contributor_id", "name"], unique=True)
    op.create_table(
        "blobs",
        _in_repository(),
        _key("blob_id"),
        _tenant(),
        _bytes("encoded"),
        _number("tokens"),
        _name("encoding"),
    )
    op.create_table(
        "commits",
        _in_repository(),
        _key("commit_id"),
        _tenant(),
        _bytes("encoded"),
        _number("generation"),
        *(_number(name) for name in ("window_messages", "window_tokens")),
        _name("encoding"),
    )
    op.create_index("ix_commits_repository_id_generation", "commits", ["repository_id", "generation"])


def _context_refs() -> None:
    op.create_table(
        "refs",
        _in_repository(),
        *(sa.Column(name, NAME, primary_key=True) for name in ("kind", "name")),
        _tenant(),
        _id("commit_id"),
    )
    op.create_table(
        "heads",
        _in_repository(),
        _key("contributor_id", "contributors.contributor_id"),
        sa.Column("working_copy", NAME, primary_key=True),
        _tenant(),
        _name("branch"),
    )
    op.create_table(
        "operations",
        sa.Column("operation_id", sa.Integer, primary_key=True, autoincrement=True),
        _repository(),
        _tenant(),
        _actor(),
        *(_name(name) for name in ("working_copy", "kind")),
        _text("summary"),
        _json("changes"),
        sa.Column("undone", sa.Boolean, nullable=False),
        sa.Column("turns", sa.Integer),
        _time("created_at"),
    )
    op.create_index("ix_operations_repository_id", "operations", ["repository_id", "operation_id"])
    trace = sa.Column("trace_id", ID, primary_key=True, index=True)
    op.create_table("commit_traces", _in_repository(), _key("commit_id"), trace, _tenant())
