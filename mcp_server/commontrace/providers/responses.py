"""OpenAI Responses items to canonical messages and back. Pure.

What the model makes between two inputs is one message: its reasoning, what it says, its calls. Fields of an item that
only this API knows (its id, its status) are kept under `responses`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from commontrace.providers.media import Media, read_media
from commontrace.providers.openai_chat import IMAGES, LONGEST_NAME, PDF
from commontrace.providers.parts import (
    Message,
    Part,
    PartTypes,
    as_text,
    checked,
    result_blocks,
    result_text,
)
from commontrace.providers.rendering import (
    OPEN_CALL,
    Answers,
    Sending,
    answers_to_calls,
    distinct,
    is_model,
    is_system,
    model_calls,
    shortened,
    tool_name,
)

_LONGEST_ID: Final = 64
_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_RESULTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
HOSTED: Final = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_call",
    }
)
"""What the provider's own tools did: complete by itself."""
_STATES: Final = ("status", "phase")
_REASONING: Final = ("type", "id", "summary", "encrypted_content", "status")


def is_item(raw: Mapping[str, Any]) -> bool:
    """Whether something is an item of this API rather than a message."""
    kind = raw.get("type")
    if kind == "reasoning":
        return "role" not in raw
    return kind == "message" or kind in _CALLS or kind in _RESULTS or kind in HOSTED


def item_from(raw: Mapping[str, Any]) -> tuple[str, list[Part]]:
    """The role and the parts of an item that is no message; raises InvalidInputError."""
    kind = raw["type"]
    if kind in _CALLS:
        arguments = raw.get("arguments") if kind == "function_call" else raw.get("input")
        known = {"type": "tool_call", "id": raw.get("call_id"), "name": raw.get("name"), "arguments": arguments}
        custom = {"custom": True} if kind == "custom_tool_call" else {}
        rest = _rest(raw, {"type", "call_id", "name", "arguments" if kind == "function_call" else "input"})
        return "assistant", [checked(known | custom | rest)]
    if kind in _RESULTS:
        known = {"type": "tool_result", "call_id": raw.get("call_id"), "content": raw.get("output")}
        return "tool", [checked(known | _rest(raw, {"type", "call_id", "output"}))]
    return "assistant", [dict(raw)]


def _rest(raw: Mapping[str, Any], taken: set[str]) -> dict[str, Any]:
    rest = {name: value for name, value in raw.items() if name not in taken}
    return {"responses": rest} if rest else {}


def joined(messages: Sequence[Message], items: Sequence[bool]) -> list[Message]:
    """Messages of which those that came as items of one turn of the model are one.

    A turn goes on until the model speaks or thinks again after it spoke or called.
    """
    found: list[Message] = []
    open_turn = False
    for message, item in zip(messages, items, strict=True):
        own = item and message["role"] == "assistant"
        if own and open_turn and _goes_on(found[-1], message):
            found[-1] = {**found[-1], **message, "parts": [*found[-1]["parts"], *message["parts"]]}
        else:
            found.append(message)
        open_turn = own
    return found


def _goes_on(turn: Message, message: Message) -> bool:
    unsaid = all(part["type"] == "reasoning" or part["type"] in HOSTED for part in turn["parts"])
    return unsaid or all(part["type"] == "tool_call" for part in message["parts"])


def to_responses(messages: Sequence[Message], types: PartTypes | None = None) -> list[dict[str, Any]]:
    """Input items for the Responses API: calls before their outputs, reasoning before what it led to.

    Args:
        messages: Canonical messages, in any order.
        types: Custom part types, as `check_types` takes them.
    """
    return render(messages, Sending(types or {}))


def render(messages: Sequence[Message], sending: Sending) -> list[dict[str, Any]]:
    """Input items; what they cannot carry is noted."""
    answers = answers_to_calls(messages, sending)
    items: list[dict[str, Any]] = []
    used = _Used()
    for sending.position, message in enumerate(messages):
        sending.lose_fields(message, "the message", {"role", "parts", "responses"})
        if is_model(message):
            items += _turn(message, used, sending)
            items += _outputs(message, items, answers, sending)
        elif content := [block for part in message["parts"] if (block := _input(part, message, sending))]:
            role = message["role"] if is_system(message) else "user"
            items.append({"type": "message", "role": role, "content": content} | used.kept(message, "msg"))
    return items


@dataclass(slots=True)
class _Used:
    """The ids that items have taken; the API wants each once."""

    ids: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)

    def kept(self, holder: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """The fields of its own that the API takes back."""
        own = holder.get("responses")
        own = own if isinstance(own, dict) else {}
        found = {name: own[name] for name in _STATES if isinstance(own.get(name), str)}
        return found | ({"id": own["id"]} if self.take(own.get("id"), prefix) else {})

    def take(self, name: Any, prefix: str) -> bool:
        """Whether it is an id of this kind that no item has yet; it has one from now on."""
        if not isinstance(name, str) or not name.startswith(prefix) or name in self.ids:
            return False
        self.ids.add(name)
        return True


def _turn(message: Message, used: _Used, sending: Sending) -> list[dict[str, Any]]:
    ids = iter(distinct([shortened(part["id"], _LONGEST_ID) for part in model_calls(message)], used.calls))
    items: list[dict[str, Any]] = []
    for part in message["parts"]:
        if part["type"] == "tool_call":
            items.append(_call(part, next(ids), sending) | used.kept(part, "ctc" if part.get("custom") else "fc"))
        elif part["type"] == "reasoning" and _is_sealed(part) and used.take(part["id"], "rs"):
            sending.lose_fields(part, "reasoning", _REASONING)
            items.append({name: part[name] for name in _REASONING if name in part})
        elif part["type"] in HOSTED and used.take(part.get("id"), ""):
            items.append(dict(part))
        elif block := _output(part, sending):
            _say(items, block, message, used)
    while items and items[-1]["type"] == "reasoning":
        items.pop()
        sending.lose("reasoning is left out, nothing follows it")
    return items if _kept_its_thoughts(message, items) else _without_ids(items, sending)


def _say(items: list[dict[str, Any]], block: Part, message: Message, used: _Used) -> None:
    """Words of a turn are one item, before its calls, as the model itself makes them."""
    said = next((item for item in items if item["type"] == "message"), None)
    if said:
        said["content"].append(block)
        return
    place = next((number for number, item in enumerate(items) if item["type"] in _CALLS), len(items))
    items.insert(place, {"type": "message", "role": "assistant", "content": [block]} | used.kept(message, "msg"))


def _is_sealed(part: Part) -> bool:
    """Whether a thought can be sent back to a provider that has not stored it."""
    sealed = part.get("encrypted_content")
    return isinstance(sealed, str) and bool(sealed) and isinstance(part.get("summary"), list)


def _kept_its_thoughts(message: Message, items: Sequence[dict[str, Any]]) -> bool:
    """Whether every thought that has an id is sent: the API asks for it when it sees the id of what it led to."""
    had = sum(part["type"] == "reasoning" and "id" in part for part in message["parts"])
    return bool(had == sum(item["type"] == "reasoning" for item in items))


def _without_ids(items: Sequence[dict[str, Any]], sending: Sending) -> list[dict[str, Any]]:
    if any(item["type"] in HOSTED for item in items):
        sending.lose("what the provider's own tools did is left out with the reasoning that led to it")
    kept = [item for item in items if item["type"] not in HOSTED and item["type"] != "reasoning"]
    return [{name: value for name, value in item.items() if name != "id"} for item in kept]


def _call(part: Part, called: str, sending: Sending) -> dict[str, Any]:
    sending.lose_fields(part, "a call", {"id", "name", "arguments", "custom", "responses"})
    item = {"call_id": called, "name": tool_name(part["name"], LONGEST_NAME)}
    arguments = part.get("arguments")
    if part.get("custom"):
        return {"type": "custom_tool_call", **item, "input": as_text(arguments or "")}
    return {"type": "function_call", **item, "arguments": "{}" if arguments is None else as_text(arguments)}


def _outputs(
    message: Message, items: Sequence[dict[str, Any]], answers: Answers, sending: Sending
) -> list[dict[str, Any]]:
    called = (
        [item for item in items if item["type"] in _CALLS][-len(model_calls(message)) :] if model_calls(message) else []
    )
    found = []
    for number, item in enumerate(called):
        part = answers.get((sending.position, number))
        said = OPEN_CALL if part is None else _result(part, sending)
        found.append(
            {"type": f"{item['type'].removesuffix('_call')}_call_output", "call_id": item["call_id"], "output": said}
        )
    return found


def _result(part: Part, sending: Sending) -> str | list[Part]:
    sending.lose_fields(part, "a result", {"call_id", "content"})
    content = part.get("content")
    if not isinstance(content, list):
        return result_text(content)
    blocks = [block for block in result_blocks(content) if block["type"] != "text" or block["text"]]
    return [_shown(block, sending) for block in blocks] or ""


def _shown(block: Part, sending: Sending) -> Part:
    media = read_media(block)
    return (_media(block, media) if media else None) or _input_text(sending.words(block))


def _input(part: Part, message: Message, sending: Sending) -> Part | None:
    """One block of what the user or the system says; None for what stands elsewhere or is not sent."""
    if part["type"] == "tool_result":
        return None
    media = None if is_system(message) else read_media(part)
    block = _media(part, media) if media else None
    words = "" if block else sending.words(part)
    return block or (_input_text(words) if words else None)


def _output(part: Part, sending: Sending) -> Part | None:
    """One block of what the model says."""
    if part["type"] == "tool_result":
        return None
    if part["type"] == "refusal" and part.get("refusal"):
        return {"type": "refusal", "refusal": as_text(part["refusal"])}
    if part["type"] == "text":
        own = {name: part[name] for name in ("annotations", "logprobs") if isinstance(part.get(name), list)}
        sending.lose_fields(part, "a text", {"text", *own})
        return {"type": "output_text", "text": part["text"], **own} if part["text"] else None
    words = sending.words(part)
    return {"type": "output_text", "text": words} if words else None


def _input_text(text: str) -> Part:
    return {"type": "input_text", "text": text}


def _media(part: Part, media: Media) -> Part | None:
    """The block that shows it; None where this provider has none."""
    if media.text:
        return _input_text(media.text)
    if media.kind == "image":
        if not (media.url or (media.data and media.mime in IMAGES) or media.home == "openai"):
            return None
        shown = {"file_id": media.file_id} if media.home == "openai" else {"image_url": media.data_url}
        detail = {"detail": part["detail"]} if isinstance(part.get("detail"), str) else {}
        return {"type": "input_image", **shown, **detail}
    if media.kind == "file":
        return _file(media)
    return None


def _file(media: Media) -> Part | None:
    if media.home == "openai":
        return {"type": "input_file", "file_id": media.file_id}
    if media.url:
        return {"type": "input_file", "file_url": media.url}
    if media.mime == PDF:
        return {"type": "input_file", "filename": media.name or "file.pdf", "file_data": media.data_url}
    return None
