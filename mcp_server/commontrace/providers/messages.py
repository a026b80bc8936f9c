"""Messages in the shapes that agents have them, to one canonical form. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.providers import anthropic, gemini, openai_chat, responses
from commontrace.providers.parts import (
    TYPED_ROLES,
    Message,
    Part,
    answers_of,
    as_text,
    calls_of,
    checked,
    text_of,
    text_part,
)

__all__ = ["Message", "Part", "answers_of", "as_text", "calls_of", "parse_message", "parse_messages", "text_of"]

_OPENAI_FIELDS: Final = frozenset({"role", "content", "tool_calls", "tool_call_id"})
_RESPONSES_TEXT: Final = frozenset({"input_text", "output_text"})
_LONGEST_ROLE: Final = 50


def parse_messages(said: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[Message]:
    """The canonical messages of a conversation.

    Args:
        said: A list of messages or items in any of the shapes that `parse_message` reads, mixed if you like; or a
            request's body: `{"system", "messages"}`, `{"instructions", "input"}` or
            `{"systemInstruction", "contents"}`.

    Raises:
        InvalidInputError: it is none of these, or a message in it cannot be read.
    """
    raws = _of_body(said) if isinstance(said, Mapping) else said
    return responses.joined([parse_message(raw) for raw in raws], [responses.is_item(raw) for raw in raws])


def _of_body(body: Mapping[str, Any]) -> Sequence[Any]:
    for listed, instructing in (("messages", "system"), ("input", "instructions"), ("contents", "systemInstruction")):
        if listed not in body:
            continue
        said = body[listed]
        turns = [{"role": "user", "content": said}] if isinstance(said, str) else said
        if isinstance(turns, list):
            return [*_instructing(body.get(instructing)), *turns]
    raise InvalidInputError("A request has no list of messages.", 'Send it with "messages", "input" or "contents".')


def _instructing(said: Any) -> list[Mapping[str, Any]]:
    if not said:
        return []
    if isinstance(said, Mapping) and "parts" in said:
        return [{**said, "role": "system"}]
    return [{"role": "system", "content": said}]


def parse_message(raw: Mapping[str, Any]) -> Message:
    """The canonical form of one message or item.

    Args:
        raw: A message in the shape of OpenAI chat, Anthropic or Gemini, an item of OpenAI Responses, or our own.

    Raises:
        InvalidInputError: it is none of these, or lacks what everything else relies on.
    """
    if responses.is_item(raw) and raw["type"] != "message":
        role, parts = responses.item_from(raw)
        return {"role": role, "parts": parts}
    role = raw.get("role", "user" if gemini.is_content(raw) else None)
    if not isinstance(role, str) or not 0 < len(role) <= _LONGEST_ROLE:
        raise InvalidInputError(
            "A message has no role.", 'Give each message a role, as in {"role": "user", "content": "…"}.'
        )
    if gemini.is_content(raw):
        return gemini.content_from(raw)
    if "parts" in raw:
        return _canonical(raw)
    if "content" not in raw and "tool_calls" not in raw:
        raise InvalidInputError("A message has no content.", "Put what was said into its content.")
    parts = [openai_chat.result_from(raw)] if role == "tool" else _said(raw, role)
    return {"role": role, "parts": parts, **_beside(raw)}


def _canonical(raw: Mapping[str, Any]) -> Message:
    if not _OPENAI_FIELDS.isdisjoint(raw.keys() - {"role"}):
        raise InvalidInputError("A message has both parts and content.", "Send one of the two.")
    return {**raw, "parts": [checked(part) for part in _listed(raw, "parts")]}


def _beside(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are no content: beside it, or for an item under the name of its API."""
    extra = {name: value for name, value in raw.items() if name not in _OPENAI_FIELDS}
    if isinstance(extra.get("refusal"), str):
        extra.pop("refusal")
    if raw.get("type") == "message":
        extra.pop("type")
        return {"responses": extra} if extra else {}
    return extra


def _said(raw: Mapping[str, Any], role: str) -> list[Part]:
    parts = _parts(raw.get("content"))
    if role in TYPED_ROLES:
        parts = [part | {"type": role} if part["type"] == "text" else part for part in parts]
    refusal = raw.get("refusal")
    refused: list[Part] = [{"type": "refusal", "refusal": refusal}] if isinstance(refusal, str) else []
    return [*parts, *refused, *(openai_chat.call_from(call) for call in _listed(raw, "tool_calls"))]


def _listed(raw: Mapping[str, Any], name: str) -> list[Any]:
    value: Any = raw.get(name) or []
    if not isinstance(value, list):
        raise InvalidInputError(f"{name} of a message is not a list.", "Send it as a list of objects.")
    return value


def _parts(content: Any) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [text_part(content)]
    if not isinstance(content, list):
        raise InvalidInputError(
            "The content of a message is neither a text nor a list.", "Send a text or a list of blocks."
        )
    return [_part(block) for block in content]


def _part(block: Any) -> Part:
    if isinstance(block, str):
        return text_part(block)
    if isinstance(block, dict) and block.get("type") in _RESPONSES_TEXT:
        return checked(block | {"type": "text"})
    found = anthropic.block_from(block) if isinstance(block, dict) else None
    return found or checked(block)
