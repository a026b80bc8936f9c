"""Votes: recording what happened, and the standing that follows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from commontrace.safety.pipeline import screen_text
from sqlalchemy import Row, and_, insert, or_, select, update

from commontrace.errors import InvalidInputError, NotFoundError, NotShownError
from commontrace.models.traces import Standing, Visibility
from commontrace.models.votes import Vote, VoteResult
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.traces import store
from commontrace_backend.traces.tables import outcomes
from commontrace_backend.traces.trust import Outcome, standing_of


async def vote(session: WriteSession, caller: Caller, ref: str, wanted: Vote) -> VoteResult:
    """Record an outcome: one per contributor and version, changeable.

    Raises:
        NotShownError: the caller was never shown that version, so cannot have used it.
        InvalidInputError: anything but `worked` needs a note.
    """
    if wanted.outcome != "worked" and not wanted.note.strip():
        raise InvalidInputError(
            f"The outcome {wanted.outcome} needs a note.",
            "Say in one sentence what happened or what you changed.",
        )
    trace = await store.find(session, caller, ref)
    own = trace.contributor_id == caller.contributor_id
    version_id = wanted.version_id or await store.newest_receipt(session, caller, trace.trace_id) or trace.version_id
    if await store.find_version(session, trace.trace_id, version_id) is None:
        raise NotFoundError(f"Trace {trace.trace_id} has no version {version_id[:12]}.", "Leave version_id out.")
    if not own and not await store.has_receipt(session, caller, trace.trace_id, version_id):
        raise NotShownError(
            "You were not shown this version, so its outcome is not yours to report.",
            f"Read it first: query_traces with ids=['{trace.trace_id[:10]}'], use it, then vote.",
        )
    changed = await _record(session, caller, trace.trace_id, version_id, wanted, self_report=own)
    standing = await refresh_tier(session, trace.trace_id, version_id, trace)
    return VoteResult(
        trace_id=trace.trace_id,
        version_id=version_id,
        outcome=wanted.outcome,
        changed=changed,
        self_report=own,
        standing=standing,
    )


async def _record(
    session: WriteSession, caller: Caller, trace_id: str, version_id: str, wanted: Vote, *, self_report: bool
) -> bool:
    now = datetime.now(UTC)
    values = {
        "outcome": wanted.outcome,
        "note": screen_text(wanted.note).text,
        "evidence": wanted.evidence.model_dump(mode="json") if wanted.evidence else None,
        "self_report": self_report,
        "lineage_id": caller.lineage_id,
        "updated_at": now,
    }
    key = {"trace_id": trace_id, "version_id": version_id, "contributor_id": caller.contributor_id}
    mine = and_(*(outcomes.c[name] == value for name, value in key.items()))
    if await session.write(update(outcomes).where(mine).values(values)):
        return True
    await session.write(insert(outcomes).values(**key, **values, tenant_id=caller.tenant_id, created_at=now))
    return False


async def refresh_tier(session: WriteSession, trace_id: str, version_id: str, trace: Row[Any]) -> Standing:
    """Recompute a version's standing and, if it is the served one, the trace's tier."""
    inherited = trace.inherits_from if version_id == trace.version_id else None
    standing = (await standings(session, [(trace_id, version_id, inherited, trace.visibility)]))[trace_id, version_id]
    if version_id == trace.version_id:
        await store.change_trace(session, trace_id, tier=standing.tier)
    return standing


async def standings(
    session: ReadSession, asked: Sequence[tuple[str, str, str | None, Visibility]]
) -> dict[tuple[str, str], Standing]:
    """Standings by (trace, version), asked as (trace, version, version inherited from, audience)."""
    if not asked:
        return {}
    rows = await session.all(
        select(outcomes).where(
            or_(
                *(
                    and_(
                        outcomes.c.trace_id == trace_id,
                        outcomes.c.version_id.in_([version_id, *([parent] if parent else [])]),
                    )
                    for trace_id, version_id, parent, _ in asked
                )
            )
        )
    )
    return {
        (trace_id, version_id): _standing(
            [row for row in rows if row.trace_id == trace_id and row.version_id in {version_id, parent}],
            version_id,
            audience,
        )
        for trace_id, version_id, parent, audience in asked
    }


def _standing(rows: list[Row[Any]], version_id: str, audience: Visibility) -> Standing:
    # Who reported on both the version and the one it inherits from is heard once, on the newer.
    newest = {row.contributor_id: row for row in sorted(rows, key=lambda row: row.version_id == version_id)}
    return standing_of(
        (
            Outcome(
                contributor_id=row.contributor_id,
                tenant_id=row.tenant_id,
                lineage_id=row.lineage_id,
                kind=row.outcome,
                self_report=row.self_report,
                evidence=row.evidence is not None,
            )
            for row in newest.values()
        ),
        audience,
        inherited=any(row.version_id != version_id for row in newest.values()),
    )
