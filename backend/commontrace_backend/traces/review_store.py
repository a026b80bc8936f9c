"""SQL for reviews: whom a reviewer may decide about, what awaits them, and the record of decisions."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, exists, insert, or_, select, update

from commontrace.models.base import Page
from commontrace.models.contributors import ContributorRef
from commontrace.models.reviews import ReviewAction, ReviewDecision
from commontrace.safety.pipeline import screen_text
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors, organizations
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.paging import Asked, Key, Order
from commontrace_backend.traces import trust_store
from commontrace_backend.traces.tables import (
    amendments,
    flags,
    of_served_version,
    outcomes,
    reviews,
    trace_versions,
    traces,
)
from commontrace_backend.traces.trust import POSITIVE
from commontrace_backend.traces.twins import TWIN, settle_twin, twins_of


async def within_reach(session: ReadSession, caller: Caller) -> ColumnElement[bool]:
    """What an admin may review: the organization's own; where the caller's runs the store, the public too.

    What is private is its contributor's alone, unless it waits to be published.
    """
    ours = and_(
        traces.c.tenant_id == caller.tenant_id,
        or_(
            traces.c.visibility != "private",
            traces.c.state == "pending",
            traces.c.contributor_id == caller.contributor_id,
        ),
    )
    home = await trust_store.home_of(session) == caller.tenant_id
    return or_(ours, traces.c.visibility == "public") if home else ours


def _flagged() -> ColumnElement[bool]:
    return exists().where(flags.c.trace_id == traces.c.trace_id, flags.c.undone_at.is_(None))


def _outcome(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(outcomes.c.trace_id == traces.c.trace_id, outcomes.c.self_report.is_(False), *conditions)


_DECISIONS: Final = Order(
    "decisions", Key("created_at", reviews.c.created_at, descending=True), Key("decision_id", reviews.c.decision_id)
)
DISPUTED: Final = and_(
    traces.c.visibility == "public",
    _outcome(outcomes.c.outcome.not_in(sorted(POSITIVE)), outcomes.c.discounted.is_(None)),
)
BURST: Final = _outcome(outcomes.c.discounted == "burst")
_PROPOSED: Final = and_(
    reviews.c.action == "reject", reviews.c.undone_at.is_(None), reviews.c.details["waits"].as_boolean()
)
REMOVAL: Final = exists().where(reviews.c.subject == traces.c.trace_id, _PROPOSED)
WAITING: Final = and_(
    traces.c.state != "withdrawn",
    or_(
        traces.c.state.in_(("hidden", "pending")),
        traces.c.tier == "quarantined",
        _flagged(),
        DISPUTED,
        BURST,
        REMOVAL,
        TWIN,
        exists().where(amendments.c.trace_id == traces.c.trace_id, amendments.c.status == "open"),
    ),
)


def found(where: ColumnElement[bool]) -> Select[Any]:
    """Traces as a reviewer needs them, with what speaks against each."""
    return across(
        select(
            traces,
            trace_versions.c.inherits_from,
            trace_versions.c.content,
            contributors.c.name.label("contributor_name"),
            organizations.c.name.label("organization_name"),
            _flagged().label("flagged"),
            DISPUTED.label("disputed"),
            BURST.label("burst"),
            REMOVAL.label("removal"),
            TWIN.label("twin"),
        )
        .join(trace_versions, of_served_version)
        .join(contributors, contributors.c.contributor_id == traces.c.contributor_id)
        .join(organizations, organizations.c.organization_id == traces.c.tenant_id)
        .where(where),
        "traces within a reviewer's reach, with what all say against them",
    )


async def waiting(session: ReadSession, caller: Caller, since: tuple[Any, ...], limit: int) -> Sequence[Row[Any]]:
    """Traces that await a decision of this admin, longest unchanged first, from one (changed when, number) on."""
    where = await within_reach(session, caller) & WAITING
    if since:
        changed, number = since
        same = and_(traces.c.updated_at == changed, traces.c.number >= number)
        where = where & or_(traces.c.updated_at > changed, same)
    return await session.all(found(where).order_by(traces.c.updated_at, traces.c.number).limit(limit))


async def open_amendments(session: ReadSession, trace_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """What is proposed for these traces, oldest first."""
    return await session.all(
        select(amendments)
        .where(amendments.c.trace_id.in_(trace_ids), amendments.c.status == "open")
        .order_by(amendments.c.created_at, amendments.c.amendment_id)
    )


async def said(session: ReadSession, trace_ids: Sequence[str]) -> dict[str, list[str]]:
    """What was said against these traces, by trace: flags that stand, bad outcomes, and proposals to remove them."""
    found: dict[str, list[str]] = {}
    for row in await session.all(
        select(flags).where(flags.c.trace_id.in_(trace_ids), flags.c.undone_at.is_(None)).order_by(flags.c.created_at)
    ):
        found.setdefault(row.trace_id, []).append(f"flag {row.reason}: {row.note}".rstrip(": "))
    bad = select(outcomes).where(
        outcomes.c.trace_id.in_(trace_ids),
        outcomes.c.outcome.not_in(sorted(POSITIVE)),
        outcomes.c.self_report.is_(False),
    )
    for row in await session.all(bad.order_by(outcomes.c.created_at)):
        found.setdefault(row.trace_id, []).append(f"{row.outcome}: {row.note}")
    removals = select(reviews).where(reviews.c.subject.in_(trace_ids), _PROPOSED)
    for row in await session.all(across(removals, "proposals about traces within a reviewer's reach")):
        found.setdefault(row.subject, []).append(f"removal proposed: {row.reason}")
    for trace_id, told in (await twins_of(session, list(trace_ids))).items():
        found.setdefault(trace_id, []).append(told)
    return found


async def record(
    session: WriteSession,
    caller: Caller,
    action: ReviewAction,
    subject: str,
    reason: str,
    details: Mapping[str, Any],
) -> ReviewDecision:
    """Keep a decision: who, when, why, and what undoing it needs to know."""
    decision_id = details.get("decision_id") or new_id()
    await session.write(
        insert(reviews).values(
            decision_id=decision_id,
            action=action,
            subject=subject,
            tenant_id=caller.tenant_id,
            contributor_id=caller.contributor_id,
            reason=screen_text(reason).text,
            details=dict(details),
            created_at=datetime.now(UTC),
        )
    )
    row = await session.first(_decisions(caller).where(reviews.c.decision_id == decision_id))
    assert row is not None
    return decision_of(row)


def new_id() -> str:
    """For a decision: 64 random bits."""
    return secrets.token_hex(8)


def _decisions(caller: Caller) -> Select[Any]:
    return (
        select(reviews, contributors.c.name.label("contributor_name"))
        .join(contributors, contributors.c.contributor_id == reviews.c.contributor_id)
        .where(reviews.c.tenant_id == caller.tenant_id)
    )


async def decisions(session: ReadSession, caller: Caller, asked: Asked) -> Page[ReviewDecision]:
    """What the organization's reviewers decided, newest first."""
    rows, goes_on = await _DECISIONS.read(session, _decisions(caller), asked)
    return Page(items=[decision_of(row) for row in rows], next_cursor=goes_on)


async def find_decision(session: ReadSession, caller: Caller, decision_id: str) -> Row[Any] | None:
    """A decision of the caller's organization."""
    return await session.first(_decisions(caller).where(reviews.c.decision_id == decision_id))


async def proposals(session: ReadSession, trace_id: str) -> Sequence[Row[Any]]:
    """Removals of a trace that wait for a second reviewer."""
    removals = select(reviews).where(reviews.c.subject == trace_id, _PROPOSED)
    return await session.all(across(removals, "proposals about a trace within a reviewer's reach"))


async def settle(session: WriteSession, trace_id: str) -> None:
    """End the proposals to remove a trace, which were followed or turned down, and the question of its twin."""
    await settle_twin(session, trace_id)
    for row in await proposals(session, trace_id):
        await session.write(
            update(reviews)
            .where(reviews.c.decision_id == row.decision_id)
            .values(details={**row.details, "waits": False})
        )


async def undone(session: WriteSession, caller: Caller, decision_id: str) -> None:
    """Mark a decision as undone."""
    await session.write(
        update(reviews)
        .where(reviews.c.decision_id == decision_id)
        .values(undone_at=datetime.now(UTC), undone_by=caller.contributor_id)
    )


def decision_of(row: Row[Any]) -> ReviewDecision:
    """A decision as it travels."""
    return ReviewDecision(
        decision_id=row.decision_id,
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        contributor=ContributorRef(contributor_id=row.contributor_id, name=row.contributor_name),
        created_at=row.created_at,
        complete=not row.details.get("waits", False),
        traces=row.details.get("traces", []),
        outcomes=row.details.get("outcomes", 0),
        flags=len(row.details.get("flags", [])),
        undone_at=row.undone_at,
    )
