"""Commits to the slots that they mean, and what stands in the registers of each. Pure.

The truth is the union of all operations that lead to a commit. A register holds every write that no later write has
seen: one where the history is a line, several where two branches wrote at once, which is a conflict kept as a value.
So what a register holds follows from the graph alone (a multi-value register: Shapiro et al., "A comprehensive study of
Convergent and Commutative Replicated Data Types", 2011, §3.2.2), and merging is commutative, associative and idempotent
in slots, registers and conflicts. Only the order of display follows the order of parents: the window of the first
parent, then what the others add, then what a commit appends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.objects import Commit, check_operation
from commontrace_backend.contexts.graph import Ancestry, parents_first

REPOSITORY: Final = ""
"""The slot of what is said about the whole context: tools, must-keep patterns, types of parts."""

_STRIDE: Final = 1000
# Two branches that write these two registers of one slot at once contradict each other.
_CLASHING: Final = {"content": ("priority", "live"), "priority": ("content",), "live": ("content",)}


@dataclass(frozen=True, slots=True)
class Write:
    """A value that a commit wrote to a register."""

    value: Any
    commit_id: str


@dataclass(frozen=True, slots=True)
class Clash:
    """Two writes that cannot both be meant, as long as both stand.

    Attributes:
        kind: `contradiction` of two registers of a slot, or `stale`: a summary that does not know a later content.
        register: the register of this slot, and the commit that wrote it.
        other: the slot, register and commit of the other write.
        other_first: whether the other write comes first in the order of display.
    """

    kind: str
    register: tuple[str, str]
    other: tuple[str, str, str]
    other_first: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the window.

    Attributes:
        slot_id: its identity: the operation that introduced it.
        blob_id: the message that it was introduced with.
        commit_id: the commit that introduced it.
        registers: what was written since, by register: `content` (a blob id), `priority`, `live`, `position` (the
            slot it was moved behind), `cover` (the slots that this summary stands for, or None), and the keys of
            annotations.
        clashes: contradictions that writes of these registers are in.
    """

    slot_id: str
    blob_id: str
    commit_id: str
    registers: Mapping[str, tuple[Write, ...]] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()

    @property
    def is_summary(self) -> bool:
        """Whether it was introduced to stand for others."""
        return "cover" in self.registers

    def values(self, register: str) -> list[Any]:
        """The different values that stand in a register, ours first; none where nothing was written."""
        found: list[Any] = []
        for write in self.registers.get(register, ()):
            if write.value not in found:
                found.append(write.value)
        return found

    def value(self, register: str, default: Any = None) -> Any:
        """The value that a register shows: ours, where several stand."""
        writes = self.registers.get(register)
        return writes[0].value if writes else default

    def wrote(self, register: str, commit_id: str) -> bool:
        """Whether a commit's write still stands in a register."""
        return any(write.commit_id == commit_id for write in self.registers.get(register, ()))


@dataclass(frozen=True, slots=True)
class State:
    """What a commit means.

    Attributes:
        tip: the commit; empty for that of no commit.
        slots: every slot that was ever introduced, the repository's own among them.
        order: the slots of the window as they are displayed, hidden ones too.
        covering: the summaries that ever covered a slot.
    """

    tip: str = ""
    slots: Mapping[str, Slot] = field(default_factory=dict)
    order: Sequence[str] = ()
    covering: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def replay(tip: str, commits: Mapping[str, Commit], base: State | None = None) -> State:
    """The state at a commit.

    Args:
        tip: the commit.
        commits: by id, what leads to it; with `base`, what does not lead to that already.
        base: the state at a commit that leads to `tip` by first parents.

    Raises:
        InvalidInputError: an operation on a slot that no operation before it introduced.
        IncompleteHistory: what was written at once cannot be told without the commits that led to `base`.
    """
    started = base or State()
    order = parents_first([tip], lambda commit_id: [one for one in commits[commit_id].parents if one in commits])
    work = _Replay(started, Ancestry({one: commits[one].parents for one in order}, started.tip))
    for commit_id in order:
        for operation in commits[commit_id].operations:
            work.perform(commit_id, operation)
    return State(tip, work.slots, work.order, work.covering)


def extended(state: State, operations: Iterable[Mapping[str, Any]], commit_id: str = "") -> State:
    """A state after further operations, as a commit on top of it would make them; raises InvalidInputError."""
    work = _Replay(state, Ancestry({commit_id: [state.tip]}, state.tip))
    for operation in operations:
        work.perform(commit_id, operation)
    return State(commit_id, work.slots, work.order, work.covering)


class _Replay:
    """A state that is being made."""

    def __init__(self, base: State, ancestry: Ancestry) -> None:
        self.slots = dict(base.slots)
        self.order = list(base.order)
        self.covering = dict(base.covering)
        self._ancestry = ancestry

    def perform(self, commit_id: str, operation: Mapping[str, Any]) -> None:
        kind = operation.get("op")
        if kind == "append":
            self._append(commit_id, operation)
            return
        check_operation(operation)
        if kind == "move":
            self._move(commit_id, operation)
        elif kind == "cover":
            self._cover(commit_id, operation)
        else:
            self._write(commit_id, operation["slot"], *_written(operation))

    def _append(self, commit_id: str, operation: Mapping[str, Any]) -> None:
        # The same operation can come along two ways: it is shown where it comes first.
        if operation["slot"] not in self.slots:
            self.slots[operation["slot"]] = Slot(operation["slot"], operation["blob"], commit_id)
            self.order.append(operation["slot"])

    def _slot(self, slot_id: str, commit_id: str) -> Slot:
        if slot_id == REPOSITORY:
            return self.slots.setdefault(REPOSITORY, Slot(REPOSITORY, "", commit_id))
        try:
            return self.slots[slot_id]
        except KeyError:
            raise InvalidInputError(
                f"An operation names the slot {slot_id[:12]}, which is not in the history before it.",
                "Bring the commit that introduced it first.",
            ) from None

    def _write(self, commit_id: str, slot_id: str, register: str, value: Any) -> None:
        slot = self._slot(slot_id, commit_id)
        standing = self._concurrent(slot.registers.get(register, ()), commit_id)
        registers = {**slot.registers, register: (*standing, Write(value, commit_id))}
        self.slots[slot_id] = _marked(replace(slot, registers=registers), self._contradicted(slot, register, commit_id))
        if register == "content":
            self._outdate(slot_id, commit_id)

    def _concurrent(self, writes: Sequence[Write], commit_id: str) -> list[Write]:
        return [write for write in writes if not self._ancestry.leads(write.commit_id, commit_id)]

    def _contradicted(self, slot: Slot, register: str, commit_id: str) -> list[Clash]:
        return [
            Clash("contradiction", (register, commit_id), (slot.slot_id, other, write.commit_id))
            for other in _CLASHING.get(register, ())
            for write in self._concurrent(slot.registers.get(other, ()), commit_id)
        ] + (self._unsettled(slot, commit_id) if register == "content" else [])

    def _unsettled(self, slot: Slot, commit_id: str) -> list[Clash]:
        """What stays contradicted after another edit: only whoever shows or hides the slot settles that."""
        found = []
        for clash in slot.clashes:
            ends = sorted((clash.register, clash.other[1:]), key=lambda end: end[0] != "content")
            seen = clash.kind == "contradiction" and all(self._ancestry.leads(end[1], commit_id) for end in ends)
            if seen and slot.wrote(*ends[1]):
                found.append(Clash("contradiction", ("content", commit_id), (slot.slot_id, *ends[1])))
        return found

    def _outdate(self, slot_id: str, commit_id: str) -> None:
        """Mark the summaries of a slot whose content they do not know."""
        for summary_id in self.covering.get(slot_id, ()):
            summary = self.slots[summary_id]
            marks = [
                Clash("stale", ("cover", write.commit_id), (slot_id, "content", commit_id), other_first=False)
                for write in summary.registers["cover"]
                if write.value and slot_id in write.value
            ]
            self.slots[summary_id] = _marked(summary, marks)

    def _move(self, commit_id: str, operation: Mapping[str, Any]) -> None:
        slot_id, after = operation["slot"], operation["after"]
        if after != REPOSITORY:
            self._slot(after, commit_id)
        self._write(commit_id, slot_id, "position", after)
        if len(self.slots[slot_id].registers["position"]) == 1:  # else ours was moved first and stays
            self.order.remove(slot_id)
            self.order.insert(self.order.index(after) + 1 if after != REPOSITORY else 0, slot_id)

    def _cover(self, commit_id: str, operation: Mapping[str, Any]) -> None:
        slot_id, covers = operation["slot"], operation["covers"]
        covered = [self._slot(one, commit_id) for one in covers]
        if slot_id not in self.slots:
            self.slots[slot_id] = Slot(slot_id, operation["blob"], commit_id)
            self.order.insert(_first(self.order, {*covers}), slot_id)
        elif self._stands_for(covers, slot_id, commit_id):
            raise InvalidInputError(f"The summary {slot_id[:12]} would stand for itself.", "Cover what it is made of.")
        for one in covers:
            if slot_id not in self.covering.get(one, ()):
                self.covering[one] = (*self.covering.get(one, ()), slot_id)
        self._write(commit_id, slot_id, "cover", list(covers))
        unknown = [
            Clash("stale", ("cover", commit_id), (slot.slot_id, "content", write.commit_id))
            for slot in covered
            for write in self._concurrent(slot.registers.get("content", ()), commit_id)
        ]
        slot = self.slots[slot_id]
        earlier = tuple(clash for clash in slot.clashes if clash.register != ("cover", commit_id))
        self.slots[slot_id] = _marked(replace(slot, clashes=earlier), unknown)

    def _stands_for(self, slot_ids: Iterable[str], sought: str, commit_id: str) -> bool:
        """Whether one of the slots is a summary that stands for another one, however deep, as far as a commit knows.

        What two branches write at once can make summaries stand for each other: they cross, and it is for a later
        commit to settle.
        """
        found, waiting = {*slot_ids}, [*slot_ids]
        while waiting:
            writes = self.slots[waiting.pop()].registers.get("cover", ())
            seen = [write.value or () for write in writes if self._ancestry.leads(write.commit_id, commit_id)]
            inner = {one for value in seen for one in value} - found
            found |= inner
            waiting += inner
        return sought in found


def _first(order: Sequence[str], wanted: set[str]) -> int:
    """Where the first of some slots stands; a thousand are passed at once, for there may be many of both."""
    starts = range(0, len(order), _STRIDE)
    start = next(start for start in starts if not wanted.isdisjoint(order[start : start + _STRIDE]))
    return next(at for at, slot_id in enumerate(order[start:], start) if slot_id in wanted)


def _marked(slot: Slot, clashes: Sequence[Clash]) -> Slot:
    return replace(slot, clashes=tuple(dict.fromkeys([*slot.clashes, *clashes]))) if clashes else slot


def _written(operation: Mapping[str, Any]) -> tuple[str, Any]:
    """The register that an operation writes, and the value."""
    if operation["op"] == "annotate":
        return operation["key"], operation["value"]
    by_kind: dict[str, tuple[str, Any]] = {
        "edit": ("content", operation.get("blob")),
        "remove": ("live", False),
        "restore": ("live", True),
        "uncover": ("cover", None),
    }
    return by_kind[operation["op"]]
