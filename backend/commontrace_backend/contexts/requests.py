"""What a whole request comes to for a model, and how much of it a provider still has in its cache. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from commontrace.models.contexts import CacheEffect, TokenCount, Window
from commontrace.providers.messages import Message
from commontrace_backend.tokens import Calibration, counter_for, message_tokens, provider_of, sum_of, tools_tokens

Atom = tuple[int, str]
"""A part of a rendered message that a cache holds or does not: the message's number, and its JSON."""


def request_tokens(
    model: str, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], types: Mapping[str, Mapping[str, Any]]
) -> TokenCount:
    """What a request costs as it is counted here, before anything that was learned from reports."""
    counter, provider = counter_for(model), provider_of(model)
    said = [message_tokens(counter, message, provider, types) for message in messages]
    return sum_of([*said, tools_tokens(counter, tools, provider)], counter)


def learned(pairs: Iterable[tuple[int, int]]) -> Calibration:
    """The correction that estimated and reported tokens of one model teach, oldest first."""
    found = Calibration()
    for estimated, reported in pairs:
        found = found.learned(estimated, reported)
    return found


def reported(tokens: int, model: str) -> TokenCount:
    """A number of a provider's."""
    return TokenCount(tokens=tokens, method="reported", encoding=model, low=tokens, high=tokens)


def cache_effect(call_id: int, before: Window, now: Window, tokens: int) -> CacheEffect:
    """How long the beginning of a request is what was sent before: tools, then the system prompt, then messages.

    Args:
        call_id: the call before.
        before: what it sent.
        now: what is to be sent, in the same format.
        tokens: what that comes to; it is shared out by length.
    """
    old, new = _atoms(before), _atoms(now)
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    whole = sum(len(text) for _, text in new) or 1
    stable = round(tokens * sum(len(text) for _, text in new[:same]) / whole)
    broken = new[same][0] if same < len(new) else len(now.messages or [])
    return CacheEffect(
        call_id=call_id,
        stable_messages=max(0, broken),
        stable_tokens=stable,
        rebilled_tokens=tokens - stable,
    )


def _atoms(window: Window) -> list[Atom]:
    """What a cache compares, in the order in which providers read it; blocks of one message are apart."""
    found = [(-1, _json(item)) for item in (*window.tools, window.system, window.text) if item]
    for number, message in enumerate(window.messages or []):
        blocks = next((message[name] for name in ("content", "parts") if isinstance(message.get(name), list)), None)
        rest = {name: value for name, value in message.items() if blocks is None or value is not blocks}
        found.append((number, _json(rest)))
        found += [(number, _json(block)) for block in blocks or ()]
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
