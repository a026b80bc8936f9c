"""What contributing, linking and publishing decide."""

import secrets
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, and_

from commontrace.errors import (
    ForbiddenError,
    IdempotencyError,
    InvalidInputError,
    LowQualityError,
    NearDuplicateError,
    NotFoundError,
)
from commontrace.models.traces import (
    Contribution,
    ContributionResult,
    NewLink,
    StarterResult,
    Trace,
    TraceContent,
    TracePage,
)
from commontrace.safety.pipeline import Screened
from commontrace.versions import version_id as id_of
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.service import contributor_named
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.protocol import Question, SearchIndex
from commontrace_backend.paging import Asked
from commontrace_backend.starter import starter_traces
from commontrace_backend.traces import store, writing
from commontrace_backend.traces.assembly import trace_models
from commontrace_backend.traces.audience import Audience, audience
from commontrace_backend.traces.similarity import NEAR_DUPLICATE, similarity
from commontrace_backend.traces.visibility import LIVE, visible_to

_CANDIDATES: Final = 5
_RESERVED: Final = {"imported": "imports", "starter": "commontrace"}


def prepare(contribution: Contribution) -> Screened:
    """The safe form of a contribution: what takes time happens before the write lock is taken.

    Raises:
        TooLargeError: over 64 KiB.
        LowQualityError: it says too little to help anyone.
    """
    screened = writing.screened(
        TraceContent.model_validate(contribution.model_dump(include=set(TraceContent.model_fields)))
    )
    if screened.refusals:
        raise LowQualityError(
            f"This would help nobody yet: {'; '.join(screened.refusals)}.",
            "Give a real problem, its cause and the fix, then contribute again.",
            {"reasons": list(screened.refusals)},
        )
    return screened


async def contribute(
    session: WriteSession, caller: Caller, index: SearchIndex, contribution: Contribution, screened: Screened
) -> ContributionResult:
    """Store a screened contribution, or with `dry_run` say what would be stored.

    Raises:
        NearDuplicateError: the store knows it already, and neither `insist` nor `supersedes` was given.
        IdempotencyError: the key was used before for something else.
    """
    _may_import(caller, contribution)
    version = id_of(screened.content)
    known = await _already(session, caller, contribution, version)
    if known is not None:
        return _result(_audience(caller, contribution), screened, version, trace_id=known, existing=True)
    target = await _superseded(session, caller, contribution)
    await _refuse_near_duplicate(session, caller, index, contribution, screened.content)
    if contribution.dry_run:
        return _result(_audience(caller, contribution), screened, version)
    trace_id = await _store(session, caller, index, contribution, screened)
    if target is not None:
        await _supersede(session, caller, trace_id, target)
    return _result(_audience(caller, contribution), screened, version, trace_id=trace_id, stored=True)


def _may_import(caller: Caller, contribution: Contribution) -> None:
    if contribution.origin != "contributed" and "admin" not in caller.scopes:
        raise ForbiddenError(
            "Importing needs a key with the scope 'admin'.", "Contribute the traces as your own instead."
        )


async def _already(session: ReadSession, caller: Caller, contribution: Contribution, version: str) -> str | None:
    if contribution.idempotency_key:
        before = await store.remembered(session, caller, contribution.idempotency_key)
        if before is not None:
            if before.request_digest != version:
                raise IdempotencyError(
                    "This idempotency key was used for another contribution.",
                    "Use a new key for new content.",
                )
            return str(before.trace_id)
    row = await store.same_content(session, caller, version)
    return str(row.trace_id) if row is not None else None


async def _superseded(session: ReadSession, caller: Caller, contribution: Contribution) -> Row[Any] | None:
    return await store.find(session, caller, contribution.supersedes) if contribution.supersedes else None


async def _refuse_near_duplicate(
    session: ReadSession,
    caller: Caller,
    index: SearchIndex,
    contribution: Contribution,
    content: TraceContent,
) -> None:
    if contribution.insist or contribution.supersedes:
        return
    where = and_(visible_to(caller), LIVE)
    question = Question(f"{content.title}\n{content.problem}", headline=content.title)
    found = await index.search(session, question, where=where, limit=_CANDIDATES)
    rows = await store.with_numbers(session, caller, [match.number for match in found])
    matches = [
        {"trace_id": row.trace_id, "title": row.title, "similarity": round(alike, 2)}
        for row in rows.values()
        if (alike := similarity(content, TraceContent.model_validate(row.content))) >= NEAR_DUPLICATE
    ]
    if matches:
        best = max(matches, key=lambda match: match["similarity"])
        raise NearDuplicateError(
            f"The store knows this already: {best['trace_id'][:10]}. Nothing was stored.",
            "If it helped you, vote on it; to improve it, amend it; to replace it, pass supersedes; "
            "if yours is different, pass insist=true.",
            {"matches": matches},
        )


async def _store(
    session: WriteSession, caller: Caller, index: SearchIndex, contribution: Contribution, screened: Screened
) -> str:
    shown = _audience(caller, contribution)
    content, now = screened.content, datetime.now(UTC)
    place = {
        "trace_id": secrets.token_hex(16),
        "version_id": id_of(content),
        "tenant_id": caller.tenant_id,
        "visibility": shown.visibility,
        "contributor_id": await _author(session, caller, contribution),
    }
    number = await store.add_trace(
        session,
        {
            **place,
            "version_number": 1,
            "title": content.title,
            "state": shown.state,
            "wanted_visibility": shown.wanted,
            "tier": "unproven",
            "language": content.environment.language,
            "created_at": now,
            "updated_at": now,
        },
    )
    await writing.add_version(session, screened, **place, number=1)
    trace = await store.find(session, caller, place["trace_id"])
    assert trace.number == number
    await writing.serve(session, index, trace, content)
    if contribution.idempotency_key:
        version = place["version_id"]
        await store.remember(session, caller, contribution.idempotency_key, version, (place["trace_id"], version))
    return place["trace_id"]


async def _author(session: WriteSession, caller: Caller, contribution: Contribution) -> str:
    """Imported and starter traces belong to a reserved contributor, so that their importer's outcomes count."""
    if contribution.origin == "contributed":
        return caller.contributor_id
    name = _RESERVED[contribution.origin]
    row = await contributor_named(session, caller.tenant_id, name, kind="reserved", invited_by=None)
    return str(row.contributor_id)


def _audience(caller: Caller, contribution: Contribution) -> Audience:
    return audience(caller, contribution.visibility if contribution.origin == "contributed" else "team")


async def _supersede(session: WriteSession, caller: Caller, trace_id: str, target: Row[Any]) -> None:
    await store.add_link(
        session,
        {
            "trace_id": trace_id,
            "kind": "supersedes",
            "target": target.trace_id,
            "tenant_id": caller.tenant_id,
            "contributor_id": caller.contributor_id,
        },
    )
    if may_decide(caller, target):
        await store.change_trace(session, target.trace_id, state="superseded")


def may_decide(caller: Caller, trace: Row[Any]) -> bool:
    """Whether a trace is the caller's own, or of an organization whose admin the caller is."""
    return bool(
        trace.contributor_id == caller.contributor_id
        or ("admin" in caller.scopes and trace.tenant_id == caller.tenant_id)
    )


def must_decide(caller: Caller, trace: Row[Any]) -> None:
    """Raise ForbiddenError unless the caller may decide over this trace."""
    if not may_decide(caller, trace):
        raise ForbiddenError(
            "This trace belongs to somebody else.",
            "Its contributor or an admin of their organization can do that.",
        )


def _result(
    shown: Audience,
    screened: Screened,
    version: str,
    *,
    trace_id: str | None = None,
    stored: bool = False,
    existing: bool = False,
) -> ContributionResult:
    return ContributionResult(
        stored=stored,
        existing=existing,
        trace_id=trace_id,
        version_id=version,
        tier="unproven",
        visibility=shown.visibility,
        state=shown.state,
        notes=[shown.note] if shown.note else [],
        redactions=list(screened.redactions),
        hidden=list(screened.hidden),
        labels=list(screened.labels),
        lint=screened.lint,
        risks=screened.risks,
        content=screened.content,
    )


async def load_starter(session: WriteSession, caller: Caller, index: SearchIndex) -> StarterResult:
    """Contribute the traces that come with CommonTrace, as its own reserved contributor."""
    wanted = [
        Contribution.model_validate({**fields, "origin": "starter", "insist": True}) for fields in starter_traces()
    ]
    results = [await contribute(session, caller, index, item, prepare(item)) for item in wanted]
    return StarterResult(
        added=sum(result.stored for result in results), existing=sum(result.existing for result in results)
    )


async def get(session: ReadSession, caller: Caller, ref: str) -> Trace:
    """One trace; raises NotFoundError for a foreign one as for a missing one."""
    return (await trace_models(session, [await store.find(session, caller, ref)], caller.tenant_id))[0]


async def page(session: ReadSession, caller: Caller, asked: Asked) -> TracePage:
    """Some traces in the order they came."""
    rows, goes_on = await store.page(session, caller, asked)
    return TracePage(traces=await trace_models(session, rows, caller.tenant_id), next_cursor=goes_on)


async def add_link(session: WriteSession, caller: Caller, ref: str, link: NewLink) -> Trace:
    """Link a trace to another one, which must be visible too, or to a context commit."""
    trace = await store.find(session, caller, ref)
    target = link.target
    if not link.kind.startswith("context_"):
        target = (await store.find(session, caller, link.target)).trace_id
        if target == trace.trace_id:
            raise InvalidInputError("A trace cannot be linked to itself.", "Name another trace.")
    values = {"trace_id": trace.trace_id, "kind": link.kind, "target": target}
    await store.add_link(session, {**values, "tenant_id": caller.tenant_id, "contributor_id": caller.contributor_id})
    return await get(session, caller, trace.trace_id)


async def remove_link(session: WriteSession, caller: Caller, ref: str, link: NewLink) -> Trace:
    """Take a link away; only by those who may decide over the trace."""
    trace = await store.find(session, caller, ref)
    must_decide(caller, trace)
    if not await store.remove_link(session, trace.trace_id, link.kind, link.target):
        raise NotFoundError(f"There is no link {link.kind} to {link.target}.", "See the trace's links.")
    return await get(session, caller, trace.trace_id)
