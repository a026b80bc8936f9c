"""Votes: recording what happened, and the standing that follows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, and_, bindparam, insert, select, update

from commontrace.errors import InvalidInputError, NotFoundError, NotShownError
from commontrace.models.traces import Evidence, Standing, Visibility
from commontrace.models.votes import Vote, VoteResult
from commontrace.safety.pipeline import screen_text
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.traces import store
from commontrace_backend.traces.ledger import log_outcome
from commontrace_backend.traces.tables import outcomes, trace_versions
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
    version_id = wanted.version_id or await store.newest_receipt(session, caller, trace.trace_id) or trace.version_id
    version = await store.find_version(session, trace.trace_id, version_id)
    if version is None:
        raise NotFoundError(f"Trace {trace.trace_id} has no version {version_id[:12]}.", "Leave version_id out.")
    own = caller.contributor_id in {trace.contributor_id, version.contributor_id}
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
        "evidence": _safe(wanted.evidence) if wanted.evidence else None,
        "self_report": self_report,
        "lineage_id": caller.lineage_id,
        "updated_at": now,
    }
    key = {"trace_id": trace_id, "version_id": version_id, "contributor_id": caller.contributor_id}
    mine = and_(*(outcomes.c[name] == value for name, value in key.items()))
    changed = bool(await session.write(update(outcomes).where(mine).values(values)))
    if not changed:
        await session.write(insert(outcomes).values(**key, **values, tenant_id=caller.tenant_id, created_at=now))
    await log_outcome(session, key)
    return changed


def _safe(evidence: Evidence) -> dict[str, Any]:
    """Evidence as it is kept: screened like every other text."""
    words = {
        "command": screen_text(evidence.command).text,
        "versions": {screen_text(name).text: screen_text(value).text for name, value in evidence.versions.items()},
    }
    return evidence.model_copy(update=words).model_dump(mode="json")


async def refresh_tier(session: WriteSession, trace_id: str, version_id: str, trace: Row[Any]) -> Standing:
    """Recompute a version's standing and, if it is the served one, the trace's tier."""
    served = version_id == trace.version_id
    judged = Judged(
        trace_id, version_id, trace.version_number, trace.inherits_from if served else None, trace.visibility
    )
    standing = (await standings(session, [judged]))[trace_id, version_id]
    if served:
        await store.change_trace(session, trace_id, tier=standing.tier)
    return standing


class Judged(NamedTuple):
    """A version whose standing is asked for, and the audience that asks."""

    trace_id: str
    version_id: str
    number: int
    inherits_from: str | None
    audience: Visibility


_REPORTED: Final = (
    select(outcomes, trace_versions.c.number, trace_versions.c.inherits_from)
    .join(
        trace_versions,
        and_(trace_versions.c.trace_id == outcomes.c.trace_id, trace_versions.c.version_id == outcomes.c.version_id),
    )
    .where(outcomes.c.trace_id.in_(bindparam("traces", expanding=True)))
)


async def standings(session: ReadSession, asked: Sequence[Judged]) -> dict[tuple[str, str], Standing]:
    """Standings by (trace, version)."""
    if not asked:
        return {}
    rows = await session.all(_REPORTED, {"traces": sorted({judged.trace_id for judged in asked})})
    return {
        (judged.trace_id, judged.version_id): _standing([row for row in rows if _counts(row, judged)], judged)
        for judged in asked
    }


def _counts(row: Row[Any], judged: Judged) -> bool:
    """Whether an outcome is on this version, or on an earlier one of the chain that shares its solution."""
    if row.trace_id != judged.trace_id or row.version_id == judged.version_id:
        return bool(row.trace_id == judged.trace_id)
    first = judged.inherits_from
    return first is not None and row.number < judged.number and first in {row.version_id, row.inherits_from}


def _standing(rows: list[Row[Any]], judged: Judged) -> Standing:
    # Who reported on several versions of the chain is heard once, on the newest.
    newest = {row.contributor_id: row for row in sorted(rows, key=lambda row: row.number)}
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
        judged.audience,
        inherited=any(row.version_id != judged.version_id for row in newest.values()),
    )
