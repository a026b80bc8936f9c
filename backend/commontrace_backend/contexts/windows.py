"""Windows: what of a history is given to a model, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import Explain, Explained, Window, WindowFormat, WindowStrategy
from commontrace.providers.anthropic import to_anthropic
from commontrace.providers.gemini import to_gemini
from commontrace.providers.messages import Message, text_of
from commontrace.providers.openai_chat import to_openai
from commontrace.providers.parts import PartTypes
from commontrace.providers.responses import to_responses
from commontrace.providers.text import to_markdown, to_text
from commontrace_backend.contexts import store
from commontrace_backend.contexts.contents import contents, cost, messages_of, total
from commontrace_backend.contexts.explaining import with_hidden
from commontrace_backend.contexts.layouts import Layout, Read, layout_at
from commontrace_backend.contexts.places import Place, open_place, resolve
from commontrace_backend.contexts.tiers import Tier, tiered
from commontrace_backend.contexts.view import View
from commontrace_backend.contexts.window import choose
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession
from commontrace_backend.tokens import default_counter

_BEGINNING: Final = 100
_TOO_OLD: Final = "older than what fits the budget"


@dataclass(frozen=True, slots=True)
class Look:
    """How a window is wanted.

    Attributes:
        budget: the most tokens that it may have, the reserve included.
        reserve: tokens of those that are left for the answer.
        strategy: what becomes of that which does not fit.
        shape: whose messages they are to be.
        explain: whether to say of each message why it is in or out; `all` also of those that are hidden.
    """

    budget: int | None
    reserve: int
    strategy: WindowStrategy
    shape: WindowFormat
    explain: Explain

    @property
    def room(self) -> int | None:
        """The most tokens that the messages may have; raises InvalidInputError where the reserve leaves none."""
        if self.budget is None:
            return None
        if self.reserve >= self.budget:
            raise InvalidInputError(
                f"A reserve of {self.reserve} leaves nothing of {self.budget} tokens.", "Give a larger budget."
            )
        return self.budget - self.reserve


async def window(session: ReadSession, caller: Caller, name: str, ref: str, look: Look) -> Window:
    """The messages at a ref that fit a budget, in the shape that a provider takes.

    Raises:
        InvalidInputError: what must be in does not fit; the hint says what would do.
    """
    place = await open_place(session, caller, name)
    commit_id = await resolve(session, place, ref)
    read: Read = {}
    layout = await layout_at(session, place.id, commit_id, read)
    notes = layout.view.notes()
    tools = await schemas(session, place, notes.get("tools") or [])
    selected = await _select(session, place, layout, look, read)
    types: PartTypes = notes.get("types") or {}
    explained = await _explain(session, place, layout.view, selected) if look.explain else []
    return Window(
        repository=name,
        ref=ref,
        commit_id=commit_id,
        state_id=layout.state_id,
        format=look.shape,
        strategy=look.strategy,
        budget=look.budget,
        reserve=look.reserve,
        tokens=total(selected.tokens),
        included=len(selected.tiers),
        left_out=len(layout.view.shown) - len(selected.tiers),
        tools=tools,
        types=dict(types),
        explanation=await with_hidden(session, place, layout.view, explained) if look.explain == "all" else explained,
        **shaped(selected.messages, look.shape, types),
    )


async def schemas(session: ReadSession, place: Place, blob_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The tools that a context has, as they came."""
    found = await store.find_blobs(session, place.id, blob_ids)
    return [json.loads(found[blob_id].encoded)["parts"][0]["schema"] for blob_id in blob_ids]


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a window is shown, and how: the resolution of each message that is in, and why, by its place."""

    messages: list[Message]
    tiers: Mapping[int, Tier]
    tokens: int
    reasons: Mapping[int, str]


async def _select(session: ReadSession, place: Place, layout: Layout, look: Look, read: Read) -> Selection:
    shown, room = layout.view.shown, look.room
    if look.strategy == "adaptive" and room is not None:
        counter = default_counter()
        some = tiered(await contents(session, place.id, shown), room, lambda message: cost(counter, message))
        tiers = {at: tier for at, tier in enumerate(some.tiers) if tier != "out"}
        return Selection(some.messages, tiers, some.tokens, some.reasons)
    if look.strategy == "full" and room is not None and layout.total > room:
        raise InvalidInputError(
            f"The whole window has {layout.total} tokens.",
            f"Give at least {layout.total + look.reserve}, or another strategy.",
        )
    choice = choose(layout.sized, room)
    blob_ids = [shown[at].blob_id for at in choice.included]
    read |= await messages_of(session, place.id, [blob_id for blob_id in blob_ids if blob_id not in read])
    return Selection(
        [read[blob_id] for blob_id in blob_ids],
        dict.fromkeys(choice.included, "whole"),
        layout.sized.cost(choice.included),
        choice.reasons,
    )


def shaped(messages: list[Message], shape: WindowFormat, types: PartTypes) -> dict[str, Any]:
    """The fields of a window in a format."""
    if shape in {"text", "markdown"}:
        return {"text": (to_text if shape == "text" else to_markdown)(messages, types)}
    if shape == "anthropic":
        system, turns = to_anthropic(messages, types)
        return {"system": system, "messages": turns}
    if shape == "gemini":
        request = to_gemini(messages, types)
        instruction = request.get("systemInstruction", {"parts": []})["parts"]
        return {"system": "\n\n".join(part["text"] for part in instruction), "messages": request["contents"]}
    if shape == "messages":
        return {"messages": messages}
    return {"messages": (to_openai if shape == "openai" else to_responses)(messages, types)}


async def _explain(session: ReadSession, place: Place, view: View, selected: Selection) -> list[Explained]:
    found = await contents(session, place.id, view.shown)
    return [
        Explained(
            slot_id=content.slot.slot_id,
            commit_id=content.slot.commit_id,
            role=content.message["role"],
            priority=content.slot.priority,
            tokens=content.tokens,
            included=position in selected.tiers,
            tier=selected.tiers.get(position, "out"),
            reason=selected.reasons.get(position, "fits" if position in selected.tiers else _TOO_OLD),
            begins=" ".join(text_of(content.message)[:400].split())[:_BEGINNING],
        )
        for position, content in enumerate(found)
    ]
