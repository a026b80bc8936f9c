"""What stands in the place of what was purged: the structure stays, the words go. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from commontrace.objects import Commit
from commontrace.providers.messages import Message, Part

_DEEP: Final = 3
"""How often JSON may stand inside of JSON, as in the arguments of a tool call."""


@dataclass(frozen=True)
class Needle:
    """A text that is to go, and what stands in its place; without a text everything goes.

    Attributes:
        forms: the text as it is, and as it stands in JSON inside of a string.
        marker: what stands in its place.
    """

    forms: tuple[str, ...]
    marker: str

    @classmethod
    def of(cls, text: str, reason: str) -> "Needle":
        """For a text."""
        forms = {text: None}
        plain = ascii_only = text
        for _ in range(_DEEP):
            plain, ascii_only = json.dumps(plain, ensure_ascii=False)[1:-1], json.dumps(ascii_only)[1:-1]
            forms |= {plain: None, ascii_only: None}
        return cls(tuple(forms), marker(reason))

    def in_text(self, text: str) -> bool:
        """Whether a text holds it."""
        return any(form in text for form in self.forms)

    def in_value(self, value: Any) -> bool:
        """Whether any text in a JSON value, keys included, holds it."""
        if isinstance(value, str):
            return self.in_text(value)
        if isinstance(value, Mapping):
            return any(self.in_text(key) or self.in_value(item) for key, item in value.items())
        return isinstance(value, (list, tuple)) and any(map(self.in_value, value))

    def taken_out(self, value: Any) -> Any:
        """A JSON value with the marker in place of every text that holds it."""
        if isinstance(value, str):
            return self.marker if self.in_text(value) else value
        if isinstance(value, Mapping):
            return {self.taken_out(key): self.taken_out(item) for key, item in value.items()}
        return [self.taken_out(item) for item in value] if isinstance(value, (list, tuple)) else value


def marker(reason: str) -> str:
    """What a window shows where something was purged."""
    return f"(purged: {reason})" if reason else "(purged)"


def holds(message: Message, needle: Needle) -> bool:
    """Whether anything that somebody said in a message holds a text; roles and types are nobody's words."""
    beside = [value for name, value in message.items() if name not in {"role", "parts"}]
    said = [value for part in message["parts"] for name, value in part.items() if name != "type"]
    return needle.in_value([*beside, *said])


def purged_message(message: Message, said: str, needle: Needle | None = None) -> Message:
    """A message without its words; calls and results keep their ids, so that windows stay valid.

    Args:
        message: what was there.
        said: what stands there now.
        needle: a text that has to go, out of ids and names too.
    """
    parts = [_bare(part, said) for part in message["parts"] if part["type"] in {"tool_call", "tool_result"}]
    if any(part["type"] == "tool_schema" for part in message["parts"]):
        parts = [{"type": "tool_schema", "schema": {"name": "purged", "description": said}}]
    elif not any(part["type"] == "tool_result" for part in parts):
        parts.insert(0, {"type": "text", "text": said})
    if needle:
        named = {"id", "call_id", "name"}
        parts = [{key: needle.taken_out(one) if key in named else one for key, one in part.items()} for part in parts]
    return {"role": message["role"], "parts": parts}


def _bare(part: Part, said: str) -> Part:
    if part["type"] == "tool_call":
        return {"type": "tool_call", "id": part["id"], "name": part["name"], "arguments": {}}
    return {"type": "tool_result", "call_id": part["call_id"], "content": said}


def purged_commit(commit: Commit, needle: Needle) -> Commit:
    """A commit with a marker in place of every text of its own that holds what has to go."""
    return replace(
        commit,
        agent=needle.taken_out(commit.agent),
        message=needle.taken_out(commit.message),
        metadata=needle.taken_out(commit.metadata),
        generation=needle.taken_out(commit.generation),
        operations=tuple(_purged_operation(operation, needle) for operation in commit.operations),
    )


def _purged_operation(operation: dict[str, Any], needle: Needle) -> dict[str, Any]:
    if operation["op"] != "annotate" or operation["key"] == "tools":
        return operation
    key, value = operation["key"], operation["value"]
    if key == "priority":
        return {**operation, "value": {**value, "reason": needle.taken_out(value.get("reason", ""))}}
    if key == "keep" and isinstance(value, list):  # what no summary may lose must not become the marker
        return {**operation, "value": [one for one in value if not needle.in_value(one)]}
    return {**operation, "key": needle.taken_out(key), "value": needle.taken_out(value)}
