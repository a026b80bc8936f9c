"""Proposed versions: what they change, and what becomes of them."""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from commontrace.errors import (
    ConflictError,
    ForbiddenError,
    IdempotencyError,
    InvalidInputError,
    LowQualityError,
    NotFoundError,
)
from commontrace.models.base import Page
from commontrace.models.traces import Amendment, AmendmentProposal, Decision, TraceContent, TraceVersion
from commontrace.safety.pipeline import Screened, screen_text
from commontrace.safety.risks import risks_of
from commontrace.versions import version_id
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.paging import Asked, Key, Order
from commontrace_backend.traces import store, writing
from commontrace_backend.traces.assembly import contributor_of, version_models
from commontrace_backend.traces.audience import may_serve
from commontrace_backend.traces.outcomes import refresh_tier
from commontrace_backend.traces.service import may_decide, must_decide
from commontrace_backend.traces.tables import amendments, trace_versions, traces
from commontrace_backend.traces.versions import changes
from commontrace_backend.traces.visibility import visible_to


async def propose(
    session: WriteSession, caller: Caller, index: SearchIndex, ref: str, proposal: AmendmentProposal
) -> Amendment:
    """Propose a new version; one by who may decide, with a key that publishes, is accepted at once.

    Raises:
        LowQualityError: it says too little to help anyone.
        InvalidInputError: it changes nothing.
        IdempotencyError: its key came with something else.
    """
    trace = await store.find(session, caller, ref)
    known = await _proposed(session, caller, trace, proposal)
    if known is not None:
        return known
    before = TraceContent.model_validate(trace.content)
    wanted = proposal.model_dump(exclude_unset=True, exclude_none=True, exclude={"reason", "idempotency_key"})
    screened = writing.screened(TraceContent.model_validate({**before.model_dump(), **wanted}))
    if screened.refusals:
        raise LowQualityError(
            f"That version would help nobody: {'; '.join(screened.refusals)}.",
            "Change the fields named and propose again.",
            {"reasons": list(screened.refusals)},
        )
    if version_id(screened.content) == trace.version_id:
        raise InvalidInputError("This changes nothing.", "Give at least one field a new value.")
    if await store.find_version(session, trace.trace_id, version_id(screened.content)) is None:
        await add_child(session, trace, trace, screened, caller.contributor_id)
    amendment_id = await _open(session, caller, trace, screened, proposal)
    if may_decide(caller, trace) and may_serve(caller, trace.visibility):
        return await decide(session, caller, index, amendment_id, Decision(accept=True))
    return _model(await find(session, caller, amendment_id))


async def _proposed(
    session: ReadSession, caller: Caller, trace: Row[Any], proposal: AmendmentProposal
) -> Amendment | None:
    """What came of a proposal that was sent before with the same key, as it stands now."""
    if proposal.idempotency_key is None:
        return None
    before = await store.remembered(session, caller, proposal.idempotency_key)
    if before is None:
        return None
    if before.request_digest != _digest(trace, proposal):
        raise IdempotencyError("This idempotency key was used for something else.", "Use a new key for new content.")
    of_it = (
        amendments.c.trace_id == before.trace_id,
        amendments.c.version_id == before.version_id,
        amendments.c.contributor_id == caller.contributor_id,
        amendments.c.created_at <= before.created_at,
    )
    row = await session.first(_joined().where(*of_it).order_by(amendments.c.created_at.desc()).limit(1))
    return None if row is None else _model(row)


def _digest(trace: Row[Any], proposal: AmendmentProposal) -> str:
    return hashlib.sha256(f"amendment {trace.trace_id} {proposal.model_dump_json()}".encode()).hexdigest()


async def _open(
    session: WriteSession, caller: Caller, trace: Row[Any], screened: Screened, proposal: AmendmentProposal
) -> str:
    """Keep a proposal, to be decided; returns its id."""
    amendment_id = secrets.token_hex(8)
    await session.write(
        insert(amendments).values(
            amendment_id=amendment_id,
            trace_id=trace.trace_id,
            tenant_id=trace.tenant_id,
            base_version_id=trace.version_id,
            version_id=version_id(screened.content),
            status="open",
            reason=screen_text(proposal.reason).text,
            contributor_id=caller.contributor_id,
            created_at=datetime.now(UTC),
            decision_note="",
        )
    )
    if proposal.idempotency_key:
        stored = (trace.trace_id, version_id(screened.content))
        await store.remember(session, caller, proposal.idempotency_key, _digest(trace, proposal), stored)
    return amendment_id


async def add_child(
    session: WriteSession, trace: Row[Any], parent: Row[Any], screened: Screened, contributor_id: str
) -> None:
    """Add a version that came after another one; with the same solution it keeps the standing that was earned.

    Args:
        session: the transaction.
        trace: the trace.
        parent: the version that it came after, or the trace with the one that it serves.
        screened: what it says.
        contributor_id: whose it is.
    """
    known = await store.versions(session, trace.trace_id)
    before, after = TraceContent.model_validate(parent.content), screened.content
    same_fix = _does(after) == _does(before) and {label.label for label in screened.labels} <= {
        label["label"] for label in parent.labels
    }
    await writing.add_version(
        session,
        screened,
        trace_id=trace.trace_id,
        version_id=version_id(after),
        tenant_id=trace.tenant_id,
        visibility=trace.visibility,
        contributor_id=contributor_id,
        number=known[0].number + 1,
        parent_version_id=parent.version_id,
        inherits_from=(parent.inherits_from or parent.version_id) if same_fix else None,
    )


def _does(content: TraceContent) -> object:
    """What a reader may act on: the solution, its packages, and the commands that stand anywhere else."""
    texts = [content.title, content.problem, content.applies_when, content.not_when, content.verification]
    texts += [text for attempt in content.failed_attempts for text in (attempt.tried, attempt.why)]
    texts += content.errors
    found = [risks_of(text) for text in texts]
    elsewhere = {item for risks in found for item in (*risks.commands, *risks.urls)}
    return content.solution, content.environment.packages, elsewhere


async def decide(
    session: WriteSession, caller: Caller, index: SearchIndex, amendment_id: str, decision: Decision
) -> Amendment:
    """Accept an amendment, which makes its version the one that is served, or reject it.

    Raises:
        ConflictError: it was decided already, or the trace has moved on since it was proposed.
    """
    row = await find(session, caller, amendment_id)
    trace = await store.find(session, caller, row.trace_id)
    must_decide(caller, trace)
    if row.status != "open":
        raise ConflictError(f"This amendment was {row.status} already.", "Propose a new one.")
    if decision.accept and not may_serve(caller, trace.visibility):
        raise ForbiddenError("This key does not publish by itself.", "Ask an admin whose key publishes directly.")
    if decision.accept:
        await _serve(session, index, caller, trace, row)
    await session.write(
        update(amendments)
        .where(amendments.c.amendment_id == amendment_id)
        .values(
            status="accepted" if decision.accept else "rejected",
            decided_at=datetime.now(UTC),
            decided_by=caller.contributor_id,
            decision_note=screen_text(decision.note).text,
        )
    )
    return _model(await find(session, caller, amendment_id))


async def _serve(
    session: WriteSession, index: SearchIndex, caller: Caller, trace: Row[Any], amendment: Row[Any]
) -> None:
    if trace.version_id != amendment.base_version_id:
        raise ConflictError(
            "The trace has changed since this was proposed.",
            "Propose the change again on the current version.",
        )
    await serve_version(session, index, caller, trace, amendment)


async def serve_version(
    session: WriteSession, index: SearchIndex, caller: Caller, trace: Row[Any], version: Row[Any]
) -> None:
    """Let a trace serve another version of its own."""
    content = TraceContent.model_validate(version.content)
    await store.change_trace(
        session,
        trace.trace_id,
        version_id=version.version_id,
        version_number=version.number,
        title=content.title,
        language=content.environment.language,
        updated_at=datetime.now(UTC),
    )
    served = await store.find(session, caller, trace.trace_id)
    await writing.serve(session, index, served, content)
    await refresh_tier(session, served.trace_id, served.version_id, served)


async def amendments_of(session: ReadSession, caller: Caller, ref: str, asked: Asked) -> Page[Amendment]:
    """The amendments of a trace, newest first."""
    trace = await store.find(session, caller, ref)
    statement = _joined().where(amendments.c.trace_id == trace.trace_id)
    order = Order(
        "amendments",
        Key("created_at", amendments.c.created_at, descending=True),
        Key("amendment_id", amendments.c.amendment_id),
    )
    rows, goes_on = await order.read(session, statement, asked)
    return Page(items=[_model(row) for row in rows], next_cursor=goes_on)


async def history(session: ReadSession, caller: Caller, ref: str, asked: Asked) -> Page[TraceVersion]:
    """The versions of a trace, newest first, with the standing each has earned."""
    trace = await store.find(session, caller, ref)
    rows, goes_on = await store.some_versions(session, trace.trace_id, asked)
    return Page(items=await version_models(session, trace, rows, caller.tenant_id), next_cursor=goes_on)


async def find(session: ReadSession, caller: Caller, amendment_id: str) -> Row[Any]:
    """An amendment of a trace that the caller may see; raises NotFoundError."""
    named = _joined().join(traces, traces.c.trace_id == amendments.c.trace_id).where(visible_to(caller))
    row = await session.first(named.where(amendments.c.amendment_id == amendment_id))
    if row is None:
        raise NotFoundError(f"No amendment {amendment_id}.", "See the trace's amendments.")
    return row


def _joined() -> Any:
    base = trace_versions.alias("base")
    proposed = trace_versions.alias("proposed")
    return (
        select(
            amendments,
            proposed.c.content,
            proposed.c.number,
            base.c.content.label("base_content"),
            contributors.c.name.label("contributor_name"),
        )
        .join(
            proposed,
            (proposed.c.trace_id == amendments.c.trace_id) & (proposed.c.version_id == amendments.c.version_id),
        )
        .join(
            base,
            (base.c.trace_id == amendments.c.trace_id) & (base.c.version_id == amendments.c.base_version_id),
        )
        .join(contributors, contributors.c.contributor_id == amendments.c.contributor_id)
    )


def _model(row: Row[Any]) -> Amendment:
    return Amendment(
        amendment_id=row.amendment_id,
        trace_id=row.trace_id,
        base_version_id=row.base_version_id,
        version_id=row.version_id,
        status=row.status,
        reason=row.reason,
        proposer=contributor_of(row),
        created_at=row.created_at,
        decided_at=row.decided_at,
        decision_note=row.decision_note,
        changes=changes(TraceContent.model_validate(row.base_content), TraceContent.model_validate(row.content)),
    )
