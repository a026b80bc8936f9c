"""Windows: what of a history is given to a model, and why."""

from dataclasses import dataclass
from typing import Any

from commontrace.models.contexts import Explained, Window, WindowFormat
from commontrace.providers.anthropic import to_anthropic
from commontrace.providers.messages import Message
from commontrace.providers.openai_chat import to_openai
from commontrace.providers.text import to_text
from commontrace_backend.contexts.contents import Content, contents, total
from commontrace_backend.contexts.places import open_place, resolve
from commontrace_backend.contexts.states import state_at
from commontrace_backend.contexts.view import View, state_id
from commontrace_backend.contexts.window import Choice, choose
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession


@dataclass(frozen=True, slots=True)
class Look:
    """How a window is wanted: the most tokens it may have, its shape, and whether to say why."""

    max_tokens: int | None
    shape: WindowFormat
    explain: bool


async def window(session: ReadSession, caller: Caller, name: str, ref: str, look: Look) -> Window:
    """The messages at a ref that fit a budget, in the shape that a provider takes."""
    place = await open_place(session, caller, name)
    commit_id = await resolve(session, place, ref)
    shown = View(await state_at(session, place.id, commit_id)).shown
    found = await contents(session, place.id, shown)
    choice = choose(found, look.max_tokens)
    kept = [content.message for position, content in enumerate(found) if position in choice.included]
    return Window(
        repository=name,
        ref=ref,
        commit_id=commit_id,
        state_id=state_id(shown),
        format=look.shape,
        tokens=total(sum(found[position].tokens for position in choice.included)),
        included=len(choice.included),
        left_out=len(found) - len(choice.included),
        explanation=_explain(found, choice) if look.explain else [],
        **_shaped(kept, look.shape),
    )


def _shaped(messages: list[Message], shape: WindowFormat) -> dict[str, Any]:
    if shape == "text":
        return {"text": to_text(messages)}
    if shape == "openai":
        return {"messages": to_openai(messages)}
    if shape == "anthropic":
        system, turns = to_anthropic(messages)
        return {"system": system, "messages": turns}
    return {"messages": messages}


def _explain(found: list[Content], choice: Choice) -> list[Explained]:
    return [
        Explained(
            slot_id=content.slot.slot_id,
            commit_id=content.slot.commit_id,
            role=content.message["role"],
            priority=content.slot.priority,
            tokens=content.tokens,
            included=position in choice.included,
            reason=choice.reasons.get(position, "fits"),
        )
        for position, content in enumerate(found)
    ]
