"""Canonical messages to OpenAI chat messages. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from commontrace.providers.messages import Message, Part, as_text
from commontrace.providers.rendering import (
    OPEN_CALL,
    SYSTEM,
    answers_to_calls,
    blocks_of,
    distinct,
    model_calls,
    text_block,
)

_OPENAI_PARTS: Final = frozenset({"text", "image_url", "input_audio", "file"})
_NO_CONTENT: Final = frozenset({"tool_call", "tool_result", "thinking", "redacted_thinking"})


def to_openai(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """OpenAI chat messages: every call is followed by its results, no result stands alone."""
    rendered: list[dict[str, Any]] = []
    answers = answers_to_calls(messages)
    for position, message in enumerate(messages):
        content = _openai_content(message)
        calls = model_calls(message)
        if calls:
            ids = distinct([part["id"] for part in calls], Counter())
            tool_calls = [_openai_call(part, called) for part, called in zip(calls, ids, strict=True)]
            rendered.append({"role": "assistant", "content": content or None, "tool_calls": tool_calls})
            for number, called in enumerate(ids):
                said = _openai_result(answers.get((position, number)))
                rendered.append({"role": "tool", "tool_call_id": called, "content": said})
        elif content:
            role = message["role"] if message["role"] in {"user", "assistant", *SYSTEM} else "user"
            rendered.append({"role": role, "content": content})
    return rendered


def _openai_content(message: Message) -> str | list[Part]:
    parts = [part for part in message["parts"] if part["type"] not in _NO_CONTENT]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    said = [part if part["type"] in _OPENAI_PARTS else text_block(as_text(part)) for part in parts]
    return [part for part in said if part["type"] != "text" or part["text"]]


def _openai_call(part: Part, called: str) -> dict[str, Any]:
    arguments = part.get("arguments")
    function = {"name": part["name"], "arguments": "{}" if arguments is None else as_text(arguments)}
    return {"id": called, "type": "function", "function": function}


def _openai_result(part: Part | None) -> str:
    if part is None:
        return OPEN_CALL
    content = part.get("content")
    blocks = blocks_of(content, {"text"})
    return as_text(content or "") if blocks is None else "\n".join(block["text"] for block in blocks)
