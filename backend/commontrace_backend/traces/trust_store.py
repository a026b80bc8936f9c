"""SQL for who knows whom: confirmed work, vouches, invitations and seeds; and the walk over them, kept while they stay.

The home organization, which runs the store, is always a seed.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, and_, bindparam, case, delete, func, insert, select, update

from commontrace_backend.contributors.service import HOME
from commontrace_backend.contributors.tables import contributors, organizations
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.tenancy import across
from commontrace_backend.database.upsert import insert_missing
from commontrace_backend.recent import Recent
from commontrace_backend.traces.tables import (
    outcomes,
    trace_versions,
    traces,
    trust_edges,
    trust_seeds,
    trust_state,
)
from commontrace_backend.traces.trust import POSITIVE
from commontrace_backend.traces.walk import Trust, trust_of

MOST: Final = 3
"""What an edge weighs at most: three confirmed traces, or a vouch."""

INVITED: Final = 1
"""What it weighs that an organization brought another one in."""

_KEPT: Final = 256
_GRAPH: Final = "graph"


@dataclass(frozen=True, slots=True)
class _Graph:
    edges: Mapping[str, Mapping[str, float]]
    roots: Sequence[str]


# By a random token that changes with every edge, and by how many organizations there are since when: a copy of a store
# that went its own way since is another one.
_GRAPHS: Final = Recent[_Graph](_KEPT)
_WALKED: Final = Recent[Trust](_KEPT)

_HOME: Final = select(organizations.c.organization_id).where(organizations.c.name == HOME).scalar_subquery()
_STATE: Final = select(
    _HOME.label("home"),
    select(trust_state.c.token).where(trust_state.c.name == _GRAPH).scalar_subquery().label("token"),
    select(func.count()).select_from(organizations).scalar_subquery().label("organizations"),
    select(func.max(organizations.c.created_at)).scalar_subquery().label("newest"),
)


async def trust_for(session: ReadSession, viewer: str | None) -> Trust:
    """How far an organization trusts each other one; None: what the seeds alone say, which is everybody's."""
    state = await session.first(_STATE)
    assert state is not None
    at = f"{state.home} {state.token} {state.organizations} {state.newest}"
    known = _WALKED.get((at, viewer))
    if known is None:
        graph = await _graph(session, at, str(state.home))
        roots = [*graph.roots, viewer] if viewer else graph.roots
        known = trust_of(graph.edges, roots, viewer)
        _WALKED.put((at, viewer), known, 1)
    return known


async def _graph(session: ReadSession, at: str, home: str) -> _Graph:
    known = _GRAPHS.get(at)
    if known is None:
        rows = await session.all(select(trust_edges).where((trust_edges.c.confirmed > 0) | trust_edges.c.vouched))
        edges: dict[str, dict[str, float]] = {}
        for row in rows:
            edges.setdefault(row.source_id, {})[row.target_id] = min(MOST, row.confirmed + MOST * row.vouched)
        for row in await session.all(select(organizations).where(organizations.c.invited_by.is_not(None))):
            edges.setdefault(row.invited_by, {}).setdefault(row.organization_id, INVITED)
        seeds = [row.organization_id for row in await session.all(select(trust_seeds.c.organization_id))]
        known = _Graph(edges, [home, *seeds])
        _GRAPHS.put(at, known, 1)
    return known


async def changed(session: WriteSession) -> None:
    """Let everybody walk anew; two that change edges at once wait for one another here."""
    begun = {"name": _GRAPH, "token": ""}  # nosec B105 - a mark, no password
    await session.write(insert_missing(trust_state).values(begun))
    await session.write(update(trust_state).where(trust_state.c.name == _GRAPH).values(token=secrets.token_hex(16)))


async def home_of(session: ReadSession) -> str:
    """The organization that runs the store."""
    return str(await session.scalar(select(_HOME)))


_BALANCE: Final[Select[Any]] = across(
    select(
        func.sum(case((outcomes.c.outcome.in_(sorted(POSITIVE)), 1), else_=-1)).label("balance"),
    )
    .select_from(outcomes)
    .join(traces, traces.c.trace_id == outcomes.c.trace_id)
    .join(
        trace_versions,
        and_(trace_versions.c.trace_id == outcomes.c.trace_id, trace_versions.c.version_id == outcomes.c.version_id),
    )
    .join(contributors, contributors.c.contributor_id == trace_versions.c.contributor_id)
    .where(
        outcomes.c.tenant_id == bindparam("source"),
        contributors.c.tenant_id == bindparam("target"),
        traces.c.visibility == "public",
        outcomes.c.discounted.is_(None),
    )
    .group_by(outcomes.c.trace_id),
    "one organization's outcomes on another's public traces",
)


async def confirm(session: WriteSession, source: str, target: str) -> None:
    """Take the edge between two organizations anew: how many public traces of the one worked for the other."""
    if source == target:
        return
    rows = await session.all(_BALANCE, {"source": source, "target": target})
    balance = sum((row.balance > 0) - (row.balance < 0) for row in rows)
    confirmed = max(0, min(MOST, balance))
    row = await find_edge(session, source, target)
    if (row.confirmed if row is not None else 0) != confirmed:
        await _put_edge(session, source, target, {"confirmed": confirmed})


async def vouch(session: WriteSession, source: str, target: str, contributor_id: str | None, reason: str) -> None:
    """Vouch for an organization, or with no contributor take it back."""
    said = {"vouched": contributor_id is not None, "contributor_id": contributor_id, "reason": reason}
    await _put_edge(session, source, target, said)


async def find_edge(session: ReadSession, source: str, target: str) -> Row[Any] | None:
    """What one organization knows of another at first hand."""
    return await session.first(
        select(trust_edges).where(trust_edges.c.source_id == source, trust_edges.c.target_id == target)
    )


async def _put_edge(session: WriteSession, source: str, target: str, values: Mapping[str, object]) -> None:
    key = {"source_id": source, "target_id": target}
    empty = {"confirmed": 0, "vouched": False, "reason": "", "updated_at": datetime.now(UTC)}
    await session.write(insert_missing(trust_edges).values({**key, **empty}))
    await session.write(
        update(trust_edges)
        .where(trust_edges.c.source_id == source, trust_edges.c.target_id == target)
        .values({**values, "updated_at": datetime.now(UTC)})
    )
    await changed(session)


async def pin(session: WriteSession, organization_id: str, contributor_id: str, reason: str) -> None:
    """Make an organization a seed, from which everybody's walk begins."""
    await unpin(session, organization_id)
    await session.write(
        insert(trust_seeds).values(
            organization_id=organization_id,
            contributor_id=contributor_id,
            reason=reason,
            created_at=datetime.now(UTC),
        )
    )


async def unpin(session: WriteSession, organization_id: str) -> bool:
    """Make it a seed no longer; False where it was none."""
    removed = await session.write(delete(trust_seeds).where(trust_seeds.c.organization_id == organization_id))
    await changed(session)
    return removed > 0
