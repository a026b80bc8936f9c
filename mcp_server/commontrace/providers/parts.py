"""The canonical form of a message: its parts, which types they have, and what each is in words. Pure.

A message is `{"role", "parts", …}`. A part is `{"type": "text", "text"}`, `{"type": "tool_call", "id", "name",
"arguments"}`, `{"type": "tool_result", "call_id", "content"}`, one of the types in KNOWN, or whatever a provider sent,
kept as it came. Fields that we do not know are kept beside them.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.providers.media import marker, read_media

Message = dict[str, Any]
Part = dict[str, Any]
PartTypes = Mapping[str, Mapping[str, Any]]
"""Custom types: each name to `{"render": "text" | "json" | "hidden", "required": [fields]}`."""

KNOWN: Final[PartTypes] = {
    "artifact": {"render": "text"},
    "output": {"render": "text"},
    "freeform": {"render": "text"},
    "session": {"render": "text"},
    "config": {"render": "hidden"},
    "metadata": {"render": "hidden"},
}
"""Types beside text, calls, results, reasoning and media. Hidden ones are kept and searched, and no model sees them."""

REASONING: Final = frozenset({"reasoning", "thinking", "redacted_thinking"})
"""What a model thought: sent back only to the provider that signed it."""

TYPED_ROLES: Final = frozenset({*KNOWN, "reasoning"})
"""A message with one of these roles holds parts of that type."""

_OWN: Final = frozenset({"text", "tool_call", "tool_result", "refusal"}) | REASONING
_RENDERS: Final = ("text", "json", "hidden")
_TEXT_BLOCKS: Final = frozenset({"text", "input_text", "output_text"})


def checked(part: Any) -> Part:
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


def check_types(types: PartTypes) -> None:
    """Whether a registry of custom types can be used; raises InvalidInputError."""
    for name, rule in types.items():
        if name in {"", *_OWN, *KNOWN}:
            raise InvalidInputError(f"The part type {name!r} cannot be registered.", "Choose a name of your own.")
        if rule.get("render") not in _RENDERS:
            raise InvalidInputError(
                f"The part type {name!r} does not say how it is rendered.",
                'Give it "render": "text", "json" or "hidden".',
            )
        required = rule.get("required", [])
        if not isinstance(required, list) or not all(isinstance(field, str) for field in required):
            raise InvalidInputError(
                f"What the part type {name!r} requires is not a list of fields.", 'Send "required": ["name", …].'
            )


def check_parts(message: Message, types: PartTypes) -> None:
    """Whether the parts of custom types have the fields that their types require; raises InvalidInputError."""
    for part in message["parts"]:
        missing = [field for field in types.get(part["type"], {}).get("required", []) if field not in part]
        if missing:
            raise InvalidInputError(
                f"A part of type {part['type']!r} lacks {', '.join(missing)}.",
                "Add it, or register the type without it.",
            )


def is_custom(part: Part) -> bool:
    """Whether a part is of a type that only its context can describe, or that some provider has for itself."""
    return part["type"] not in _OWN and part["type"] not in KNOWN


def calls_of(message: Message) -> list[str]:
    """The ids of the tool calls in a message."""
    return [part["id"] for part in message["parts"] if part["type"] == "tool_call"]


def answers_of(message: Message) -> list[str]:
    """The ids of the tool calls that a message answers."""
    return [part["call_id"] for part in message["parts"] if part["type"] == "tool_result"]


def is_hidden(part: Part, types: PartTypes) -> bool:
    """Whether no model ever sees a part."""
    return rule_of(part, types).get("render") == "hidden"


def rule_of(part: Part, types: PartTypes) -> Mapping[str, Any]:
    """How a part of a known or custom type is rendered; nothing for the other types."""
    return KNOWN.get(part["type"]) or types.get(part["type"]) or {}


def text_of(message: Message, types: PartTypes | None = None) -> str:
    """A message as words, what is hidden from models included: what is searched and shown."""
    return "\n".join(text_of_part(part, types or {}) for part in message["parts"])


def text_of_part(part: Part, types: PartTypes) -> str:
    """A part as words: media by a marker, types that we do not know as JSON."""
    if part["type"] in {"text", "refusal"}:
        return str(part.get(part["type"], ""))
    if part["type"] == "tool_call":
        return f"[call {part['name']} {as_text(part.get('arguments'))}]"
    if part["type"] == "tool_result":
        return f"[result {result_text(part.get('content'))}]"
    if part["type"] in REASONING:
        return _thought(part)
    media = read_media(part)
    return media.text or marker(media) if media else _typed_text(part, types)


def _typed_text(part: Part, types: PartTypes) -> str:
    said = part.get("text")
    if rule_of(part, types).get("render") in {None, "json"} or not isinstance(said, str):
        return as_text(part)
    return f"[{part['name']}]\n{said}" if isinstance(part.get("name"), str) else said


def _thought(part: Part) -> str:
    """The words of a thought, as far as the provider shows them."""
    if part["type"] == "redacted_thinking":
        return "[redacted thinking]"
    said = part.get("thinking") if part["type"] == "thinking" else part.get("text")
    if isinstance(said, str):
        return said
    found = [item for name in ("summary", "content") for item in _listed(part.get(name))]
    return "\n".join(item["text"] for item in found if isinstance(item, dict) and isinstance(item.get("text"), str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def result_blocks(content: Any) -> list[Part]:
    """What a tool returned as text parts and media; anything else in there becomes JSON text."""
    if content is None:
        return []
    if not isinstance(content, list):
        return [text_part(as_text(content))]
    return [_result_block(block) for block in content]


def _result_block(block: Any) -> Part:
    if isinstance(block, dict):
        if block.get("type") in _TEXT_BLOCKS and isinstance(block.get("text"), str):
            return text_part(block["text"])
        if read_media(block):
            return block
    return text_part(as_text(block))


def result_text(content: Any) -> str:
    """What a tool returned, in words."""
    return "\n".join(text_of_part(block, {}) for block in result_blocks(content))


def text_part(text: str) -> Part:
    """A part with a text."""
    return {"type": "text", "text": text}


def as_text(value: Any) -> str:
    """A JSON value as a text: itself if it is one, else with sorted keys, as it is stored."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
