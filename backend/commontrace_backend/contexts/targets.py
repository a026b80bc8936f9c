"""Which slots a change is about: named by their first digits or found by a query, and always whole groups."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from commontrace.errors import AmbiguousRefError, InvalidInputError, NotFoundError
from commontrace.models.contexts import Selected
from commontrace.providers.rendering import linked
from commontrace_backend.contexts.compression.items import Item
from commontrace_backend.contexts.compression.selection import parse_query, select
from commontrace_backend.contexts.contents import Content, contents
from commontrace_backend.contexts.layouts import layout_at, measured
from commontrace_backend.contexts.places import Place
from commontrace_backend.contexts.state import State
from commontrace_backend.contexts.view import View
from commontrace_backend.database.session import ReadSession


@dataclass(frozen=True)
class Desk:
    """A state laid out to be worked on.

    Attributes:
        session: the database session that it is read in.
        place: the repository.
        head: the commit.
        view: what of its state is to be seen.
        groups: for each slot, hidden ones too, the slots of its group in order.
    """

    session: ReadSession
    place: Place
    head: str
    view: View
    groups: Mapping[str, Sequence[str]]

    @property
    def state(self) -> State:
        """What the commit means."""
        return self.view.state

    async def contents(self, slot_ids: Iterable[str]) -> list[Content]:
        """The messages in some slots, hidden ones too."""
        wanted = [self.view.show(self.state.slots[slot_id]) for slot_id in slot_ids]
        return await contents(self.session, self.place.id, wanted)

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

    async def selected(self, wanted: Selected) -> list[str]:
        """The slots that a change is about; raises InvalidInputError where it names none, or a query is no query."""
        if bool(wanted.slots) == bool(wanted.select):
            raise InvalidInputError("It is not said which messages.", "Give slots, or select, and not both.")
        if wanted.slots:
            return self.whole(map(self.find, wanted.slots))
        query = parse_query(wanted.select)
        return self.whole(item.slot_id for item in select(query, await items_of(self)))


async def items_of(desk: Desk) -> list[Item]:
    """The window as what compresses it looks at it."""
    found = await contents(desk.session, desk.place.id, desk.view.shown)
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
    view = (await layout_at(session, place.id, head)).view
    ids = view.state.order
    blob_ids = [view.show(view.state.slots[slot_id]).blob_id for slot_id in ids]
    known = await measured(session, place.id, blob_ids)
    found = linked((known[blob_id].calls, known[blob_id].answers) for blob_id in blob_ids)
    groups = {ids[at]: group for places in found for group in [[ids[at] for at in places]] for at in places}
    return Desk(session, place, head, view, groups)
