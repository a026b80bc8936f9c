"""What two branches said at once and cannot both be meant. Pure: conflicts are values of a state, not accidents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from commontrace_backend.contexts.state import Clash, Slot, State
from commontrace_backend.contexts.view import Lens, Shown, standing


@dataclass(frozen=True, slots=True)
class Conflict:
    """A disagreement that stands.

    Attributes:
        kind: `content`, `priority`, `live`, `position`, `cover` or `note` for two values of one register;
            `contradiction` for an edit of what was skipped or removed; `stale` for a summary of what was edited;
            `crossing` for two summaries that share slots, or stand for each other; `group` for two results of one call.
        slot_id: where.
        register: which register of the slot.
        values: what stands, each with the commit that wrote it, ours first.
        blob_id: the message that the slot was introduced with.
        other: the other summary, where two cross.
    """

    kind: str
    slot_id: str
    register: str
    values: tuple[tuple[Any, str], ...]
    blob_id: str = ""
    other: str = ""


def conflicts(state: State) -> list[Conflict]:
    """Every conflict of a state, in the order of its window."""
    found = []
    for slot in state.slots.values():
        if slot.registers:
            found += _in_registers(slot)
            found += [_clashed(state, slot, clash) for clash in slot.clashes if standing(state, slot, clash)]
    if state.covering:
        # Whatever either side covers counts, so that settling what a summary covers cannot make it cross another.
        lens = Lens(state, lambda slot: [one for value in slot.values("cover") for one in value or ()])
        found += [_crossed(state, one, other) for one, other in lens.crossing]
    place = {slot_id: number for number, slot_id in enumerate(state.order)}
    return sorted(found, key=lambda conflict: (place.get(conflict.slot_id, -1), conflict.kind))


def answered_twice(found: Iterable[tuple[Shown, Sequence[str], Sequence[str]]]) -> list[Conflict]:
    """Calls that two messages of a window answer, each by its slot, with the ids of calls that it makes and answers.

    The first answer is shown. A call with an id that was used before is another call.
    """
    answers: dict[str, list[Shown]] = {}
    for slot, made, answered in found:
        answers.update({call: [] for call in made})
        for call in answered:
            answers.setdefault(call, []).append(slot)
    return [
        Conflict("group", slots[0].slot_id, "result", tuple((slot.slot_id, slot.commit_id) for slot in slots))
        for slots in answers.values()
        if len(slots) > 1
    ]


def _in_registers(slot: Slot) -> list[Conflict]:
    return [
        Conflict(
            register if register in {"content", "priority", "live", "position", "cover"} else "note",
            slot.slot_id,
            register,
            tuple((write.value, write.commit_id) for write in writes),
            slot.blob_id,
        )
        for register, writes in slot.registers.items()
        if len(writes) > 1 and any(write.value != writes[0].value for write in writes)
    ]


def _clashed(state: State, slot: Slot, clash: Clash) -> Conflict:
    values = []
    own = (slot.slot_id, *clash.register)
    for slot_id, register, commit_id in (clash.other, own) if clash.other_first else (own, clash.other):
        writes = state.slots[slot_id].registers[register]
        values += [({register: write.value}, commit_id) for write in writes if write.commit_id == commit_id]
    # A contradiction is named by the register that hides, whichever side wrote it.
    register = clash.other[1] if clash.kind == "contradiction" and clash.register[0] == "content" else clash.register[0]
    return Conflict(clash.kind, slot.slot_id, register, tuple(values), slot.blob_id)


def _crossed(state: State, one: str, other: str) -> Conflict:
    summaries = [state.slots[one], state.slots[other]]
    values = tuple((write.value, write.commit_id) for slot in summaries for write in slot.registers["cover"])
    return Conflict("crossing", one, "cover", values, summaries[0].blob_id, other)
