"""Rows to the models that travel."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from commontrace.models.contributors import ContributorRef
from commontrace.models.traces import Trace, TraceContent, TraceLink, TraceVersion
from commontrace_backend.database.session import ReadSession
from commontrace_backend.traces import store
from commontrace_backend.traces.outcomes import Judged, standings


def contributor_of(row: Row[Any]) -> ContributorRef:
    """The contributor that a row was joined with."""
    return ContributorRef(contributor_id=row.contributor_id, name=row.contributor_name)


def served(row: Row[Any]) -> Judged:
    """The version that a trace serves, to be judged for the trace's own audience."""
    return Judged(row.trace_id, row.version_id, row.version_number, row.inherits_from, row.visibility)


async def trace_models(session: ReadSession, rows: Sequence[Row[Any]], viewer: str) -> list[Trace]:
    """Traces with their standing as an organization sees it, links and counts; in a fixed number of queries."""
    ids = [row.trace_id for row in rows]
    known = await standings(session, [served(row) for row in rows], viewer)
    links = await store.links_of(session, ids)
    waiting = await store.open_amendments(session, ids)
    flagged = await store.standing_flags(session, ids)
    return [
        Trace(
            trace_id=row.trace_id,
            version_id=row.version_id,
            version_number=row.version_number,
            content=TraceContent.model_validate(row.content),
            standing=known[row.trace_id, row.version_id].model_copy(update=_tier_of_state(row.state)),
            state=row.state,
            visibility=row.visibility,
            contributor=contributor_of(row),
            created_at=row.created_at,
            updated_at=row.updated_at,
            labels=row.labels,
            risks=row.risks,
            links=[TraceLink.model_validate(link) for link in links if link.trace_id == row.trace_id],
            open_amendments=waiting.get(row.trace_id, 0),
            flags=flagged.get(row.trace_id, 0),
        )
        for row in rows
    ]


def _tier_of_state(state: str) -> dict[str, str]:
    return {"tier": state} if state in {"superseded", "withdrawn"} else {}


async def version_models(
    session: ReadSession, trace: Row[Any], rows: Sequence[Row[Any]], viewer: str
) -> list[TraceVersion]:
    """Versions of one trace with the standing each has earned."""
    known = await standings(
        session,
        [Judged(row.trace_id, row.version_id, row.number, row.inherits_from, trace.visibility) for row in rows],
        viewer,
    )
    return [
        TraceVersion(
            trace_id=row.trace_id,
            version_id=row.version_id,
            number=row.number,
            parent_version_id=row.parent_version_id,
            content=TraceContent.model_validate(row.content),
            contributor=contributor_of(row),
            created_at=row.created_at,
            standing=known[row.trace_id, row.version_id],
            redactions=row.redactions,
            labels=row.labels,
            scanner_version=row.scanner_version,
        )
        for row in rows
    ]
