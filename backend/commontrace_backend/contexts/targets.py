"""Which slots a change is about: named by their first digits or found by a query, and always whole groups."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from commontrace.errors import AmbiguousRefError, InvalidInputError, NotFoundError
from commontrace.models.contexts import Selected
from commontrace.providers.rendering import groups
from commontrace_backend.contexts.compression.items import Item
from commontrace_backend.contexts.compression.selection import parse_query, select
from commontrace_backend.contexts.contents import Content, contents
from commontrace_backend.contexts.places import Place
from commontrace_backend.contexts.state import State
from commontrace_backend.contexts.states import state_at
from commontrace_backend.contexts.view import View
from commontrace_backend.database.session import ReadSession


@dataclass(frozen=True)
class Desk:
    """A state laid out to be worked on.

    Attributes:
        place: the repository.
        head: the commit.
        state: what it means.
        every: all its messages in order, hidden ones too.
    """

    place: Place
    head: str
    state: State
    every: list[Content]

    @cached_property
    def view(self) -> View:
        """What of it is to be seen."""
        return View(self.state)

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """For each slot, the slots of its group in order."""
        ids = [content.slot.slot_id for content in self.every]
        found = [[ids[position] for position in group] for group in groups([one.message for one in self.every])]
        return {slot_id: group for group in found for slot_id in group}

    def content(self, slot_id: str) -> Content:
        """The message in a slot."""
        return next(content for content in self.every if content.slot.slot_id == slot_id)

    def find(self, prefix: str) -> str:
        """A slot by its first digits; raises NotFoundError or AmbiguousRefError."""
        found = [slot_id for slot_id in self.state.order if slot_id.startswith(prefix)]
        if not found:
            raise NotFoundError(f"There is no message {prefix} in this history.", "See the slots of the window.")
        if len(found) > 1 and prefix not in found:
            raise AmbiguousRefError(
                f"{prefix} is the beginning of several messages.", "Give more digits.", {"candidates": found[:6]}
            )
        return prefix if prefix in found else found[0]

    def whole(self, slot_ids: Iterable[str]) -> list[str]:
        """Slots and those of their groups, in the order of the window."""
        wanted = {member for slot_id in slot_ids for member in self.groups[slot_id]}
        return [slot_id for slot_id in self.state.order if slot_id in wanted]

    def selected(self, wanted: Selected) -> list[str]:
        """The slots that a change is about; raises InvalidInputError where it names none."""
        if bool(wanted.slots) == bool(wanted.select):
            raise InvalidInputError("It is not said which messages.", "Give slots, or select, and not both.")
        return self.whole(map(self.find, wanted.slots) if wanted.slots else self.matching(wanted.select))

    def matching(self, query: str) -> list[str]:
        """The slots of the window that a query finds; raises InvalidInputError for one that cannot be read."""
        return [item.slot_id for item in select(parse_query(query), items_of(self))]


def items_of(desk: Desk) -> list[Item]:
    """The window as what compresses it looks at it."""
    shown = {slot.slot_id for slot in desk.view.shown}
    found = [content for content in desk.every if content.slot.slot_id in shown]
    number = {slot_id: at for at, group in enumerate(map(tuple, desk.groups.values())) for slot_id in group}
    return [
        Item(
            position=position,
            slot_id=content.slot.slot_id,
            message=content.message,
            tokens=content.tokens,
            priority=content.slot.priority,
            age=len(found) - position - 1,
            group=number[content.slot.slot_id],
            summary=bool(content.slot.covers),
            commit_id=content.slot.commit_id,
        )
        for position, content in enumerate(found)
    ]


async def lay_out(session: ReadSession, place: Place, head: str) -> Desk:
    """The state at a commit, to be worked on."""
    state = await state_at(session, place.id, head)
    view = View(state)
    every = await contents(session, place.id, [view.show(state.slots[slot_id]) for slot_id in state.order])
    return Desk(place, head, state, every)
