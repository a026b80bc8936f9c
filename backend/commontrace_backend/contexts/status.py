"""Where writing goes on: what the window costs by kind, what is hidden or not settled, what is left of a budget."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from commontrace.models.contexts import ContextStatus
from commontrace.providers.messages import Message, text_of
from commontrace_backend.contexts import claims
from commontrace_backend.contexts.contents import Content, contents, tokens_of, total
from commontrace_backend.contexts.merge import describe
from commontrace_backend.contexts.places import open_place
from commontrace_backend.contexts.states import view_at
from commontrace_backend.contexts.view import View
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession
from commontrace_backend.tokens import default_counter

_CLASSES: Final = {"thinking": "reasoning", "redacted_thinking": "reasoning"}


async def status(session: ReadSession, caller: Caller, name: str, budget: int | None) -> ContextStatus:
    """Where writing goes on, and what the window there comes to."""
    place = await open_place(session, caller, name)
    view = await view_at(session, place.id, place.head)
    found = await contents(session, place.id, view.shown)
    tools = view.notes().get("tools") or []
    tool_tokens = await tokens_of(session, place.id, tools)
    tokens = sum(content.tokens for content in found)
    stands = await describe(session, place, view)
    return ContextStatus(
        repository=name,
        branch=place.branch,
        commit_id=place.head,
        messages=len(found),
        tokens=total(tokens),
        by_role=_by_role(found),
        by_type=_by_type(found),
        tools=len(tools),
        tool_tokens=tool_tokens,
        hidden=_hidden(view),
        conflicts=stands,
        stale=[conflict.slot_id for conflict in stands if conflict.kind == "stale"],
        claim=await claims.standing(session, place, caller, place.branch),
        budget=budget,
        left=None if budget is None else budget - tokens - tool_tokens,
    )


def _by_role(found: Iterable[Content]) -> dict[str, int]:
    tokens: Counter[str] = Counter()
    for content in found:
        tokens[content.message["role"]] += content.tokens
    return dict(tokens)


def _by_type(found: Iterable[Content]) -> dict[str, int]:
    """Tokens by what parts are; a summary is one of its own, and what frames a message goes to its last part."""
    tokens: Counter[str] = Counter()
    for content in found:
        kinds = [_CLASSES.get(part["type"], part["type"]) for part in content.message["parts"]]
        if content.slot.covers or len(set(kinds)) < 2:  # noqa: PLR2004 - of one kind altogether
            tokens["summary" if content.slot.covers else kinds[0] if kinds else "empty"] += content.tokens
            continue
        for kind, part in zip(kinds[:-1], content.message["parts"], strict=False):
            tokens[kind] += (own := _own(content.message, part))
            tokens[kinds[-1]] -= own
        tokens[kinds[-1]] += content.tokens
    return dict(tokens)


def _own(message: Message, part: dict[str, Any]) -> int:
    return default_counter().count(text_of({**message, "parts": [part]})).tokens


def _hidden(view: View) -> dict[str, int]:
    """How many messages of the history are not in the window, by why."""
    why: Counter[str] = Counter()
    for slot_id in view.state.order:
        reason = view.hidden(view.state.slots[slot_id])
        if reason:
            why[reason if reason in {"removed", "skipped", "expanded"} else "summarised"] += 1
    return dict(why)
