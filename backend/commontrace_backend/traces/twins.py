"""Traces of one organization that say nearly the same: a job marks them for its reviewers, and changes nothing."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, delete, exists, insert, or_, select, update

from commontrace.models.traces import TraceContent
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.index.protocol import Question, SearchIndex
from commontrace_backend.traces.similarity import NEAR_DUPLICATE, similarity
from commontrace_backend.traces.tables import comparisons, of_served_version, trace_links, trace_versions, traces
from commontrace_backend.traces.visibility import LIVE

_CANDIDATES: Final = 10  # older traces that each is compared with: those whose words are most alike

_twins = traces.alias("twins")
TWIN: Final = exists().where(
    comparisons.c.trace_id == traces.c.trace_id,
    comparisons.c.settled_at.is_(None),
    comparisons.c.twin_id == _twins.c.trace_id,
    _twins.c.state.in_(("active", "pending")),
)
"""Whether a trace says nearly what an older one says that is still served, and no reviewer has looked at it."""


async def compare_some(database: Database, words: SearchIndex, limit: int) -> int:
    """Compare up to `limit` shared traces whose served version was not yet; returns how many there were."""
    async with database.reading(EVERY_TENANT) as session:
        rows = await session.all(_uncompared(limit))
        found = [await _compared(session, words, row) for row in rows]
    if not rows:
        return 0
    async with database.writing(EVERY_TENANT, durable=False) as writer:
        seen = [row.trace_id for row in rows]
        await writer.write(delete(comparisons).where(comparisons.c.trace_id.in_(seen)))
        await writer.write(insert(comparisons), found)
    return len(rows)


def _uncompared(limit: int) -> Select[Any]:
    return (
        select(traces.c.number, traces.c.trace_id, traces.c.tenant_id, traces.c.version_id, trace_versions.c.content)
        .join(trace_versions, of_served_version)
        .outerjoin(comparisons, comparisons.c.trace_id == traces.c.trace_id)
        .where(
            LIVE,
            traces.c.visibility != "private",
            or_(comparisons.c.version_id.is_(None), comparisons.c.version_id != traces.c.version_id),
        )
        .order_by(traces.c.number)
        .limit(limit)
    )


def _older(row: Row[Any]) -> ColumnElement[bool]:
    """What a trace is compared with: its organization's, and nothing that it was linked to on purpose."""
    linked = exists().where(trace_links.c.trace_id == row.trace_id, trace_links.c.target == traces.c.trace_id)
    shared = traces.c.visibility != "private"
    return and_(traces.c.tenant_id == row.tenant_id, shared, LIVE, traces.c.number < row.number, ~linked)


async def _compared(session: ReadSession, words: SearchIndex, row: Row[Any]) -> dict[str, Any]:
    content = TraceContent.model_validate(row.content)
    question = Question(f"{content.title}\n{content.problem}", headline=content.title)
    matches = await words.search(session, question, where=_older(row), limit=_CANDIDATES)
    others = await session.all(
        select(traces.c.trace_id, trace_versions.c.content)
        .join(trace_versions, of_served_version)
        .where(traces.c.number.in_([match.number for match in matches]))
        .order_by(traces.c.number)
    )
    alike = [(similarity(content, TraceContent.model_validate(other.content)), other.trace_id) for other in others]
    best, twin = max(alike, default=(0.0, None))
    return {
        "trace_id": row.trace_id,
        "tenant_id": row.tenant_id,
        "version_id": row.version_id,
        "twin_id": twin if best >= NEAR_DUPLICATE else None,
        "similarity": round(best, 4),
        "settled_at": None,
    }


async def twins_of(session: ReadSession, trace_ids: list[str]) -> dict[str, str]:
    """What to tell a reviewer of these traces, by trace; nothing of those that have no twin."""
    statement = select(comparisons).where(
        comparisons.c.trace_id.in_(trace_ids), comparisons.c.twin_id.is_not(None), comparisons.c.settled_at.is_(None)
    )
    return {
        row.trace_id: f"says nearly the same as trace {row.twin_id}: {row.similarity:.0%} of its wording"
        for row in await session.all(statement)
    }


async def settle_twin(session: WriteSession, trace_id: str) -> None:
    """A reviewer has looked at it: it waits no more, until its text changes."""
    await session.write(
        update(comparisons).where(comparisons.c.trace_id == trace_id).values(settled_at=datetime.now(UTC))
    )
