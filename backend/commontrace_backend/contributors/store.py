"""SQL for organizations, contributors and keys."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, insert, or_, select, true, update

from commontrace_backend.contributors.tables import api_keys, contributors, organizations, store_secrets
from commontrace_backend.database.clock import NOW
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.paging import Asked, Key, Order

_OLDEST: Final = Order("keys", Key("created_at", api_keys.c.created_at), Key("key_id", api_keys.c.key_id))

aliased_contributors = contributors.alias("invited")


async def find_key(session: ReadSession, key_id: str) -> Row[Any] | None:
    """The key with its contributor, whoever it belongs to: the caller compares that; `asked_at` is the moment."""
    named = _keys().where(api_keys.c.key_id == key_id)
    return await session.first(across(named, "whose it is decides what its bearer may do"))


async def find_identity(session: ReadSession, issuer: str, subject: str) -> Row[Any] | None:
    """The key that a subject of an issuer acts with, which is not revoked."""
    named = _keys().where(api_keys.c.issuer == issuer, api_keys.c.subject == subject, api_keys.c.revoked_at.is_(None))
    return await session.first(across(named, "whose it is decides what its bearer may do"))


async def keys_of(session: ReadSession, tenant_id: str | None, asked: Asked) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of the keys of an organization, or of all with None; oldest first."""
    statement = _keys().where(within(tenant_id))
    seen = statement if tenant_id else across(statement, "the owner of the store sees all keys")
    return await _OLDEST.read(session, seen, asked)


def within(tenant_id: str | None) -> ColumnElement[bool]:
    """The keys of an organization, or all of them with None."""
    return true() if tenant_id is None else api_keys.c.tenant_id == tenant_id


def _keys() -> Select[Any]:
    return (
        select(
            api_keys,
            contributors.c.name.label("contributor_name"),
            contributors.c.lineage_id,
            organizations.c.name.label("organization_name"),
            NOW.label("asked_at"),
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


async def revoke_keys(session: WriteSession, chosen: ColumnElement[bool], tenant_id: str | None) -> list[str]:
    """Revoke those of the chosen keys that are good, of this organization, or of any with None; returns their ids."""
    good = and_(chosen, within(tenant_id), api_keys.c.revoked_at.is_(None))
    statement = update(api_keys).where(good).values(revoked_at=NOW).returning(api_keys.c.key_id)
    return sorted(str(row.key_id) for row in await session.all(statement))


async def expire_key(session: WriteSession, key_id: str, when: datetime) -> None:
    """Let a key expire at a moment."""
    await session.write(update(api_keys).where(api_keys.c.key_id == key_id).values(expires_at=when))


def of_lineage(contributor_id: str) -> ColumnElement[bool]:
    """The keys of a contributor and of everybody below them in the tree of invitations."""
    below = select(contributors.c.contributor_id).where(contributors.c.contributor_id == contributor_id)
    branch = below.cte("branch", recursive=True)
    invited = aliased_contributors.c
    branch = branch.union(  # not union_all: it ends even on a ring
        select(invited.contributor_id).where(invited.invited_by == branch.c.contributor_id)
    )
    return api_keys.c.contributor_id.in_(select(branch.c.contributor_id))


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


async def contributors_called(session: ReadSession, called: str, tenant_id: str | None) -> Sequence[Row[Any]]:
    """Who has an id, else a name in an organization, with None in any; with the names of their organizations."""
    named = or_(contributors.c.contributor_id == called, contributors.c.name == called)
    inside = true() if tenant_id is None else contributors.c.tenant_id == tenant_id
    organization = organizations.c.name.label("organization_name")
    people = select(contributors, organization).join(
        organizations, organizations.c.organization_id == contributors.c.tenant_id
    )
    statement = people.where(named, inside).order_by(contributors.c.created_at)
    found = await session.all(across(statement, "the owner of the store, or within an organization"))
    return [one for one in found if one.contributor_id == called] or found


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
