"""Rows of the tamper-evident log: its leaves, and the nodes of its tree that are full.

Leaves belong to organizations; their hashes, at level 0 of the nodes, say nothing of what they are of and are for all.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table

from commontrace_backend.database.tables import metadata
from commontrace_backend.database.types import Id, Json, Name, UtcDateTime

log_leaves = Table(
    "log_leaves",
    metadata,
    Column("leaf_index", Integer, primary_key=True, autoincrement=False),
    Column("tenant_id", Id, ForeignKey("organizations.organization_id"), nullable=False),
    Column("kind", Name, nullable=False),  # version, trace, outcome, tombstone or purge
    Column("trace_id", Id, ForeignKey("traces.trace_id"), nullable=False),
    Column("subject", Name, nullable=False),  # what of the trace: a version, an outcome, a tombstone
    Column("facts", Json),  # what is hashed; nothing once that was purged
    Column("leaf_hash", Id, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_log_leaves_trace_id", "trace_id"),
)

log_nodes = Table(
    "log_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("node_hash", Id, nullable=False),
)
