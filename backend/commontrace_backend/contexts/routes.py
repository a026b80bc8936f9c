"""HTTP for contexts: parameters, one awaited call, the answer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from commontrace.models.base import Page
from commontrace.models.contexts import (
    BranchInfo,
    CommitInfo,
    CommitResult,
    ContextDiff,
    ContextStatus,
    Explain,
    LogPage,
    NewBranch,
    NewCommit,
    NewRepository,
    NewTag,
    NewTurn,
    OperationInfo,
    RepositoryInfo,
    SwitchTo,
    TagInfo,
    Window,
    WindowFormat,
    WindowStrategy,
)
from commontrace.safety.bodies import with_redactions
from commontrace_backend.contexts import calls, differences, history, oplog, service, windows
from commontrace_backend.contexts import log as logs
from commontrace_backend.contexts import status as statuses
from commontrace_backend.contexts.deliveries import once
from commontrace_backend.contexts.log import Sought
from commontrace_backend.contexts.redacting import safe
from commontrace_backend.identity import Reader, Reading, Writer, Writing
from commontrace_backend.paging import Paged

router = APIRouter(prefix="/api/v1", tags=["contexts"])

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$", description="The context's name.")]
RefName = Annotated[str, Query(min_length=1, max_length=250, description="HEAD, a branch, tag, id, HEAD~2, main@{1}.")]
PageRef = Annotated[str, Query(min_length=1, max_length=4000, description="A ref, or next_ref of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Before = Annotated[int | None, Query(ge=1, le=2**53, description="Only what came before this number.")]
Words = Annotated[str, Query(max_length=1000)]
HERE = "/contexts/{repository}"


@router.get("/contexts")
async def list_contexts(caller: Reader, session: Reading, asked: Paged) -> Page[RepositoryInfo]:
    """The contexts that the caller may see, by name."""
    return await history.repositories(session, caller, asked)


@router.post("/contexts", status_code=201)
async def create_context(body: NewRepository, caller: Writer, session: Writing) -> RepositoryInfo:
    """Create a context; one that is there already stays as it is."""
    return await service.create(session, caller, body)


@router.get("/traces/{trace_id}/commits")
async def commits_of_trace(
    trace_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], caller: Reader, session: Reading, asked: Paged
) -> Page[CommitInfo]:
    """Commits that used or produced a trace, those with the longest history first."""
    return await history.commits_of_trace(session, caller, trace_id, asked)


async def _prepared(body: NewCommit) -> service.Prepared:
    return await service.prepare(await safe(body))


@router.post(f"{HERE}/commits", status_code=201)
async def commit(
    repository: Name,
    caller: Writer,
    prepared: Annotated[service.Prepared, Depends(_prepared)],
    session: Writing,
) -> CommitResult:
    """Append messages to a branch; the first commit creates the context."""
    return with_redactions(await service.commit(session, caller, repository, prepared), prepared.wanted)


@router.get(f"{HERE}/commits/{{ref:path}}")
async def get_commit(repository: Name, ref: str, caller: Reader, session: Reading) -> CommitInfo:
    """One commit."""
    return await history.get_commit(session, caller, repository, ref)


def _sought(
    limit: Limit = 50,
    *,
    grep: Words = "",
    author: Words = "",
    since: Words = "",
    until: Words = "",
    label: Words = "",
) -> Sought:
    return Sought(limit, grep, author, since, until, label)


@router.get(f"{HERE}/log")
async def log(
    repository: Name,
    caller: Reader,
    session: Reading,
    sought: Annotated[Sought, Depends(_sought)],
    ref: PageRef = "HEAD",
) -> LogPage:
    """Commits from a ref backwards, or those of a range `a..b`, newest first."""
    return await logs.log(session, caller, repository, ref, sought)


def _look(
    budget: Annotated[int | None, Query(ge=1, le=10_000_000)] = None,
    reserve: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    strategy: WindowStrategy = "recent",
    format: WindowFormat = "messages",  # noqa: A002 - the parameter's name on the wire
    explain: Explain = False,
) -> windows.Look:
    return windows.Look(budget, reserve, strategy, format, explain)


@router.get(f"{HERE}/window")
async def window(
    repository: Name,
    caller: Reader,
    session: Reading,
    look: Annotated[windows.Look, Depends(_look)],
    ref: RefName = "HEAD",
    model: Annotated[str, Query(max_length=200, description="Count the whole request for this model.")] = "",
) -> Window:
    """The messages at a ref that fit a budget, in the shape that a provider takes."""
    return await calls.window(session, caller, repository, ref, look, model)


@router.get(f"{HERE}/diff")
async def diff(repository: Name, caller: Reader, session: Reading, a: RefName, b: RefName = "HEAD") -> ContextDiff:
    """What changes from the window at `a` to the one at `b`."""
    return await differences.diff(session, caller, repository, a, b)


@router.get(f"{HERE}/status")
async def status(
    repository: Name,
    caller: Reader,
    session: Reading,
    budget: Annotated[int | None, Query(ge=1, le=100_000_000)] = None,
) -> ContextStatus:
    """Where writing goes on, and what the window there comes to."""
    return await statuses.status(session, caller, repository, budget)


@router.get(f"{HERE}/branches")
async def list_branches(repository: Name, caller: Reader, session: Reading, asked: Paged) -> Page[BranchInfo]:
    """The branches by name."""
    return await history.branches(session, caller, repository, asked)


@router.post(f"{HERE}/branches", status_code=201)
async def create_branch(repository: Name, body: NewBranch, caller: Writer, session: Writing) -> BranchInfo:
    """Create a branch."""
    return await once(session, caller, repository, body, service.create_branch, BranchInfo)


@router.delete(f"{HERE}/branches/{{branch:path}}")
async def delete_branch(
    repository: Name, branch: str, caller: Writer, session: Writing, force: bool = False
) -> BranchInfo:
    """Delete a branch; undo brings it back."""
    return await service.delete_branch(session, caller, repository, branch, force=force)


@router.post(f"{HERE}/switch")
async def switch(repository: Name, body: SwitchTo, caller: Writer, session: Writing) -> BranchInfo:
    """Put the caller's working copy on a branch."""
    return await service.switch(session, caller, repository, body.branch)


@router.get(f"{HERE}/tags")
async def list_tags(repository: Name, caller: Reader, session: Reading, asked: Paged) -> Page[TagInfo]:
    """The tags by name."""
    return await service.tags(session, caller, repository, asked)


@router.post(f"{HERE}/tags", status_code=201)
async def create_tag(repository: Name, body: NewTag, caller: Writer, session: Writing) -> TagInfo:
    """Give a commit a fixed name."""
    return await once(session, caller, repository, body, service.create_tag, TagInfo)


@router.delete(f"{HERE}/tags/{{tag:path}}")
async def delete_tag(repository: Name, tag: str, caller: Writer, session: Writing) -> TagInfo:
    """Take a tag away; undo brings it back."""
    return await service.delete_tag(session, caller, repository, tag)


@router.post(f"{HERE}/undo")
async def undo(repository: Name, caller: Writer, session: Writing, body: NewTurn | None = None) -> OperationInfo:
    """Take back the newest operation of this working copy."""
    return await once(session, caller, repository, body or NewTurn(), oplog.undo, OperationInfo)


@router.post(f"{HERE}/redo")
async def redo(repository: Name, caller: Writer, session: Writing, body: NewTurn | None = None) -> OperationInfo:
    """Do again what undo took back last."""
    return await once(session, caller, repository, body or NewTurn(), oplog.redo, OperationInfo)


@router.get(f"{HERE}/operations")
async def list_operations(
    repository: Name, caller: Reader, session: Reading, asked: Paged, before: Before = None
) -> Page[OperationInfo]:
    """The operation log, newest first."""
    return await oplog.operations(session, caller, repository, asked, before)
