"""Canonical messages to the shapes of providers, valid for them whatever the history holds. Pure.

A result whose call is not in the window is left out, a call without a result gets a marker result, and neither changes
the history: validity is a matter of rendering.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from commontrace.providers.messages import Message, Part, answers_of, as_text, calls_of, text_of

OPEN_CALL: Final = "(no result was recorded)"
_LEFT_OUT: Final = "(earlier messages were left out)"
_SYSTEM: Final = frozenset({"system", "developer"})
_OPENAI_PARTS: Final = frozenset({"text", "image_url", "input_audio", "file"})
_NO_CONTENT: Final = frozenset({"tool_call", "tool_result", "thinking", "redacted_thinking"})
_ANTHROPIC_MEDIA: Final = frozenset({"image", "document"})
_NO_ANTHROPIC_ID: Final = re.compile(r"[^a-zA-Z0-9_-]")

Answers = dict[tuple[int, int], Part]
"""The result of each call that has one, by the position of its message and its number in there."""


def is_system(message: Message) -> bool:
    """Whether a message instructs the model."""
    return message["role"] in _SYSTEM


def to_text(messages: Iterable[Message]) -> str:
    """One block a message, its role in front."""
    return "\n\n".join(f"{message['role']}: {text_of(message)}" for message in messages)


def to_openai(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """OpenAI chat messages: every call is followed by its results, no result stands alone."""
    rendered: list[dict[str, Any]] = []
    answers = _answers(messages)
    for position, message in enumerate(messages):
        content = _openai_content(message)
        calls = _calls(message)
        if calls:
            ids = _distinct([part["id"] for part in calls], Counter())
            tool_calls = [_openai_call(part, called) for part, called in zip(calls, ids, strict=True)]
            rendered.append({"role": "assistant", "content": content or None, "tool_calls": tool_calls})
            for number, called in enumerate(ids):
                said = _openai_result(answers.get((position, number)))
                rendered.append({"role": "tool", "tool_call_id": called, "content": said})
        elif content:
            role = message["role"] if message["role"] in {"user", "assistant", *_SYSTEM} else "user"
            rendered.append({"role": role, "content": content})
    return rendered


def _calls(message: Message) -> list[Part]:
    """Only the model calls tools."""
    return [part for part in message["parts"] if part["type"] == "tool_call"] if message["role"] == "assistant" else []


def _answers(messages: Sequence[Message]) -> Answers:
    """The first result behind each call; models use ids again, and then the latest call with that id is meant."""
    latest: dict[str, tuple[int, int]] = {}
    found: Answers = {}
    for position, message in enumerate(messages):
        latest.update({part["id"]: (position, number) for number, part in enumerate(_calls(message))})
        for part in message["parts"]:
            if part["type"] == "tool_result" and part["call_id"] in latest:
                found.setdefault(latest[part["call_id"]], part)
    return found


def _distinct(ids: Iterable[str], taken: Counter[str]) -> list[str]:
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


def _openai_content(message: Message) -> str | list[Part]:
    parts = [part for part in message["parts"] if part["type"] not in _NO_CONTENT]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    said = [part if part["type"] in _OPENAI_PARTS else _text_block(as_text(part)) for part in parts]
    return [part for part in said if part["type"] != "text" or part["text"]]


def _text_block(text: str) -> Part:
    return {"type": "text", "text": text}


def _openai_call(part: Part, called: str) -> dict[str, Any]:
    arguments = part.get("arguments")
    function = {"name": part["name"], "arguments": "{}" if arguments is None else as_text(arguments)}
    return {"id": called, "type": "function", "function": function}


def _openai_result(part: Part | None) -> str:
    if part is None:
        return OPEN_CALL
    content = part.get("content")
    blocks = _blocks(content, {"text"})
    return as_text(content or "") if blocks is None else "\n".join(block["text"] for block in blocks)


def to_anthropic(messages: Sequence[Message]) -> tuple[str, list[dict[str, Any]]]:
    """The system prompt, and messages that begin with the user and alternate; results follow their calls at once."""
    system = "\n\n".join(text_of(message) for message in messages if is_system(message))
    answers = _answers(messages)
    taken: Counter[str] = Counter()
    turns: list[dict[str, Any]] = []
    for position, message in enumerate(messages):
        if is_system(message):
            continue
        ids = _distinct([_NO_ANTHROPIC_ID.sub("_", part["id"]) or "_" for part in _calls(message)], taken)
        role = "assistant" if message["role"] == "assistant" else "user"
        _add_turn(turns, role, _anthropic_blocks(message, role, ids))
        results = [_anthropic_result(called, answers.get((position, number))) for number, called in enumerate(ids)]
        _add_turn(turns, "user", results)
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [_text_block(_LEFT_OUT)]})
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
            blocks += [_text_block(said)] if said.strip() else []
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
    blocks = _blocks(content, {"text", "image"})
    said = (
        as_text(content or "")
        if blocks is None
        else [block for block in blocks if block["type"] != "text" or block["text"].strip()]
    )
    block = {"type": "tool_result", "tool_use_id": call, "content": said}
    return block | ({"is_error": True} if part.get("is_error") else {})


def _blocks(content: Any, types: set[str]) -> list[Part] | None:
    """The blocks of a result if all of them are of these types; None for any other content."""
    if not isinstance(content, list) or not all(
        isinstance(block, dict) and block.get("type") in types for block in content
    ):
        return None
    complete = all(isinstance(block.get("text"), str) for block in content if block["type"] == "text")
    return content if complete else None


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
