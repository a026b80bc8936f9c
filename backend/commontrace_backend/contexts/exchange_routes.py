"""HTTP for copies of a repository."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request

from commontrace.models.contexts import (
    MOST_COMMITS,
    Ancestry,
    KnownCommits,
    MovedRefs,
    MoveRefs,
    WantedObjects,
    WhichCommits,
)
from commontrace_backend.contexts import exchange
from commontrace_backend.contexts.bundle_routes import LINES, Bundle, whole
from commontrace_backend.contexts.routes import HERE, Name
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.identity import Reader, Reading, Writer, Writing

router = APIRouter(prefix="/api/v1", tags=["contexts"])

Named = Annotated[
    list[str], Query(default_factory=list, max_length=1000, description="Branches and tags. Default: all.")
]


@router.get(f"{HERE}/ancestry")
async def list_ancestry(
    repository: Name,
    caller: Reader,
    session: Reading,
    refs: Named,
    skip: Annotated[int, Query(ge=0, le=2**40)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_COMMITS)] = MOST_COMMITS,
) -> Ancestry:
    """The ids of commits that lead to branches and tags, children before parents."""
    return await exchange.ancestry(session, caller, repository, refs, skip, limit)


@router.post(f"{HERE}/known")
async def look_for_commits(repository: Name, body: WhichCommits, caller: Reader, session: Reading) -> KnownCommits:
    """Which of these commits are here, and where branches and tags point."""
    return await exchange.known(session, caller, repository, body.commits)


@router.post(f"{HERE}/objects", response_class=Bundle, responses={200: {"description": "The objects.", **LINES}})
async def send_objects(repository: Name, body: WantedObjects, caller: Reader, request: Request) -> Bundle:
    """A bundle of some commits with the messages that they name, without refs."""
    pieces = _pieces(request.app.state.database, caller, repository, body)
    return Bundle(await whole(pieces))


async def _pieces(database: Database, caller: Caller, repository: str, wanted: WantedObjects) -> AsyncIterator[bytes]:
    async with database.reading(caller.tenant_id) as session:
        async for piece in exchange.send(session, caller, repository, wanted):
            yield piece


@router.post(f"{HERE}/refs")
async def move_refs(repository: Name, body: MoveRefs, caller: Writer, session: Writing) -> MovedRefs:
    """Move refs from exactly where they were seen, once their commits are here."""
    return await exchange.move(session, caller, repository, body)
