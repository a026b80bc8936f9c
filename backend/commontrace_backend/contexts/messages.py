"""Messages in the shapes that agents have them, to one canonical form. Pure.

Canonical: `{"role", "parts", …}`. A part is `{"type": "text", "text"}`, `{"type": "tool_call", "id", "name",
"arguments"}`, `{"type": "tool_result", "call_id", "content"}`, or whatever a provider sent, kept as it came. Fields that
we do not know are kept beside them.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from commontrace.errors import InvalidInputError

Message = dict[str, Any]
Part = dict[str, Any]

_OPENAI_FIELDS: Final = frozenset({"role", "content", "tool_calls", "tool_call_id"})


def parse_message(raw: Mapping[str, Any]) -> Message:
    """The canonical form of a message in the OpenAI, Anthropic or canonical shape; raises InvalidInputError."""
    role = raw.get("role")
    if not isinstance(role, str) or not role or len(role) > 50:  # noqa: PLR2004 - a role is a word
        raise InvalidInputError(
            "A message has no role.", 'Give each message a role, as in {"role": "user", "content": "…"}.'
        )
    if "parts" in raw and "content" not in raw:
        return _canonical(raw)
    extra = {name: value for name, value in raw.items() if name not in _OPENAI_FIELDS}
    if role == "tool":
        parts = [_tool_result(raw)]
    else:
        parts = [*_parts(raw.get("content")), *(_tool_call(call) for call in _listed(raw, "tool_calls"))]
    return {"role": role, "parts": parts, **extra}


def _canonical(raw: Mapping[str, Any]) -> Message:
    parts = _listed(raw, "parts")
    if not all(isinstance(part, dict) and isinstance(part.get("type"), str) for part in parts):
        raise InvalidInputError("A part of a message has no type.", 'Use parts such as {"type": "text", "text": "…"}.')
    return dict(raw)


def _listed(raw: Mapping[str, Any], name: str) -> list[Any]:
    value = raw.get(name) or []
    if not isinstance(value, list):
        raise InvalidInputError(f"{name} of a message is not a list.", "Send it as a list of objects.")
    return value


def _tool_result(raw: Mapping[str, Any]) -> Part:
    if not isinstance(raw.get("tool_call_id"), str):
        raise InvalidInputError(
            "A tool message does not say which call it answers.", "Give it the tool_call_id of the call."
        )
    return {"type": "tool_result", "call_id": raw["tool_call_id"], "content": raw.get("content")}


def _parts(content: Any) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise InvalidInputError(
            "The content of a message is neither a text nor a list.", "Send a text or a list of blocks."
        )
    return [_part(block) for block in content]


def _part(block: Any) -> Part:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        raise InvalidInputError(
            "A block of a message has no type.", 'Use blocks such as {"type": "text", "text": "…"}.'
        )
    if block["type"] == "tool_use":
        known = {"type": "tool_call", "id": block.get("id"), "name": block.get("name"), "arguments": block.get("input")}
        return _with_rest(_named(known), block, {"id", "name", "input"})
    if block["type"] == "tool_result" and "tool_use_id" in block:
        known = {"type": "tool_result", "call_id": block["tool_use_id"], "content": block.get("content")}
        return _with_rest(known, block, {"tool_use_id", "content"})
    return dict(block)


def _tool_call(call: Any) -> Part:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise InvalidInputError("A tool call has no function.", 'Send {"id", "type": "function", "function": {…}}.')
    known = {
        "type": "tool_call",
        "id": call.get("id"),
        "name": function.get("name"),
        "arguments": function.get("arguments"),
    }
    return _named(known)


def _named(call: Part) -> Part:
    if not isinstance(call["id"], str) or not isinstance(call["name"], str):
        raise InvalidInputError("A tool call has no id or no name.", "Send both as they came from the model.")
    return call


def _with_rest(known: Part, block: Mapping[str, Any], taken: set[str]) -> Part:
    return known | {name: value for name, value in block.items() if name not in taken | {"type"}}


def calls_of(message: Message) -> list[str]:
    """The ids of the tool calls in a message."""
    return [part["id"] for part in message["parts"] if part["type"] == "tool_call"]


def answers_of(message: Message) -> list[str]:
    """The ids of the tool calls that a message answers."""
    return [part["call_id"] for part in message["parts"] if part["type"] == "tool_result" and "call_id" in part]


def text_of(message: Message) -> str:
    """A message as words: what is counted, searched and shown."""
    return "\n".join(_text_of_part(part) for part in message["parts"])


def _text_of_part(part: Part) -> str:
    if part["type"] == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    if part["type"] == "tool_call":
        return f"[call {part['name']} {as_text(part['arguments'])}]"
    if part["type"] == "tool_result":
        return f"[result {as_text(part.get('content'))}]"
    return as_text(part)


def as_text(value: Any) -> str:
    """A JSON value as a text: itself if it is one."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
