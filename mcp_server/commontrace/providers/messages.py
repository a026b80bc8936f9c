"""Messages in the shapes that agents have them, to one canonical form. Pure.

Canonical: `{"role", "parts", …}`. A part is `{"type": "text", "text"}`, `{"type": "tool_call", "id", "name",
"arguments"}`, `{"type": "tool_result", "call_id", "content"}`, or whatever a provider sent, kept as it came. Fields
that we do not know are kept beside them.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from commontrace.errors import InvalidInputError

Message = dict[str, Any]
Part = dict[str, Any]

_OPENAI_FIELDS: Final = frozenset({"role", "content", "tool_calls", "tool_call_id"})
_LONGEST_ROLE: Final = 50


def parse_message(raw: Mapping[str, Any]) -> Message:
    """The canonical form of a message in the OpenAI, Anthropic or canonical shape; raises InvalidInputError."""
    role = raw.get("role")
    if not isinstance(role, str) or not 0 < len(role) <= _LONGEST_ROLE:
        raise InvalidInputError(
            "A message has no role.", 'Give each message a role, as in {"role": "user", "content": "…"}.'
        )
    if "parts" in raw:
        return _canonical(raw)
    if "content" not in raw and "tool_calls" not in raw:
        raise InvalidInputError("A message has no content.", "Put what was said into its content.")
    extra = {name: value for name, value in raw.items() if name not in _OPENAI_FIELDS}
    if role == "tool":
        parts = [_tool_result(raw)]
    else:
        parts = [*_parts(raw.get("content")), *(_tool_call(call) for call in _listed(raw, "tool_calls"))]
    return {"role": role, "parts": parts, **extra}


def _canonical(raw: Mapping[str, Any]) -> Message:
    if not _OPENAI_FIELDS.isdisjoint(raw.keys() - {"role"}):
        raise InvalidInputError("A message has both parts and content.", "Send one of the two.")
    return {**raw, "parts": [_checked(part) for part in _listed(raw, "parts")]}


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
    if isinstance(block, dict) and block.get("type") == "tool_use":
        known = {"type": "tool_call", "id": block.get("id"), "name": block.get("name"), "arguments": block.get("input")}
        return _checked(_with_rest(known, block, {"input"}))
    if isinstance(block, dict) and block.get("type") == "tool_result" and "tool_use_id" in block:
        known = {"type": "tool_result", "call_id": block["tool_use_id"], "content": block.get("content")}
        return _checked(_with_rest(known, block, {"tool_use_id"}))
    return _checked(block)


def _checked(part: Any) -> Part:
    """A part whose fields are there that everything else relies on."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise InvalidInputError("A part of a message has no type.", 'Use parts such as {"type": "text", "text": "…"}.')
    if part["type"] == "text" and not isinstance(part.get("text"), str):
        raise InvalidInputError("A text part of a message has no text.", 'Send {"type": "text", "text": "…"}.')
    if part["type"] == "tool_call" and not (isinstance(part.get("id"), str) and isinstance(part.get("name"), str)):
        raise InvalidInputError("A tool call has no id or no name.", "Send both as they came from the model.")
    if part["type"] == "tool_result" and not isinstance(part.get("call_id"), str):
        raise InvalidInputError("A tool result does not say which call it answers.", "Give it the id of the call.")
    return dict(part)


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
    return _checked(_with_rest(known, call, {"function"}))


def _with_rest(known: Part, block: Mapping[str, Any], taken: set[str]) -> Part:
    """The known fields, and beside them what else came with the block."""
    return {name: value for name, value in block.items() if name not in taken} | known


def calls_of(message: Message) -> list[str]:
    """The ids of the tool calls in a message."""
    return [part["id"] for part in message["parts"] if part["type"] == "tool_call"]


def answers_of(message: Message) -> list[str]:
    """The ids of the tool calls that a message answers."""
    return [part["call_id"] for part in message["parts"] if part["type"] == "tool_result"]


def text_of(message: Message) -> str:
    """A message as words: what is counted, searched and shown."""
    return "\n".join(_text_of_part(part) for part in message["parts"])


def _text_of_part(part: Part) -> str:
    if part["type"] == "text":
        return str(part["text"])
    if part["type"] == "tool_call":
        return f"[call {part['name']} {as_text(part.get('arguments'))}]"
    if part["type"] == "tool_result":
        return f"[result {as_text(part.get('content'))}]"
    return as_text(part)


def as_text(value: Any) -> str:
    """A JSON value as a text: itself if it is one."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
