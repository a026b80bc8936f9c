"""Votes: recording what happened, and the standing that follows."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, insert, select, tuple_, update

from commontrace.errors import InvalidInputError, NotFoundError, NotShownError
from commontrace.models.traces import Evidence, Standing, Visibility
from commontrace.models.votes import Vote, VoteResult
from commontrace.safety.pipeline import screen_text
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.traces import recalls, store, trust_store
from commontrace_backend.traces.bursts import WINDOW, Act, burst
from commontrace_backend.traces.ledger import log_outcome
from commontrace_backend.traces.tables import of_served_version, outcomes, trace_versions, traces
from commontrace_backend.traces.trust import POSITIVE, Outcome, standing_of
from commontrace_backend.traces.walk import EVERYBODY, Trust


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
    if trace.visibility == "public":
        await trust_store.confirm(session, caller.tenant_id, version.author_tenant_id)
        await _leave_out_bursts(session, trace.contributor_id)
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
    """Recompute a version's standing before everybody and, if it is the served one, the trace's tier.

    Who was shown a version that is quarantined by now will be told.
    """
    served = version_id == trace.version_id
    judged = Judged(
        trace_id, version_id, trace.version_number, trace.inherits_from if served else None, trace.visibility
    )
    standing = (await standings(session, [judged], None))[trace_id, version_id]
    if served:
        supporters = await session.scalar(_SUPPORTERS, {"trace": trace_id})
        await store.change_trace(session, trace_id, tier=standing.tier, supporters=supporters)
        if standing.tier == "quarantined" and trace.tier != "quarantined":
            await recalls.recall(session, trace, "quarantined")
        elif trace.tier == "quarantined" and standing.tier != "quarantined":
            await recalls.forget(session, trace_id)
    return standing


_LATELY: Final = (
    select(
        outcomes.c.trace_id,
        outcomes.c.version_id,
        outcomes.c.contributor_id,
        outcomes.c.updated_at,
        contributors.c.lineage_id,
        contributors.c.created_at.label("joined"),
    )
    .join(traces, traces.c.trace_id == outcomes.c.trace_id)
    .join(contributors, contributors.c.contributor_id == outcomes.c.contributor_id)
    .where(
        traces.c.contributor_id == bindparam("author"),
        traces.c.visibility == "public",
        outcomes.c.updated_at > bindparam("since", type_=outcomes.c.updated_at.type),
        outcomes.c.self_report.is_(False),
        outcomes.c.discounted.is_(None) | (outcomes.c.discounted == "burst"),
    )
)


async def _leave_out_bursts(session: WriteSession, author: str) -> None:
    """Mark what is part of a burst on this author's public traces: it counts for nothing until somebody looks."""
    rows = await session.all(_LATELY, {"author": author, "since": datetime.now(UTC) - WINDOW})
    acts = [
        Act(
            (row.trace_id, row.version_id, row.contributor_id),
            row.contributor_id,
            row.updated_at,
            row.lineage_id,
            row.joined,
        )
        for row in rows
    ]
    keys = burst(acts)
    if keys:
        await discount(session, tuple_(*_KEY).in_(sorted(keys)) & outcomes.c.discounted.is_(None), "burst")


_NAMES: Final = ("trace_id", "version_id", "contributor_id")
_KEY: Final = tuple(outcomes.c[name] for name in _NAMES)


async def discount(session: WriteSession, chosen: ColumnElement[bool], why: str | None) -> list[str]:
    """Let outcomes count for nothing, or with None count again; returns the traces whose standing that moves."""
    rows = await session.all(_MOVED.where(chosen))
    if rows:
        await session.write(update(outcomes).where(chosen).values(discounted=why))
        for row in rows:
            await log_outcome(session, {name: getattr(row, name) for name in _NAMES})
        for source, target in sorted({(row.tenant_id, row.author_tenant) for row in rows}):
            await trust_store.confirm(session, source, target)
        await refresh(session, [row.trace_id for row in rows])
    return [row.trace_id for row in rows]


_MOVED: Final = across(
    select(*_KEY, outcomes.c.tenant_id, contributors.c.tenant_id.label("author_tenant"))
    .join(
        trace_versions,
        and_(trace_versions.c.trace_id == outcomes.c.trace_id, trace_versions.c.version_id == outcomes.c.version_id),
    )
    .join(contributors, contributors.c.contributor_id == trace_versions.c.contributor_id),
    "which standings a discount moves",
)


async def refresh(session: WriteSession, trace_ids: Iterable[str]) -> None:
    """Recompute the tiers of these traces, whoever may see them."""
    for row in await session.all(_SERVED, {"traces": sorted(set(trace_ids))}):
        await refresh_tier(session, row.trace_id, row.version_id, row)


class Judged(NamedTuple):
    """A version whose standing is asked for, and the audience that asks."""

    trace_id: str
    version_id: str
    number: int
    inherits_from: str | None
    audience: Visibility


_OF_OUTCOME: Final = and_(
    trace_versions.c.trace_id == outcomes.c.trace_id, trace_versions.c.version_id == outcomes.c.version_id
)
_author: Final = contributors.alias("author")  # of the version
_owner: Final = contributors.alias("owner")  # of the trace
_REPORTED: Final = across(
    select(
        outcomes,
        trace_versions.c.number,
        trace_versions.c.inherits_from,
        _author.c.tenant_id.label("author_tenant"),
        _author.c.lineage_id.label("author_lineage"),
        _owner.c.tenant_id.label("owner_tenant"),
        _owner.c.lineage_id.label("owner_lineage"),
    )
    .join(trace_versions, _OF_OUTCOME)
    .join(traces, traces.c.trace_id == outcomes.c.trace_id)
    .join(_author, _author.c.contributor_id == trace_versions.c.contributor_id)
    .join(_owner, _owner.c.contributor_id == traces.c.contributor_id)
    .where(OneOf(outcomes.c.trace_id, "traces")),
    "a standing is made of everybody's outcomes, on a version that its reader may see",
)

_SUPPORTERS: Final = select(func.count(outcomes.c.tenant_id.distinct())).where(
    outcomes.c.trace_id == bindparam("trace"),
    outcomes.c.outcome.in_(sorted(POSITIVE)),
    outcomes.c.self_report.is_(False),
    outcomes.c.discounted.is_(None),
)

_SERVED: Final = across(
    select(traces, trace_versions.c.inherits_from)
    .join(trace_versions, of_served_version)
    .where(OneOf(traces.c.trace_id, "traces")),
    "the tiers of what somebody's outcome moved",
)


async def standings(
    session: ReadSession, asked: Sequence[Judged], viewer: str | None
) -> dict[tuple[str, str], Standing]:
    """Standings by (trace, version) as an organization sees them; with None as the seeds do, for everybody."""
    if not asked:
        return {}
    rows = await session.all(_REPORTED, {"traces": sorted({judged.trace_id for judged in asked})})
    public = bool(rows) and any(judged.audience == "public" for judged in asked)
    trust = await trust_store.trust_for(session, viewer) if public else EVERYBODY
    return {
        (judged.trace_id, judged.version_id): _standing([row for row in rows if _counts(row, judged)], judged, trust)
        for judged in asked
    }


def _counts(row: Row[Any], judged: Judged) -> bool:
    """Whether an outcome is on this version, or on an earlier one of the chain that shares its solution."""
    if row.trace_id != judged.trace_id or row.version_id == judged.version_id:
        return bool(row.trace_id == judged.trace_id)
    first = judged.inherits_from
    return first is not None and row.number < judged.number and first in {row.version_id, row.inherits_from}


def _standing(rows: list[Row[Any]], judged: Judged, trust: Trust) -> Standing:
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
                insider=row.tenant_id in {row.author_tenant, row.owner_tenant}
                or row.lineage_id in {row.author_lineage, row.owner_lineage},
                discounted=row.discounted is not None,
            )
            for row in newest.values()
        ),
        judged.audience,
        inherited=any(row.version_id != judged.version_id for row in newest.values()),
        trust=trust,
    )
