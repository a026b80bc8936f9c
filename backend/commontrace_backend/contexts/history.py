"""Reading what was committed: one commit, which branches there are, which commits use a trace."""

from typing import Final

from commontrace.models.contexts import BranchInfo, CommitInfo, RepositoryInfo
from commontrace.objects import Commit
from commontrace_backend.contexts import store
from commontrace_backend.contexts.log import Names, info, names_in
from commontrace_backend.contexts.places import Place, open_place, resolve
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession

_SHORTEST_TRACE_ID: Final = 6


async def get_commit(session: ReadSession, caller: Caller, name: str, ref: str) -> CommitInfo:
    """One commit."""
    place = await open_place(session, caller, name)
    row = await store.find_commit(session, place.id, await resolve(session, place, ref))
    assert row is not None
    return info(name, row, Commit.decode(row.encoded), await names_in(session, place))


async def repositories(session: ReadSession, caller: Caller) -> list[RepositoryInfo]:
    """Every context the caller may see."""
    return [RepositoryInfo.model_validate(row) for row in await store.all_repositories(session, caller)]


async def branches(session: ReadSession, caller: Caller, name: str) -> list[BranchInfo]:
    """Every branch, and the one that HEAD is on even if it is unborn."""
    place = await open_place(session, caller, name)
    found = {row.name: row.commit_id for row in await store.all_refs(session, place.id) if row.kind == "branch"}
    found.setdefault(place.branch, None)
    return [await _branch(session, place, branch, commit_id) for branch, commit_id in sorted(found.items())]


async def _branch(session: ReadSession, place: Place, name: str, commit_id: str | None) -> BranchInfo:
    row = await store.find_commit(session, place.id, commit_id) if commit_id else None
    message = Commit.decode(row.encoded).message if row else ""
    return BranchInfo(name=name, commit_id=commit_id, message=message, current=name == place.branch)


async def commits_of_trace(session: ReadSession, caller: Caller, trace_id: str) -> list[CommitInfo]:
    """Commits that used or produced a trace; they may have named it by its first digits."""
    prefixes = [trace_id[:digits] for digits in range(_SHORTEST_TRACE_ID, len(trace_id) + 1)]
    rows = await store.commits_of_trace(session, caller, prefixes)
    people = Names(people=await store.people(session, caller.tenant_id))
    found = [info(row.repository, row, Commit.decode(row.encoded), people) for row in rows]
    return sorted(found, key=lambda commit: commit.created_at, reverse=True)
