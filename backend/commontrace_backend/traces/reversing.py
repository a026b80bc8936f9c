"""Taking a burst back: what somebody published, reported and flagged since a moment; and undoing any decision."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, false, or_, select, update

from commontrace.errors import ConflictError, ForbiddenError, NotFoundError
from commontrace.models.contributors import ContributorRef
from commontrace.models.reviews import Reversal, ReviewDecision
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors, organizations
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.traces import moderation, outcomes, review_store, store, trust_store
from commontrace_backend.traces.tables import flags, traces
from commontrace_backend.traces.tables import outcomes as reported


async def reverse(session: WriteSession, caller: Caller, wanted: Reversal) -> ReviewDecision:
    """Withdraw what they made public, let their outcomes count for nothing, undo their flags.

    With `dry_run` only say what that would be.

    Raises:
        NotFoundError: nobody is called that within the caller's reach.
        ForbiddenError: it would reach into other organizations, and the caller's does not run the store.
    """
    subject, people = await _people(session, caller, wanted)
    published = await session.all(
        select(traces).where(
            traces.c.contributor_id.in_(people),
            traces.c.visibility == "public",
            traces.c.published_at >= wanted.since,
            traces.c.state != "withdrawn",
        )
    )
    decision_id = review_store.new_id()
    mine = reported.c.contributor_id.in_(people) & (reported.c.updated_at >= wanted.since)
    counting = mine & (reported.c.discounted.is_(None) | (reported.c.discounted == "burst"))
    raised = flags.c.contributor_id.in_(people) & (flags.c.created_at >= wanted.since) & flags.c.undone_at.is_(None)
    undone = [row.flag_id for row in await session.all(select(flags.c.flag_id).where(raised))]
    votes = await session.all(select(reported.c.trace_id).where(counting))
    details = {
        "decision_id": decision_id,
        "traces": [row.trace_id for row in published],
        "flags": undone,
        "outcomes": len(votes),
    }
    if wanted.dry_run:
        return _preview(caller, subject, wanted, details)
    await outcomes.discount(session, counting, decision_id)
    await _undo_flags(session, undone, when=datetime.now(UTC))
    for row in published:
        await moderation.remove(session, caller, row, wanted.reason)
    return await review_store.record(session, caller, "reverse", subject, wanted.reason, details)


def _preview(caller: Caller, subject: str, wanted: Reversal, details: dict[str, Any]) -> ReviewDecision:
    return ReviewDecision(
        decision_id="",
        action="reverse",
        subject=subject,
        reason=wanted.reason,
        contributor=ContributorRef(contributor_id=caller.contributor_id, name=caller.contributor_name),
        created_at=datetime.now(UTC),
        complete=False,
        traces=details["traces"],
        outcomes=details["outcomes"],
        flags=len(details["flags"]),
    )


async def _people(session: ReadSession, caller: Caller, wanted: Reversal) -> tuple[str, list[str]]:
    """Whom it is about, as one id, and the contributors that are meant."""
    home = await trust_store.home_of(session) == caller.tenant_id
    named = (
        select(contributors, organizations.c.name.label("organization_name"))
        .join(organizations, organizations.c.organization_id == contributors.c.tenant_id)
        .where(_named(caller, wanted))
    )
    rows = await session.all(across(named, "whom a name means; whether they are in reach is asked next"))
    if not rows or not (home or any(row.tenant_id == caller.tenant_id for row in rows)):
        raise NotFoundError("Nobody is called that in your reach.", "See `commontrace keys list`.")
    if not home and any(row.tenant_id != caller.tenant_id for row in rows):
        raise ForbiddenError(
            "That reaches into other organizations.", "An admin of the organization that runs the store can do it."
        )
    first = rows[0]
    subject = first.tenant_id if wanted.organization else first.lineage_id if wanted.lineage else first.contributor_id
    return str(subject), [row.contributor_id for row in rows]


def _named(caller: Caller, wanted: Reversal) -> ColumnElement[bool]:
    if wanted.organization is not None:
        return organizations.c.name == wanted.organization
    if wanted.lineage is not None:
        return contributors.c.lineage_id == wanted.lineage
    ours = (contributors.c.name == wanted.contributor) & (contributors.c.tenant_id == caller.tenant_id)
    return or_(contributors.c.contributor_id == wanted.contributor, ours)


async def _undo_flags(session: WriteSession, flag_ids: Iterable[str], when: datetime | None) -> None:
    chosen = flags.c.flag_id.in_(sorted(flag_ids))
    rows = await session.all(across(select(flags.c.trace_id).where(chosen), "flags that a decision names"))
    await session.write(update(flags).where(chosen).values(undone_at=when))
    for trace_id in sorted({row.trace_id for row in rows}):
        await moderation.hide_or_show(session, await store.any_trace(session, trace_id))


async def undo(session: WriteSession, caller: Caller, decision: Row[Any], reason: str) -> ReviewDecision:
    """Take a decision back: what it left out counts again, what it removed is served, flags stand as they stood."""
    if decision.undone_at is not None:
        raise ConflictError("This decision was undone already.", "Decide anew.")
    if decision.action not in {"approve", "reject", "reverse"}:
        raise ConflictError(f"A decision to {decision.action} is not undone here.", "Decide the contrary.")
    details = decision.details
    await outcomes.discount(session, reported.c.discounted == decision.decision_id, None)
    await _undo_flags(session, details.get("flags", []), when=None)
    wanted = details.get("traces", [])
    gone = traces.c.trace_id.in_(wanted) & (traces.c.state == "withdrawn") if wanted else false()
    for row in await session.all(across(select(traces).where(gone), "traces that a decision names")):
        await moderation.bring_back(session, caller, row)
    await review_store.undone(session, caller, decision.decision_id)
    return await review_store.record(session, caller, "restore", decision.decision_id, reason, {})
