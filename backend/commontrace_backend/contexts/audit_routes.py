"""HTTP for integrity and search: checking, collecting, purging, looking for words and where they come from."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from commontrace.models.base import Page
from commontrace.models.contexts import (
    BlameResult,
    CallRecord,
    CollectResult,
    GrepPage,
    NewCall,
    NewCollection,
    NewPurge,
    PurgeResult,
    RebuiltCall,
    UsageSummary,
    VerifyResult,
)
from commontrace_backend.contexts import calls, collecting, origins, purging, searching, verifying
from commontrace_backend.contexts.deliveries import once
from commontrace_backend.contexts.matching import Wanted
from commontrace_backend.contexts.redacting import redacted
from commontrace_backend.contexts.routes import HERE, Before, Limit, Name, RefName
from commontrace_backend.database.engine import Database
from commontrace_backend.identity import Reader, Reading, Writer, Writing
from commontrace_backend.paging import Paged

router = APIRouter(prefix="/api/v1", tags=["contexts"])


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


# These end their transactions themselves: what comes behind them is done outside of any.
Whole = Annotated[Database, Depends(_database)]


@router.get(f"{HERE}/verify")
async def verify(repository: Name, caller: Reader, database: Whole, full: bool = False) -> VerifyResult:
    """Check every byte, name and total that is stored."""
    return await verifying.verify(database, caller, repository, full=full)


@router.post(f"{HERE}/gc")
async def collect(repository: Name, body: NewCollection, caller: Writer, database: Whole) -> CollectResult:
    """Take out what nothing needs and what is older than the grace."""
    return await collecting.collect(database, caller, repository, body)


@router.post(f"{HERE}/purge")
async def purge(repository: Name, body: NewPurge, caller: Writer, database: Whole) -> PurgeResult:
    """Take a text or a message out of everything that is stored; nothing brings it back."""
    return await purging.purge(database, caller, repository, body)


def _wanted(
    pattern: Annotated[str, Query(max_length=1000)] = "", regex: bool = False, case_sensitive: bool = False
) -> Wanted:
    return Wanted(pattern, regex, case_sensitive)


def _search(
    wanted: Annotated[Wanted, Depends(_wanted)],
    ref: Annotated[str | None, Query(min_length=1, max_length=250)] = None,
    limit: Limit = 50,
    after: Annotated[str, Query(max_length=100)] = "",
) -> searching.Search:
    return searching.Search(wanted, ref, limit, after)


@router.get(f"{HERE}/grep")
async def grep(
    repository: Name, caller: Reader, session: Reading, search: Annotated[searching.Search, Depends(_search)]
) -> GrepPage:
    """Every content that a message ever had and that matches, hidden ones and other branches' included."""
    return await searching.grep(session, caller, repository, search)


@router.get(f"{HERE}/blame")
async def blame(
    repository: Name,
    caller: Reader,
    session: Reading,
    wanted: Annotated[Wanted, Depends(_wanted)],
    ref: RefName = "HEAD",
) -> BlameResult:
    """Every message of a window, or those that match, with where each comes from."""
    return await origins.blame(session, caller, repository, ref, wanted)


@router.post(f"{HERE}/calls", status_code=201)
async def record_call(
    repository: Name, body: Annotated[NewCall, redacted(NewCall)], caller: Writer, session: Writing
) -> CallRecord:
    """Record that a model was given a window, and what the provider reported."""
    return await once(session, caller, repository, body, calls.record, CallRecord)


@router.get(f"{HERE}/calls")
async def list_calls(
    repository: Name, caller: Reader, session: Reading, asked: Paged, before: Before = None
) -> Page[CallRecord]:
    """The recorded calls, newest first."""
    return await calls.calls(session, caller, repository, asked, before)


@router.get(f"{HERE}/calls/{{call_id}}")
async def rebuild_call(repository: Name, call_id: int, caller: Reader, session: Reading) -> RebuiltCall:
    """The request of a recorded call, made anew."""
    return await calls.rebuild(session, caller, repository, call_id)


@router.get(f"{HERE}/usage")
async def usage(repository: Name, caller: Reader, session: Reading) -> UsageSummary:
    """What the recorded calls used, by model."""
    return await calls.usage(session, caller, repository)
