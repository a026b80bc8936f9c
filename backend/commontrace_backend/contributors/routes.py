"""HTTP for contributors and keys."""

from fastapi import APIRouter

from commontrace.models.base import Page
from commontrace.models.contributors import (
    ApiKey,
    Contributor,
    CreatedApiKey,
    NewApiKey,
    NewIdentity,
    NewToken,
    Revocation,
    Revoked,
    Rotation,
    Token,
)
from commontrace_backend.contributors import service, store
from commontrace_backend.identity import Admin, Anyone, Holder, KeyMaker, KeyringDep, Reading, Writing
from commontrace_backend.paging import Paged

router = APIRouter(prefix="/api/v1", tags=["contributors"])


@router.get("/me")
async def me(caller: Holder, session: Reading) -> Contributor:
    """Who the key or token of this request belongs to."""
    return Contributor(
        contributor_id=caller.contributor_id,
        name=caller.contributor_name,
        organization_id=caller.tenant_id,
        organization_name=await store.organization_name(session, caller.tenant_id),
        scopes=sorted(caller.scopes),
    )


@router.post("/keys", status_code=201)
async def create_key(wanted: NewApiKey, caller: KeyMaker, session: Writing, keyring: KeyringDep) -> CreatedApiKey:
    """Create a key; its secret is in this answer and nowhere else."""
    return await service.create_key(session, caller, keyring, wanted)


@router.post("/tokens", status_code=201)
async def create_token(wanted: NewToken, caller: Holder, session: Reading, keyring: KeyringDep) -> Token:
    """Get a token that stands for the key of this request for a while; it is in this answer and nowhere else."""
    return await service.create_token(session, caller, keyring, wanted)


@router.post("/identities", status_code=201)
async def create_identity(wanted: NewIdentity, caller: KeyMaker, session: Writing, keyring: KeyringDep) -> ApiKey:
    """Let whom an identity provider's tokens are about act as a contributor; revoked as a key is, by its id."""
    return await service.create_identity(session, caller, keyring, wanted)


@router.get("/keys")
async def list_keys(caller: Admin, session: Reading, keyring: KeyringDep, asked: Paged) -> Page[ApiKey]:
    """The keys of the caller's organization, oldest first."""
    return await service.list_keys(session, caller, keyring, asked)


@router.post("/keys/revocation")
async def revoke_keys(wanted: Revocation, caller: Admin, session: Writing, keyring: KeyringDep) -> Revoked:
    """Revoke the keys of a contributor, an organization or a branch of invitations, all at once."""
    return await service.revoke_many(session, caller, keyring, wanted)


@router.post("/keys/leaked")
async def report_leaked_key(caller: Anyone, session: Writing) -> Revoked:
    """Revoke the key that this request comes with: whoever found it may end it."""
    return await service.revoke_own(session, caller)


@router.post("/keys/{key_id}/rotation", status_code=201)
async def rotate_key(
    key_id: str, wanted: Rotation, caller: KeyMaker, session: Writing, keyring: KeyringDep
) -> CreatedApiKey:
    """Make a key that takes another one's place; both are good during the overlap."""
    return await service.rotate_key(session, caller, keyring, key_id, wanted)


@router.delete("/keys/{key_id}", status_code=204)
async def revoke_key(key_id: str, caller: Admin, session: Writing, keyring: KeyringDep) -> None:
    """Revoke a key, effective at once."""
    await service.revoke_key(session, caller, keyring, key_id)
