"""Canonical messages to the Anthropic shape. Pure."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from commontrace.providers.messages import Message, Part, as_text, text_of
from commontrace.providers.rendering import (
    LEFT_OUT,
    OPEN_CALL,
    answers_to_calls,
    blocks_of,
    distinct,
    is_system,
    model_calls,
    text_block,
)

_ANTHROPIC_MEDIA: Final = frozenset({"image", "document"})
_NO_ANTHROPIC_ID: Final = re.compile(r"[^a-zA-Z0-9_-]")


def to_anthropic(messages: Sequence[Message]) -> tuple[str, list[dict[str, Any]]]:
    """The system prompt, and messages that begin with the user and alternate; results follow their calls at once."""
    system = "\n\n".join(text_of(message) for message in messages if is_system(message))
    answers = answers_to_calls(messages)
    taken: Counter[str] = Counter()
    turns: list[dict[str, Any]] = []
    for position, message in enumerate(messages):
        if is_system(message):
            continue
        ids = distinct([_NO_ANTHROPIC_ID.sub("_", part["id"]) or "_" for part in model_calls(message)], taken)
        role = "assistant" if message["role"] == "assistant" else "user"
        _add_turn(turns, role, _anthropic_blocks(message, role, ids))
        results = [_anthropic_result(called, answers.get((position, number))) for number, called in enumerate(ids)]
        _add_turn(turns, "user", results)
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [text_block(LEFT_OUT)]})
    return system, turns


def _add_turn(turns: list[dict[str, Any]], role: str, blocks: list[Part]) -> None:
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": blocks})


def _anthropic_blocks(message: Message, role: str, ids: Sequence[str]) -> list[Part]:
    left = iter(ids)
    blocks = []
    for part in message["parts"]:
        if part["type"] == "tool_call" and role == "assistant":
            blocks.append({"type": "tool_use", "id": next(left), "name": part["name"], "input": _arguments(part)})
        elif _is_own(part, role):
            blocks.append(part)
        elif part["type"] not in {"tool_result", "thinking", "redacted_thinking"}:
            said = part["text"] if part["type"] == "text" else as_text(part)
            blocks += [text_block(said)] if said.strip() else []
    return blocks


def _is_own(part: Part, role: str) -> bool:
    """Whether this provider takes a part as it is: media from the user, its own signed thinking from the model."""
    if role == "user":
        return part["type"] in _ANTHROPIC_MEDIA
    return (part["type"] == "thinking" and bool(part.get("signature"))) or part["type"] == "redacted_thinking"


def _arguments(part: Part) -> dict[str, Any]:
    value = part.get("arguments")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = {"arguments": value}
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"arguments": value}


def _anthropic_result(call: str, part: Part | None) -> Part:
    if part is None:
        return {"type": "tool_result", "tool_use_id": call, "content": OPEN_CALL}
    content = part.get("content")
    blocks = blocks_of(content, {"text", "image"})
    said = (
        as_text(content or "")
        if blocks is None
        else [block for block in blocks if block["type"] != "text" or block["text"].strip()]
    )
    block = {"type": "tool_result", "tool_use_id": call, "content": said}
    return block | ({"is_error": True} if part.get("is_error") else {})
