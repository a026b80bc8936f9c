"""SQL for knowledge that moves between stores: what changed, what is known by its versions, what came after what."""

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, and_, case, insert, select, update

from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.traces.tables import amendments, of_served_version, trace_versions, traces
from commontrace_backend.traces.visibility import in_audience, visible_to


async def changed(session: ReadSession, caller: Caller, start: int, limit: int) -> Sequence[Row[Any]]:
    """Traces that the caller is in the audience of and that changed at a leaf from `start` on, in that order."""
    statement = (
        select(traces, trace_versions.c.contributor_id.label("author_id"))
        .join(trace_versions, of_served_version)
        .where(in_audience(caller), traces.c.changed_at_leaf >= start)
        .order_by(traces.c.changed_at_leaf)
        .limit(limit)
    )
    return await session.all(statement)


async def versions_of(session: ReadSession, trace_ids: Collection[str]) -> dict[str, list[str]]:
    """The versions of some traces, oldest first."""
    statement = (
        select(trace_versions.c.trace_id, trace_versions.c.version_id)
        .where(trace_versions.c.trace_id.in_(trace_ids))
        .order_by(trace_versions.c.trace_id, trace_versions.c.number)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in await session.all(statement):
        found[row.trace_id].append(row.version_id)
    return found


async def with_versions(session: ReadSession, caller: Caller, version_ids: Collection[str]) -> dict[str, Row[Any]]:
    """By version the trace that has it: the caller's own before others, one that is served before a removed one."""
    served = case((traces.c.state.in_(("active", "pending")), 0), else_=1)
    mine = case((traces.c.contributor_id == caller.contributor_id, 0), else_=1)
    statement = (
        select(traces, trace_versions.c.version_id.label("has_version"))
        .join(trace_versions, trace_versions.c.trace_id == traces.c.trace_id)
        .where(trace_versions.c.version_id.in_(version_ids), in_audience(caller))
        .order_by(served, mine, traces.c.number)
    )
    found: dict[str, Row[Any]] = {}
    for row in await session.all(statement):
        found.setdefault(row.has_version, row)
    return found


async def is_visible(session: ReadSession, caller: Caller, trace_id: str) -> bool:
    """Whether the caller may see a trace whole."""
    statement = select(traces.c.number).where(traces.c.trace_id == trace_id, visible_to(caller))
    return await session.first(statement) is not None


async def after_of(session: ReadSession, trace_id: str) -> dict[str, list[str]]:
    """For each version of a trace those that it came after: its parent first, then what was decided."""
    parents = select(trace_versions.c.version_id, trace_versions.c.parent_version_id).where(
        trace_versions.c.trace_id == trace_id
    )
    rows = await session.all(parents.order_by(trace_versions.c.number))
    found = {row.version_id: [row.parent_version_id] if row.parent_version_id else [] for row in rows}
    for row in await _decisions(session, trace_id):
        newer, older = row.version_id, row.base_version_id
        if row.status == "rejected":
            newer, older = older, newer
        if older not in found[newer]:
            found[newer].append(older)
    return found


async def _decisions(session: ReadSession, trace_id: str) -> Sequence[Row[Any]]:
    statement = select(amendments).where(amendments.c.trace_id == trace_id, amendments.c.status != "open")
    return await session.all(statement.order_by(amendments.c.decided_at, amendments.c.amendment_id))


async def proposed(session: ReadSession, trace_id: str, version_id: str) -> Row[Any] | None:
    """The amendment that proposes a version and waits for a decision."""
    same = (amendments.c.trace_id == trace_id, amendments.c.version_id == version_id, amendments.c.status == "open")
    return await session.first(select(amendments).where(*same))


async def add_amendment(
    session: WriteSession, caller: Caller, trace: Row[Any], edge: tuple[str, str], *, accepted: bool, reason: str
) -> str:
    """Write down that a version is proposed, or was decided for, in the place of another; returns the amendment's id.

    Args:
        session: the transaction.
        caller: who brings it.
        trace: the trace.
        edge: the version in whose place, and the version.
        accepted: whether it is decided.
        reason: where it comes from.
    """
    amendment_id = secrets.token_hex(8)
    now = datetime.now(UTC)
    decided = {"decided_at": now, "decided_by": caller.contributor_id} if accepted else {}
    values = {
        "amendment_id": amendment_id,
        "trace_id": trace.trace_id,
        "tenant_id": trace.tenant_id,
        "base_version_id": edge[0],
        "version_id": edge[1],
        "status": "accepted" if accepted else "open",
        "reason": reason,
        "contributor_id": caller.contributor_id,
        "created_at": now,
        "decision_note": "",
    }
    await session.write(insert(amendments).values({**values, **decided}))
    return amendment_id


async def put_before(session: WriteSession, amendment_id: str, base_version_id: str) -> None:
    """Let an open amendment stand against the version that is served now."""
    same = and_(amendments.c.amendment_id == amendment_id, amendments.c.base_version_id != base_version_id)
    await session.write(update(amendments).where(same).values(base_version_id=base_version_id))


async def settle(session: WriteSession, caller: Caller, trace_id: str, version_ids: Iterable[str]) -> None:
    """Accept the open amendments of these versions: what is served now came after them."""
    await session.write(
        update(amendments)
        .where(
            amendments.c.trace_id == trace_id,
            amendments.c.status == "open",
            amendments.c.version_id.in_(list(version_ids)),
        )
        .values(status="accepted", decided_at=datetime.now(UTC), decided_by=caller.contributor_id)
    )
