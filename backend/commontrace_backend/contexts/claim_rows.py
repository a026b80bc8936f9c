"""SQL for claims: branches that one working copy has for itself until a moment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, or_, select

from commontrace.errors import ConflictError
from commontrace_backend.contexts.tables import claims
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.clock import NOW
from commontrace_backend.database.session import ReadSession, WriteSession

CLAIMED: Final = (
    select(claims.c.branch)
    .where(
        claims.c.repository_id == bindparam("repository"),
        claims.c.branch == bindparam("called"),
        claims.c.expires_at > NOW,
        or_(claims.c.contributor_id != bindparam("caller"), claims.c.working_copy != bindparam("copy")),
    )
    .exists()
)
"""Whether somebody else has a branch: a part of the statement that would move it, so that none comes between."""

_FIND: Final = (
    select(claims, contributors.c.name.label("contributor"))
    .join(contributors, contributors.c.contributor_id == claims.c.contributor_id)
    .where(
        claims.c.repository_id == bindparam("repository"),
        claims.c.branch == bindparam("called"),
        claims.c.expires_at > NOW,
    )
)


def holds(claim: Row[Any], caller: Caller) -> bool:
    """Whether a claim is the caller's own."""
    return bool((claim.contributor_id, claim.working_copy) == (caller.contributor_id, caller.working_copy))


async def find_claim(session: ReadSession, repository_id: int, branch: str) -> Row[Any] | None:
    """The claim of a branch that stands now."""
    return await session.first(_FIND, {"repository": repository_id, "called": branch})


async def refuse_claimed(session: ReadSession, repository_id: int, caller: Caller, ref: tuple[str, str]) -> None:
    """Raise ConflictError for a branch that somebody else has."""
    claim = await find_claim(session, repository_id, ref[1]) if ref[0] == "branch" else None
    if claim is not None and not holds(claim, caller):
        raise ConflictError(
            f"The branch {claim.branch} is claimed by {claim.contributor} ({claim.working_copy}) "
            f"until {claim.expires_at:%Y-%m-%d %H:%M} UTC.",
            "Work on a branch of your own and merge it later, or wait until then.",
            {"working_copy": claim.working_copy, "expires_at": claim.expires_at.isoformat()},
        )


async def put_claim(
    session: WriteSession, place: Mapping[str, Any], caller: Caller, branch: str, until: datetime
) -> None:
    """Give a branch to the caller's working copy until a moment."""
    await drop_claim(session, place["repository_id"], branch)
    values = {
        **place,
        "branch": branch,
        "contributor_id": caller.contributor_id,
        "working_copy": caller.working_copy,
        "expires_at": until,
    }
    await session.write(insert(claims), values)


async def drop_claim(session: WriteSession, repository_id: int, branch: str) -> None:
    """Let everybody move a branch again."""
    await session.write(delete(claims).where(claims.c.repository_id == repository_id, claims.c.branch == branch))
