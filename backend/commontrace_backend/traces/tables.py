"""Rows for traces and everything that hangs on one. Every row names its tenant."""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    text,
)

from commontrace_backend.database.tables import metadata
from commontrace_backend.database.types import Id, Json, Name, UtcDateTime


def _tenant() -> Column[str]:
    return Column("tenant_id", Id, ForeignKey("organizations.organization_id"), nullable=False)


def _actor(name: str = "contributor_id") -> Column[str]:
    return Column(name, Id, ForeignKey("contributors.contributor_id"), nullable=False)


def _trace() -> Column[str]:
    return Column("trace_id", Id, ForeignKey("traces.trace_id"), nullable=False, index=True)


def _version() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["trace_id", "version_id"], ["trace_versions.trace_id", "trace_versions.version_id"])


traces = Table(
    "traces",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),  # the row number that the index uses
    Column("trace_id", Id, nullable=False, unique=True),
    _tenant(),
    Column("visibility", Name, nullable=False),
    _actor(),
    Column("version_id", Id, nullable=False),  # the version that is served
    Column("version_number", Integer, nullable=False),
    Column("title", Name, nullable=False),
    Column("state", Name, nullable=False),  # TraceState
    Column("wanted_visibility", Name),  # of a pending trace: whom it is to be shown to once approved
    Column("tier", Name, nullable=False),  # of the served version, for the trace's own audience
    # Organizations with a good outcome: who has fewer than two is proven to no stranger, whomever that one trusts.
    Column("supporters", Integer, nullable=False, server_default=text("0")),
    Column("language", Name),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),  # since when everybody may see it
    # The leaf of the log at which it, or a version of it, changed last: who copies traces goes on from there.
    Column("changed_at_leaf", Integer, nullable=False, server_default=text("0"), index=True),
    Index("ix_traces_tenant_id_contributor_id", "tenant_id", "contributor_id"),
    Index("ix_traces_version_id", "version_id"),
)

trace_versions = Table(
    "trace_versions",
    metadata,
    Column("trace_id", Id, ForeignKey("traces.trace_id"), primary_key=True),
    Column("version_id", Id, primary_key=True),  # SHA-256 of the canonical content
    _tenant(),
    Column("visibility", Name, nullable=False),
    Column("number", Integer, nullable=False),
    Column("parent_version_id", Id),
    Column("inherits_from", Id),  # the first version of a chain with one solution, whose standing this one keeps
    _actor(),
    Column("content", Json, nullable=False),  # the safe form; the original is kept nowhere
    Column("redactions", Json, nullable=False),
    Column("hidden", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("lint", Json, nullable=False),
    Column("risks", Json, nullable=False),
    Column("scanner_version", Name, nullable=False, index=True),
    Column("signature", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False),
    Column("leaks", Json),  # types of what newer rules would have redacted; the trace is hidden until it is purged
)

of_served_version = and_(
    trace_versions.c.trace_id == traces.c.trace_id, trace_versions.c.version_id == traces.c.version_id
)
"""Joins a trace with the version that it serves."""

trace_tags = Table(
    "trace_tags",
    metadata,
    Column("trace_id", Id, ForeignKey("traces.trace_id"), primary_key=True),
    Column("tag", Name, primary_key=True, index=True),
    _tenant(),
)

trace_errors = Table(
    "trace_errors",
    metadata,
    Column("trace_id", Id, ForeignKey("traces.trace_id"), primary_key=True),
    Column("fingerprint", Id, primary_key=True, index=True),
    Column("fingerprint_version", Name, nullable=False, index=True),
    _tenant(),
)

trace_commands = Table(
    "trace_commands",
    metadata,
    Column("trace_id", Id, primary_key=True),
    Column("version_id", Id, primary_key=True),
    Column("command_key", Id, primary_key=True, index=True),  # of a shell command in its normal form
    _tenant(),
    _version(),
)

receipts = Table(
    "receipts",
    metadata,
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), primary_key=True),
    Column("trace_id", Id, primary_key=True),
    Column("version_id", Id, primary_key=True),
    _tenant(),
    Column("shown_at", UtcDateTime, nullable=False),
    _version(),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("trace_id", Id, primary_key=True),
    Column("version_id", Id, primary_key=True),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), primary_key=True),
    _tenant(),
    Column("lineage_id", Id, nullable=False),
    Column("outcome", Name, nullable=False),
    Column("note", Text, nullable=False),
    Column("evidence", Json),
    Column("self_report", Boolean, nullable=False),
    Column("discounted", Name),  # why it counts for nothing: `burst`, or the decision that said so
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False, index=True),
    _version(),
)

amendments = Table(
    "amendments",
    metadata,
    Column("amendment_id", Id, primary_key=True),
    _trace(),
    _tenant(),
    Column("base_version_id", Id, nullable=False),
    Column("version_id", Id, nullable=False),
    Column("status", Name, nullable=False),
    Column("reason", Text, nullable=False),
    _actor(),
    Column("created_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", Id, ForeignKey("contributors.contributor_id")),
    Column("decision_note", Text, nullable=False),
    _version(),
)

flags = Table(
    "flags",
    metadata,
    Column("flag_id", Id, primary_key=True),
    _trace(),
    _tenant(),
    _actor(),
    Column("lineage_id", Id, nullable=False),
    Column("reason", Name, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),
)

reviews = Table(
    "reviews",
    metadata,
    Column("decision_id", Id, primary_key=True),
    Column("action", Name, nullable=False),  # ReviewAction
    Column("subject", Id, nullable=False, index=True),  # the id of a trace, an amendment or an organization
    _tenant(),
    _actor(),
    Column("reason", Text, nullable=False),
    Column("details", Json, nullable=False),  # what undoing it needs to know
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("undone_at", UtcDateTime),
    Column("undone_by", Id, ForeignKey("contributors.contributor_id")),
)

recalls = Table(
    "recalls",
    metadata,
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), primary_key=True),
    Column("trace_id", Id, ForeignKey("traces.trace_id"), primary_key=True),
    _tenant(),
    Column("reason", Name, nullable=False),  # withdrawn or quarantined
    Column("created_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
)

trust_edges = Table(
    "trust_edges",
    metadata,
    Column("source_id", Id, ForeignKey("organizations.organization_id"), primary_key=True),
    Column("target_id", Id, ForeignKey("organizations.organization_id"), primary_key=True),
    Column("confirmed", Integer, nullable=False),  # public traces of the target that worked for the source, at most 3
    Column("vouched", Boolean, nullable=False),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id")),  # who vouched
    Column("reason", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

trust_seeds = Table(
    "trust_seeds",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.organization_id"), primary_key=True),
    _actor(),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

trust_state = Table(
    "trust_state",
    metadata,
    Column("name", Name, primary_key=True),
    Column("token", Id, nullable=False),  # another one with every change of edges or seeds
)

reputations = Table(
    "reputations",
    metadata,
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), primary_key=True),
    Column("tag", Name, primary_key=True),  # empty: all of them together
    Column("audience", Name, primary_key=True),  # team or public
    _tenant(),  # of the contributor
    Column("positive", Integer, nullable=False),
    Column("voices", Integer, nullable=False),
    Column("score", Double, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("tombstone_id", Id, primary_key=True),
    _trace(),
    _tenant(),
    _actor(),
    Column("reason", Text, nullable=False),
    Column("state_before", Name, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("restored_at", UtcDateTime),
    Column("restored_by", Id, ForeignKey("contributors.contributor_id")),
)

trace_links = Table(
    "trace_links",
    metadata,
    Column("trace_id", Id, ForeignKey("traces.trace_id"), primary_key=True),
    Column("kind", Name, primary_key=True),
    Column("target", Id, primary_key=True, index=True),
    _tenant(),
    _actor(),
    Column("created_at", UtcDateTime, nullable=False),
)

# Whether a trace was compared with older ones of its organization, and which of them says nearly the same.
comparisons = Table(
    "comparisons",
    metadata,
    Column("trace_id", Id, ForeignKey("traces.trace_id"), primary_key=True),
    _tenant(),
    Column("version_id", Id, nullable=False),
    Column("twin_id", Id),
    Column("similarity", Double, nullable=False),  # 0 to 1
    Column("settled_at", UtcDateTime),  # when a reviewer had looked at it
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), primary_key=True),
    Column("key", Name, primary_key=True),
    _tenant(),
    Column("request_digest", Id, nullable=False),
    Column("trace_id", Id, ForeignKey("traces.trace_id"), nullable=False),
    Column("version_id", Id, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

misses = Table(
    "misses",
    metadata,
    Column("miss_id", Id, primary_key=True),
    _tenant(),
    _actor(),
    Column("query", Text, nullable=False),  # scrubbed like a contribution
    Column("fingerprint", Id),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_misses_tenant_id_created_at", "tenant_id", "created_at"),
)
