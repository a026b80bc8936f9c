"""OpenAI chat messages to canonical parts and back. Pure."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.providers.media import Media, read_media
from commontrace.providers.parts import (
    Message,
    Part,
    PartTypes,
    as_text,
    checked,
    result_blocks,
    text_of_part,
    text_part,
)
from commontrace.providers.rendering import (
    OPEN_CALL,
    Sending,
    answers_to_calls,
    distinct,
    is_model,
    is_system,
    model_calls,
    shortened,
    tool_name,
)

LONGEST_NAME: Final = 64
_LONGEST_ID: Final = 40
PDF: Final = "application/pdf"
_SOUNDS: Final = {"audio/wav": "wav", "audio/mp3": "mp3"}
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
_SPEAKER: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def call_from(call: Any) -> Part:
    """The canonical part of a function call or a custom tool call; raises InvalidInputError."""
    holder = call.get("type") if isinstance(call, dict) and call.get("type") == "custom" else "function"
    inner = call.get(holder) if isinstance(call, dict) else None
    if not isinstance(inner, dict):
        raise InvalidInputError("A tool call has no function.", 'Send {"id", "type": "function", "function": {…}}.')
    known: Part = {"type": "tool_call", "id": call.get("id"), "name": inner.get("name")}
    known |= (
        {"arguments": inner.get("input"), "custom": True}
        if holder == "custom"
        else {"arguments": inner.get("arguments")}
    )
    return checked({name: value for name, value in call.items() if name != holder} | known)


def result_from(raw: Mapping[str, Any]) -> Part:
    """The canonical part of what a tool message says; raises InvalidInputError."""
    if not isinstance(raw.get("tool_call_id"), str):
        raise InvalidInputError(
            "A tool message does not say which call it answers.", "Give it the tool_call_id of the call."
        )
    return {"type": "tool_result", "call_id": raw["tool_call_id"], "content": raw.get("content")}


def to_openai(messages: Sequence[Message], types: PartTypes | None = None) -> list[dict[str, Any]]:
    """OpenAI chat messages: every call is followed by its results, no result stands alone.

    Args:
        messages: Canonical messages, in any order.
        types: Custom part types, as `check_types` takes them.
    """
    return render(messages, Sending(types or {}))


def render(messages: Sequence[Message], sending: Sending) -> list[dict[str, Any]]:
    """OpenAI chat messages; what they cannot carry is noted."""
    rendered: list[dict[str, Any]] = []
    answers = answers_to_calls(messages, sending)
    for sending.position, message in enumerate(messages):
        said = _said(message, sending)
        calls = model_calls(message)
        ids = distinct([shortened(part["id"], _LONGEST_ID) for part in calls], Counter(), _LONGEST_ID)
        if calls:
            said["content"] = said["content"] or None
            said["tool_calls"] = [_call(part, called, sending) for part, called in zip(calls, ids, strict=True)]
        rendered += [said] if said["content"] or calls else []
        for number, called in enumerate(ids):
            content = _result(answers.get((sending.position, number)), sending)
            rendered.append({"role": "tool", "tool_call_id": called, "content": content})
    return rendered


def _said(message: Message, sending: Sending) -> dict[str, Any]:
    role = "assistant" if is_model(message) else message["role"] if is_system(message) else "user"
    said: dict[str, Any] = {"role": role, "content": _content(message, role, sending)}
    if name := speaker(message):
        said["name"] = name
    sending.lose_fields(message, "the message", {"role", "parts", *said})
    return said


def speaker(message: Message) -> str:
    """The name of who speaks, where this provider takes it; else empty."""
    name = message.get("name")
    return name if isinstance(name, str) and _SPEAKER.fullmatch(name) else ""


def _content(message: Message, role: str, sending: Sending) -> str | list[Part]:
    found = [block for part in message["parts"] if (block := _block(part, role, sending))]
    return "\n".join(block["text"] for block in found) if all(block["type"] == "text" for block in found) else found


def _block(part: Part, role: str, sending: Sending) -> Part | None:
    """One block of content; None for what stands elsewhere (calls, results) or is not sent."""
    kind = part["type"]
    if kind == "tool_result" or (kind == "tool_call" and role == "assistant"):
        return None
    if kind == "refusal" and role == "assistant" and part.get("refusal"):
        return {"type": "refusal", "refusal": as_text(part["refusal"])}
    media = read_media(part) if role == "user" else None
    block = _media(media) if media else None
    if block and block["type"] == kind:
        sending.lose_fields(part, "media", {kind})
        return {"type": kind, kind: part[kind]}
    words = "" if block else sending.words(part)
    return block or (text_part(words) if words else None)


def _media(media: Media) -> Part | None:
    """The block that shows it; None where this provider has none."""
    if media.text:
        return text_part(media.text)
    if media.kind == "image" and (media.url or (media.data and media.mime in IMAGES)):
        return {"type": "image_url", "image_url": {"url": media.data_url}}
    if media.data and media.mime in _SOUNDS:
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": _SOUNDS[media.mime]}}
    if media.kind == "file" and media.home == "openai":
        return {"type": "file", "file": {"file_id": media.file_id}}
    if media.mime == PDF and media.data:
        return {"type": "file", "file": {"filename": media.name or "file.pdf", "file_data": media.data_url}}
    return None


def _call(part: Part, called: str, sending: Sending) -> dict[str, Any]:
    sending.lose_fields(part, "a call", {"id", "name", "arguments", "custom"})
    name = tool_name(part["name"], LONGEST_NAME)
    arguments = part.get("arguments")
    if part.get("custom"):
        return {"id": called, "type": "custom", "custom": {"name": name, "input": as_text(arguments or "")}}
    function = {"name": name, "arguments": "{}" if arguments is None else as_text(arguments)}
    return {"id": called, "type": "function", "function": function}


def _result(part: Part | None, sending: Sending) -> str:
    if part is None:
        return OPEN_CALL
    sending.lose_fields(part, "a result", {"call_id", "content"})
    blocks = result_blocks(part.get("content"))
    if any(block["type"] != "text" for block in blocks):
        sending.lose("media in a result is sent as a few words")
    return "\n".join(text_of_part(block, {}) for block in blocks)
