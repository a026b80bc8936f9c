"""Rows for organizations, contributors, their keys, and the store's own secrets."""

from sqlalchemy import Column, ForeignKey, Index, Table

from commontrace_backend.database.tables import metadata
from commontrace_backend.database.types import Id, Json, Name, UtcDateTime

organizations = Table(
    "organizations",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("invited_by", Id),  # the organization that brought it in and so vouches for it; None for a stranger
)

contributors = Table(
    "contributors",
    metadata,
    Column("contributor_id", Id, primary_key=True),
    Column("tenant_id", Id, ForeignKey("organizations.organization_id"), nullable=False),
    Column("name", Name, nullable=False),
    Column("kind", Name, nullable=False),  # person, owner (of a local store) or reserved (imports, starter)
    Column("invited_by", Id, ForeignKey("contributors.contributor_id")),
    Column("lineage_id", Id, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("uq_contributors_tenant_id_name", "tenant_id", "name", unique=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Id, primary_key=True),
    Column("tenant_id", Id, ForeignKey("organizations.organization_id"), nullable=False),
    Column("contributor_id", Id, ForeignKey("contributors.contributor_id"), nullable=False, index=True),
    Column("digest", Id, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("publication", Name, nullable=False, server_default="direct"),  # PublicationPolicy
    Column("replaces", Id),  # the key that this one was rotated in for
    # An identity is a key whose proof is a token of this issuer for this subject: it has no digest.
    Column("issuer", Name),
    Column("subject", Name),
)
Index(
    "uq_api_keys_issuer_subject",
    api_keys.c.issuer,
    api_keys.c.subject,
    unique=True,
    sqlite_where=api_keys.c.revoked_at.is_(None),
    postgresql_where=api_keys.c.revoked_at.is_(None),
)

store_secrets = Table(
    "store_secrets",
    metadata,
    Column("name", Name, primary_key=True),
    Column("value", Name, nullable=False),
)
