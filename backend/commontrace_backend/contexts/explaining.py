"""What a window does not show, beside what it shows, each with its reason."""

from collections.abc import Iterable

from commontrace.models.contexts import Explained
from commontrace.providers.messages import text_of
from commontrace_backend.contexts.contents import contents
from commontrace_backend.contexts.hidden import why_not
from commontrace_backend.contexts.places import Place
from commontrace_backend.contexts.view import View
from commontrace_backend.database.session import ReadSession

_BEGINNING = 100


async def with_hidden(
    session: ReadSession, place: Place, view: View, explained: Iterable[Explained]
) -> list[Explained]:
    """Every message of the history in its order: those of the window, and those that are hidden."""
    every = {item.slot_id: item for item in explained}
    slots = [view.state.slots[slot_id] for slot_id in view.state.order if slot_id not in every]
    reasons = {slot.slot_id: why_not(view, slot) for slot in slots}
    for content in await contents(session, place.id, [view.show(slot) for slot in slots]):
        every[content.slot.slot_id] = Explained(
            slot_id=content.slot.slot_id,
            commit_id=content.slot.commit_id,
            role=content.message["role"],
            priority=content.slot.priority,
            tokens=content.tokens,
            included=False,
            tier="out",
            reason=reasons[content.slot.slot_id],
            begins=" ".join(text_of(content.message)[: 4 * _BEGINNING].split())[:_BEGINNING],
        )
    return [every[slot_id] for slot_id in view.state.order]
