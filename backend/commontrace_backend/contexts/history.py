"""Reading what was committed: one commit, which branches there are, which commits use a trace."""

from dataclasses import dataclass
from typing import Final

from commontrace.models.base import Page
from commontrace.models.contexts import BranchInfo, CommitInfo, RepositoryInfo
from commontrace.objects import Commit
from commontrace_backend.contexts import store
from commontrace_backend.contexts.log import Names, info, names_in
from commontrace_backend.contexts.places import Place, open_place, resolve
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession
from commontrace_backend.paging import Asked

_SHORTEST_TRACE_ID: Final = 6


async def get_commit(session: ReadSession, caller: Caller, name: str, ref: str) -> CommitInfo:
    """One commit."""
    place = await open_place(session, caller, name)
    row = await store.find_commit(session, place.id, await resolve(session, place, ref))
    assert row is not None
    return info(name, row, Commit.decode(row.encoded), await names_in(session, place))


async def repositories(session: ReadSession, caller: Caller, asked: Asked) -> Page[RepositoryInfo]:
    """The contexts that the caller may see, by name."""
    rows, goes_on = await store.some_repositories(session, caller, asked)
    return Page(items=[RepositoryInfo.model_validate(row) for row in rows], next_cursor=goes_on)


@dataclass(frozen=True, slots=True)
class _Branch:
    name: str
    commit_id: str | None


async def branches(session: ReadSession, caller: Caller, name: str, asked: Asked) -> Page[BranchInfo]:
    """The branches by name, and the one that HEAD is on even if it is unborn."""
    place = await open_place(session, caller, name)
    statement, order = store.refs_of(place.id, "branch")
    found = [_Branch(row.name, row.commit_id) for row in await session.all(order.page(statement, asked))]
    position = order.position(asked.cursor)
    is_there = any(branch.name == place.branch for branch in found)
    if place.head is None and not is_there and (position is None or (place.branch,) > position):
        found = sorted([*found, _Branch(place.branch, None)], key=lambda branch: branch.name)
    shown, goes_on = order.cut(found, asked)
    return Page(items=[await _told(session, place, branch) for branch in shown], next_cursor=goes_on)


async def _told(session: ReadSession, place: Place, branch: _Branch) -> BranchInfo:
    row = await store.find_commit(session, place.id, branch.commit_id) if branch.commit_id else None
    message = Commit.decode(row.encoded).message if row else ""
    current = branch.name == place.branch
    return BranchInfo(name=branch.name, commit_id=branch.commit_id, message=message, current=current)


async def commits_of_trace(session: ReadSession, caller: Caller, trace_id: str, asked: Asked) -> Page[CommitInfo]:
    """Commits that used or produced a trace, deepest first; they may have named it by its first digits."""
    prefixes = [trace_id[:digits] for digits in range(_SHORTEST_TRACE_ID, len(trace_id) + 1)]
    rows, goes_on = await store.commits_of_trace(session, caller, prefixes, asked)
    people = Names(people=await store.people(session, caller.tenant_id))
    found = [info(row.repository, row, Commit.decode(row.encoded), people) for row in rows]
    return Page(items=found, next_cursor=goes_on)
