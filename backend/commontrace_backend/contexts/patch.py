"""What changes between two states, and the operations that make the same change elsewhere. Pure.

Cherry-picking a commit is its patch on another state; reverting it is that patch the other way round; restoring a ref
is the patch from here to there.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from commontrace_backend.contexts.state import Slot, State, extended

_DEFAULTS: Final[dict[str, Any]] = {"live": True, "cover": None, "priority": {"level": "normal", "reason": ""}}


@dataclass(frozen=True, slots=True)
class Change:
    """A register of a slot that changes; `position` names the slot behind which it stands."""

    slot_id: str
    register: str
    before: Any
    after: Any


def face(slot: Slot | None, other: Slot | None = None) -> dict[str, Any]:
    """What a slot says, by register. One that is not there is not alive, or, where the other is a summary, expanded."""
    if slot is not None:
        found = {"content": slot.blob_id, "live": True}
        return found | {register: slot.value(register) for register in slot.registers if register != "position"}
    if other is not None and other.is_summary:
        return {"content": other.blob_id, "live": True, "cover": None}
    return {"live": False}


def difference(before: State, after: State) -> list[Change]:
    """The changes that lead from one state to another: contents and the like first, then positions."""
    changes = []
    for slot_id in dict.fromkeys([*after.slots, *before.slots]):
        one, other = before.slots.get(slot_id), after.slots.get(slot_id)
        if one is other:
            continue
        old, new = face(one, other), face(other, one)
        for register in sorted(old.keys() | new.keys()):
            values = [_said(said, register) for said in (old, new)]
            if values[0] != values[1] and (new["live"] or register == "live"):
                changes.append(Change(slot_id, register, *values))
    made = extended(before, operations(changes, before, after)).order
    return changes + _moved(
        [slot_id for slot_id in made if slot_id in after.slots],
        [slot_id for slot_id in after.order if slot_id in {*made}],
    )


def _said(said: Mapping[str, Any], register: str) -> Any:
    return said.get(register, _DEFAULTS.get(register))


def _moved(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """The fewest slots whose place differs, each with the slot it stands behind before and after."""
    stay = set(longest_rising(new, {slot_id: number for number, slot_id in enumerate(old)}))
    behind_before, behind_after = _behind(old), _behind(new)
    return [
        Change(slot_id, "position", behind_before[slot_id], behind_after[slot_id])
        for slot_id in new
        if slot_id not in stay
    ]


def _behind(order: Sequence[str]) -> dict[str, str]:
    return dict(zip(order, ["", *order], strict=False))


def longest_rising(sequence: Sequence[str], rank: Mapping[str, int]) -> list[str]:
    """A longest subsequence whose ranks rise (patience sorting)."""
    tops: list[int] = []
    ends: list[str] = []
    earlier: dict[str, str | None] = {}
    for item in sequence:
        pile = bisect_left(tops, rank[item])
        earlier[item] = ends[pile - 1] if pile else None
        tops[pile:] = [rank[item], *tops[pile + 1 :]]
        ends[pile:] = [item, *ends[pile + 1 :]]
    found, last = [], ends[-1] if ends else None
    while last is not None:
        found.append(last)
        last = earlier[last]
    return found[::-1]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that does not fit: the register holds something else by now."""

    change: Change
    found: Any


def fit(changes: Iterable[Change], here: State) -> tuple[list[Change], list[Refusal]]:
    """Which changes are still to be made on a state, and which contradict what it holds."""
    wanted, refused = [], []
    for change in changes:
        if change.register == "position":
            wanted.append(change)
            continue
        slot = here.slots.get(change.slot_id)
        found = _said(face(slot), change.register)
        if found == change.after:
            continue
        fresh = slot is None and change.register != "live"  # its first values come with it
        if found == change.before or fresh:
            wanted.append(change)
        else:
            refused.append(Refusal(change, found))
    return wanted, refused


def operations(changes: Sequence[Change], here: State, source: State) -> list[dict[str, Any]]:
    """The operations that make changes on a state.

    Args:
        changes: what is to change.
        here: the state to change.
        source: a state that knows the slots that `here` lacks.
    """
    named = {change.slot_id for change in changes if change.slot_id and change.register != "position"}
    covered = {one for change in changes if change.register == "cover" for one in change.after or ()} - named
    missing = (named | covered) - here.slots.keys()
    made: list[dict[str, Any]] = []
    for slot in (source.slots[one] for one in source.order if one in missing):
        if slot.slot_id in covered or not slot.is_summary:
            made.append({"op": "append", "slot": slot.slot_id, "blob": slot.blob_id})
        if slot.slot_id in covered:  # what a summary stands for is there, even where nobody would see it
            made.append({"op": "remove", "slot": slot.slot_id})
    for change in sorted(changes, key=lambda change: _turn(change, source)):
        made += _operation(change, here, source)
    return made + _moves(changes, [*here.order, *missing])


def _turn(change: Change, source: State) -> int:
    """When a change is made: messages first, then summaries, those of summaries later, then what is said of them."""
    slot = source.slots.get(change.slot_id)
    if slot is None or not slot.is_summary:
        return 0
    return 1 + _depth(change.after or (), source) if change.register == "cover" else len(source.slots) + 1


def _depth(covers: Iterable[str], source: State) -> int:
    inner = [source.slots[one] for one in covers if one in source.slots and source.slots[one].is_summary]
    return 1 + max((_depth(one.value("cover") or (), source) for one in inner), default=0)


def _operation(change: Change, here: State, source: State) -> list[dict[str, Any]]:
    slot_id, value = change.slot_id, change.after
    if change.register == "position":
        return []
    if change.register == "live":
        return [{"op": "restore" if value else "remove", "slot": slot_id}] if slot_id in here.slots else []
    if change.register == "content":
        fresh = slot_id not in here.slots and value == source.slots[slot_id].blob_id
        return [] if fresh else [{"op": "edit", "slot": slot_id, "blob": value}]
    if change.register == "cover":
        if value is None:
            return [{"op": "uncover", "slot": slot_id}]
        known = here.slots.get(slot_id) or source.slots[slot_id]
        return [{"op": "cover", "slot": slot_id, "blob": known.blob_id, "covers": list(value)}]
    return [{"op": "annotate", "slot": slot_id, "key": change.register, "value": value}]


def _moves(changes: Iterable[Change], known: Sequence[str]) -> list[dict[str, Any]]:
    there = {*known}
    return [
        {"op": "move", "slot": change.slot_id, "after": change.after}
        for change in changes
        if change.register == "position" and change.slot_id in there and change.after in {*there, ""}
    ]
