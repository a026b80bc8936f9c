"""How well what somebody wrote has worked for others, tag by tag: counted in SQL, read from a table.

Two audiences, kept apart. For an organization's own eyes every colleague is one voice a version. For everybody an
organization is one voice a version, its gravest outcome speaks, only public traces count, the author's own people do
not, and neither do strangers that nobody vouches for.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    String,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)

from commontrace.models.contributors import Reputation, TagReputation
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.service import HOME
from commontrace_backend.contributors.tables import organizations
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import EVERY_TENANT, across
from commontrace_backend.traces.tables import (
    outcomes,
    reputations,
    trace_tags,
    trace_versions,
    traces,
    trust_edges,
    trust_state,
)
from commontrace_backend.traces.trust import POSITIVE, Z

_COUNTED: Final = "reputations"
"""The row of the trust's state that says when they were counted."""

_EVERY: Final = timedelta(minutes=10)
_AT_LEAST_EVERY: Final = timedelta(days=1)  # a reviewer's decision makes no outcome newer
_MOST: Final = 100


async def recount_if_due(database: Database) -> bool:
    """Count anew where there are newer outcomes, every ten minutes at most; whether it was done."""
    async with database.reading(EVERY_TENANT) as session:
        newest = await session.scalar(select(func.max(outcomes.c.updated_at)))
        counted = await _counted_at(session)
        age = await session.now() - counted if counted else None
    if newest is None or (age and (age < _EVERY or (age < _AT_LEAST_EVERY and counted and newest <= counted))):
        return False
    await recount(database)
    return True


async def recount(database: Database) -> None:
    """Count every reputation of the store anew, in one transaction. It can be repeated."""
    async with database.writing(EVERY_TENANT, durable=False) as session:
        await _fill(session)


async def reputation_of(session: ReadSession, caller: Caller, contributor_id: str) -> Reputation:
    """What a caller may know of somebody's reputation; nothing of who is unknown."""
    statement = (
        select(reputations)
        .where(
            reputations.c.contributor_id == contributor_id,
            or_(reputations.c.audience == "public", reputations.c.tenant_id == caller.tenant_id),
        )
        .order_by(reputations.c.score.desc(), reputations.c.tag, reputations.c.audience)
        .limit(_MOST)
    )
    rows = await session.all(statement)
    return Reputation(
        contributor_id=contributor_id,
        counted_at=await _counted_at(session),
        tags=[
            TagReputation(
                tag=row.tag, audience=row.audience, positive=row.positive, voices=row.voices, score=round(row.score, 4)
            )
            for row in rows
        ],
    )


def wilson(positive: ColumnElement[Any], voices: ColumnElement[Any]) -> ColumnElement[float]:
    """The lower bound of Wilson's score interval (JASA 22, 1927) in SQL; `voices` must be more than 0."""
    number, z2 = cast(voices, Double), Z * Z
    share = cast(positive, Double) / number
    spread = Z * func.sqrt((share * (1 - share) + z2 / (4 * number)) / number)
    bound = (share + z2 / (2 * number) - spread) / (1 + z2 / number)
    # Rounding must not lift the bound above the share, nor put it below nothing.
    return case((bound < 0, 0.0), (bound > share, share), else_=bound)


async def _counted_at(session: ReadSession) -> datetime | None:
    token = await session.scalar(select(trust_state.c.token).where(trust_state.c.name == _COUNTED))
    return datetime.fromisoformat(token) if token else None


async def _fill(session: WriteSession) -> None:
    await session.write(delete(reputations))
    columns = ["tenant_id", "contributor_id", "tag", "audience", "positive", "voices", "score"]
    await session.write(insert(reputations).from_select(columns, _reputations()))
    await session.write(delete(trust_state).where(trust_state.c.name == _COUNTED))
    await session.write(insert(trust_state).values(name=_COUNTED, token=(await session.now()).isoformat()))


def _reputations() -> Select[Any]:
    voices = union_all(_colleagues(), _organizations()).subquery("voices")
    who = (voices.c.tenant_id, voices.c.contributor_id, voices.c.audience, voices.c.positive)
    tagged = union_all(
        select(*who, trace_tags.c.tag).join(trace_tags, trace_tags.c.trace_id == voices.c.trace_id),
        select(*who, literal("", String).label("tag")),  # all of them together
    ).subquery("tagged")
    positive, number = func.sum(tagged.c.positive), func.count()
    key = (tagged.c.tenant_id, tagged.c.contributor_id, tagged.c.tag, tagged.c.audience)
    return across(
        select(*key, positive, number, wilson(positive, number)).group_by(*key), "counts for everybody; shows nothing"
    )


def _voices(audience: str, positive: ColumnElement[int], among: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            trace_versions.c.tenant_id,
            trace_versions.c.contributor_id,
            trace_versions.c.trace_id,
            literal(audience, String).label("audience"),
            positive.label("positive"),
        )
        .join_from(
            outcomes,
            trace_versions,
            and_(
                trace_versions.c.trace_id == outcomes.c.trace_id, trace_versions.c.version_id == outcomes.c.version_id
            ),
        )
        .join(traces, traces.c.trace_id == outcomes.c.trace_id)
        .where(~outcomes.c.self_report, outcomes.c.discounted.is_(None), among)
    )


_WORKED: Final = case((outcomes.c.outcome.in_(sorted(POSITIVE)), 1), else_=0)


def _colleagues() -> Select[Any]:
    return _voices("team", _WORKED, outcomes.c.tenant_id == trace_versions.c.tenant_id)


def _organizations() -> Select[Any]:
    known = or_(
        organizations.c.invited_by.is_not(None),
        organizations.c.name == HOME,
        exists().where(trust_edges.c.target_id == organizations.c.organization_id, trust_edges.c.vouched),
    )
    among = and_(traces.c.visibility == "public", outcomes.c.tenant_id != trace_versions.c.tenant_id, known)
    return (
        _voices("public", func.min(_WORKED), among)
        .join(organizations, organizations.c.organization_id == outcomes.c.tenant_id)
        .group_by(
            trace_versions.c.tenant_id,
            trace_versions.c.contributor_id,
            trace_versions.c.trace_id,
            trace_versions.c.version_id,
            outcomes.c.tenant_id,
        )
    )
