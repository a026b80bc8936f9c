"""What two branches said at once and cannot both be meant. Pure: conflicts are values of a state, not accidents."""

from dataclasses import dataclass
from typing import Any

from commontrace_backend.contexts.state import Clash, Slot, State
from commontrace_backend.contexts.view import View, standing


@dataclass(frozen=True, slots=True)
class Conflict:
    """A disagreement that stands.

    Attributes:
        kind: `content`, `priority`, `live`, `position`, `cover` or `note` for two values of one register;
            `contradiction` for an edit of what was skipped or removed; `stale` for a summary of what was edited;
            `crossing` for two summaries that share slots.
        slot_id: where.
        register: which register of the slot.
        values: what stands, each with the commit that wrote it, ours first.
    """

    kind: str
    slot_id: str
    register: str
    values: tuple[tuple[Any, str], ...]


def conflicts(state: State) -> list[Conflict]:
    """Every conflict of a state, in the order of its window."""
    found = []
    for slot in state.slots.values():
        if slot.registers:
            found += _in_registers(slot)
            found += [_clashed(state, slot, clash) for clash in slot.clashes if standing(state, slot, clash)]
    if state.covering:
        view = View(state)
        found += [_crossed(state, one, other) for one, other in view.crossing]
    place = {slot_id: number for number, slot_id in enumerate(state.order)}
    return sorted(found, key=lambda conflict: (place.get(conflict.slot_id, -1), conflict.kind))


def _in_registers(slot: Slot) -> list[Conflict]:
    return [
        Conflict(
            register if register in {"content", "priority", "live", "position", "cover"} else "note",
            slot.slot_id,
            register,
            tuple((write.value, write.commit_id) for write in writes),
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
    return Conflict(clash.kind, slot.slot_id, register, tuple(values))


def _crossed(state: State, one: str, other: str) -> Conflict:
    summaries = [state.slots[one], state.slots[other]]
    values = tuple((slot.value("cover"), slot.registers["cover"][0].commit_id) for slot in summaries)
    return Conflict("crossing", one, "cover", values)
