"""The state at a commit: replayed from the nearest one that is remembered.

A commit's id names its whole history, so what it means never changes and one memory serves the process: whoever may see
a commit in their own repository may see its state.
"""

from collections.abc import Collection, Sequence
from typing import Final

from commontrace.objects import Commit
from commontrace_backend.contexts import audit_store
from commontrace_backend.contexts.graph import Divergence, IncompleteHistory
from commontrace_backend.contexts.state import State, replay
from commontrace_backend.contexts.view import View
from commontrace_backend.contexts.walk import commits_to, walk
from commontrace_backend.database.session import ReadSession
from commontrace_backend.recent import Recent

_MOST_SLOTS: Final = 400_000  # of all states that are remembered: about 100 MB


MEMORY: Final = Recent[View](_MOST_SLOTS)


_PURGED: Final[dict[int, tuple[int, str]]] = {}


async def forget_purged(session: ReadSession, repository_id: int) -> tuple[int, str]:
    """Forget every state where something was purged, by another process too: states hold notes word for word.

    Returns:
        How many objects of the repository were purged, and when the last one was.
    """
    mark = await audit_store.purge_mark(session, repository_id)
    if mark[0] and _PURGED.get(repository_id) != mark:
        MEMORY.clear()
        _PURGED[repository_id] = mark
    return mark


def remember(view: View) -> None:
    """Keep a state, with what of it is to be seen, for those who ask for it next."""
    MEMORY.put(view.state.tip, view, len(view.state.order))


async def state_at(session: ReadSession, repository_id: int, commit_id: str | None) -> State:
    """The state at a commit; that of no commit is empty."""
    return (await view_at(session, repository_id, commit_id)).state


async def view_at(session: ReadSession, repository_id: int, commit_id: str | None) -> View:
    """What of the state at a commit is to be seen."""
    if commit_id is None:
        return View(State())
    known = MEMORY.get(commit_id)
    if known is None:
        known = View(await _replayed(session, repository_id, commit_id))
        remember(known)
    return known


async def _replayed(session: ReadSession, repository_id: int, commit_id: str) -> State:
    base, since = await _nearest(session, repository_id, commit_id)
    if base and base.tip == commit_id:  # another thread came to it meanwhile
        return base
    try:
        return replay(commit_id, since, base)
    except IncompleteHistory:
        return replay(commit_id, await commits_to(session, repository_id, commit_id))


async def _nearest(session: ReadSession, repository_id: int, commit_id: str) -> tuple[State | None, dict[str, Commit]]:
    """The nearest remembered state that a commit comes from by first parents, and the commits since."""
    passed: dict[str, Commit] = {}
    line, straight = commit_id, True
    async for row, commit in walk(session, repository_id, [commit_id]):
        if row.commit_id == line:
            base = MEMORY.get(line)
            if base:
                return base.state, passed if straight else await _since(session, repository_id, line, commit_id)
            line = commit.parents[0] if commit.parents else ""
        straight &= len(commit.parents) < 2  # noqa: PLR2004 - a merge brings commits from aside
        passed[row.commit_id] = commit
    return None, passed


async def _since(session: ReadSession, repository_id: int, before: str, after: str) -> dict[str, Commit]:
    """The commits that lead to one tip and not to another."""
    diverged, commits = await parting(session, repository_id, before, after)
    return {commit_id: commits[commit_id] for commit_id in diverged.theirs}


async def parting(
    session: ReadSession, repository_id: int, ours: str, theirs: str
) -> tuple[Divergence, dict[str, Commit]]:
    """Where two histories part, and the commits that were looked at to find it."""
    diverged = Divergence(ours, theirs)
    commits = {}
    async for row, commit in walk(session, repository_id, [ours, theirs]):
        commits[row.commit_id] = commit
        diverged.take(row.commit_id, commit.parents)
        if diverged.settled:
            break
    return diverged, commits


async def merged_state(session: ReadSession, repository_id: int, parents: Collection[str]) -> State:
    """What comes together in a commit with these parents, the first of them ours; the commit has no name yet."""
    return (await merged_view(session, repository_id, parents)).state


async def merged_view(session: ReadSession, repository_id: int, parents: Collection[str]) -> View:
    """What of that is to be seen."""
    first, *others = parents or (None,)
    if first is None or not others:
        return await view_at(session, repository_id, first)
    known = MEMORY.get(tuple(parents))
    if known is None:
        known = View(await _merged(session, repository_id, first, [one for one in others if one]))
        MEMORY.put(tuple(parents), known, len(known.state.order))
    return known


async def _merged(session: ReadSession, repository_id: int, first: str, others: Sequence[str]) -> State:
    parents = (first, *others)
    commits = {MERGE: Commit(parents, (), author="", agent="", time="", message="")}
    for other in others:
        commits |= await _since(session, repository_id, first, other)
    try:
        return replay(MERGE, commits, await state_at(session, repository_id, first))
    except IncompleteHistory:
        return replay(MERGE, commits | await commits_to(session, repository_id, *parents))


MERGE: Final = "merge"
"""The name of a merge that has no commit yet."""
