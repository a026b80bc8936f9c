"""Rows for versioned contexts: immutable objects, movable refs, and the log of what was done."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from commontrace_backend.contexts.packed import Packed
from commontrace_backend.database.tables import metadata
from commontrace_backend.database.types import Id, Json, Name, UtcDateTime


def _tenant() -> Column[str]:
    return Column("tenant_id", Id, ForeignKey("organizations.organization_id"), nullable=False)


def _repository(*, primary_key: bool = False) -> Column[int]:
    # A number, for it stands in every row and every index; it never leaves the store.
    return Column(
        "repository_id", Integer, ForeignKey("repositories.repository_id"), nullable=False, primary_key=primary_key
    )


repositories = Table(
    "repositories",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=True),
    _tenant(),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), nullable=False),
    Column("visibility", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("uq_repositories_contributor_id_name", "contributor_id", "name", unique=True),
)

# Blobs belong to one repository: a hash is no key to what somebody else wrote.
blobs = Table(
    "blobs",
    metadata,
    _repository(primary_key=True),
    Column("blob_id", Id, primary_key=True),
    _tenant(),
    Column("encoded", Packed(1024), nullable=False),
    # Never hashed: what the message costs, and the encoding that says so.
    Column("tokens", Integer, nullable=False),
    Column("encoding", Name, nullable=False),
)

commits = Table(
    "commits",
    metadata,
    _repository(primary_key=True),
    Column("commit_id", Id, primary_key=True),
    _tenant(),
    Column("encoded", Packed(0), nullable=False),
    # Derived from the history, never hashed: how deep it is, and what its window comes to.
    Column("generation", Integer, nullable=False),
    Column("window_messages", Integer, nullable=False),
    Column("window_tokens", Integer, nullable=False),
    Column("encoding", Name, nullable=False),
    Index("ix_commits_repository_id_generation", "repository_id", "generation"),
)

refs = Table(
    "refs",
    metadata,
    _repository(primary_key=True),
    Column("kind", Name, primary_key=True),  # branch, tag, or label (its name ends with the commit's first digits)
    Column("name", Name, primary_key=True),
    _tenant(),
    Column("commit_id", Id, nullable=False),
)

heads = Table(
    "heads",
    metadata,
    _repository(primary_key=True),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), primary_key=True),
    Column("working_copy", Name, primary_key=True),
    _tenant(),
    Column("branch", Name, nullable=False),
)

# Which branches only one working copy may move, and until when.
claims = Table(
    "claims",
    metadata,
    _repository(primary_key=True),
    Column("branch", Name, primary_key=True),
    _tenant(),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), nullable=False),
    Column("working_copy", Name, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

operations = Table(
    "operations",
    metadata,
    Column("operation_id", Integer, primary_key=True, autoincrement=True),
    _repository(),
    _tenant(),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), nullable=False),
    Column("working_copy", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("summary", Text, nullable=False),
    Column("changes", Json, nullable=False),  # [{ref, before, after}]
    Column("undone", Boolean, nullable=False),
    Column("turns", Integer),  # which operation an undo or redo turned
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_operations_repository_id", "repository_id", "operation_id"),
)

# Commits that were sent with a key of their own, and what was answered.
commit_keys = Table(
    "commit_keys",
    metadata,
    _repository(primary_key=True),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), primary_key=True),
    Column("key", Name, primary_key=True),
    _tenant(),
    Column("request_digest", Id, nullable=False),
    Column("answer", Json, nullable=False),  # ids and numbers, no text
    Column("created_at", UtcDateTime, nullable=False),
)

commit_traces = Table(
    "commit_traces",
    metadata,
    _repository(primary_key=True),
    Column("commit_id", Id, primary_key=True),
    Column("trace_id", Id, primary_key=True, index=True),
    _tenant(),
)

# What was purged: the object keeps its id, and other bytes stand in its place.
purged_objects = Table(
    "purged_objects",
    metadata,
    _repository(primary_key=True),
    Column("object_id", Id, primary_key=True),
    _tenant(),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), nullable=False),
    Column("kind", Name, nullable=False),  # blob or commit
    Column("reason", Text, nullable=False),
    Column("size", Integer, nullable=False),  # bytes that it had
    Column("replacement", Id, nullable=False),  # the id that the bytes in its place would have
    Column("created_at", UtcDateTime, nullable=False),
)

call_records = Table(
    "call_records",
    metadata,
    Column("call_id", Integer, primary_key=True, autoincrement=True),
    _repository(),
    _tenant(),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), nullable=False),
    Column("working_copy", Name, nullable=False),
    Column("commit_id", Id, nullable=False),
    Column("model", Name, nullable=False),
    Column("rendering", Json, nullable=False),  # how the window was asked for
    Column("tools", Json, nullable=False),  # ids of the blobs with their schemas
    Column("request_sha256", Id),  # NULL where a purge took something out of it
    Column("usage", Json, nullable=False),
    Column("estimated", Integer, nullable=False),
    Column("reported", Integer),  # input tokens, as far as the provider said so
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_call_records_repository_id", "repository_id", "call_id"),
)
