"""HTTP for reputation."""

from fastapi import APIRouter

from commontrace.models.contributors import Reputation
from commontrace_backend.identity import Reader, Reading
from commontrace_backend.traces.reputation import reputation_of

router = APIRouter(prefix="/api/v1", tags=["contributors"])


@router.get("/contributors/{contributor_id}/reputation")
async def reputation(contributor_id: str, caller: Reader, session: Reading) -> Reputation:
    """How well what somebody wrote has worked for others, by tag; `me` is the caller. Of who is unknown: nothing."""
    wanted = caller.contributor_id if contributor_id == "me" else contributor_id
    return await reputation_of(session, caller, wanted)
