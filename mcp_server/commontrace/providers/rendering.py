"""What every rendering of canonical messages relies on: pairs of calls and results, distinct ids. Pure.

A result whose call is not in the window is left out, a call without a result gets a marker result, and neither changes
the history: validity is a matter of rendering.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from commontrace.providers.messages import Message, Part, answers_of, calls_of

OPEN_CALL: Final = "(no result was recorded)"
LEFT_OUT: Final = "(earlier messages were left out)"
SYSTEM: Final = frozenset({"system", "developer"})

Answers = dict[tuple[int, int], Part]
"""The result of each call that has one, by the position of its message and its number in there."""


def is_system(message: Message) -> bool:
    """Whether a message instructs the model."""
    return message["role"] in SYSTEM


def groups(messages: Sequence[Message]) -> list[list[int]]:
    """Positions that stay together: a message with tool calls and every message that answers them."""
    group_of: dict[str, list[int]] = {}
    found: list[list[int]] = []
    for position, message in enumerate(messages):
        owner = next((group_of[call] for call in answers_of(message) if call in group_of), None)
        if owner is None:
            owner = []
            found.append(owner)
        owner.append(position)
        group_of.update(dict.fromkeys(calls_of(message), owner))
    return found


def model_calls(message: Message) -> list[Part]:
    """Only the model calls tools."""
    return [part for part in message["parts"] if part["type"] == "tool_call"] if message["role"] == "assistant" else []


def answers_to_calls(messages: Sequence[Message]) -> Answers:
    """The first result behind each call; models use ids again, and then the latest call with that id is meant."""
    latest: dict[str, tuple[int, int]] = {}
    found: Answers = {}
    for position, message in enumerate(messages):
        latest.update({part["id"]: (position, number) for number, part in enumerate(model_calls(message))})
        for part in message["parts"]:
            if part["type"] == "tool_result" and part["call_id"] in latest:
                found.setdefault(latest[part["call_id"]], part)
    return found


def distinct(ids: Iterable[str], taken: Counter[str]) -> list[str]:
    """The same ids, with a number behind each that was there before; `taken` is kept up to date."""
    found = []
    for wanted in ids:
        name = wanted
        while taken[name]:
            taken[wanted] += 1
            name = f"{wanted}_{taken[wanted]}"
        taken[name] += 1
        found.append(name)
    return found


def text_block(text: str) -> Part:
    """A part with a text."""
    return {"type": "text", "text": text}


def blocks_of(content: Any, types: set[str]) -> list[Part] | None:
    """The blocks of a result if all of them are of these types; None for any other content."""
    if not isinstance(content, list) or not all(
        isinstance(block, dict) and block.get("type") in types for block in content
    ):
        return None
    complete = all(isinstance(block.get("text"), str) for block in content if block["type"] == "text")
    return content if complete else None
