"""Commits to the sequence of slots that they mean. Pure.

The truth is the union of all operations: slots hang below the slot that they follow, as in a replicated growable
array, and are shown depth first. Slots below one anchor come in the order that an `order` operation of a merge chose,
the rest by id, so every history that holds the same operations shows the same sequence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from commontrace.errors import InvalidInputError
from commontrace_backend.contexts.objects import canonical, check_operation, identify


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the window: its own identity, the blob it holds, the commit that introduced it."""

    slot_id: str
    blob_id: str
    commit_id: str


@dataclass(slots=True)
class State:
    """The slots of a history and what decides their order."""

    slots: dict[str, Slot] = field(default_factory=dict)
    children: dict[str | None, list[str]] = field(default_factory=dict)
    chosen: dict[str | None, list[str]] = field(default_factory=dict)

    def apply(self, commit_id: str, operations: Iterable[dict[str, Any]]) -> None:
        """Add the operations of one commit; raises InvalidInputError for a kind that nothing writes yet."""
        for operation in operations:
            check_operation(operation)
            if operation["op"] == "append":
                self._append(commit_id, operation)
            elif operation["op"] == "order":
                self.chosen[operation["anchor"]] = list(operation["children"])
            else:
                raise InvalidInputError(
                    f"This window holds the operation {operation['op']}, which this version cannot show.",
                    "Upgrade CommonTrace.",
                )

    def _append(self, commit_id: str, operation: dict[str, Any]) -> None:
        slot_id = operation["slot"]
        if slot_id not in self.slots:  # the same operation can come along two ways
            self.slots[slot_id] = Slot(slot_id, operation["blob"], commit_id)
            self.children.setdefault(operation["after"], []).append(slot_id)

    def below(self, anchor: str | None) -> list[str]:
        """The slots that follow an anchor directly, in the order in which they are shown."""
        known = self.children.get(anchor, [])
        first = [slot for slot in self.chosen.get(anchor, []) if slot in known]
        return [*first, *sorted(set(known) - set(first))]

    def sequence(self) -> list[Slot]:
        """All slots in display order."""
        shown, waiting = [], [*reversed(self.below(None))]
        while waiting:
            slot_id = waiting.pop()
            shown.append(self.slots[slot_id])
            waiting.extend(reversed(self.below(slot_id)))
        return shown


def state_id(sequence: Iterable[Slot]) -> str:
    """What a window shows, in one id: two ways to the same messages have the same."""
    return identify("state", canonical([slot.blob_id for slot in sequence]))
