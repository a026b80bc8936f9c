"""What merging decides: going forward, the union of histories, a summary of theirs, or chosen commits of theirs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import (
    ChangeResult,
    ConflictInfo,
    ConflictValue,
    MergeResult,
    NewMerge,
    NewResolve,
    Resolution,
)
from commontrace.providers.messages import text_of
from commontrace_backend.contexts import store
from commontrace_backend.contexts.compression.contradictions import contradictions
from commontrace_backend.contexts.conflicts import Conflict, answered_twice, conflicts
from commontrace_backend.contexts.contents import contents, total, window_tokens
from commontrace_backend.contexts.editing import Doing, conclude, open_desk, reworded
from commontrace_backend.contexts.layouts import measured
from commontrace_backend.contexts.picking import picked
from commontrace_backend.contexts.places import Place, open_place, resolve
from commontrace_backend.contexts.recording import Draft, NewBlob, born_tip, change, perform, record, try_out
from commontrace_backend.contexts.resolving import Decision, settle_all, settle_further
from commontrace_backend.contexts.state import extended
from commontrace_backend.contexts.states import merged_view, parting, state_at, view_at
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contexts.summaries import fold_in
from commontrace_backend.contexts.view import View
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession


@dataclass(frozen=True, slots=True)
class Parting:
    """Our tip, the tips that have something we have not, and where the histories part.

    Attributes:
        ours: our tip.
        theirs: the tips that bring something.
        ahead: whether we have something that some of them have not.
        bases: the best common ancestors.
    """

    ours: str
    theirs: list[str]
    ahead: bool
    bases: list[str]


async def merge(session: WriteSession, caller: Caller, name: str, wanted: NewMerge) -> MergeResult:
    """Bring other histories into the current branch.

    Raises:
        NotFoundError: no such source, or the current branch has no commit yet.
        InvalidInputError: options that do not go together, or a resolution of no conflict.
    """
    place = await open_place(session, caller, name)
    ours = await born_tip(session, place, wanted.expected_head)
    sources = [await resolve(session, place, ref) for ref in (wanted.source, *wanted.others)]
    parted = await _part(session, place, ours, sources)
    if not parted.theirs:
        return await _standing(session, place, wanted, parted, "up_to_date")
    if wanted.mode == "inject":
        return await _inject(session, caller, place, wanted, parted)
    if wanted.mode == "merge" and len(parted.theirs) == 1 and not parted.ahead and wanted.fast_forward:
        if not wanted.dry_run:
            moved = [change(f"branch/{place.branch}", ours, parted.theirs[0])]
            await perform(session, caller, place, Entry("merge", f"forward to {wanted.source}", moved))
        return await _standing(session, place, wanted, parted, "fast_forward")
    return await _merge_commit(session, caller, place, wanted, parted)


async def _part(session: ReadSession, place: Place, ours: str, sources: Sequence[str]) -> Parting:
    theirs: list[str] = []
    bases: dict[str, None] = {}
    ahead = False
    for source in dict.fromkeys(sources):
        diverged, _ = await parting(session, place.id, ours, source)
        bases.update(dict.fromkeys(diverged.bases))
        ahead |= bool(diverged.ours)
        if diverged.theirs:
            theirs.append(source)
    return Parting(ours, theirs, ahead, list(bases))


async def _standing(session: ReadSession, place: Place, wanted: NewMerge, parted: Parting, kind: Any) -> MergeResult:
    """What comes of a merge that makes no commit."""
    before = await store.find_commit(session, place.id, parted.ours)
    after = await store.find_commit(session, place.id, parted.theirs[0] if parted.theirs else parted.ours)
    assert before is not None
    assert after is not None
    view = await view_at(session, place.id, after.commit_id)
    return MergeResult(
        kind=kind,
        mode=wanted.mode,
        branch=place.branch,
        commit_id=after.commit_id,
        added=after.window_messages - before.window_messages,
        tokens=total(await window_tokens(session, place.id, after)),
        bases=parted.bases,
        conflicts=await describe(session, place, view),
    )


async def _merge_commit(
    session: WriteSession, caller: Caller, place: Place, wanted: NewMerge, parted: Parting
) -> MergeResult:
    """A commit with all parents, which renders nothing itself: it holds what settles conflicts, and summaries."""
    parents = (parted.ours, *parted.theirs)
    view = await merged_view(session, place.id, parents)
    base = await state_at(session, place.id, parted.bases[0]) if parted.bases else None
    before = [await view_at(session, place.id, parent) for parent in parents]
    known = {_key(conflict) for one in before for conflict in conflicts(one.state)}
    found = await all_conflicts(session, place, view)
    fresh = [conflict for conflict in found if _key(conflict) not in known]
    rest = [] if wanted.strategy == "store" else [(one, Decision(wanted.strategy)) for one in fresh]
    decided, blobs = await _decided(session, place, found, wanted.resolutions, rest)
    operations = settle_all(decided, base)
    if wanted.strategy != "store":
        operations = settle_further(view.state, operations, wanted.strategy)
    if wanted.mode in {"squash", "facts"}:
        folded = await fold_in(session, place, extended(view.state, operations), before[0].state, wanted)
        if folded:
            operations, blobs = [*operations, folded.operation], [*blobs, folded.blob]
    draft = Draft(
        kind="merge",
        message=wanted.message or f"Merge {wanted.source} into {place.branch}",
        operations=operations,
        parents=parents,
        blobs=blobs,
        agent=wanted.agent,
    )
    contradicted = await _contradicted(session, place, before)
    return await _concluded(session, caller, place, wanted, (parted, draft, contradicted))


async def _concluded(
    session: WriteSession,
    caller: Caller,
    place: Place,
    wanted: NewMerge,
    made: tuple[Parting, Draft, list[str]],
) -> MergeResult:
    parted, draft, contradictions = made
    if wanted.dry_run:
        found = await try_out(session, place, draft)
    else:
        found = await record(session, caller, place, place.branch, draft)
    return MergeResult(
        kind="merged",
        mode=wanted.mode,
        branch=place.branch,
        commit_id=found.commit_id,
        added=found.added,
        tokens=total(found.tokens),
        bases=parted.bases,
        conflicts=await describe(session, place, found.view, draft.blobs),
        contradictions=contradictions,
    )


async def _contradicted(session: ReadSession, place: Place, sides: Sequence[View]) -> list[str]:
    """Statements that only we made and that do not agree with some that only they made."""
    ours, *theirs = sides
    both = {slot_id for view in theirs for slot_id in view.state.slots} & ours.state.slots.keys()
    said = [
        [content.message for content in await contents(session, place.id, only)]
        for only in (
            [slot for slot in ours.shown if slot.slot_id not in both],
            [slot for view in theirs for slot in view.shown if slot.slot_id not in both],
        )
    ]
    return contradictions(*said)


async def _inject(
    session: WriteSession, caller: Caller, place: Place, wanted: NewMerge, parted: Parting
) -> MergeResult:
    """Chosen commits of theirs, as one commit of ours; the histories stay apart."""
    diverged, _ = await parting(session, place.id, parted.ours, parted.theirs[0])
    refs = [await resolve(session, place, ref) for ref in wanted.commits] or diverged.theirs[::-1]
    here = await state_at(session, place.id, parted.ours)
    operations = await picked(session, place, here, refs, wanted.strategy)
    draft = Draft(
        kind="merge",
        message=wanted.message or f"Inject {len(refs)} commits of {wanted.source}",
        operations=operations,
        parents=(parted.ours,),
        agent=wanted.agent,
        metadata={"picked_from": refs},
    )
    return await _concluded(session, caller, place, wanted, (parted, draft, []))


def _key(conflict: Conflict) -> tuple[str, str, str, str]:
    """The same for the same disagreement, whoever is ours."""
    return (
        conflict.kind,
        conflict.slot_id,
        conflict.register,
        json.dumps(sorted(json.dumps(value, sort_keys=True) for value, _ in conflict.values)),
    )


async def all_conflicts(
    session: ReadSession, place: Place, view: View, blobs: Sequence[NewBlob] = ()
) -> list[Conflict]:
    """Those of registers, and calls that are answered twice."""
    fresh = {item.blob.blob_id for item in blobs}
    shown = [slot for slot in view.shown if slot.blob_id not in fresh]
    known = await measured(session, place.id, (slot.blob_id for slot in shown))
    links = ((slot, known[slot.blob_id].calls, known[slot.blob_id].answers) for slot in shown)
    return conflicts(view.state) + answered_twice(links)


async def _decided(
    session: ReadSession,
    place: Place,
    found: Sequence[Conflict],
    resolutions: Sequence[Resolution],
    rest: Sequence[tuple[Conflict, Decision]],
) -> tuple[list[tuple[Conflict, Decision]], list[NewBlob]]:
    """What is decided: resolutions, and for conflicts that none names a decision of `rest`; with new contents.

    Raises:
        InvalidInputError: a resolution is of no conflict, or of several, or has words for what says none.
    """
    blobs: list[NewBlob] = []
    decided = []
    for wanted in resolutions:
        conflict = _meant(found, wanted)
        brought = await _brought(session, place, conflict, wanted)
        blobs += brought
        decided.append((conflict, Decision(wanted.use, brought[0].blob.blob_id if brought else wanted.value)))
    named = {_key(conflict) for conflict, _ in decided}
    return [*decided, *(one for one in rest if _key(one[0]) not in named)], blobs


async def _brought(session: ReadSession, place: Place, conflict: Conflict, wanted: Resolution) -> list[NewBlob]:
    """The content that a resolution has of its own, if it has one."""
    if wanted.content is not None:
        return [NewBlob.of(wanted.content)]
    if wanted.text is None:
        return []
    if conflict.kind != "content":
        raise InvalidInputError(f"A conflict of {conflict.kind} has no words.", "Choose a side, or give a value.")
    ours = str(conflict.values[0][0])
    row = (await store.find_blobs(session, place.id, [ours]))[ours]
    return [NewBlob.of(reworded(json.loads(row.encoded), wanted.text))]


def _meant(found: Sequence[Conflict], wanted: Resolution) -> Conflict:
    meant = [
        conflict
        for conflict in found
        if conflict.slot_id.startswith(wanted.slot) and wanted.register_name in {"", conflict.register}
    ]
    if len(meant) != 1:
        raise InvalidInputError(
            f"{len(meant) or 'No'} conflicts are at {wanted.slot} {wanted.register_name}".rstrip() + ".",
            "Name the slot and the register as the preview shows them.",
        )
    return meant[0]


async def describe(session: ReadSession, place: Place, view: View, blobs: Sequence[NewBlob] = ()) -> list[ConflictInfo]:
    """The conflicts of a state as a caller reads them."""
    found = await all_conflicts(session, place, view, blobs)
    named = [value for one in found if one.register == "content" for value, _ in one.values if isinstance(value, str)]
    texts = {
        blob_id: text_of(json.loads(row.encoded))
        for blob_id, row in (await store.find_blobs(session, place.id, named)).items()
    }
    return [
        ConflictInfo(
            kind=one.kind,
            slot_id=one.slot_id,
            register_name=one.register,
            values=[
                ConflictValue(
                    commit_id=commit_id, value=value, text=texts.get(value) if isinstance(value, str) else None
                )
                for value, commit_id in one.values
            ],
        )
        for one in found
    ]


async def resolve_conflicts(session: WriteSession, caller: Caller, name: str, wanted: NewResolve) -> ChangeResult:
    """Settle conflicts that an earlier merge stored; raises InvalidInputError for a resolution of no conflict."""
    desk = await open_desk(session, caller, name, wanted)
    found = await all_conflicts(session, desk.place, desk.view)
    rest = [(one, Decision(wanted.strategy)) for one in found] if wanted.strategy else []
    decided, blobs = await _decided(session, desk.place, found, wanted.resolutions, rest)
    operations = settle_all(decided)
    if wanted.strategy:
        operations = settle_further(desk.state, operations, wanted.strategy)
    return await conclude(session, caller, desk, wanted, Doing("resolve", "Resolve conflicts", operations, blobs))
