"""What changes between two states, and the operations that make the same change elsewhere. Pure.

Cherry-picking a commit is its patch on another state; reverting it is that patch the other way round; restoring a ref
is the patch from here to there.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from commontrace_backend.contexts.state import REPOSITORY, Slot, State, extended
from commontrace_backend.contexts.view import standing

_DEFAULTS: Final[dict[str, Any]] = {"live": True, "cover": None, "priority": {"level": "normal", "reason": ""}}
_GONE: Final[dict[str, Any]] = {"live": False, "cover": None}
_NOTHING: Final = Slot(REPOSITORY, "", "")


@dataclass(frozen=True, slots=True)
class Change:
    """A register of a slot that changes; `position` names the slot behind which it stands."""

    slot_id: str
    register: str
    before: Any
    after: Any


def face(slot: Slot | None) -> dict[str, Any]:
    """What a slot says, by register; one that is not there is not alive."""
    if slot is None:
        return {"live": False}
    found = {"content": slot.blob_id, "live": True}
    return found | {register: slot.value(register) for register in slot.registers if register != "position"}


def difference(before: State, after: State) -> list[Change]:
    """The changes that lead from one state to another: contents and the like first, then positions."""
    changes: list[Change] = []
    for slot_id in dict.fromkeys([*after.slots, *before.slots]):
        one, other = before.slots.get(slot_id), after.slots.get(slot_id)
        if one is not other:
            changes += _changed(slot_id, one, other)
    made = extended(before, operations(changes, before, after)).order
    known = {*made}
    return changes + _moved(
        [slot_id for slot_id in made if slot_id in after.slots],
        [slot_id for slot_id in after.order if slot_id in known],
    )


def _changed(slot_id: str, one: Slot | None, other: Slot | None) -> list[Change]:
    if one is not None and other is None and slot_id != REPOSITORY:
        return _leaving(one)
    if one is None and other is not None and slot_id != REPOSITORY:
        return arriving(other)
    old, new = (face(slot or _NOTHING) for slot in (one, other))
    return _between(slot_id, old, new)


def _leaving(slot: Slot) -> list[Change]:
    """What a slot that goes says last: it is no longer alive, or where it is a summary, expanded."""
    register = _presence(slot)
    said = _said(face(slot), register)
    return [Change(slot.slot_id, register, said, _GONE[register])] if said else []


def arriving(slot: Slot) -> list[Change]:
    """What a slot that comes says; nothing for one that is removed or expanded."""
    register = _presence(slot)
    new = face(slot)
    return _between(slot.slot_id, {"live": slot.is_summary}, new) if _said(new, register) else []


def _presence(slot: Slot) -> str:
    """The register that says whether there is anything to be seen."""
    return "cover" if slot.is_summary else "live"


def _between(slot_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    values = {register: (_said(old, register), _said(new, register)) for register in sorted(old.keys() | new.keys())}
    return [Change(slot_id, register, *said) for register, said in values.items() if said[0] != said[1]]


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


def fit(changes: Iterable[Change], here: State, after: State) -> tuple[list[Change], list[Refusal]]:
    """Which changes are still to be made on a state, and which contradict what it holds.

    A slot that is not there comes as a whole, as it is after the changes, where they bring it into sight; what else
    they say of it has nothing to hold on to.
    """
    wanted: list[Change] = []
    refused: list[Refusal] = []
    absent: dict[str, bool] = {}
    for change in changes:
        if change.register == "position":
            wanted.append(change)
        elif change.slot_id not in here.slots and change.slot_id != REPOSITORY:
            absent[change.slot_id] = absent.get(change.slot_id, False) or _appears(change)
        else:
            found = _said(face(here.slots.get(change.slot_id, _NOTHING)), change.register)
            if found == change.before:
                wanted.append(change)
            elif found != change.after:
                refused.append(Refusal(change, found))
    for slot_id, appears in absent.items():
        whole = arriving(after.slots[slot_id]) if slot_id in after.slots else []
        if appears:
            wanted += whole
        else:
            refused += [Refusal(change, None) for change in whole]
    return wanted, refused


def _appears(change: Change) -> bool:
    return bool(change.after) and change.register in _GONE and change.before == _GONE[change.register]


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
    turns = _inner_first(source)
    for change in sorted(changes, key=lambda change: _turn(change, turns)):
        made += _operation(change, here, source)
    return made + _known_to_summaries(changes, here, source) + _moves(changes, [*here.order, *missing])


def _known_to_summaries(changes: Sequence[Change], here: State, source: State) -> list[dict[str, Any]]:
    """Summaries of what is edited that know it in the source are covered with again, or they would be stale here."""
    edited = [change.slot_id for change in changes if change.register == "content"]
    about = dict.fromkeys(one for slot_id in edited for one in here.covering.get(slot_id, ()) if one in source.slots)
    said = {change.slot_id for change in changes if change.register == "cover"}
    return [
        {"op": "cover", "slot": one, "blob": slot.blob_id, "covers": list(slot.value("cover"))}
        for one, slot in ((one, source.slots[one]) for one in about if one not in said)
        if slot.value("cover") and not any(standing(source, slot, clash) for clash in slot.clashes)
    ]


def _turn(change: Change, turns: Mapping[str, int]) -> tuple[int, bool]:
    """When a change is made: messages first, then summaries, each behind those it stands for, for it knows them."""
    turn = turns.get(change.slot_id, -1)
    return turn, turn >= 0 and change.register != "cover"


def _inner_first(source: State) -> dict[str, int]:
    """The turn of each summary, behind those that it stands for."""
    turns: dict[str, int] = {}
    entered: set[str] = set()
    waiting = [slot_id for slot_id, slot in source.slots.items() if slot.is_summary][::-1]
    while waiting:
        slot_id = waiting.pop()
        if slot_id in entered:
            turns.setdefault(slot_id, len(turns))
            continue
        entered.add(slot_id)
        inner = source.slots[slot_id].value("cover") or ()
        waiting += [slot_id, *(one for one in inner if one not in entered and source.slots[one].is_summary)]
    return turns


def _operation(change: Change, here: State, source: State) -> list[dict[str, Any]]:
    slot_id, value = change.slot_id, change.after
    if change.register == "position":
        return []
    if change.register == "live":
        return [{"op": "restore" if value else "remove", "slot": slot_id}] if slot_id in here.slots or not value else []
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
