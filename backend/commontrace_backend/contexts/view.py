"""What a state shows: which slots, with what content and priority. Pure.

Nothing that two branches disagree on is hidden: where one side skipped or removed what the other one edited, it is
shown until somebody resolves it. Of several values ours is shown; of several priorities the highest.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import combinations
from typing import Any, Final, NamedTuple

from commontrace.models.contexts import Priority
from commontrace.objects import PRIORITIES, canonical_id
from commontrace_backend.contexts.state import REPOSITORY, Clash, Slot, State

_RANK: Final = {level: rank for rank, level in enumerate(PRIORITIES)}


class Shown(NamedTuple):
    """A slot of the window.

    Attributes:
        slot_id: its identity.
        blob_id: what stands in it.
        commit_id: the commit that introduced it.
        priority: skip, normal, important or pinned.
        covers: the slots that it stands for, where it is a summary.
    """

    slot_id: str
    blob_id: str
    commit_id: str
    priority: Priority = "normal"
    covers: tuple[str, ...] = ()


def priority_of(slot: Slot) -> Priority:
    """The highest priority that stands."""
    levels: list[Priority] = [value["level"] for value in slot.values("priority")]
    return max(levels, key=_RANK.__getitem__, default="normal")


def standing(state: State, slot: Slot, clash: Clash) -> bool:
    """Whether both writes of a contradiction still stand, and contradict each other by their values."""
    register, commit_id = clash.register
    other_slot, other_register, other_commit = clash.other
    other = state.slots[other_slot]
    if not slot.wrote(register, commit_id) or not other.wrote(other_register, other_commit):
        return False
    if clash.kind == "stale":
        covers = [write.value or () for write in slot.registers[register] if write.commit_id == commit_id]
        return any(other_slot in covered for covered in covers)
    hiding, writer = (slot, clash.register) if register != "content" else (other, (other_register, other_commit))
    return any(_hides(writer[0], write.value) for write in hiding.registers[writer[0]] if write.commit_id == writer[1])


def _hides(register: str, value: Any) -> bool:
    return value is False if register == "live" else value["level"] == "skip"


class Lens:
    """Which summaries stand for which slots.

    Args:
        state: the slots.
        values: what of the covers of a summary counts.
    """

    def __init__(self, state: State, values: Callable[[Slot], Iterable[str]]) -> None:
        self._state = state
        summaries = dict.fromkeys(one for many in state.covering.values() for one in many)
        self._covers = {one: frozenset(values(state.slots[one])) for one in summaries}

    def over(self, slot_id: str) -> list[str]:
        """The summaries that stand for a slot directly."""
        return [one for one in self._state.covering.get(slot_id, ()) if slot_id in self._covers[one]]

    @cached_property
    def contested(self) -> dict[str, frozenset[str]]:
        """In order, the summaries that share slots with others, with all that each stands for.

        Where two share a slot, there is one that two of them stand for directly, or they stand for each other; so no
        more has to be looked at than what leads there, however many summaries there are.
        """
        waiting = self._in_circles()
        waiting += [
            one for slot_id, many in self._state.covering.items() if len(many) > 1 for one in self._shared(slot_id)
        ]
        above = set(waiting)
        while waiting:
            new = [one for one in self.over(waiting.pop()) if one not in above]
            above.update(new)
            waiting += new
        return {one: self._reach(one) for one in self._state.order if one in above} if above else {}

    def _shared(self, slot_id: str) -> list[str]:
        over = self.over(slot_id)
        return over if len(over) > 1 else []

    def _in_circles(self) -> list[str]:
        """Summaries that branches let stand for each other, and what stands for those."""
        inner = {one: [slot for slot in covers if slot in self._covers] for one, covers in self._covers.items()}
        left = {one: summaries for one, summaries in inner.items() if summaries}
        before = -1
        while left and len(left) != before:
            before = len(left)
            for one in [*left]:  # older ones first, so that one round is enough where there is no circle
                if not any(summary in left for summary in left[one]):
                    del left[one]
        return [*left]

    def _reach(self, summary_id: str) -> frozenset[str]:
        found, waiting = set[str](), [summary_id]
        while waiting:
            new = self._covers.get(waiting.pop(), frozenset()) - found
            found |= new
            waiting += new
        return frozenset(found)

    @cached_property
    def crossing(self) -> list[tuple[str, str]]:
        """Summaries that share slots while neither stands for the other, or each does: the first of a pair is shown."""
        return [
            (one, other)
            for (one, mine), (other, yours) in combinations(self.contested.items(), 2)
            if (one in yours) == (other in mine) and not (mine < yours or yours < mine or mine.isdisjoint(yours))
        ]


class View:
    """What of a state is to be seen."""

    def __init__(self, state: State) -> None:
        self.state = state

    @cached_property
    def shown(self) -> list[Shown]:
        """The slots of the window in order."""
        return [
            self.show(self.state.slots[slot_id]) for slot_id in self.state.order if not self._default_hidden(slot_id)
        ]

    def _default_hidden(self, slot_id: str) -> bool:
        slot = self.state.slots[slot_id]
        if not slot.registers and slot_id not in self.state.covering:
            return False
        return self.hidden(slot) is not None

    def show(self, slot: Slot) -> Shown:
        """A slot as it is shown, or would be."""
        if not slot.registers:
            return Shown(slot.slot_id, slot.blob_id, slot.commit_id)
        covers = tuple(slot.value("cover") or ())
        return Shown(slot.slot_id, slot.value("content", slot.blob_id), slot.commit_id, priority_of(slot), covers)

    def hidden(self, slot: Slot) -> str | None:
        """Why a slot is not shown: removed, skipped, expanded, or the id of the summary for it; else None."""
        if slot.is_summary and not slot.value("cover"):
            return "expanded"
        if not self._contradicted(slot):
            if not any(slot.values("live") or [True]):
                return "removed"
            if priority_of(slot) == "skip":
                return "skipped"
        if priority_of(slot) == "pinned":
            return None
        if slot.slot_id in self.inactive:
            return self.inactive[slot.slot_id]
        return self._summary_for(slot.slot_id)

    def _summary_for(self, slot_id: str) -> str | None:
        over = self._lens.over(slot_id)
        found = next((one for one in over if one not in self.inactive), None)
        if found or not over:
            return found
        # What gave way may itself lie in one that did not.
        contested = self._lens.contested.items()
        return next(
            (one for one, reach in contested if slot_id in reach and one not in {slot_id, *self.inactive}), None
        )

    def _contradicted(self, slot: Slot) -> bool:
        return any(clash.kind == "contradiction" and standing(self.state, slot, clash) for clash in slot.clashes)

    @cached_property
    def inactive(self) -> dict[str, str]:
        """Summaries that give way to another one: by crossing it, or by standing for a part of the same."""
        found: dict[str, str] = {}
        for one, other in self._lens.crossing:
            if one not in found:
                found[other] = one
        contested = self._lens.contested
        for inner, mine in contested.items():
            for outer, yours in contested.items():
                if outer not in found and mine < yours and inner not in yours and outer not in mine:
                    found[inner] = outer
        return found

    @cached_property
    def _lens(self) -> Lens:
        return Lens(self.state, lambda slot: slot.value("cover") or ())

    def notes(self) -> Mapping[str, Any]:
        """What is said about the whole context."""
        slot = self.state.slots.get(REPOSITORY)
        return {register: writes[0].value for register, writes in slot.registers.items()} if slot else {}


def state_id(shown: Iterable[Shown]) -> str:
    """What a window shows, in one id: two ways to the same messages of the same priorities have the same."""
    return canonical_id(
        "state", [slot.blob_id if slot.priority == "normal" else [slot.blob_id, slot.priority] for slot in shown]
    )
