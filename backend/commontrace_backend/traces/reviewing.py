"""Reviews: what waits, and what approving, rejecting and restoring do. Every decision is a row."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Row, select, update

from commontrace.errors import ConflictError, ForbiddenError, NotFoundError
from commontrace.models.base import Page
from commontrace.models.reviews import NewReview, ReviewCause, ReviewDecision, ReviewItem
from commontrace.models.traces import Decision
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.paging import Asked, Position, page_of, read_cursor, write_cursor
from commontrace_backend.traces import (
    amendments,
    moderation,
    outcomes,
    publishing,
    reversing,
    review_store,
    trust_store,
)
from commontrace_backend.traces.assembly import contributor_of
from commontrace_backend.traces.service import may_decide
from commontrace_backend.traces.store import change_trace, named
from commontrace_backend.traces.tables import flags
from commontrace_backend.traces.tables import outcomes as reported
from commontrace_backend.traces.trust import POSITIVE

_QUEUE: Final = "reviews"
_KINDS: Final = (datetime, int, str)  # when it changed, its number, and where among what waits about it
_END: Final = "~"  # behind every proposal for a trace
_SHORT: Final = re.compile(r"[0-9a-f]{16}\Z")


async def queue(session: ReadSession, caller: Caller, asked: Asked) -> Page[ReviewItem]:
    """What awaits a decision of this admin: traces, longest unchanged first, each followed by what is proposed for it.

    A page may have fewer than its limit, where proposals wait that others decide.
    """
    position = read_cursor(_QUEUE, _KINDS, asked.cursor) or ()
    rows = await review_store.waiting(session, caller, position[:2], asked.limit + 1)
    shown, goes_on = page_of(_QUEUE, _KINDS, await _waiting(session, caller, rows), asked)
    if goes_on is None and len(rows) > asked.limit:
        goes_on = write_cursor(_QUEUE, *_place(rows[-1], _END))
    return Page(items=shown, next_cursor=goes_on)


def _place(row: Row[Any], within: str) -> Position:
    return (row.updated_at, row.number, within)


async def _waiting(session: ReadSession, caller: Caller, rows: Sequence[Row[Any]]) -> list[tuple[Position, ReviewItem]]:
    """What awaits a decision about some traces, each with its place in the queue."""
    said = await review_store.said(session, [row.trace_id for row in rows])
    found = [(_place(row, ""), _item(row, row.trace_id, causes, said)) for row in rows if (causes := _causes(row))]
    mine = {row.trace_id: row for row in rows if may_decide(caller, row)}
    found += [
        (
            _place(mine[row.trace_id], f"{row.created_at.isoformat(timespec='microseconds')} {row.amendment_id}"),
            _item(mine[row.trace_id], row.amendment_id, ["amendment"], {row.trace_id: [row.reason]}),
        )
        for row in await review_store.open_amendments(session, list(mine))
    ]
    return sorted(found, key=itemgetter(0))


def _causes(row: Row[Any]) -> list[ReviewCause]:
    causes: list[tuple[ReviewCause, bool]] = [
        ("hidden", row.state == "hidden"),
        ("pending", row.state == "pending"),
        ("quarantined", row.tier == "quarantined"),
        ("flagged", row.flagged and row.state != "hidden"),
        ("disputed", row.disputed and row.tier != "quarantined"),
        ("burst", row.burst),
        ("removal", row.removal),
        ("duplicate", row.twin),
    ]
    return [cause for cause, holds in causes if holds]


def _item(row: Row[Any], subject: str, causes: list[ReviewCause], said: dict[str, list[str]]) -> ReviewItem:
    return ReviewItem(
        subject=subject,
        causes=causes,
        trace_id=row.trace_id,
        title=row.title,
        state=row.state,
        tier=row.tier,
        visibility=row.visibility,
        organization_name=row.organization_name,
        contributor=contributor_of(row),
        notes=said.get(row.trace_id, []),
    )


async def review(
    session: WriteSession, caller: Caller, index: SearchIndex, subject: str, wanted: NewReview
) -> ReviewDecision:
    """Decide about an amendment, a trace, or (restore) a decision.

    Raises:
        NotFoundError: nothing by that id that this admin may review.
        ForbiddenError: a public trace that only the home organization's admins may approve.
        ConflictError: it does not await that.
    """
    if _SHORT.match(subject):
        with suppress(NotFoundError):  # it is none, or nobody's that this admin may see: both are told alike
            return await _amendment(session, caller, index, subject, wanted)
        decision = await review_store.find_decision(session, caller, subject)
        if decision is not None and wanted.action == "restore":
            return await reversing.undo(session, caller, decision, wanted.reason)
    trace = await _trace(session, caller, subject)
    if trace.state == "pending" and wanted.action != "restore":
        return await _publication(session, caller, trace, wanted)
    if wanted.action == "approve":
        return await _approve(session, caller, trace, wanted.reason)
    if wanted.action == "reject":
        return await _remove(session, caller, trace, wanted.reason)
    await _must_oversee(session, caller, trace)
    await moderation.bring_back(session, caller, trace)
    return await review_store.record(session, caller, "restore", trace.trace_id, wanted.reason, {})


async def _amendment(
    session: WriteSession, caller: Caller, index: SearchIndex, subject: str, wanted: NewReview
) -> ReviewDecision:
    if wanted.action == "restore":
        await amendments.find(session, caller, subject)
        raise ConflictError("A decision about an amendment stands.", "Propose the change again.")
    accepted = wanted.action == "approve"
    await amendments.decide(session, caller, index, subject, Decision(accept=accepted, note=wanted.reason))
    return await review_store.record(session, caller, wanted.action, subject, wanted.reason, {})


async def _publication(session: WriteSession, caller: Caller, trace: Row[Any], wanted: NewReview) -> ReviewDecision:
    """Show it to the audience that it waits for, or leave it with the one it has."""
    decide = publishing.approve_publication if wanted.action == "approve" else publishing.reject_publication
    await decide(session, caller, trace.trace_id)
    return await review_store.record(session, caller, wanted.action, trace.trace_id, wanted.reason, {})


async def _trace(session: ReadSession, caller: Caller, ref: str) -> Row[Any]:
    where = await review_store.within_reach(session, caller) & named(ref)
    rows = await session.all(review_store.found(where).limit(2))
    if len(rows) != 1:
        raise NotFoundError(f"Nothing to review by the id {ref}.", "See `commontrace review list`; give the whole id.")
    return rows[0]


async def _must_oversee(session: ReadSession, caller: Caller, trace: Row[Any]) -> None:
    """What everybody sees is approved by whoever runs the store, not by whoever wrote it."""
    if trace.visibility == "public" and caller.tenant_id != await trust_store.home_of(session):
        raise ForbiddenError(
            "What is public is approved by the organization that runs the store.",
            "Ask one of its admins; you may reject it, which withdraws it.",
        )


async def _approve(session: WriteSession, caller: Caller, trace: Row[Any], reason: str) -> ReviewDecision:
    """Serve it again: flags are undone, what spoke against it counts no more, and what was left out as a burst does."""
    await _must_oversee(session, caller, trace)
    if not _causes(trace):
        raise ConflictError("Nothing about this trace awaits a decision.", "See `commontrace review list`.")
    decision_id = review_store.new_id()
    standing = flags.c.trace_id == trace.trace_id, flags.c.undone_at.is_(None)
    undone = [row.flag_id for row in await session.all(select(flags.c.flag_id).where(*standing))]
    await session.write(update(flags).where(*standing).values(undone_at=datetime.now(UTC)))
    on_it = reported.c.trace_id == trace.trace_id
    await outcomes.discount(session, on_it & (reported.c.discounted == "burst"), None)
    bad = on_it & reported.c.outcome.not_in(sorted(POSITIVE)) & reported.c.discounted.is_(None)
    left_out = []
    if trace.tier == "quarantined" or trace.disputed:
        left_out = await outcomes.discount(session, bad & reported.c.self_report.is_(False), decision_id)
    if trace.state == "hidden":
        await change_trace(session, trace.trace_id, state="active")
    await outcomes.refresh(session, [trace.trace_id])
    await review_store.settle(session, trace.trace_id)
    details = {"decision_id": decision_id, "flags": undone, "outcomes": len(left_out), "state": trace.state}
    return await review_store.record(session, caller, "approve", trace.trace_id, reason, details)


async def _remove(session: WriteSession, caller: Caller, trace: Row[Any], reason: str) -> ReviewDecision:
    """Withdraw it; what is proven and somebody else's only with a second reviewer."""
    if trace.state == "withdrawn":
        raise ConflictError("This trace was withdrawn already.", "It can be restored.")
    if moderation.takes_two(caller, trace):
        before = await review_store.proposals(session, trace.trace_id)
        if any(row.contributor_id == caller.contributor_id for row in before):
            raise ConflictError("You have proposed that already.", "It takes another admin to agree.")
        if not before:
            return await review_store.record(session, caller, "reject", trace.trace_id, reason, {"waits": True})
    await moderation.remove(session, caller, trace, reason)
    await review_store.settle(session, trace.trace_id)
    details = {"traces": [trace.trace_id]}
    return await review_store.record(session, caller, "reject", trace.trace_id, reason, details)
