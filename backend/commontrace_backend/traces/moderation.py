"""Flags, withdrawal and restoration: every removal says who, when and why, and can be taken back."""

import secrets
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, insert, or_, select, update

from commontrace.errors import ConflictError, ForbiddenError, NotFoundError
from commontrace.models.base import Page
from commontrace.models.traces import Flag, NewFlag, Removal, Tombstone, Trace
from commontrace.safety.pipeline import screen_text
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.paging import Asked, Key, Order
from commontrace_backend.traces import recalls, service, store
from commontrace_backend.traces.assembly import contributor_of
from commontrace_backend.traces.ledger import log_tombstone
from commontrace_backend.traces.rescan import leaks_something
from commontrace_backend.traces.tables import flags, tombstones, traces
from commontrace_backend.traces.trust import independent
from commontrace_backend.traces.trust_store import trust_for
from commontrace_backend.traces.visibility import visible_to

HIDING: Final = 3
"""People whose standing flags hide a team's trace until somebody looks at it; of a public one independent organizations
that the seeds know: what strangers flag only waits for a look."""


async def flag(session: WriteSession, caller: Caller, ref: str, wanted: NewFlag) -> Flag:
    """Raise a flag; raises ConflictError for a second standing one by the same contributor."""
    trace = await store.find(session, caller, ref)
    standing = select(flags.c.flag_id).where(
        flags.c.trace_id == trace.trace_id,
        flags.c.contributor_id == caller.contributor_id,
        flags.c.undone_at.is_(None),
    )
    if await session.first(standing) is not None:
        raise ConflictError("You have flagged this trace already.", "Undo that flag to raise another one.")
    flag_id = secrets.token_hex(8)
    await session.write(
        insert(flags).values(
            flag_id=flag_id,
            trace_id=trace.trace_id,
            tenant_id=caller.tenant_id,
            contributor_id=caller.contributor_id,
            lineage_id=caller.lineage_id,
            reason=wanted.reason,
            note=screen_text(wanted.note).text,
            created_at=datetime.now(UTC),
        )
    )
    await hide_or_show(session, trace)
    return _flag(await _find_flag(session, caller, flag_id))


async def undo_flag(session: WriteSession, caller: Caller, flag_id: str) -> Flag:
    """Take a flag back: one's own, or any as an admin of the trace's organization."""
    row = await _find_flag(session, caller, flag_id)
    mine = row.contributor_id == caller.contributor_id
    trace = await store.any_trace(session, row.trace_id)
    if not mine and not ("admin" in caller.scopes and trace.tenant_id == caller.tenant_id):
        raise ForbiddenError("This flag is somebody else's.", "Its author or an admin can undo it.")
    if row.undone_at is not None:
        raise ConflictError("This flag was undone already.", "Nothing is left to do.")
    await session.write(update(flags).where(flags.c.flag_id == flag_id).values(undone_at=datetime.now(UTC)))
    await hide_or_show(session, trace)
    return _flag(await _find_flag(session, caller, flag_id))


async def flags_of(session: ReadSession, caller: Caller, ref: str, asked: Asked) -> Page[Flag]:
    """The flags of a trace with their reasons, newest first."""
    trace = await store.find(session, caller, ref)
    order = Order(
        "flags",
        Key("created_at", flags.c.created_at, descending=True),
        Key("flag_id", flags.c.flag_id),
    )
    rows, goes_on = await order.read(session, _flags().where(flags.c.trace_id == trace.trace_id), asked)
    return Page(items=[_flag(row) for row in rows], next_cursor=goes_on)


async def hide_or_show(session: WriteSession, trace: Row[Any]) -> None:
    """Hide a trace that enough have flagged, and serve one again that is not any more."""
    rows = await session.all(
        select(flags.c.tenant_id, flags.c.lineage_id, flags.c.contributor_id).where(
            flags.c.trace_id == trace.trace_id, flags.c.undone_at.is_(None)
        )
    )
    count = len({row.contributor_id for row in rows})
    if trace.visibility == "public":
        count = independent([(row.tenant_id, row.lineage_id) for row in rows], await trust_for(session, None))
    hide = count >= HIDING or await leaks_something(session, trace.trace_id)
    if trace.state == "active" and hide:
        await store.change_trace(session, trace.trace_id, state="hidden")
    elif trace.state == "hidden" and not hide:
        await store.change_trace(session, trace.trace_id, state="active")


async def withdraw(session: WriteSession, caller: Caller, ref: str, removal: Removal) -> Tombstone:
    """Take a trace out of every answer and leave a tombstone.

    Raises:
        ConflictError: it was withdrawn already, or it is somebody else's and proven: then two reviewers decide.
    """
    trace = await store.find(session, caller, ref)
    service.must_decide(caller, trace)
    if takes_two(caller, trace):
        raise ConflictError(
            f"This trace is {trace.tier} and somebody else's: its removal takes two reviewers.",
            f"commontrace review reject {trace.trace_id[:10]} --reason TEXT, by you and by another admin.",
        )
    return await remove(session, caller, trace, removal.reason)


def takes_two(caller: Caller, trace: Row[Any]) -> bool:
    """Whether one reviewer alone may not remove it."""
    return trace.contributor_id != caller.contributor_id and trace.tier in {"corroborated", "verified"}


async def remove(session: WriteSession, caller: Caller, trace: Row[Any], reason: str) -> Tombstone:
    """Withdraw a trace; who may is decided already. Who was shown it will be told."""
    if trace.state == "withdrawn":
        raise ConflictError("This trace was withdrawn already.", "It can be restored.")
    await leave_tombstone(session, caller, trace, screen_text(reason).text)
    await store.change_trace(session, trace.trace_id, state="withdrawn")
    await recalls.recall(session, trace, "withdrawn")
    return await newest_tombstone(session, trace.trace_id)


async def leave_tombstone(session: WriteSession, caller: Caller, trace: Row[Any], reason: str) -> None:
    """Say who takes a trace away, when and why; the reason is in its safe form."""
    tombstone_id = secrets.token_hex(8)
    await session.write(
        insert(tombstones).values(
            tombstone_id=tombstone_id,
            trace_id=trace.trace_id,
            tenant_id=trace.tenant_id,
            contributor_id=caller.contributor_id,
            reason=reason,
            state_before=trace.state,
            created_at=datetime.now(UTC),
        )
    )
    await log_tombstone(session, tombstone_id)


async def newest_tombstone(session: ReadSession, trace_id: str) -> Tombstone:
    """What the newest removal of a trace left."""
    return _tombstone(await _newest_tombstone(session, trace_id))


async def restore(session: WriteSession, caller: Caller, ref: str) -> Trace:
    """Bring a withdrawn trace back as it was."""
    trace = await store.find(session, caller, ref)
    service.must_decide(caller, trace)
    await bring_back(session, caller, trace)
    return await service.get(session, caller, trace.trace_id)


async def bring_back(session: WriteSession, caller: Caller, trace: Row[Any]) -> None:
    """Restore a withdrawn trace; who may is decided already."""
    if trace.state != "withdrawn":
        raise ConflictError(f"This trace is {trace.state}, not withdrawn.", "There is nothing to restore.")
    tombstone = await _newest_tombstone(session, trace.trace_id)
    await session.write(
        update(tombstones)
        .where(tombstones.c.tombstone_id == tombstone.tombstone_id)
        .values(restored_at=datetime.now(UTC), restored_by=caller.contributor_id)
    )
    await log_tombstone(session, tombstone.tombstone_id)
    await store.change_trace(session, trace.trace_id, state=tombstone.state_before)
    await hide_or_show(session, await store.any_trace(session, trace.trace_id))  # flags may have gone meanwhile
    await recalls.forget(session, trace.trace_id)


async def _newest_tombstone(session: ReadSession, trace_id: str) -> Row[Any]:
    row = await session.first(
        select(tombstones, contributors.c.name.label("contributor_name"))
        .join(contributors, contributors.c.contributor_id == tombstones.c.contributor_id)
        .where(tombstones.c.trace_id == trace_id)
        .order_by(tombstones.c.created_at.desc())
        .limit(1)
    )
    assert row is not None
    return row


def _tombstone(row: Row[Any]) -> Tombstone:
    return Tombstone(
        tombstone_id=row.tombstone_id,
        trace_id=row.trace_id,
        reason=row.reason,
        contributor=contributor_of(row),
        created_at=row.created_at,
        restored_at=row.restored_at,
    )


def _flags() -> Any:
    return select(flags, contributors.c.name.label("contributor_name")).join(
        contributors, contributors.c.contributor_id == flags.c.contributor_id
    )


async def _find_flag(session: ReadSession, caller: Caller, flag_id: str) -> Row[Any]:
    # One's own flag can be undone even where it helped to hide the trace from oneself.
    mine = flags.c.contributor_id == caller.contributor_id
    named = _flags().join(traces, traces.c.trace_id == flags.c.trace_id).where(or_(mine, visible_to(caller)))
    row = await session.first(named.where(flags.c.flag_id == flag_id))
    if row is None:
        raise NotFoundError(f"No flag {flag_id}.", "See the trace's flags.")
    return row


def _flag(row: Row[Any]) -> Flag:
    return Flag(
        flag_id=row.flag_id,
        trace_id=row.trace_id,
        reason=row.reason,
        note=row.note,
        contributor=contributor_of(row),
        created_at=row.created_at,
        undone_at=row.undone_at,
    )
