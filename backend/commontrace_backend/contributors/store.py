"""SQL for organizations, contributors and keys."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, insert, select, true, update

from commontrace_backend.contributors.tables import api_keys, contributors, organizations, store_secrets
from commontrace_backend.database.session import ReadSession, WriteSession


async def find_key(session: ReadSession, key_id: str) -> Row[Any] | None:
    """The key with its contributor."""
    return await session.first(_keys().where(api_keys.c.key_id == key_id))


async def keys_of(session: ReadSession, tenant_id: str | None) -> Sequence[Row[Any]]:
    """Every key of an organization, or of all with None; oldest first."""
    return await session.all(_keys().where(_within(tenant_id)).order_by(api_keys.c.created_at))


def _within(tenant_id: str | None) -> ColumnElement[bool]:
    return true() if tenant_id is None else api_keys.c.tenant_id == tenant_id


def _keys() -> Select[Any]:
    return (
        select(
            api_keys,
            contributors.c.name.label("contributor_name"),
            contributors.c.lineage_id,
            organizations.c.name.label("organization_name"),
        )
        .join(contributors, contributors.c.contributor_id == api_keys.c.contributor_id)
        .join(organizations, organizations.c.organization_id == api_keys.c.tenant_id)
    )


async def add_key(session: WriteSession, values: dict[str, object]) -> None:
    """Store a key's digest."""
    await session.write(insert(api_keys).values(values))


async def touch_key(session: WriteSession, key_id: str, when: datetime) -> None:
    """Remember when a key was last used."""
    await session.write(update(api_keys).where(api_keys.c.key_id == key_id).values(last_used_at=when))


async def revoke_key(session: WriteSession, key_id: str, tenant_id: str | None) -> bool:
    """Revoke a key of this organization, or of any with None; False where there is none."""
    statement = (
        update(api_keys)
        .where(api_keys.c.key_id == key_id, _within(tenant_id), api_keys.c.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
    )
    return await session.write(statement) == 1


async def find_organization(session: ReadSession, name: str) -> Row[Any] | None:
    """An organization by name."""
    return await session.first(select(organizations).where(organizations.c.name == name))


async def add_organization(session: WriteSession, organization_id: str, name: str, invited_by: str | None) -> None:
    """Create an organization."""
    values = {"organization_id": organization_id, "name": name, "invited_by": invited_by}
    await session.write(insert(organizations).values(**values, created_at=datetime.now(UTC)))


async def find_contributor(session: ReadSession, tenant_id: str, name: str) -> Row[Any] | None:
    """A contributor of an organization by name."""
    return await session.first(
        select(contributors).where(contributors.c.tenant_id == tenant_id, contributors.c.name == name)
    )


async def add_contributor(session: WriteSession, values: dict[str, object]) -> None:
    """Create a contributor."""
    await session.write(insert(contributors).values(created_at=datetime.now(UTC), **values))


async def organization_name(session: ReadSession, organization_id: str) -> str:
    """The name of an organization that exists."""
    return str(
        await session.scalar(select(organizations.c.name).where(organizations.c.organization_id == organization_id))
    )


async def find_secret(session: ReadSession, name: str) -> str | None:
    """A secret that the store keeps for itself."""
    value: str | None = await session.scalar(select(store_secrets.c.value).where(store_secrets.c.name == name))
    return value


async def add_secret(session: WriteSession, name: str, value: str) -> None:
    """Keep a secret."""
    await session.write(insert(store_secrets).values(name=name, value=value))
