"""Commits to the sequence of slots that they mean. Pure.

The truth is the union of all operations that lead to a commit. In which order it is shown follows from the order of
parents: a commit shows the window of its first parent, then what its other parents add to it, then what it appends. So
no commit, and no merge, changes what the window before it began with.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from commontrace.errors import InvalidInputError
from commontrace.models.canonical import canonical
from commontrace.objects import Commit, check_operation, identify
from commontrace_backend.contexts.graph import parents_first


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the window: its own identity, the blob it holds, the commit that introduced it."""

    slot_id: str
    blob_id: str
    commit_id: str


def replay(tips: Sequence[str], commits: Mapping[str, Commit]) -> list[Slot]:
    """The slots that lead to the tips, in display order, as far as `commits` holds what introduced them.

    Raises:
        InvalidInputError: an operation of a kind that nothing writes yet.
    """

    def parents_of(commit_id: str) -> list[str]:
        return [parent for parent in commits[commit_id].parents if parent in commits]

    slots: dict[str, Slot] = {}
    for commit_id in parents_first(tips, parents_of):
        for operation in commits[commit_id].operations:
            check_operation(operation)
            if operation["op"] != "append":
                raise InvalidInputError(
                    f"This window holds the operation {operation['op']}, which this version cannot show.",
                    "Upgrade CommonTrace.",
                )
            # The same operation can come along two ways: it is shown where it comes first.
            slots.setdefault(operation["slot"], Slot(operation["slot"], operation["blob"], commit_id))
    return list(slots.values())


def state_id(sequence: Iterable[Slot]) -> str:
    """What a window shows, in one id: two ways to the same messages have the same."""
    return identify("state", canonical([slot.blob_id for slot in sequence]))
