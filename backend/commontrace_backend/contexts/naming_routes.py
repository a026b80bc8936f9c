"""HTTP for labels, claims, children, and who sees a context."""

from typing import Annotated

from fastapi import APIRouter, Query

from commontrace.models.base import Page
from commontrace.models.contexts import (
    ClaimInfo,
    CollapseResult,
    LabelInfo,
    NewClaim,
    NewCollapse,
    NewLabel,
    NewSpawn,
    NewVisibility,
    RepositoryInfo,
    SpawnResult,
)
from commontrace_backend.contexts import agents, claims, labels, sharing
from commontrace_backend.contexts.deliveries import once
from commontrace_backend.contexts.redacting import redacted
from commontrace_backend.contexts.routes import HERE, Name, RefName
from commontrace_backend.identity import Reader, Reading, Writer, Writing
from commontrace_backend.paging import Paged

router = APIRouter(prefix="/api/v1", tags=["contexts"])


@router.get(f"{HERE}/labels")
async def list_labels(repository: Name, caller: Reader, session: Reading, asked: Paged) -> Page[LabelInfo]:
    """The labels by name, each commit that has one by itself."""
    return await labels.labels(session, caller, repository, asked)


@router.post(f"{HERE}/labels", status_code=201)
async def add_label(repository: Name, body: NewLabel, caller: Writer, session: Writing) -> LabelInfo:
    """Put a label on a commit."""
    return await once(session, caller, repository, body, labels.add, LabelInfo)


@router.delete(f"{HERE}/labels/{{label:path}}")
async def remove_label(
    repository: Name, label: str, caller: Writer, session: Writing, ref: RefName = "HEAD"
) -> LabelInfo:
    """Take a label off a commit; undo brings it back."""
    return await labels.remove(session, caller, repository, label, ref)


@router.post(f"{HERE}/claim")
async def claim(repository: Name, body: NewClaim, caller: Writer, session: Writing) -> ClaimInfo:
    """Let nobody else move a branch for a while."""
    return await claims.claim(session, caller, repository, body)


@router.post(f"{HERE}/release")
async def release(
    repository: Name,
    caller: Writer,
    session: Writing,
    branch: Annotated[str | None, Query(max_length=101)] = None,
) -> ClaimInfo:
    """Give a claimed branch free again."""
    return await claims.release(session, caller, repository, branch)


@router.post(f"{HERE}/visibility")
async def share(repository: Name, body: NewVisibility, caller: Writer, session: Writing) -> RepositoryInfo:
    """Show a context to the organization, or to its owner alone again."""
    return await sharing.share(session, caller, repository, body)


@router.post(f"{HERE}/spawn", status_code=201)
async def spawn(
    repository: Name, body: Annotated[NewSpawn, redacted(NewSpawn)], caller: Writer, session: Writing
) -> SpawnResult:
    """Make a branch for a sub-agent."""
    return await once(session, caller, repository, body, agents.spawn, SpawnResult)


@router.post(f"{HERE}/collapse")
async def collapse(
    repository: Name, body: Annotated[NewCollapse, redacted(NewCollapse)], caller: Writer, session: Writing
) -> CollapseResult:
    """Bring a sub-agent's work home as a summary."""
    return await once(session, caller, repository, body, agents.collapse, CollapseResult)
