"""Gemini contents to canonical messages and back, in the camelCase of its REST API. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from commontrace.providers.media import Media, read_media
from commontrace.providers.openai_chat import LONGEST_NAME, PDF
from commontrace.providers.parts import Message, Part, PartTypes, checked, result_blocks, result_text
from commontrace.providers.rendering import (
    LEFT_OUT,
    OPEN_CALL,
    Sending,
    add_turn,
    answers_to_calls,
    arguments_of,
    distinct,
    is_model,
    is_system,
    model_calls,
    safe_id,
    tool_name,
)

UNSIGNED: Final = "skip_thought_signature_validator"
"""What the API documents as the signature of a call that another model made; newer models refuse a call without any."""

_MADE_UP: Final = "gemini:"
_LONGEST_ID: Final = 64
_OWN: Final = {
    "inlineData": "inline_data",
    "fileData": "file_data",
    "executableCode": "executable_code",
    "codeExecutionResult": "code_execution_result",
}
_KEYS: Final = {kind: key for key, kind in _OWN.items()}
_CODE: Final = frozenset({"executable_code", "code_execution_result"})
_TYPES: Final = frozenset(
    {"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif", "audio/wav", "audio/mp3", PDF}
)


def is_content(raw: Mapping[str, Any]) -> bool:
    """Whether something is a content of this API: its parts have no types."""
    parts = raw.get("parts")
    return isinstance(parts, list) and any(isinstance(part, dict) and "type" not in part for part in parts)


def content_from(raw: Mapping[str, Any]) -> Message:
    """The canonical message of a content; raises InvalidInputError."""
    role = {"model": "assistant", "function": "user"}.get(raw.get("role", "user"), raw.get("role", "user"))
    counted: Counter[str] = Counter()
    return {**raw, "role": role, "parts": [_part_from(part, counted) for part in raw["parts"]]}


def _part_from(part: Any, counted: Counter[str]) -> Part:
    if not isinstance(part, dict):
        return checked(part)
    for key, reader in (("functionCall", _call_from), ("functionResponse", _response_from)):
        if isinstance(part.get(key), dict):
            rest = {name: value for name, value in part.items() if name != key and value != UNSIGNED}
            return checked(rest | reader(part[key], counted))
    if isinstance(part.get("text"), str):
        return part | {"type": "reasoning" if part.get("thought") is True else "text"}
    kind = next((kind for key, kind in _OWN.items() if key in part), None)
    return checked(part | {"type": kind} if kind else part)


def _call_from(call: Mapping[str, Any], counted: Counter[str]) -> Part:
    known = {"type": "tool_call", "id": _id_of(call, counted, "call"), "name": call.get("name")}
    return known | {"arguments": call.get("args")} | _rest(call, {"id", "name", "args"})


def _response_from(response: Mapping[str, Any], counted: Counter[str]) -> Part:
    said = response.get("response")
    known = {"type": "tool_result", "call_id": _id_of(response, counted, "response")}
    rest = _rest(response, {"id", "name", "response"})
    for key, failed in (("output", {}), ("error", {"is_error": True})):
        if isinstance(said, dict) and list(said) == [key] and isinstance(said[key], str):
            return known | {"content": said[key]} | failed | rest
    return known | {"content": said} | rest


def _id_of(holder: Mapping[str, Any], counted: Counter[str], kind: str) -> Any:
    """Its id, or one made up of its name and its number among those of that name."""
    if holder.get("id"):
        return holder["id"]
    name = holder.get("name")
    counted[f"{kind} {name}"] += 1
    return f"{_MADE_UP}{name}:{counted[f'{kind} {name}']}"


def _rest(holder: Mapping[str, Any], taken: set[str]) -> Part:
    rest = {name: value for name, value in holder.items() if name not in taken}
    return {"gemini": rest} if rest else {}


def to_gemini(messages: Sequence[Message], types: PartTypes | None = None) -> dict[str, Any]:
    """A request's `systemInstruction` (where there is one) and `contents`, user and model in turns.

    Args:
        messages: Canonical messages, in any order.
        types: Custom part types, as `check_types` takes them.
    """
    return render(messages, Sending(types or {}))


def render(messages: Sequence[Message], sending: Sending) -> dict[str, Any]:
    """The instruction and the contents; what they cannot carry is noted."""
    answers = answers_to_calls(messages, sending)
    taken: Counter[str] = Counter()
    system: list[Part] = []
    turns: list[dict[str, Any]] = []
    for sending.position, message in enumerate(messages):
        sending.lose_fields(message, "the message", {"role", "parts"})
        if is_system(message):
            system += [{"text": words} for part in message["parts"] if (words := sending.words(part)).strip()]
            continue
        calls = model_calls(message)
        ids = distinct([part["id"] for part in calls], taken)
        role = "model" if is_model(message) else "user"
        add_turn(turns, role, _parts(message, role, ids, sending), "parts")
        results = [
            _response(call, name, answers.get((sending.position, number)), sending)
            for number, (call, name) in enumerate(zip(calls, ids, strict=True))
        ]
        add_turn(turns, "user", results, "parts")
    if turns and turns[0]["role"] == "model":
        turns.insert(0, {"role": "user", "parts": [{"text": LEFT_OUT}]})
    for turn in turns:
        _sign(turn["parts"])
    return ({"systemInstruction": {"parts": system}} if system else {}) | {"contents": turns}


def _sign(parts: Sequence[Part]) -> None:
    """The first call of a turn has a signature, its own or the one that stands for none."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first:
        first.setdefault("thoughtSignature", UNSIGNED)


def _parts(message: Message, role: str, ids: Sequence[str], sending: Sending) -> list[Part]:
    left = iter(ids)
    found: list[Part] = []
    for part in message["parts"]:
        if part["type"] == "tool_call" and role == "model":
            found.append(_call(part, next(left), sending) | _signature(part))
        elif part["type"] != "tool_result":
            block = _own(part, role) or _shown(part, role) or _text(part, sending)
            found += [block] if block else []
    return found


def _signature(part: Part) -> Part:
    signature = part.get("thoughtSignature")
    return {"thoughtSignature": signature} if isinstance(signature, str) and signature else {}


def _call(part: Part, called: str, sending: Sending) -> Part:
    sending.lose_fields(part, "a call", {"id", "name", "arguments", "custom", "thoughtSignature"})
    return {
        "functionCall": {**_sent_id(called), "name": tool_name(part["name"], LONGEST_NAME), "args": arguments_of(part)}
    }


def _sent_id(called: str) -> Part:
    return {} if called.startswith(_MADE_UP) else {"id": safe_id(called, _LONGEST_ID)}


def _response(call: Part, called: str, part: Part | None, sending: Sending) -> Part:
    said = {"output": OPEN_CALL} if part is None else _said(part, sending)
    return {"functionResponse": {**_sent_id(called), "name": tool_name(call["name"], LONGEST_NAME), "response": said}}


def _said(part: Part, sending: Sending) -> dict[str, Any]:
    sending.lose_fields(part, "a result", {"call_id", "content", "is_error"})
    content = part.get("content")
    if isinstance(content, dict) and not part.get("is_error"):
        return content
    if any(block["type"] != "text" for block in result_blocks(content)):
        sending.lose("media in a result is sent as a few words")
    return {"error" if part.get("is_error") else "output": result_text(content)}


def _own(part: Part, role: str) -> Part | None:
    """A part that came from this provider, as it came."""
    kind = part["type"]
    if role == "model" and kind == "reasoning" and part.get("thought") is True and isinstance(part.get("text"), str):
        return {name: value for name, value in part.items() if name in {"text", "thought"}} | _signature(part)
    if (
        kind in _KEYS
        and (role == "model" if kind in _CODE else read_media(part))
        and isinstance(part.get(_KEYS[kind]), dict)
    ):
        return {_KEYS[kind]: part[_KEYS[kind]]} | _signature(part)
    return None


def _shown(part: Part, role: str) -> Part | None:
    media: Media | None = read_media(part) if role == "user" else None
    if media and media.text:
        return {"text": media.text}
    if media and media.data and media.mime in _TYPES:
        return {"inlineData": {"mimeType": media.mime, "data": media.data}}
    return None


def _text(part: Part, sending: Sending) -> Part | None:
    if part["type"] == "text":
        sending.lose_fields(part, "a text", {"text", "thoughtSignature"})
        found = {"text": part["text"]} | _signature(part)
        return found if part["text"].strip() or "thoughtSignature" in found else None
    words = sending.words(part)
    return {"text": words} if words.strip() else None
