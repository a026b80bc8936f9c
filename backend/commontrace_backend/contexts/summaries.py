"""Summaries that stand for messages: made, refused where they lose what they must keep, taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.models.canonical import canonical
from commontrace.models.contexts import ChangeResult, CompressResult, NewCompress, NewExpand, NewMerge
from commontrace.objects import SLOT_DIGITS, identify
from commontrace.patterns import missing_keeps
from commontrace.providers.messages import Message, text_of
from commontrace.providers.rendering import is_system
from commontrace_backend.contexts.compression.candidates import FACTS, SECTIONS
from commontrace_backend.contexts.compression.extractive import summarize_extractive
from commontrace_backend.contexts.compression.loss import losses
from commontrace_backend.contexts.contents import Content, contents
from commontrace_backend.contexts.editing import Doing, conclude, open_desk
from commontrace_backend.contexts.places import Place
from commontrace_backend.contexts.recording import NewBlob
from commontrace_backend.contexts.state import REPOSITORY, Slot, State
from commontrace_backend.contexts.targets import Desk
from commontrace_backend.contexts.view import View
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.tokens import default_counter

_SHARE: Final = 5  # a summary has a fifth of what it covers, unless its size is given
_LEAST: Final = 60  # tokens


@dataclass(frozen=True, slots=True)
class Folded:
    """A summary that is to stand for messages.

    Attributes:
        slot_id: where it is to stand.
        blob: the message that it is.
        covered: what it stands for.
        text: its words.
    """

    slot_id: str
    blob: NewBlob
    covered: list[Content]
    text: str

    @property
    def operation(self) -> dict[str, Any]:
        """The operation that puts it in place."""
        covers = [content.slot.slot_id for content in self.covered]
        return {"op": "cover", "slot": self.slot_id, "blob": self.blob.blob.blob_id, "covers": covers}

    @property
    def covered_tokens(self) -> int:
        """What it stands for costs."""
        return sum(content.tokens for content in self.covered)


def count(text: str) -> int:
    """The tokens of a text."""
    return default_counter().count(text).tokens


def summarised(
    covered: Sequence[Content], target: int | None, keep: Sequence[str], sections: Sequence[str] = SECTIONS
) -> str:
    """What messages say themselves, in so many tokens, heading included; raises InvalidInputError for too few."""
    room = target or max(_LEAST, sum(content.tokens for content in covered) // _SHARE)
    messages = [content.message for content in covered]
    return summarize_extractive(messages, room - count(_heading(len(covered))), count, keep, sections)


def fold(head: str, covered: list[Content], text: str, keep: Sequence[str]) -> Folded:
    """Make a summary of messages; raises InvalidInputError if it lacks what it must keep."""
    messages = [content.message for content in covered]
    missing = missing_keeps(map(text_of, messages), text, keep)
    if missing:
        raise InvalidInputError(
            f"The summary lacks what it must keep: {', '.join(map(repr, missing[:5]))}.",
            "Say it in the summary word for word, or pin the messages that do.",
            {"missing": missing},
        )
    blob = NewBlob.of(_message(text, len(covered)))
    covers = [content.slot.slot_id for content in covered]
    slot_id = identify("slot", canonical([head, "cover", blob.blob.blob_id, covers]))[:SLOT_DIGITS]
    return Folded(slot_id, blob, covered, text)


def _message(text: str, messages: int) -> Message:
    return {"role": "user", "parts": [{"type": "text", "text": f"{_heading(messages)}{text}"}]}


def _heading(messages: int) -> str:
    return f"[Summary of {messages} earlier message{'' if messages == 1 else 's'}]\n"


async def compress(session: WriteSession, caller: Caller, name: str, wanted: NewCompress) -> CompressResult:
    """Let a summary stand for messages; pinned ones and what instructs the model stay as they are, where they are.

    Raises:
        InvalidInputError: the summary lacks what it must keep, or costs more than what it covers.
    """
    desk = await open_desk(session, caller, name, wanted)
    covered = await _foldable(desk, await _chosen(desk, wanted))
    if not covered or (all(content.slot.covers for content in covered) and len(covered) == 1):
        done = await conclude(session, caller, desk, wanted, Doing("compress", "", []))
        return CompressResult(**done.model_dump())
    keep = keeps(desk, covered, wanted.keep)
    text = wanted.text or summarised(covered, wanted.target_tokens, keep)
    folded = fold(desk.head, covered, text, keep)
    if folded.blob.tokens > folded.covered_tokens and not wanted.force:
        raise InvalidInputError(
            f"The summary has {folded.blob.tokens} tokens, what it covers has {folded.covered_tokens}.",
            "Give a shorter one, cover more, or force it.",
        )
    about = f"Summarise {len(covered)} messages"
    doing = Doing("compress", about, [folded.operation], [folded.blob])
    done = await conclude(session, caller, desk, wanted, doing)
    messages = [content.message for content in covered]
    return CompressResult(
        **done.model_dump(),
        summary_slot=folded.slot_id,
        covered=[content.slot.slot_id for content in covered],
        covered_tokens=folded.covered_tokens,
        summary_tokens=folded.blob.tokens,
        text=folded.text,
        loss=losses(messages, folded.text, keep),
        keep=keep,
        material=messages if wanted.material and wanted.dry_run else [],
    )


async def _chosen(desk: Desk, wanted: NewCompress) -> list[str]:
    if wanted.slots or wanted.select:
        return await desk.selected(wanted)
    shown = [slot.slot_id for slot in desk.view.shown]
    groups = list(dict.fromkeys(tuple(desk.groups[slot_id]) for slot_id in shown))
    return [slot_id for group in groups[: max(0, len(groups) - wanted.keep_newest)] for slot_id in group]


async def _foldable(desk: Desk, chosen: Sequence[str]) -> list[Content]:
    """Those that a summary can stand for: shown, not pinned, and none that instructs the model."""
    wanted = {*chosen}
    loose = [slot for slot in desk.view.shown if slot.slot_id in wanted and slot.priority != "pinned"]
    found = await contents(desk.session, desk.place.id, loose)
    return [content for content in found if not is_system(content.message)]


def keeps(desk: Desk, covered: Sequence[Content], given: Sequence[str]) -> list[str]:
    """Every must-keep pattern: of the whole context, of the messages, and of this summary."""
    slots = [desk.state.slots.get(REPOSITORY), *(desk.state.slots[content.slot.slot_id] for content in covered)]
    noted = [pattern for slot in slots if slot for pattern in _noted(slot)]
    return list(dict.fromkeys([*noted, *given]))


def _noted(slot: Slot) -> list[str]:
    value = slot.value("keep")
    return [pattern for pattern in value if isinstance(pattern, str)] if isinstance(value, list) else []


async def expand(session: WriteSession, caller: Caller, name: str, wanted: NewExpand) -> ChangeResult:
    """Let summaries give way to what they stand for, or to some of it.

    Raises:
        InvalidInputError: none of the messages is a summary.
    """
    desk = await open_desk(session, caller, name, wanted)
    summaries = [slot for slot_id in await desk.selected(wanted) if (slot := desk.state.slots[slot_id]).value("cover")]
    if not summaries:
        raise InvalidInputError("None of these messages is a summary.", "See the slots of the window.")
    only = {*desk.whole(map(desk.find, wanted.only))}
    operations: list[dict[str, Any]] = []
    for slot in summaries:
        left = [one for one in slot.value("cover") if only and one not in only]
        if left:
            operations.append({"op": "cover", "slot": slot.slot_id, "blob": slot.blob_id, "covers": left})
        else:
            operations.append({"op": "uncover", "slot": slot.slot_id})
    return await conclude(session, caller, desk, wanted, Doing("expand", "Expand a summary", operations))


async def fold_in(session: ReadSession, place: Place, merged: State, ours: State, wanted: NewMerge) -> Folded | None:
    """A summary in place of what only theirs brings, pinned messages and instructions aside; None if that is nothing.

    Of facts alone where that is the mode: what was decided, what is known, what went wrong and how it was mended.
    """
    shown = [slot for slot in View(merged).shown if slot.slot_id not in ours.slots]
    found = await contents(session, place.id, shown)
    covered = [one for one in found if one.slot.priority != "pinned" and not is_system(one.message)]
    if not covered:
        return None
    noted = ours.slots.get(REPOSITORY)
    keep = _noted(noted) if noted else []
    sections = FACTS if wanted.mode == "facts" else SECTIONS
    return fold(ours.tip, covered, wanted.text or summarised(covered, None, keep, sections), keep)
