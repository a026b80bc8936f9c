"""Who a key belongs to, who owns a local store, and how keys come and go."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row

from commontrace.errors import AuthenticationError, ConflictError, ForbiddenError, NotFoundError
from commontrace.models.base import Page
from commontrace.models.contributors import (
    ApiKey,
    ContributorRef,
    CreatedApiKey,
    NewApiKey,
    NewIdentity,
    NewToken,
    Revocation,
    Revoked,
    Rotation,
    Token,
)
from commontrace_backend.contributors import keys, store
from commontrace_backend.contributors.caller import Caller, Scope
from commontrace_backend.contributors.keyring import Keyring, Secrets
from commontrace_backend.contributors.tables import api_keys
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.paging import Asked
from commontrace_backend.settings import BackendSettings

if TYPE_CHECKING:
    from commontrace_backend.contributors.provider import Provider

HOME: Final = "home"
"""The organization that a new store begins with."""

ALL_SCOPES: Final[frozenset[Scope]] = frozenset({"read", "contribute", "vote", "admin"})


def with_working_copy(caller: Caller, working_copy: str) -> Caller:
    """The same contributor at another working copy."""
    return caller if caller.working_copy == working_copy else replace(caller, working_copy=working_copy)


async def open_keyring(database: Database, settings: BackendSettings, provider: "Provider | None") -> Keyring:
    """Prepare a store for callers: its first organization, its owner, its secrets."""
    async with database.reading(EVERY_TENANT) as session:
        ready = await store.find_secret(session, "pepper")
        home = await store.find_organization(session, HOME)
        owner = await store.find_contributor(session, home.organization_id, "owner") if home else None
    if not (ready and owner):
        async with database.writing(EVERY_TENANT) as session:
            ready, owner = await _found_store(session)
    known = Secrets(pepper=settings.pepper.get_secret_value() or ready, seed=ready)
    return Keyring(known, _owner(owner) if settings.local_owner else None, settings.key_environment, provider)


async def _found_store(session: WriteSession) -> tuple[str, Row[Any]]:
    pepper = await store.find_secret(session, "pepper")
    if pepper is None:
        pepper = secrets.token_urlsafe(32)
        await store.add_secret(session, "pepper", pepper)
    organization_id = await organization_named(session, HOME)
    return pepper, await contributor_named(session, organization_id, "owner", kind="owner", invited_by=None)


def _owner(row: Row[Any]) -> Caller:
    return Caller(row.contributor_id, row.name, row.tenant_id, row.lineage_id, ALL_SCOPES)


async def organization_named(session: WriteSession, name: str, invited_by: str | None = None) -> str:
    """The id of an organization, created if the name is new: then `invited_by` another one, or a stranger."""
    row = await store.find_organization(session, name)
    if row is not None:
        return str(row.organization_id)
    organization_id = secrets.token_hex(16)
    await store.add_organization(session, organization_id, name, invited_by)
    return organization_id


async def contributor_named(
    session: WriteSession, tenant_id: str, name: str, *, kind: str, invited_by: Caller | None
) -> Row[Any]:
    """A contributor of an organization, created if the name is new."""
    row = await store.find_contributor(session, tenant_id, name)
    if row is None:
        contributor_id = secrets.token_hex(16)
        await store.add_contributor(
            session,
            {
                "contributor_id": contributor_id,
                "tenant_id": tenant_id,
                "name": name,
                "kind": kind,
                "invited_by": invited_by.contributor_id if invited_by else None,
                "lineage_id": invited_by.lineage_id if invited_by else contributor_id,
            },
        )
        row = await store.find_contributor(session, tenant_id, name)
    assert row is not None
    return row


async def create_key(session: WriteSession, caller: Caller, keyring: Keyring, wanted: NewApiKey) -> CreatedApiKey:
    """A key for a contributor of the caller's organization, or of another one if the store's owner asks."""
    return await _mint(session, keyring, await _values(session, caller, keyring, wanted))


async def _values(session: WriteSession, caller: Caller, keyring: Keyring, wanted: NewApiKey) -> dict[str, object]:
    tenant_id = await _organization_for(session, caller, keyring, wanted)
    # A new organization is nobody's guest: its people begin a lineage of their own.
    inviter = caller if tenant_id == caller.tenant_id else None
    person = await contributor_named(session, tenant_id, wanted.contributor, kind="person", invited_by=inviter)
    now = await session.now()
    return {
        "tenant_id": tenant_id,
        "contributor_id": person.contributor_id,
        "scopes": sorted(wanted.scopes),
        "publication": wanted.publication,
        "expires_at": now + timedelta(days=wanted.expires_in_days) if wanted.expires_in_days else None,
    }


async def _mint(session: WriteSession, keyring: Keyring, values: Mapping[str, object]) -> CreatedApiKey:
    key = keys.new_key(keyring.environment)
    digest = keys.digest(key.text, keyring.pepper)
    made = await _added(session, {**values, "key_id": key.key_id, "digest": digest})
    return CreatedApiKey(key=key.text, **made.model_dump())


async def _added(session: WriteSession, values: dict[str, object]) -> ApiKey:
    await store.add_key(session, {**values, "created_at": await session.now()})
    made = await store.find_key(session, str(values["key_id"]))
    assert made is not None
    return shown(made)


async def create_identity(session: WriteSession, caller: Caller, keyring: Keyring, wanted: NewIdentity) -> ApiKey:
    """Let whom a provider's tokens are about act as a contributor.

    One provider serves the whole server, so its operator alone says who is who: an organization that could claim a
    subject before another one does would be told what that person says.

    Raises:
        ForbiddenError: the caller is neither the owner of the store nor an admin of its first organization.
        ConflictError: the subject acts as somebody already.
    """
    if not keyring.is_owner(caller) and await store.organization_name(session, caller.tenant_id) != HOME:
        raise ForbiddenError(
            "Only the server's operator may say whom an identity provider's tokens are about.",
            "Ask the owner of the store, or an admin of its first organization.",
        )
    taken = await store.find_identity(session, wanted.issuer, wanted.subject)
    if taken is not None:
        raise ConflictError(
            f"This subject acts as {taken.contributor_name} of {taken.organization_name}.",
            f"To change that: commontrace keys revoke {taken.key_id}",
        )
    values = await _values(session, caller, keyring, wanted)
    # No key has an empty digest, so none opens an identity.
    proven_by = {"issuer": wanted.issuer, "subject": wanted.subject, "digest": ""}
    return await _added(session, {**values, **proven_by, "key_id": secrets.token_hex(4)})


async def create_token(session: ReadSession, caller: Caller, keyring: Keyring, wanted: NewToken) -> Token:
    """A token that stands for the key of the request, with no more scopes and no longer than the key.

    Raises:
        AuthenticationError: the request came without a key, or with a token: one cannot be made to last by another.
        ForbiddenError: the key lacks a scope that is wanted.
    """
    if caller.proof != "key":
        raise AuthenticationError(
            "A token is given for a key, and for nothing else.", "Send the key itself: COMMONTRACE_API_KEY."
        )
    scopes = frozenset(wanted.scopes or caller.scopes - {"admin"})
    if not scopes or scopes - caller.scopes:
        raise ForbiddenError(
            f"This key may not {', '.join(sorted(scopes - caller.scopes)) or 'do anything but administer'}.",
            f"Name scopes that it has: {', '.join(sorted(caller.scopes))}.",
        )
    key = await store.find_key(session, caller.key_id)
    assert key is not None
    end = key.asked_at + timedelta(minutes=wanted.minutes)
    end = min(end, key.expires_at or end).replace(microsecond=0)
    token_id = secrets.token_hex(8)
    claims = {
        "sub": caller.contributor_id,
        "key": caller.key_id,
        "scope": " ".join(sorted(scopes)),
        "iat": key.asked_at,
        "exp": end,
        "jti": token_id,
    }
    return Token(
        token=keyring.signer.sign(claims),
        token_id=token_id,
        key_id=caller.key_id,
        scopes=sorted(scopes),
        expires_at=end,
    )


async def rotate_key(
    session: WriteSession, caller: Caller, keyring: Keyring, key_id: str, wanted: Rotation
) -> CreatedApiKey:
    """Another key for the same contributor with the same rights; the old one ends after the overlap, or sooner.

    The new one lives as long as the old one was made for.

    Raises:
        NotFoundError: no good key of that id in this organization.
    """
    old = await store.find_key(session, key_id)
    if old is None or old.issuer or old.revoked_at or _reach(caller, keyring) not in {None, old.tenant_id}:
        raise _no_key(key_id)
    now = old.asked_at
    if old.expires_at and old.expires_at <= now:
        raise ConflictError(f"The key {key_id} has expired.", "Create a new one: commontrace keys create NAME")
    end = now + timedelta(hours=wanted.overlap_hours)
    await store.expire_key(session, key_id, min(end, old.expires_at or end))
    kept = {name: getattr(old, name) for name in ("tenant_id", "contributor_id", "scopes", "publication")}
    expires_at = now + (old.expires_at - old.created_at) if old.expires_at else None
    values = {**kept, "replaces": key_id, "expires_at": expires_at}
    return await _mint(session, keyring, values)


async def _organization_for(session: WriteSession, caller: Caller, keyring: Keyring, wanted: NewApiKey) -> str:
    name = wanted.organization
    if name is None or name == await store.organization_name(session, caller.tenant_id):
        return caller.tenant_id
    if not keyring.is_owner(caller):
        raise ForbiddenError(
            "Only the owner of the store may create keys for another organization.",
            "Run `commontrace keys create --organization NAME` where the database is.",
        )
    return await organization_named(session, name, None if wanted.stranger else caller.tenant_id)


async def list_keys(session: ReadSession, caller: Caller, keyring: Keyring, asked: Asked) -> Page[ApiKey]:
    """The keys of the caller's organization; to the owner of the store, all of them."""
    rows, goes_on = await store.keys_of(session, _reach(caller, keyring), asked)
    return Page(items=[shown(row) for row in rows], next_cursor=goes_on)


def _reach(caller: Caller, keyring: Keyring) -> str | None:
    return None if keyring.is_owner(caller) else caller.tenant_id


async def revoke_key(session: WriteSession, caller: Caller, keyring: Keyring, key_id: str) -> None:
    """Revoke a key at once; raises NotFoundError for one of another organization."""
    if not await store.revoke_keys(session, api_keys.c.key_id == key_id, _reach(caller, keyring)):
        raise _no_key(key_id)


def _no_key(key_id: str) -> NotFoundError:
    return NotFoundError(f"No active key {key_id} in this organization.", "See `commontrace keys list`.")


async def revoke_many(session: WriteSession, caller: Caller, keyring: Keyring, wanted: Revocation) -> Revoked:
    """Revoke the keys of a contributor, of an organization, or of a branch of the tree of invitations, all at once.

    Raises:
        NotFoundError: nobody is called that within the caller's reach.
        ConflictError: people of several organizations are, of whom one has to be named by id.
    """
    reach = _reach(caller, keyring)
    if wanted.organization is not None:
        chosen = api_keys.c.tenant_id == await _organization_within(session, wanted.organization, reach)
        return Revoked(key_ids=await store.revoke_keys(session, chosen, reach))
    called = wanted.contributor or wanted.lineage or ""
    people = await store.contributors_called(session, called, reach)
    if not people:
        raise NotFoundError(f"No contributor {called} in this organization.", "See `commontrace keys list`.")
    if (
        len(people) > 1
    ):  # in several organizations, all of which the owner reaches: no guess, the other's key would go on
        several = " or ".join(f"{one.contributor_id} ({one.organization_name})" for one in people)
        raise ConflictError(f"Several people are called {called}.", f"Name one by id: {several}.")
    root = people[0].contributor_id
    chosen = store.of_lineage(root) if wanted.lineage else api_keys.c.contributor_id == root
    return Revoked(key_ids=await store.revoke_keys(session, chosen, reach))


async def _organization_within(session: ReadSession, name: str, reach: str | None) -> str:
    row = await store.find_organization(session, name)
    if row is None or reach not in {None, row.organization_id}:
        raise NotFoundError(f"No organization {name} that you administer.", "See `commontrace keys list`.")
    return str(row.organization_id)


async def revoke_own(session: WriteSession, caller: Caller) -> Revoked:
    """Revoke the key that this request came with: who holds it may end it, for that proves that it has leaked.

    Raises:
        AuthenticationError: the request came without a key.
    """
    if not caller.key_id:
        raise AuthenticationError("This request came without a key.", "Send the leaked key as the request's own.")
    return Revoked(key_ids=await store.revoke_keys(session, api_keys.c.key_id == caller.key_id, caller.tenant_id))


def shown(row: Row[Any]) -> ApiKey:
    """A key as it may be shown: everything but the secret."""
    return ApiKey(
        key_id=row.key_id,
        contributor=ContributorRef(contributor_id=row.contributor_id, name=row.contributor_name),
        organization_name=row.organization_name,
        scopes=row.scopes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        publication=row.publication,
        replaces=row.replaces,
        issuer=row.issuer,
        subject=row.subject,
    )
