"""A conflict and a decision to the operations that settle it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from commontrace.errors import InvalidInputError
from commontrace_backend.contexts.conflicts import Conflict, conflicts
from commontrace_backend.contexts.patch import face
from commontrace_backend.contexts.state import State, extended

Side = Literal["ours", "theirs", "base"]
Operation = dict[str, Any]
_NORMAL = {"level": "normal", "reason": ""}
_TURNS = {"uncover": 1, "cover": 2}


@dataclass(frozen=True, slots=True)
class Decision:
    """Which side is meant; or, for `use` None, a value of its own."""

    use: Side | None
    value: Any = None


def settle_all(decided: Iterable[tuple[Conflict, Decision]], base: State | None = None) -> list[Operation]:
    """The operations that leave nothing of several conflicts; raises as `settle` does.

    Covers come after contents, for a summary is stale where a content is written after it; and what one decision lets
    go is not covered again by another: it goes first, so that no summary stands for itself on the way.
    """
    made = [operation for conflict, decision in decided for operation in settle(conflict, decision, base)]
    gone = {operation["slot"] for operation in made if operation["op"] == "uncover"}
    kept = [operation for operation in made if operation["op"] != "cover" or operation["slot"] not in gone]
    return sorted(kept, key=lambda operation: _TURNS.get(operation["op"], 0))


def settle_further(state: State, operations: list[Operation], use: Side) -> list[Operation]:
    """Operations that settle conflicts, and those that settle what they bring about.

    Where a summary between two others gives way, these can cross that did not before: it is the same side that is meant
    there. Each round expands one more summary, so it ends.
    """
    if not any(operation["op"] in _TURNS for operation in operations):
        return operations
    known = {(one.slot_id, one.other) for one in conflicts(state)}
    while crossed := [
        one
        for one in conflicts(extended(state, operations))
        if one.kind == "crossing" and (one.slot_id, one.other) not in known
    ]:
        operations = [*operations, *settle_all([(one, Decision(use)) for one in crossed])]
    return operations


def settle(conflict: Conflict, decision: Decision, base: State | None = None) -> list[Operation]:
    """The operations that leave nothing of a conflict.

    Args:
        conflict: what is to be settled.
        decision: how.
        base: the state that both sides come from, for those who want its value.

    Raises:
        InvalidInputError: a value where only a side can be chosen, or the base where none is known.
    """
    if conflict.kind in {"contradiction", "stale", "crossing", "group"}:
        if decision.use is None:
            raise InvalidInputError(f"A {conflict.kind} has no value of its own.", "Choose ours, theirs or base.")
        return _between(conflict, decision.use)
    value = decision.value if decision.use is None else _value(conflict, decision.use, base)
    return [_write(conflict.slot_id, conflict.register, value, conflict.blob_id)]


def _value(conflict: Conflict, use: Side, base: State | None) -> Any:
    if use != "base":
        return conflict.values[0 if use == "ours" else -1][0]
    if base is None:
        raise InvalidInputError("What both sides come from is known only while merging.", "Choose ours or theirs.")
    said = face(base.slots.get(conflict.slot_id))
    defaults: Mapping[str, Any] = {"live": False, "priority": _NORMAL, "position": "", "content": conflict.blob_id}
    return said.get(conflict.register, defaults.get(conflict.register))


def _between(conflict: Conflict, use: Side) -> list[Operation]:
    """Settle what is said by two registers, two summaries or two results."""
    chosen = conflict.values[-1 if use == "theirs" else 0][0]
    if conflict.kind == "group":
        others = [value for value, _ in conflict.values if value != chosen]
        return [{"op": "remove", "slot": slot_id} for slot_id in others]
    if conflict.kind == "crossing":
        gone = conflict.slot_id if use == "theirs" else conflict.other
        return [{"op": "uncover", "slot": gone}]
    if conflict.kind == "stale":
        if "cover" in chosen and use != "base":
            return [_write(conflict.slot_id, "cover", chosen["cover"], conflict.blob_id)]
        return [{"op": "uncover", "slot": conflict.slot_id}]
    hides = conflict.register in chosen and use != "base"
    value = chosen[conflict.register] if hides else True if conflict.register == "live" else _NORMAL
    return [_write(conflict.slot_id, conflict.register, value, conflict.blob_id)]


def _write(slot_id: str, register: str, value: Any, blob_id: str) -> Operation:
    if register == "content":
        return {"op": "edit", "slot": slot_id, "blob": value}
    if register == "live":
        return {"op": "restore" if value else "remove", "slot": slot_id}
    if register == "position":
        return {"op": "move", "slot": slot_id, "after": value}
    if register == "cover":
        if value is None:
            return {"op": "uncover", "slot": slot_id}
        return {"op": "cover", "slot": slot_id, "blob": blob_id, "covers": list(value)}
    return {"op": "annotate", "slot": slot_id, "key": register, "value": value}
