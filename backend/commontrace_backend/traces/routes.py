"""HTTP for traces: parameters, one awaited call, the answer."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from commontrace.models.base import Page
from commontrace.models.checks import CommandCheck, NewCheck
from commontrace.models.rescan import RescanState
from commontrace.models.tags import TagCount
from commontrace.models.traces import (
    Amendment,
    AmendmentProposal,
    Contribution,
    ContributionResult,
    Decision,
    Flag,
    LinkKind,
    NewFlag,
    NewLink,
    Publication,
    PublicationResult,
    PurgedTrace,
    Removal,
    StarterResult,
    Tombstone,
    Trace,
    TracePage,
    TraceVersion,
)
from commontrace.models.votes import Vote, VoteResult
from commontrace.safety.pipeline import Screened
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.identity import Admin, Reader, Reading, Voter, Writer, Writing
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.paging import Paged
from commontrace_backend.traces import amendments, checking, moderation, outcomes, publishing, purging, service, store
from commontrace_backend.traces.rescan import rescan_state

router = APIRouter(prefix="/api/v1", tags=["traces"])

Ref = Annotated[str, Path(pattern=r"^[0-9a-f]{6,32}$", description="A trace id, or its first 6 or more digits.")]
ShortId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


async def _index(request: Request) -> AsyncIterator[SearchIndex]:
    """For routes that change what is found: they name it before their session, so that it is told after the commit."""
    yield request.app.state.index
    request.app.state.worker.wake()


Index = Annotated[SearchIndex, Depends(_index, scope="function")]


def _screened(body: Contribution) -> Screened:
    return service.prepare(body)


@router.post("/traces", status_code=201)
async def contribute_trace(
    body: Contribution,
    caller: Writer,
    screened: Annotated[Screened, Depends(_screened)],
    index: Index,
    session: Writing,
) -> ContributionResult:
    """Store a trace, or with `dry_run` say exactly what would be stored."""
    return await service.contribute(session, caller, index, body, screened)


@router.post("/starter")
async def load_starter(caller: Admin, index: Index, session: Writing) -> StarterResult:
    """Add the traces that come with CommonTrace; those that are there already stay."""
    return await service.load_starter(session, caller, index)


@router.post("/rescan")
async def rescan(caller: Admin, request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> RescanState:
    """Screen up to `limit` stored versions with the rules of today, and say how far it is and what leaks."""
    await request.app.state.upkeep.rescan(limit)
    async with request.app.state.database.reading(EVERY_TENANT) as session:
        return await rescan_state(session, caller)


@router.get("/traces")
async def list_traces(caller: Reader, session: Reading, asked: Paged) -> TracePage:
    """Every trace the caller may see, in the order they came."""
    return await service.page(session, caller, asked)


@router.get("/traces/{trace_id}")
async def get_trace(trace_id: Ref, caller: Reader, session: Reading) -> Trace:
    """One trace with the version that is served."""
    return await service.get(session, caller, trace_id)


@router.get("/traces/{trace_id}/versions")
async def trace_history(trace_id: Ref, caller: Reader, session: Reading, asked: Paged) -> Page[TraceVersion]:
    """The versions, newest first."""
    return await amendments.history(session, caller, trace_id, asked)


@router.post("/traces/{trace_id}/votes")
async def vote_trace(trace_id: Ref, body: Vote, caller: Voter, session: Writing) -> VoteResult:
    """Report what happened to you when you used a trace."""
    return await outcomes.vote(session, caller, trace_id, body)


@router.post("/traces/{trace_id}/amendments", status_code=201)
async def amend_trace(
    trace_id: Ref, body: AmendmentProposal, caller: Writer, index: Index, session: Writing
) -> Amendment:
    """Propose a better version; your own traces take it at once."""
    return await amendments.propose(session, caller, index, trace_id, body)


@router.get("/traces/{trace_id}/amendments")
async def list_amendments(trace_id: Ref, caller: Reader, session: Reading, asked: Paged) -> Page[Amendment]:
    """Proposed versions with what they change, newest first."""
    return await amendments.amendments_of(session, caller, trace_id, asked)


@router.post("/amendments/{amendment_id}/decision")
async def decide_amendment(
    amendment_id: ShortId, body: Decision, caller: Writer, index: Index, session: Writing
) -> Amendment:
    """Accept or reject an amendment of a trace of yours."""
    return await amendments.decide(session, caller, index, amendment_id, body)


@router.post("/traces/{trace_id}/flags", status_code=201)
async def flag_trace(trace_id: Ref, body: NewFlag, caller: Voter, session: Writing) -> Flag:
    """Ask for a second look; several independent flags hide a trace until somebody has looked."""
    return await moderation.flag(session, caller, trace_id, body)


@router.get("/traces/{trace_id}/flags")
async def list_flags(trace_id: Ref, caller: Reader, session: Reading, asked: Paged) -> Page[Flag]:
    """The flags with their reasons, undone ones too, newest first."""
    return await moderation.flags_of(session, caller, trace_id, asked)


@router.delete("/flags/{flag_id}")
async def undo_flag(flag_id: ShortId, caller: Voter, session: Writing) -> Flag:
    """Take a flag back."""
    return await moderation.undo_flag(session, caller, flag_id)


@router.post("/traces/{trace_id}/withdrawal", status_code=201)
async def withdraw_trace(trace_id: Ref, body: Removal, caller: Writer, session: Writing) -> Tombstone:
    """Take a trace of yours out of every answer; it can be restored."""
    return await moderation.withdraw(session, caller, trace_id, body)


@router.delete("/traces/{trace_id}/withdrawal")
async def restore_trace(trace_id: Ref, caller: Writer, session: Writing) -> Trace:
    """Bring a withdrawn trace back as it was."""
    return await moderation.restore(session, caller, trace_id)


@router.post("/traces/{trace_id}/purge")
async def purge_trace(trace_id: Ref, body: Removal, caller: Writer, index: Index, request: Request) -> PurgedTrace:
    """Take every text of a trace out for good, of files too; ids and a tombstone stay."""
    return await purging.purge(request.app.state.database, caller, index, trace_id, body)


@router.post("/traces/{trace_id}/links", status_code=201)
async def link_trace(trace_id: Ref, body: NewLink, caller: Writer, session: Writing) -> Trace:
    """Link a trace to another trace or to a context commit."""
    return await service.add_link(session, caller, trace_id, body)


@router.delete("/traces/{trace_id}/links/{kind}/{target}")
async def unlink_trace(
    trace_id: Ref,
    kind: LinkKind,
    target: Annotated[str, Path(pattern=r"^[0-9a-f]{6,64}$")],
    caller: Writer,
    session: Writing,
) -> Trace:
    """Take a link away."""
    return await service.remove_link(session, caller, trace_id, NewLink(kind=kind, target=target))


@router.post("/traces/{trace_id}/publication")
async def publish_trace(trace_id: Ref, body: Publication, caller: Writer, session: Writing) -> PublicationResult:
    """Widen the audience of a trace of yours; with `dry_run` see what everybody would see."""
    return await publishing.publish(session, caller, trace_id, body)


def _looked_at(body: NewCheck) -> checking.Looked:
    return checking.look(body)


@router.post("/checks")
async def check_command(
    caller: Reader, looked: Annotated[checking.Looked, Depends(_looked_at)], session: Reading
) -> CommandCheck:
    """Whether to ask somebody before a shell command runs; nothing is stored of it."""
    return await checking.check(session, caller, looked)


@router.get("/tags")
async def list_tags(
    caller: Reader, session: Reading, asked: Paged, prefix: Annotated[str, Query(max_length=200)] = ""
) -> Page[TagCount]:
    """Tags with how many traces carry them, most used first."""
    rows, goes_on = await store.tag_counts(session, caller, prefix.lower(), asked)
    return Page(items=[TagCount.model_validate(row) for row in rows], next_cursor=goes_on)
