"""Stored versions screened again when the rules have changed: what is said about their content is made anew."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, func, select, update

from commontrace.models.rescan import Leak, RescanState
from commontrace.models.traces import TraceContent
from commontrace.safety import RULES_VERSION
from commontrace.safety.pipeline import Screened, screen
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.traces import store
from commontrace_backend.traces.ledger import log_version
from commontrace_backend.traces.tables import trace_versions

_STALE: Final = trace_versions.c.scanner_version != RULES_VERSION
_MOST_LEAKS: Final = 200


async def rescan_some(database: Database, limit: int) -> int:
    """Screen up to `limit` versions that older rules have screened; 0 where none is left.

    Labels and risks are replaced. Where the rules of today would have redacted something, the version is immutable
    all the same: it is marked with the types of what leaks, and its trace is hidden until it is purged. The texts are
    screened outside of the write lock, in a thread; a process that stops in the middle loses nothing but that page.
    """
    async with database.reading(EVERY_TENANT) as session:
        rows = await session.all(_stale(limit))
    if not rows:
        return 0
    screened = await asyncio.to_thread(_screened, rows)
    async with database.writing(EVERY_TENANT) as writer:
        for row, seen in zip(rows, screened, strict=True):
            await _store(writer, row, seen)
    return len(rows)


def _stale(limit: int) -> Select[Any]:
    return (
        select(
            trace_versions.c.trace_id,
            trace_versions.c.version_id,
            trace_versions.c.tenant_id,
            trace_versions.c.content,
        )
        .where(_STALE)
        .order_by(trace_versions.c.trace_id, trace_versions.c.version_id)
        .limit(limit)
    )


def _screened(rows: Sequence[Row[Any]]) -> list[Screened]:
    return [screen(TraceContent.model_validate(row.content)) for row in rows]


async def _store(session: WriteSession, row: Row[Any], screened: Screened) -> None:
    types = sorted({redaction.type for redaction in screened.redactions})
    await session.write(
        update(trace_versions)
        .where(trace_versions.c.trace_id == row.trace_id, trace_versions.c.version_id == row.version_id)
        .values(
            labels=[label.model_dump() for label in screened.labels],
            risks=screened.risks.model_dump(),
            leaks=types or None,
            scanner_version=RULES_VERSION,
        )
    )
    await store.keep_commands(session, row.tenant_id, row.trace_id, row.version_id, screened.command_keys)
    await log_version(session, row.trace_id, row.version_id)
    if types:
        trace = await store.any_trace(session, row.trace_id)
        if trace.state not in {"withdrawn", "purged"}:
            await store.change_trace(session, row.trace_id, state="hidden")


async def leaks_something(session: ReadSession, trace_id: str) -> bool:
    """Whether a version of a trace holds what the rules of today would have redacted."""
    leaking = select(trace_versions.c.version_id).where(
        trace_versions.c.trace_id == trace_id, trace_versions.c.leaks.is_not(None)
    )
    return await session.first(leaking.limit(1)) is not None


async def rescan_state(session: ReadSession, caller: Caller) -> RescanState:
    """How far the store is, and what leaks in the caller's organization."""
    count = select(func.count()).select_from(trace_versions)
    versions, left = await session.scalar(count), await session.scalar(count.where(_STALE))
    leaking = (
        select(trace_versions.c.trace_id, trace_versions.c.version_id, trace_versions.c.leaks)
        .where(trace_versions.c.tenant_id == caller.tenant_id, trace_versions.c.leaks.is_not(None))
        .order_by(trace_versions.c.trace_id, trace_versions.c.number)
        .limit(_MOST_LEAKS)
    )
    return RescanState(
        rules=RULES_VERSION,
        versions=versions,
        screened=versions - left,
        leaks=[
            Leak(trace_id=row.trace_id, version_id=row.version_id, types=row.leaks)
            for row in await session.all(leaking)
        ],
    )
