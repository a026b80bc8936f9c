"""Writing registers: edit, annotate, remove and restore, move, and what is said of the whole context."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import (
    Change,
    ChangeResult,
    NewAnnotation,
    NewEdit,
    NewMove,
    NewNotes,
    NewPresence,
)
from commontrace.providers.messages import Message, answers_of, calls_of, parse_message
from commontrace.safety.bodies import with_redactions
from commontrace_backend.contexts import store
from commontrace_backend.contexts.contents import total, window_tokens
from commontrace_backend.contexts.places import open_place
from commontrace_backend.contexts.recording import Draft, NewBlob, Outcome, born_tip, record, schema_message, try_out
from commontrace_backend.contexts.state import REPOSITORY
from commontrace_backend.contexts.targets import Desk, lay_out
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession

Operation = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Doing:
    """What a change comes down to.

    Attributes:
        kind: what the operation log calls it.
        about: what it did, where the caller did not say.
        operations: what is written.
        blobs: the messages that it brings.
        metadata: what the commit keeps beside it.
        traces: the traces that it links.
    """

    kind: str
    about: str
    operations: Sequence[Operation]
    blobs: Sequence[NewBlob] = ()
    metadata: Mapping[str, Any] | None = None
    traces: tuple[str, ...] = ()


async def open_desk(session: ReadSession, caller: Caller, name: str, wanted: Change) -> Desk:
    """The window that HEAD shows; raises NotFoundError where there is none, and RefMovedError."""
    place = await open_place(session, caller, name)
    return await lay_out(session, place, await born_tip(session, place, wanted.expected_head))


async def conclude(session: WriteSession, caller: Caller, desk: Desk, wanted: Change, doing: Doing) -> ChangeResult:
    """Commit a change, or with `dry_run` say what it would come to; one that changes nothing writes nothing."""
    if not doing.operations:
        row = await store.find_commit(session, desk.place.id, desk.head)
        tokens = await window_tokens(session, desk.place.id, row)
        unchanged = Outcome(None, desk.view, len(desk.view.shown), tokens, 0, 0)
        return with_redactions(_result(desk, unchanged, []), wanted)
    draft = Draft(
        kind=doing.kind,
        message=wanted.message or doing.about,
        operations=doing.operations,
        parents=(desk.head,),
        blobs=doing.blobs,
        agent=wanted.agent,
        traces=doing.traces,
        metadata=doing.metadata or {},
    )
    if wanted.dry_run:
        found = await try_out(session, desk.place, draft)
    else:
        found = await record(session, caller, desk.place, desk.place.branch, draft)
    slots = list(dict.fromkeys(operation["slot"] for operation in doing.operations if operation["slot"]))
    return with_redactions(_result(desk, found, slots), wanted)


def _result(desk: Desk, found: Outcome, slots: list[str]) -> ChangeResult:
    return ChangeResult(
        branch=desk.place.branch,
        commit_id=found.commit_id,
        slots=slots,
        window_messages=found.messages,
        tokens=total(found.tokens),
        token_delta=found.token_delta,
    )


async def edit(session: WriteSession, caller: Caller, name: str, wanted: NewEdit) -> ChangeResult:
    """Give a message another content; what it said before stays in its history.

    Raises:
        InvalidInputError: not exactly one new content, no such version, or other tool calls than before.
    """
    desk = await open_desk(session, caller, name, wanted)
    slot = desk.state.slots[desk.find(wanted.slot)]
    if sum(given is not None for given in (wanted.content, wanted.text, wanted.version)) != 1:
        raise InvalidInputError("It is not said what the message is to be.", "Give content, text or version: one.")
    if wanted.version is not None:
        blob_id, blobs = await _version(session, desk, slot.slot_id, wanted.version), []
    else:
        [old] = [content.message for content in await desk.contents([slot.slot_id])]
        new = wanted.content if wanted.content is not None else reworded(old, wanted.text or "")
        _check_calls(old, parse_message(new))
        blobs = [NewBlob.of(new)]
        blob_id = blobs[0].blob.blob_id
    same = slot.values("content") in ([blob_id], []) and slot.value("content", slot.blob_id) == blob_id
    operations = [] if same else [{"op": "edit", "slot": slot.slot_id, "blob": blob_id}]
    return await conclude(session, caller, desk, wanted, Doing("edit", "Edit a message", operations, blobs))


def reworded(old: Message, text: str) -> Message:
    """A message with other words: one text in place of all, in a result as its content; calls stay."""
    kept = [part for part in old["parts"] if part["type"] in {"tool_call", "tool_result"}]
    answers = [part for part in kept if part["type"] == "tool_result"]
    if answers:
        return {**old, "parts": [{**part, "content": text} if part is answers[0] else part for part in kept]}
    return {**old, "parts": [{"type": "text", "text": text}, *kept]}


def _check_calls(old: Message, new: Message) -> None:
    if calls_of(old) != calls_of(new) or answers_of(old) != answers_of(new):
        raise InvalidInputError(
            "The new content has other tool calls or results than the message.",
            "Keep their ids in their order, or remove the message.",
        )


async def _version(session: ReadSession, desk: Desk, slot_id: str, version: int) -> str:
    from commontrace_backend.contexts.blame import contents_of

    versions = await contents_of(session, desk, slot_id)
    if version >= len(versions):
        raise InvalidInputError(f"The message has {len(versions)} versions.", f"Give 0 to {len(versions) - 1}.")
    return versions[version]


async def annotate(session: WriteSession, caller: Caller, name: str, wanted: NewAnnotation) -> ChangeResult:
    """Give messages, and the groups that they are in, a priority or other notes."""
    desk = await open_desk(session, caller, name, wanted)
    notes = dict(wanted.notes)
    if notes.keys() & {"content", "live", "position", "cover", "priority"}:
        raise InvalidInputError("A note has a name that stands for something else.", "Choose another name.")
    if wanted.priority:
        notes["priority"] = {"level": wanted.priority, "reason": wanted.reason}
    if not notes:
        raise InvalidInputError("Nothing is said of the messages.", "Give a priority or notes.")
    operations = [
        {"op": "annotate", "slot": slot_id, "key": key, "value": value}
        for slot_id in await desk.selected(wanted)
        for key, value in notes.items()
        if not _says(desk, slot_id, key, value)
    ]
    about = f"Mark as {wanted.priority}" if wanted.priority else f"Note {', '.join(notes)}"
    return await conclude(session, caller, desk, wanted, Doing("annotate", about, operations))


def _says(desk: Desk, slot_id: str, key: str, value: Any) -> bool:
    default = {"level": "normal", "reason": ""} if key == "priority" else None
    return (desk.state.slots[slot_id].values(key) or [default]) == [value]


async def set_presence(session: WriteSession, caller: Caller, name: str, wanted: NewPresence) -> ChangeResult:
    """Remove messages from the window, or bring them back; whole groups.

    Raises:
        InvalidInputError: one of them is a summary, which is expanded and not removed.
    """
    desk = await open_desk(session, caller, name, wanted)
    chosen = [desk.state.slots[slot_id] for slot_id in await desk.selected(wanted)]
    if any(slot.is_summary for slot in chosen):
        raise InvalidInputError("One of these messages is a summary.", "Expand it, or skip it.")
    kind = "restore" if wanted.present else "remove"
    operations = [
        {"op": kind, "slot": slot.slot_id} for slot in chosen if (slot.values("live") or [True]) != [wanted.present]
    ]
    return await conclude(session, caller, desk, wanted, Doing(kind, f"{kind.capitalize()} messages", operations))


async def move(session: WriteSession, caller: Caller, name: str, wanted: NewMove) -> ChangeResult:
    """Put messages behind another one, in their order; groups stay together, and results behind their calls."""
    desk = await open_desk(session, caller, name, wanted)
    chosen = await desk.selected(wanted)
    after = desk.groups[desk.find(wanted.after)][-1] if wanted.after else ""
    if after in chosen:
        raise InvalidInputError("A message cannot stand behind itself.", "Name another one.")
    operations = []
    for slot_id, behind in zip(chosen, [after, *chosen], strict=False):
        operations.append({"op": "move", "slot": slot_id, "after": behind})
    rest = [slot_id for slot_id in desk.state.order if slot_id not in {*chosen}]
    place = rest.index(after) + 1 if after else 0
    if [*rest[:place], *chosen, *rest[place:]] == list(desk.state.order):
        operations = []
    return await conclude(session, caller, desk, wanted, Doing("move", "Move messages", operations))


async def set_notes(session: WriteSession, caller: Caller, name: str, wanted: NewNotes) -> ChangeResult:
    """Say what holds for the whole context: its tools, what no summary may lose, types of parts."""
    desk = await open_desk(session, caller, name, wanted)
    blobs = [NewBlob.of(schema_message(tool)) for tool in wanted.tools or []]
    tools = None if wanted.tools is None else [item.blob.blob_id for item in blobs]
    given = {"keep": wanted.keep, "tools": tools, "types": wanted.types}
    values: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    values |= dict.fromkeys(wanted.clear)
    _check_types(values.get("types") or {})
    said = desk.state.slots.get(REPOSITORY)
    operations = [
        {"op": "annotate", "slot": REPOSITORY, "key": key, "value": value}
        for key, value in values.items()
        if ((said.values(key) if said else []) or [None]) != [value]
    ]
    about = f"Set {', '.join(values)}"
    return await conclude(session, caller, desk, wanted, Doing("notes", about, operations, blobs))


def _check_types(types: Mapping[str, Any]) -> None:
    for name, rule in types.items():
        known = isinstance(rule, dict) and rule.keys() <= {"render", "required"}
        if not known or rule.get("render", "json") not in {"text", "json", "hidden"} or not _names(rule):
            raise InvalidInputError(
                f"The type {name} is not described as one is.",
                'Use {"render": "text", "json" or "hidden", "required": ["field"]}.',
            )


def _names(rule: Mapping[str, Any]) -> bool:
    required: Iterable[Any] = rule.get("required", [])
    return isinstance(required, list) and all(isinstance(name, str) for name in required)
