"""Children: a branch for a sub-agent, and its work back home as a summary that can be expanded."""

from collections.abc import Sequence
from typing import Any

from commontrace.errors import ConflictError, InvalidInputError
from commontrace.models.contexts import CollapseResult, NewCollapse, NewSpawn, SpawnResult
from commontrace.objects import appends
from commontrace.providers.rendering import is_system
from commontrace_backend.contexts.contents import contents, total
from commontrace_backend.contexts.editing import open_desk
from commontrace_backend.contexts.merge import describe
from commontrace_backend.contexts.places import Place, open_place, resolve, tip
from commontrace_backend.contexts.recording import (
    Draft,
    add,
    born_tip,
    change,
    now,
    perform,
    record,
    try_out,
)
from commontrace_backend.contexts.refs import check_name
from commontrace_backend.contexts.state import State, extended
from commontrace_backend.contexts.states import merged_state, parting, state_at
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contexts.summaries import Folded, fold, summarised
from commontrace_backend.contexts.targets import Desk
from commontrace_backend.contexts.view import View
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession

Operation = dict[str, Any]


async def spawn(session: WriteSession, caller: Caller, name: str, wanted: NewSpawn) -> SpawnResult:
    """Make a branch for a sub-agent, whose first commit says where it comes from.

    Raises:
        ConflictError: there is a branch of that name.
        InvalidInputError: `selected` without a selection, or another mode with one.
    """
    desk = await open_desk(session, caller, name, wanted)
    branch = check_name(wanted.name)
    if await tip(session, desk.place, branch) is not None:
        raise ConflictError(f"There is a branch {branch} already.", "Choose another name.")
    time = now()
    draft = Draft(
        kind="spawn",
        message=wanted.message or f"Spawn {branch} from {desk.place.branch}",
        operations=await _brought(desk, wanted, [branch, desk.head, caller.contributor_id, caller.working_copy, time]),
        parents=(desk.head,) if wanted.mode == "clone" else (),
        agent=wanted.agent,
        time=time,
        metadata={"spawned_from": {"branch": desk.place.branch, "commit": desk.head, "mode": wanted.mode}},
    )
    if wanted.dry_run:
        found = await try_out(session, desk.place, draft)
    else:
        found = await add(session, desk.place, draft, draft.commit(caller))
        changes = [change(f"branch/{branch}", None, found.commit_id)]
        await perform(session, caller, desk.place, Entry("spawn", draft.message, changes))
    return SpawnResult(
        branch=branch,
        commit_id=found.commit_id,
        mode=wanted.mode,
        spawned_from=desk.head,
        window_messages=found.messages,
        tokens=total(found.tokens),
    )


async def _brought(desk: Desk, wanted: NewSpawn, origin: Sequence[str]) -> list[Operation]:
    """What the child begins with: messages of its own that say the same, with the same priorities."""
    if (wanted.mode == "selected") != bool(wanted.slots or wanted.select):
        raise InvalidInputError(
            "Messages are chosen for a child in the mode selected, and for no other.",
            "Give slots or select with mode selected.",
        )
    shown = desk.view.shown if wanted.mode in {"head", "selected"} else []
    if wanted.mode == "selected":
        chosen = {*await desk.selected(wanted)}
        shown = [slot for slot in shown if slot.slot_id in chosen]
    made = appends([slot.blob_id for slot in shown], origin)
    kept = [
        {"op": "annotate", "slot": own["slot"], "key": "priority", "value": {"level": slot.priority, "reason": ""}}
        for own, slot in zip(made, shown, strict=True)
        if slot.priority != "normal"
    ]
    return [*made, *kept]


async def collapse(session: WriteSession, caller: Caller, name: str, wanted: NewCollapse) -> CollapseResult:
    """Merge a child so that a summary stands for what it said; what it was given and its instructions stay away.

    Raises:
        InvalidInputError: there is nothing new, or the summary lacks what it must keep.
    """
    place = await open_place(session, caller, name)
    ours = await born_tip(session, place, wanted.expected_head)
    theirs = await resolve(session, place, wanted.source)
    state, given = await _together(session, place, (ours, theirs))
    removed, folded = await _home(session, place, (await state_at(session, place.id, ours), state), given, wanted)
    draft = Draft(
        kind="collapse",
        message=wanted.message or f"Collapse {wanted.source} into {place.branch}",
        operations=[*removed, *([folded.operation] if folded else [])],
        parents=(ours, theirs),
        blobs=[folded.blob] if folded else [],
        agent=wanted.agent,
        metadata={"collapsed": {"branch": wanted.source, "commit": theirs}},
    )
    if wanted.dry_run:
        found = await try_out(session, place, draft)
    else:
        found = await record(session, caller, place, place.branch, draft)
    return CollapseResult(
        branch=place.branch,
        commit_id=found.commit_id,
        slots=[folded.slot_id] if folded else [],
        window_messages=found.messages,
        tokens=total(found.tokens),
        token_delta=found.token_delta,
        source=wanted.source,
        source_commit=theirs,
        conflicts=await describe(session, place, found.view, draft.blobs),
        **(_told(folded) if folded else {}),
    )


def _told(folded: Folded) -> dict[str, Any]:
    return {
        "summary_slot": folded.slot_id,
        "covered": [content.slot.slot_id for content in folded.covered],
        "covered_tokens": folded.covered_tokens,
        "summary_tokens": folded.blob.tokens,
        "text": folded.text,
    }


async def _together(session: ReadSession, place: Place, tips: tuple[str, str]) -> tuple[State, set[str]]:
    """Both histories in one state, and the slots that the child was given when it was spawned."""
    diverged, commits = await parting(session, place.id, *tips)
    if not diverged.theirs:
        raise InvalidInputError("There is nothing new to bring home.", "See the log of the child.")
    given = {
        operation["slot"]
        for commit_id in diverged.theirs
        if "spawned_from" in commits[commit_id].metadata
        for operation in commits[commit_id].operations
        if operation["op"] == "append"
    }
    return await merged_state(session, place.id, tips), given


async def _home(
    session: ReadSession, place: Place, states: tuple[State, State], given: set[str], wanted: NewCollapse
) -> tuple[list[Operation], Folded | None]:
    """What is taken away of a child's messages, and the summary for the rest; pinned ones stay as they are."""
    ours, merged = states
    found = await contents(session, place.id, [one for one in View(merged).shown if one.slot_id not in ours.slots])
    away = [one for one in found if one.slot.slot_id in given or is_system(one.message)]
    removed: list[Operation] = [{"op": "remove", "slot": one.slot.slot_id} for one in away]
    view = View(extended(merged, removed))
    shown = {slot.slot_id for slot in view.shown}
    covered = [one for one in found if one.slot.slot_id in shown and one.slot.priority != "pinned"]
    if not covered:
        return removed, None
    keep = view.notes().get("keep")
    patterns = keep if isinstance(keep, list) else []
    return removed, fold(ours.tip, covered, wanted.text or summarised(covered, None, patterns), patterns)
