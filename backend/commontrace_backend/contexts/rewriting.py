"""Moving changes about: cherry-pick, revert, apply, rebase, reset. Every one is a row of the operation log."""

from collections.abc import Sequence
from typing import Any

from commontrace.errors import InvalidInputError, MergeConflictError
from commontrace.models.contexts import (
    ChangeResult,
    NewApply,
    NewPick,
    NewRebase,
    NewReset,
    PickResult,
    ResetResult,
)
from commontrace.objects import Commit
from commontrace_backend.contexts import store
from commontrace_backend.contexts.conflicts import Conflict, conflicts
from commontrace_backend.contexts.contents import contents_at, total
from commontrace_backend.contexts.editing import Doing, conclude, open_desk
from commontrace_backend.contexts.graph import parents_first
from commontrace_backend.contexts.picking import around, transferred
from commontrace_backend.contexts.places import SHORT, Place, open_place, resolve
from commontrace_backend.contexts.recording import Draft, add, born_tip, change, perform
from commontrace_backend.contexts.state import State
from commontrace_backend.contexts.states import merged_state, parting, state_at
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession


async def cherry_pick(session: WriteSession, caller: Caller, name: str, wanted: NewPick) -> PickResult:
    """Make the changes of commits here too, each as a commit that names its origin.

    Raises:
        MergeConflictError: a change contradicts what stands here, and no strategy says what wins.
    """
    return await _rewrite(session, caller, name, wanted, back=False)


async def revert(session: WriteSession, caller: Caller, name: str, wanted: NewPick) -> PickResult:
    """Take the changes of commits back here, the last one first, each as a commit; raises as `cherry_pick` does."""
    return await _rewrite(session, caller, name, wanted, back=True)


async def _rewrite(session: WriteSession, caller: Caller, name: str, wanted: NewPick, *, back: bool) -> PickResult:
    place = await open_place(session, caller, name)
    head = await born_tip(session, place, wanted.expected_head)
    chosen = await _chosen(session, place, wanted.commits)
    line = Line(session, place, head)
    for commit_id in chosen[::-1] if back else chosen:
        before, after = await around(session, place, commit_id)
        made = await _commit(session, place, commit_id)
        here = await line.state()
        operations = (
            transferred(after, before, here, wanted.strategy)
            if back
            else transferred(before, after, here, wanted.strategy)
        )
        about = f"Revert “{made.message or commit_id[:SHORT]}”" if back else made.message
        origin = {"reverts" if back else "picked_from": commit_id}
        draft = Draft(
            kind="commit",
            message=wanted.message or about,
            operations=operations,
            parents=(line.tip,),
            author="" if back else made.author,
            agent=wanted.agent or made.agent,
            traces=() if back else made.traces,
            metadata={**({} if back else made.metadata), **origin},
            generation={} if back else made.generation,
        )
        await line.extend(caller, draft, commit_id)
    return await line.conclude(caller, wanted, "revert" if back else "cherry-pick", head)


async def _commit(session: ReadSession, place: Place, commit_id: str) -> Commit:
    row = await store.find_commit(session, place.id, commit_id)
    assert row is not None
    return Commit.decode(row.encoded)


async def _chosen(session: ReadSession, place: Place, refs: Sequence[str]) -> list[str]:
    """The commits that refs and ranges name; of a range, those that lead to its end alone, oldest first."""
    found: list[str] = []
    for ref in refs:
        before, dots, after = ref.partition("..")
        if dots:
            ends = await resolve(session, place, before or "HEAD"), await resolve(session, place, after or "HEAD")
            found += await _between(session, place, *ends)
        else:
            found.append(await resolve(session, place, ref))
    if not found:
        raise InvalidInputError("The range holds no commit.", "Name commits, or a range from an older to a newer one.")
    return list(dict.fromkeys(found))


async def _between(session: ReadSession, place: Place, before: str, after: str) -> list[str]:
    """The commits that lead to one and not to the other, oldest first; merges say nothing themselves."""
    diverged, commits = await parting(session, place.id, before, after)
    only = {*diverged.theirs}
    order = parents_first([after], lambda one: [parent for parent in commits[one].parents if parent in only])
    return [one for one in order if one in only and len(commits[one].parents) < 2]  # noqa: PLR2004


class Line:
    """Commits that are made one on top of another before a branch moves."""

    def __init__(self, session: WriteSession, place: Place, tip: str) -> None:
        self.tip = tip
        self._session, self._place = session, place
        self._made: list[str] = []
        self._skipped: list[str] = []

    async def state(self) -> State:
        """What the newest of them means."""
        return await state_at(self._session, self._place.id, self.tip)

    async def extend(self, caller: Caller, draft: Draft, origin: str) -> None:
        """Add a commit, unless it would change nothing."""
        if not draft.operations:
            self._skipped.append(origin)
            return
        made = draft.commit(caller)
        found = await add(self._session, self._place, draft, made)
        assert found.commit_id is not None
        self.tip = found.commit_id
        self._made.append(found.commit_id)

    async def conclude(self, caller: Caller, wanted: Any, kind: str, before: str) -> PickResult:
        """Move the branch to the newest, or with `dry_run` only say where it would go."""
        branch = self._place.branch
        row = await store.find_commit(self._session, self._place.id, self.tip)
        assert row is not None
        if self.tip != before and not wanted.dry_run:
            about = wanted.message or f"{kind} of {len(self._made)} commit{'' if len(self._made) == 1 else 's'}"
            moved = [change(f"branch/{branch}", before, self.tip)]
            await perform(self._session, caller, self._place, Entry(kind, about, moved))
        return PickResult(
            branch=branch,
            commits=self._made,
            skipped=self._skipped,
            head=self.tip,
            window_messages=row.window_messages,
            tokens=total(row.window_tokens),
        )


async def apply(session: WriteSession, caller: Caller, name: str, wanted: NewApply) -> ChangeResult:
    """Make the change between two windows on the current one: from HEAD to a ref, that restores the ref."""
    desk = await open_desk(session, caller, name, wanted)
    ends = [
        await state_at(session, desk.place.id, await resolve(session, desk.place, ref)) for ref in (wanted.a, wanted.b)
    ]
    operations = transferred(ends[0], ends[1], desk.state, wanted.strategy)
    about = f"Apply {wanted.a}..{wanted.b}"
    return await conclude(session, caller, desk, wanted, Doing("apply", about, operations))


async def rebase(session: WriteSession, caller: Caller, name: str, wanted: NewRebase) -> PickResult:
    """Let the current branch go on from another commit: its own commits are made again there, edits included.

    Commits that merged keep what they decided. What both sides wrote differently is a conflict, as in a merge.

    Raises:
        MergeConflictError: there is one, and no strategy says what wins.
    """
    place = await open_place(session, caller, name)
    head = await born_tip(session, place, wanted.expected_head)
    onto = await resolve(session, place, wanted.onto)
    diverged, commits = await parting(session, place.id, onto, head)
    line = Line(session, place, onto)
    own = {*diverged.theirs}
    if not diverged.ours:
        line.tip = head  # it goes on from there already
        return await line.conclude(caller, wanted, "rebase", head)
    lost = await _lost(session, place, (onto, head), wanted.strategy) if own else set()
    order = parents_first([head], lambda one: [parent for parent in commits[one].parents if parent in own])
    for commit_id in (one for one in order if one in own):
        made = commits[commit_id]
        operations = _again(made, await line.state(), lost)
        draft = Draft(
            kind="commit",
            message=made.message,
            operations=operations,
            parents=(line.tip,),
            author=made.author,
            agent=made.agent,
            time=made.time,
            traces=made.traces,
            metadata=made.metadata,
            generation=made.generation,
        )
        await line.extend(caller, draft, commit_id)
    return await line.conclude(caller, wanted, "rebase", head)


async def _lost(session: ReadSession, place: Place, tips: tuple[str, str], strategy: str) -> set[tuple[str, str]]:
    """The registers, by slot, where what stands at the new base is to stay."""
    known = [conflict for tip in tips for conflict in conflicts(await state_at(session, place.id, tip))]
    found = [one for one in conflicts(await merged_state(session, place.id, tips)) if not _among(one, known)]
    if found and strategy == "store":
        places = ", ".join(f"{one.slot_id[:SHORT]} ({one.kind})" for one in found[:5])
        raise MergeConflictError(
            f"Both sides wrote differently: {places}.",
            "Choose a strategy: ours keeps what the new base says, theirs what the branch says. Or merge.",
            {"slots": [one.slot_id for one in found]},
        )
    if strategy != "ours":
        return set()
    return {(one.slot_id, register) for one in found for register in _registers(one)}


def _among(conflict: Conflict, known: Sequence[Conflict]) -> bool:
    return any(
        (conflict.kind, conflict.slot_id, conflict.register) == (one.kind, one.slot_id, one.register) for one in known
    )


def _registers(conflict: Conflict) -> set[str]:
    if conflict.kind != "contradiction":
        return {conflict.register}
    return {"content", conflict.register}


_REGISTER_OF = {"edit": "content", "remove": "live", "restore": "live", "move": "position", "uncover": "cover"}


def _again(made: Commit, here: State, lost: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """The operations of a commit that still say something there."""
    return [
        operation
        for operation in made.operations
        if not (operation["op"] == "append" and operation["slot"] in here.slots)
        and (operation["slot"], _REGISTER_OF.get(operation["op"], operation.get("key", operation["op"]))) not in lost
    ]


async def reset(session: WriteSession, caller: Caller, name: str, wanted: NewReset) -> ResetResult:
    """Let the current branch point elsewhere; what it no longer shows comes back as messages, and undo is one step."""
    place = await open_place(session, caller, name)
    before = await born_tip(session, place, wanted.expected_head)
    after = await resolve(session, place, wanted.ref)
    left = {content.slot.slot_id for content in await contents_at(session, place.id, after)}
    gone = [
        content.message for content in await contents_at(session, place.id, before) if content.slot.slot_id not in left
    ]
    if before != after and not wanted.dry_run:
        moved = [change(f"branch/{place.branch}", before, after)]
        await perform(session, caller, place, Entry("reset", wanted.message or f"reset to {wanted.ref}", moved))
    return ResetResult(branch=place.branch, head=after, before=before, messages=gone)
