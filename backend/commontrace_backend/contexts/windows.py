"""Windows: what of a history is given to a model, and why."""

import json
from collections.abc import Sequence
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
from commontrace_backend.contexts.contents import Content, contents, cost, total
from commontrace_backend.contexts.explaining import with_hidden
from commontrace_backend.contexts.places import Place, open_place, resolve
from commontrace_backend.contexts.states import state_at
from commontrace_backend.contexts.tiers import Tier, tiered
from commontrace_backend.contexts.view import View, state_id
from commontrace_backend.contexts.window import choose
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession
from commontrace_backend.tokens import default_counter

_BEGINNING: Final = 100


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
    view = View(await state_at(session, place.id, commit_id))
    notes = view.notes()
    tools = await schemas(session, place, notes.get("tools") or [])
    found = await contents(session, place.id, view.shown)
    selected = _select(found, look)
    types: PartTypes = notes.get("types") or {}
    explained = _explain(found, selected) if look.explain else []
    return Window(
        repository=name,
        ref=ref,
        commit_id=commit_id,
        state_id=state_id(view.shown),
        format=look.shape,
        strategy=look.strategy,
        budget=look.budget,
        reserve=look.reserve,
        tokens=total(selected.tokens),
        included=sum(tier != "out" for tier in selected.tiers),
        left_out=selected.tiers.count("out"),
        tools=tools,
        types=dict(types),
        explanation=await with_hidden(session, place, view, explained) if look.explain == "all" else explained,
        **shaped(selected.messages, look.shape, types),
    )


async def schemas(session: ReadSession, place: Place, blob_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The tools that a context has, as they came."""
    found = await store.find_blobs(session, place.id, blob_ids)
    return [json.loads(found[blob_id].encoded)["parts"][0]["schema"] for blob_id in blob_ids]


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a window is shown, and how each message of it is."""

    messages: list[Message]
    tiers: list[Tier]
    tokens: int
    reasons: dict[int, str]


def _select(found: Sequence[Content], look: Look) -> Selection:
    room = look.room
    if look.strategy == "adaptive" and room is not None:
        counter = default_counter()
        some = tiered(found, room, lambda message: cost(counter, message))
        return Selection(some.messages, some.tiers, some.tokens, some.reasons)
    needed = sum(content.tokens for content in found)
    if look.strategy == "full" and room is not None and needed > room:
        raise InvalidInputError(
            f"The whole window has {needed} tokens.", f"Give at least {needed + look.reserve}, or another strategy."
        )
    choice = choose(found, room)
    inside = [position in choice.included for position in range(len(found))]
    return Selection(
        [content.message for content, there in zip(found, inside, strict=True) if there],
        ["whole" if there else "out" for there in inside],
        sum(content.tokens for content, there in zip(found, inside, strict=True) if there),
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


def _explain(found: Sequence[Content], selected: Selection) -> list[Explained]:
    return [
        Explained(
            slot_id=content.slot.slot_id,
            commit_id=content.slot.commit_id,
            role=content.message["role"],
            priority=content.slot.priority,
            tokens=content.tokens,
            included=tier != "out",
            tier=tier,
            reason=selected.reasons.get(position, "fits"),
            begins=" ".join(text_of(content.message)[:400].split())[:_BEGINNING],
        )
        for position, (content, tier) in enumerate(zip(found, selected.tiers, strict=True))
    ]
