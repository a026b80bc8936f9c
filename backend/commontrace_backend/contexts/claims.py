"""Claiming a branch for a while: nobody else moves it meanwhile."""

from datetime import timedelta

from commontrace.errors import NotFoundError
from commontrace.models.contexts import ClaimInfo, NewClaim
from commontrace_backend.contexts.claim_rows import drop_claim, find_claim, holds, put_claim, refuse_claimed
from commontrace_backend.contexts.places import Place, open_place, tip
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession


async def standing(session: ReadSession, place: Place, caller: Caller, branch: str) -> ClaimInfo | None:
    """The claim of a branch that stands now."""
    found = await find_claim(session, place.id, branch)
    if found is None:
        return None
    return ClaimInfo(
        branch=branch,
        contributor=found.contributor,
        working_copy=found.working_copy,
        expires_at=found.expires_at,
        yours=holds(found, caller),
    )


async def claim(session: WriteSession, caller: Caller, name: str, wanted: NewClaim) -> ClaimInfo:
    """Let nobody else move a branch for a while; claiming again sets the time anew.

    Raises:
        ConflictError: somebody else has it.
    """
    place = await open_place(session, caller, name)
    branch = wanted.branch or place.branch
    if await tip(session, place, branch) is None:
        raise NotFoundError(f"There is no branch {branch}.", "See the branches.")
    await refuse_claimed(session, place.id, caller, ("branch", branch))
    await put_claim(session, place.key, caller, branch, await session.now() + timedelta(minutes=wanted.minutes))
    found = await standing(session, place, caller, branch)
    assert found is not None
    return found


async def release(session: WriteSession, caller: Caller, name: str, branch: str | None) -> ClaimInfo:
    """Give a branch free again.

    Raises:
        NotFoundError: nobody has it.
        ConflictError: somebody else has it.
    """
    place = await open_place(session, caller, name)
    branch = branch or place.branch
    found = await standing(session, place, caller, branch)
    if found is None:
        raise NotFoundError(f"Nobody claimed the branch {branch}.", "Everybody may commit to it.")
    await refuse_claimed(session, place.id, caller, ("branch", branch))
    await drop_claim(session, place.id, branch)
    return found
