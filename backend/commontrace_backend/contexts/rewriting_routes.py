"""HTTP for what changes windows and histories: editing, merging, rewriting, compressing."""

from typing import Annotated

from fastapi import APIRouter, Path

from commontrace.models.contexts import (
    ChangeResult,
    CompressResult,
    MergeResult,
    NewAnnotation,
    NewApply,
    NewCompress,
    NewEdit,
    NewExpand,
    NewMerge,
    NewMove,
    NewNotes,
    NewPick,
    NewPlan,
    NewPresence,
    NewRebase,
    NewReset,
    NewResolve,
    PickResult,
    PlanResult,
    ResetResult,
    SlotHistory,
)
from commontrace.safety.bodies import with_redactions
from commontrace_backend.contexts import blame, budgets, editing, rewriting, summaries
from commontrace_backend.contexts import merge as merging
from commontrace_backend.contexts.deliveries import once
from commontrace_backend.contexts.redacting import redacted
from commontrace_backend.contexts.routes import HERE, Name, RefName
from commontrace_backend.identity import Reader, Reading, Writer, Writing

router = APIRouter(prefix="/api/v1", tags=["contexts"])


@router.post(f"{HERE}/edit")
async def edit(
    repository: Name, body: Annotated[NewEdit, redacted(NewEdit)], caller: Writer, session: Writing
) -> ChangeResult:
    """Give a message another content."""
    return await once(session, caller, repository, body, editing.edit, ChangeResult)


@router.post(f"{HERE}/annotate")
async def annotate(
    repository: Name, body: Annotated[NewAnnotation, redacted(NewAnnotation)], caller: Writer, session: Writing
) -> ChangeResult:
    """Give messages a priority or other notes."""
    return await once(session, caller, repository, body, editing.annotate, ChangeResult)


@router.post(f"{HERE}/presence")
async def set_presence(
    repository: Name, body: Annotated[NewPresence, redacted(NewPresence)], caller: Writer, session: Writing
) -> ChangeResult:
    """Remove messages from the window, or bring them back."""
    return await once(session, caller, repository, body, editing.set_presence, ChangeResult)


@router.post(f"{HERE}/move")
async def move(
    repository: Name, body: Annotated[NewMove, redacted(NewMove)], caller: Writer, session: Writing
) -> ChangeResult:
    """Put messages behind another one."""
    return await once(session, caller, repository, body, editing.move, ChangeResult)


@router.post(f"{HERE}/notes")
async def set_notes(
    repository: Name, body: Annotated[NewNotes, redacted(NewNotes)], caller: Writer, session: Writing
) -> ChangeResult:
    """Say what holds for the whole context: tools, must-keep patterns, types of parts."""
    return await once(session, caller, repository, body, editing.set_notes, ChangeResult)


@router.get(f"{HERE}/slots/{{slot}}")
async def slot_history(
    repository: Name,
    slot: Annotated[str, Path(pattern="^[0-9a-f]{4,32}$")],
    caller: Reader,
    session: Reading,
    ref: RefName = "HEAD",
) -> SlotHistory:
    """Everything that was done to a message."""
    return await blame.slot_history(session, caller, repository, ref, slot)


@router.post(f"{HERE}/merge")
async def merge(
    repository: Name, body: Annotated[NewMerge, redacted(NewMerge)], caller: Writer, session: Writing
) -> MergeResult:
    """Bring other histories into the current branch; with `dry_run` only say what would happen."""
    return with_redactions(await once(session, caller, repository, body, merging.merge, MergeResult), body)


@router.post(f"{HERE}/resolve")
async def resolve(
    repository: Name, body: Annotated[NewResolve, redacted(NewResolve)], caller: Writer, session: Writing
) -> ChangeResult:
    """Settle conflicts that a merge stored."""
    return await once(session, caller, repository, body, merging.resolve_conflicts, ChangeResult)


@router.post(f"{HERE}/cherry-pick")
async def cherry_pick(
    repository: Name, body: Annotated[NewPick, redacted(NewPick)], caller: Writer, session: Writing
) -> PickResult:
    """Make the changes of commits here too."""
    return await once(session, caller, repository, body, rewriting.cherry_pick, PickResult)


@router.post(f"{HERE}/revert")
async def revert(
    repository: Name, body: Annotated[NewPick, redacted(NewPick)], caller: Writer, session: Writing
) -> PickResult:
    """Take the changes of commits back here."""
    return await once(session, caller, repository, body, rewriting.revert, PickResult)


@router.post(f"{HERE}/apply")
async def apply(
    repository: Name, body: Annotated[NewApply, redacted(NewApply)], caller: Writer, session: Writing
) -> ChangeResult:
    """Make the change between two windows on the current one."""
    return await once(session, caller, repository, body, rewriting.apply, ChangeResult)


@router.post(f"{HERE}/rebase")
async def rebase(
    repository: Name, body: Annotated[NewRebase, redacted(NewRebase)], caller: Writer, session: Writing
) -> PickResult:
    """Let the current branch go on from another commit."""
    return await once(session, caller, repository, body, rewriting.rebase, PickResult)


@router.post(f"{HERE}/reset")
async def reset(
    repository: Name, body: Annotated[NewReset, redacted(NewReset)], caller: Writer, session: Writing
) -> ResetResult:
    """Let the current branch point elsewhere."""
    return await once(session, caller, repository, body, rewriting.reset, ResetResult)


@router.post(f"{HERE}/compress")
async def compress(
    repository: Name, body: Annotated[NewCompress, redacted(NewCompress)], caller: Writer, session: Writing
) -> CompressResult:
    """Let a summary stand for messages."""
    return await once(session, caller, repository, body, summaries.compress, CompressResult)


@router.post(f"{HERE}/expand")
async def expand(
    repository: Name, body: Annotated[NewExpand, redacted(NewExpand)], caller: Writer, session: Writing
) -> ChangeResult:
    """Let summaries give way to what they stand for."""
    return await once(session, caller, repository, body, summaries.expand, ChangeResult)


@router.post(f"{HERE}/plan")
async def plan(
    repository: Name, body: Annotated[NewPlan, redacted(NewPlan)], caller: Writer, session: Writing
) -> PlanResult:
    """What would make the window fit a budget; with `apply` it is done."""
    return await once(session, caller, repository, body, budgets.plan, PlanResult)
