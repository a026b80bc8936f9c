"""Widening the audience of a trace: at once, or once an admin of the organization has approved it."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row

from commontrace.errors import ConflictError, ForbiddenError, InvalidInputError
from commontrace.models.traces import Publication, PublicationResult, TraceContent, Visibility
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import WriteSession
from commontrace_backend.traces import store
from commontrace_backend.traces.audience import audience
from commontrace_backend.traces.outcomes import refresh_tier
from commontrace_backend.traces.service import must_decide

_WIDTH: Final = {"private": 0, "team": 1, "public": 2}


async def publish(session: WriteSession, caller: Caller, ref: str, wanted: Publication) -> PublicationResult:
    """Widen a trace's audience; an explicit act of its contributor or an admin, with a preview of every byte.

    Raises:
        ForbiddenError: the trace is somebody else's, or the key keeps drafts only.
        ConflictError: the key publishes after approval, and the trace is hidden, withdrawn or superseded.
    """
    trace = await store.find(session, caller, ref)
    must_decide(caller, trace)
    if _WIDTH[wanted.visibility] < _WIDTH[trace.visibility]:
        raise InvalidInputError(f"This trace is {trace.visibility} already.", "To take it back, withdraw it.")
    now = audience(caller, wanted.visibility)
    if caller.publication == "drafts only":
        raise ForbiddenError("This key keeps drafts only.", "Ask an admin to publish it, or for another key.")
    if not wanted.dry_run:
        await (_ask(session, trace, now.wanted) if now.wanted else _show(session, caller, trace, now.visibility))
    return PublicationResult(
        trace_id=trace.trace_id,
        visibility=wanted.visibility,
        published=not wanted.dry_run and now.wanted is None,
        pending=not wanted.dry_run and now.wanted is not None,
        content=TraceContent.model_validate(trace.content),
    )


async def _ask(session: WriteSession, trace: Row[Any], wanted: Visibility) -> None:
    if trace.state not in {"active", "pending"}:
        raise ConflictError(f"This trace is {trace.state}.", "Only an active trace can wait for approval.")
    await store.change_trace(session, trace.trace_id, state="pending", wanted_visibility=wanted)


async def _show(session: WriteSession, caller: Caller, trace: Row[Any], visibility: Visibility) -> None:
    state = "active" if trace.state == "pending" else trace.state
    since = {"published_at": datetime.now(UTC)} if visibility == "public" != trace.visibility else {}
    shown = {"state": state, "visibility": visibility, "wanted_visibility": None, **since}
    await store.change_trace(session, trace.trace_id, **shown)
    await store.share_versions(session, trace.trace_id, visibility)
    # Another audience weighs the same outcomes anew.
    await refresh_tier(session, trace.trace_id, trace.version_id, await store.find(session, caller, trace.trace_id))


async def approve_publication(session: WriteSession, caller: Caller, ref: str) -> None:
    """Show a pending trace to the audience it waits for.

    Raises:
        ForbiddenError: the caller is no admin of the trace's organization, or their key may not publish itself.
        ConflictError: the trace does not wait.
    """
    trace = await _pending(session, caller, ref)
    await _show(session, caller, trace, trace.wanted_visibility)


async def reject_publication(session: WriteSession, caller: Caller, ref: str) -> None:
    """Leave a pending trace with the audience it has: of a new one its contributor alone. Raises as approval does."""
    trace = await _pending(session, caller, ref)
    await store.change_trace(session, trace.trace_id, state="active", wanted_visibility=None)


async def _pending(session: WriteSession, caller: Caller, ref: str) -> Row[Any]:
    trace = await store.find(session, caller, ref)
    if "admin" not in caller.scopes or trace.tenant_id != caller.tenant_id or caller.publication != "direct":
        raise ForbiddenError("Only an admin of its organization decides that.", "Ask one whose key publishes directly.")
    if trace.state != "pending":
        raise ConflictError(f"This trace is {trace.state} and waits for nothing.", "See the review queue.")
    return trace
