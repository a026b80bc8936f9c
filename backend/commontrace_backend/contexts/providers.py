"""Canonical messages to the shapes of providers, valid for them whatever the history holds. Pure.

A result whose call is not in the window is left out, a call without a result gets a marker result, and neither changes
the history: validity is a matter of rendering.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from commontrace_backend.contexts.messages import Message, Part, answers_of, as_text, calls_of, text_of

OPEN_CALL: Final = "(no result was recorded)"
_LEFT_OUT: Final = "(earlier messages were left out)"
_SYSTEM: Final = frozenset({"system", "developer"})
_ANTHROPIC_OWN: Final = frozenset({"image", "document", "thinking", "redacted_thinking"})


def is_system(message: Message) -> bool:
    """Whether a message instructs the model."""
    return message["role"] in _SYSTEM


def to_text(messages: Iterable[Message]) -> str:
    """One block a message, its role in front."""
    return "\n\n".join(f"{message['role']}: {text_of(message)}" for message in messages)


def to_openai(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """OpenAI chat messages: every call is followed by its results, no result stands alone."""
    rendered: list[dict[str, Any]] = []
    results = _results(messages)
    for message in messages:
        content = _openai_content(message)
        calls = [part for part in message["parts"] if part["type"] == "tool_call"]
        if message["role"] == "assistant" and calls:
            tool_calls = [_openai_call(part) for part in calls]
            rendered.append({"role": "assistant", "content": content or None, "tool_calls": tool_calls})
            for part in calls:
                found = results.get(part["id"])
                said = as_text(found.get("content") or "") if found else OPEN_CALL
                rendered.append({"role": "tool", "tool_call_id": part["id"], "content": said})
        elif content:
            role = message["role"] if message["role"] in {"user", "assistant", *_SYSTEM} else "user"
            rendered.append({"role": role, "content": content})
    return rendered


def _results(messages: Sequence[Message]) -> dict[str, Part]:
    """The first result of each call that stands before it in the window."""
    called: set[str] = set()
    found: dict[str, Part] = {}
    for message in messages:
        called.update(calls_of(message))
        for part in message["parts"]:
            if part["type"] == "tool_result" and part.get("call_id") in called:
                found.setdefault(part["call_id"], part)
    return found


def _openai_content(message: Message) -> str | list[Part]:
    parts = [
        part
        for part in message["parts"]
        if part["type"] not in {"tool_call", "tool_result", "thinking", "redacted_thinking"}
    ]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(as_text(part.get("text", "")) for part in parts)
    return [
        part if part["type"] in {"text", "image_url", "input_audio", "file"} else _as_text_part(part) for part in parts
    ]


def _as_text_part(part: Part) -> Part:
    return {"type": "text", "text": as_text(part)}


def _openai_call(part: Part) -> dict[str, Any]:
    function = {"name": part["name"], "arguments": as_text(part["arguments"])}
    return {"id": part["id"], "type": "function", "function": function}


def to_anthropic(messages: Sequence[Message]) -> tuple[str, list[dict[str, Any]]]:
    """The system prompt, and messages that begin with the user and alternate; results follow their calls at once."""
    system = "\n\n".join(text_of(message) for message in messages if is_system(message))
    results = _results(messages)
    turns: list[dict[str, Any]] = []
    for message in messages:
        if is_system(message):
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        _add_turn(turns, role, _anthropic_blocks(message, role))
        if role == "assistant" and calls_of(message):
            _add_turn(turns, "user", [_anthropic_result(call, results.get(call)) for call in calls_of(message)])
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"type": "text", "text": _LEFT_OUT}]})
    return system, turns


def _add_turn(turns: list[dict[str, Any]], role: str, blocks: list[Part]) -> None:
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": blocks})


def _anthropic_blocks(message: Message, role: str) -> list[Part]:
    blocks = []
    for part in message["parts"]:
        if part["type"] == "tool_call" and role == "assistant":
            blocks.append({"type": "tool_use", "id": part["id"], "name": part["name"], "input": _arguments(part)})
        elif part["type"] in _ANTHROPIC_OWN:
            blocks.append(part)
        elif part["type"] != "tool_result" and (said := _said(part)).strip():
            blocks.append({"type": "text", "text": said})
    return blocks


def _said(part: Part) -> str:
    return as_text(part.get("text", "")) if part["type"] == "text" else as_text(part)


def _arguments(part: Part) -> dict[str, Any]:
    value = part["arguments"]
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = {"arguments": value}
    return value if isinstance(value, dict) else {"arguments": value}


def _anthropic_result(call: str, part: Part | None) -> Part:
    if part is None:
        return {"type": "tool_result", "tool_use_id": call, "content": OPEN_CALL}
    content = part.get("content")
    block = {
        "type": "tool_result",
        "tool_use_id": call,
        "content": content if _is_blocks(content) else as_text(content or ""),
    }
    return block | ({"is_error": True} if part.get("is_error") else {})


def _is_blocks(content: Any) -> bool:
    return isinstance(content, list) and all(
        isinstance(block, dict) and block.get("type") in {"text", "image"} for block in content
    )


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
