"""What merging decides: going forward, or the union of two histories.

A merge commit holds no operation of its own and renders nothing; the order of its parents says what is shown first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from commontrace.models.contexts import MergeResult, NewMerge
from commontrace.objects import Commit
from commontrace_backend.contexts.graph import Divergence
from commontrace_backend.contexts.history import counting, show, total, window_tokens
from commontrace_backend.contexts.places import Place, open_place, resolve
from commontrace_backend.contexts.service import Step, advance, change, now, perform
from commontrace_backend.contexts.state import Slot, replay
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contexts.walk import walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession


async def merge(session: WriteSession, caller: Caller, name: str, wanted: NewMerge) -> MergeResult:
    """Bring another history into the current branch: forward where possible, else the union of both.

    Raises:
        NotFoundError: no such source, or the current branch is unborn.
    """
    place = await open_place(session, caller, name)
    parting = await _part(
        session, place, await resolve(session, place, "HEAD"), await resolve(session, place, wanted.source)
    )
    if not parting.diverged.theirs:
        return await _merged(session, place, "up_to_date", parting, parting.ours)
    if parting.diverged.ours:
        return await _merge_commit(session, caller, place, wanted, parting)
    if not wanted.dry_run:
        moved = [change(f"branch/{place.branch}", parting.ours.commit_id, parting.theirs.commit_id)]
        await perform(session, caller, place, Entry("merge", f"forward to {wanted.source}", moved))
    return await _merged(session, place, "fast_forward", parting, parting.theirs)


@dataclass(frozen=True, slots=True)
class Parting:
    """Two tips, where their histories part, and the commits that only one of them has."""

    ours: Row[Any]
    theirs: Row[Any]
    diverged: Divergence
    commits: dict[str, Commit]

    def added(self) -> list[Slot]:
        """The slots that only their side has, in their order."""
        mine = {slot.slot_id for slot in self._of(self.ours.commit_id, self.diverged.ours)}
        yours = self._of(self.theirs.commit_id, self.diverged.theirs)
        return [slot for slot in yours if slot.slot_id not in mine]

    def _of(self, tip: str, commit_ids: Sequence[str]) -> list[Slot]:
        return replay([tip], {commit_id: self.commits[commit_id] for commit_id in commit_ids})


async def _part(session: ReadSession, place: Place, ours: str, theirs: str) -> Parting:
    diverged = Divergence(ours, theirs)
    rows, commits = {}, {}
    async for row, commit in walk(session, place.id, [ours, theirs]):
        rows[row.commit_id], commits[row.commit_id] = row, commit
        diverged.take(row.commit_id, commit.parents)
        if diverged.settled:
            break
    return Parting(rows[ours], rows[theirs], diverged, commits)


async def _merged(session: ReadSession, place: Place, kind: Any, parting: Parting, after: Row[Any]) -> MergeResult:
    return MergeResult(
        kind=kind,
        branch=place.branch,
        commit_id=after.commit_id,
        added=after.window_messages - parting.ours.window_messages,
        tokens=total(await window_tokens(session, place.id, after)),
        bases=parting.diverged.bases,
    )


async def _merge_commit(
    session: WriteSession, caller: Caller, place: Place, wanted: NewMerge, parting: Parting
) -> MergeResult:
    """A commit with both parents and no operation of its own: it renders nothing."""
    ours, theirs = parting.ours, parting.theirs
    shown = await show(session, place.id, parting.added())
    tokens = await window_tokens(session, place.id, ours) + sum(shown.tokens)
    made = Commit(
        parents=(ours.commit_id, theirs.commit_id),
        operations=(),
        author=caller.contributor_id,
        agent="",
        time=now(),
        message=wanted.message or f"Merge {wanted.source} into {place.branch}",
    )
    derived = {
        "generation": max(ours.generation, theirs.generation) + 1,
        "window_messages": ours.window_messages + len(shown.slots),
        "window_tokens": tokens,
        "encoding": counting(),
    }
    commit_id = None
    if not wanted.dry_run:
        step = Step("merge", place.branch, ours.commit_id)
        commit_id = await advance(session, caller, place, step, made, derived)
    return MergeResult(
        kind="merged",
        branch=place.branch,
        commit_id=commit_id,
        added=len(shown.slots),
        tokens=total(tokens),
        bases=parting.diverged.bases,
    )
