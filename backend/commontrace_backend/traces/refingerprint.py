"""Stored fingerprints made anew after the normal form changed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select

from commontrace.fingerprint import VERSION
from commontrace.models.traces import TraceContent
from commontrace_backend.database.session import WriteSession
from commontrace_backend.traces.tables import of_served_version, trace_errors, trace_versions, traces
from commontrace_backend.traces.writing import fingerprints


@dataclass(frozen=True)
class Refreshed:
    """What one page of traces came to."""

    last: int | None
    """The row number to go on after; None once every trace has been seen."""
    changed: int
    """How many traces got other fingerprints, or the same of a new version."""


async def refingerprint(session: WriteSession, after: int = 0, limit: int = 200) -> Refreshed:
    """Give the next `limit` traces with a row number above `after` the fingerprints of this version.

    Idempotent: a trace whose rows are as they should be is left alone. Call it, each page in a write session of its
    own, with `after=page.last` until that is None.
    """
    rows = await session.all(
        select(traces.c.number, traces.c.trace_id, traces.c.tenant_id, trace_versions.c.content)
        .join(trace_versions, of_served_version)
        .where(traces.c.number > after)
        .order_by(traces.c.number)
        .limit(limit)
    )
    changed = [await _refreshed(session, row) for row in rows]
    return Refreshed(rows[-1].number if len(rows) == limit else None, sum(changed))


async def _refreshed(session: WriteSession, row: Row[Any]) -> bool:
    keys = dict.fromkeys(fingerprints(TraceContent.model_validate(row.content)))
    of_trace = trace_errors.c.trace_id == row.trace_id
    stored = await session.all(select(trace_errors.c.fingerprint, trace_errors.c.fingerprint_version).where(of_trace))
    if {tuple(one) for one in stored} == {(key, VERSION) for key in keys}:
        return False
    shared = {"trace_id": row.trace_id, "tenant_id": row.tenant_id, "fingerprint_version": VERSION}
    await session.write(delete(trace_errors).where(of_trace))
    await session.write(insert(trace_errors), [{**shared, "fingerprint": key} for key in keys])
    return True
