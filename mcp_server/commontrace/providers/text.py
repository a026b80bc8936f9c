"""Canonical messages as plain text and as Markdown, for people and for models without a shape of their own. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from commontrace.providers.parts import Message, Part, PartTypes, as_text, is_hidden, result_text, text_of_part

_FENCES: Final = re.compile(r"`{3,}")


def to_text(messages: Iterable[Message], types: PartTypes | None = None) -> str:
    """One block a message, its role in front; what is hidden from models is left out."""
    return "\n\n".join(
        f"{message['role']}: {_words(message, types or {})}" for message in _shown(messages, types or {})
    )


def to_markdown(messages: Iterable[Message], types: PartTypes | None = None) -> str:
    """A heading a message; calls, results and data in fences, which no text inside can close."""
    return "\n\n".join(_section(message, types or {}) for message in _shown(messages, types or {}))


def _shown(messages: Iterable[Message], types: PartTypes) -> list[Message]:
    return [
        message
        for message in messages
        if not message["parts"] or any(not is_hidden(part, types) for part in message["parts"])
    ]


def _words(message: Message, types: PartTypes) -> str:
    return "\n".join(text_of_part(part, types) for part in message["parts"] if not is_hidden(part, types))


def _section(message: Message, types: PartTypes) -> str:
    said = [_markdown(part, types) for part in message["parts"] if not is_hidden(part, types)]
    return "\n\n".join([f"## {message['role'].title()}", *(block for block in said if block.strip())])


def _markdown(part: Part, types: PartTypes) -> str:
    if part["type"] == "tool_call":
        return f"Calls `{part['name']}`:\n\n{_fenced(as_text(part.get('arguments')), 'json')}"
    if part["type"] == "tool_result":
        return f"Result:\n\n{_fenced(result_text(part.get('content')))}"
    said = text_of_part(part, types)
    return _fenced(said, "json") if said and said == as_text(part) else said


def _fenced(text: str, language: str = "") -> str:
    longest = max((len(fence) for fence in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
