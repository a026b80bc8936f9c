"""The state at a commit: replayed from the nearest one that is remembered.

A commit's id names its whole history, so what it means never changes and one memory serves the process: whoever may see
a commit in their own repository may see its state.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from commontrace.objects import Commit
from commontrace_backend.contexts.graph import Divergence, IncompleteHistory
from commontrace_backend.contexts.state import State, replay
from commontrace_backend.contexts.walk import commits_to, walk
from commontrace_backend.database.session import ReadSession

_MOST_SLOTS: Final = 400_000  # of all states that are remembered: about 100 MB


class _Memory:
    """The states that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[str, State] = OrderedDict()
        self._slots = 0

    def get(self, commit_id: str) -> State | None:
        with self._lock:
            if commit_id in self._states:
                self._states.move_to_end(commit_id)
            return self._states.get(commit_id)

    def put(self, state: State) -> None:
        with self._lock:
            if state.tip in self._states:
                return
            self._states[state.tip] = state
            self._slots += len(state.order)
            while self._slots > _MOST_SLOTS and len(self._states) > 1:
                _, oldest = self._states.popitem(last=False)
                self._slots -= len(oldest.order)

    def clear(self) -> None:
        with self._lock:
            self._states.clear()
            self._slots = 0


MEMORY: Final = _Memory()


async def state_at(session: ReadSession, repository_id: int, commit_id: str | None) -> State:
    """The state at a commit; that of no commit is empty."""
    if commit_id is None:
        return State()
    known = MEMORY.get(commit_id)
    if known is None:
        known = await _replayed(session, repository_id, commit_id)
        MEMORY.put(known)
    return known


async def _replayed(session: ReadSession, repository_id: int, commit_id: str) -> State:
    base, since = await _nearest(session, repository_id, commit_id)
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
                return base, passed if straight else await _since(session, repository_id, line, commit_id)
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
    if not parents:
        return State()
    first, *others = parents
    if not others:
        return await state_at(session, repository_id, first)
    commits = {MERGE: Commit(tuple(parents), (), author="", agent="", time="", message="")}
    for other in others:
        commits |= await _since(session, repository_id, first, other)
    try:
        return replay(MERGE, commits, await state_at(session, repository_id, first))
    except IncompleteHistory:
        return replay(MERGE, commits | await commits_to(session, repository_id, *parents))


MERGE: Final = "merge"
"""The name of a merge that has no commit yet."""
