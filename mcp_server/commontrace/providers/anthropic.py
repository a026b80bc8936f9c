"""Anthropic messages to canonical parts and back. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.providers.media import Media, read_media
from commontrace.providers.openai_chat import IMAGES, PDF
from commontrace.providers.parts import (
    Message,
    Part,
    PartTypes,
    checked,
    result_blocks,
    result_text,
    text_of_part,
    text_part,
)
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

LONGEST_NAME: Final = 128
MOST_BREAKPOINTS: Final = 4
_LONGEST_ID: Final = 64
_THINKING: Final = frozenset({"thinking", "redacted_thinking"})
_SERVER_CALLS: Final = frozenset({"server_tool_use", "mcp_tool_use"})


def block_from(block: Mapping[str, Any]) -> Part | None:
    """The canonical part of a tool call or result; None for any other block."""
    if block.get("type") == "tool_use":
        known = {"type": "tool_call", "id": block.get("id"), "name": block.get("name"), "arguments": block.get("input")}
        return checked({name: value for name, value in block.items() if name != "input"} | known)
    if block.get("type") == "tool_result" and "tool_use_id" in block:
        known = {"type": "tool_result", "call_id": block["tool_use_id"], "content": block.get("content")}
        return checked({name: value for name, value in block.items() if name != "tool_use_id"} | known)
    return None


def to_anthropic(messages: Sequence[Message], types: PartTypes | None = None) -> tuple[str, list[dict[str, Any]]]:
    """The system prompt, and messages that begin with the user and alternate; results follow their calls at once.

    Args:
        messages: Canonical messages, in any order.
        types: Custom part types, as `check_types` takes them.
    """
    return render(messages, Sending(types or {}))


def with_breakpoints(system: str, turns: list[dict[str, Any]], breakpoints: int) -> dict[str, Any]:
    """A request's `system` and `messages`, with so many places up to which the provider caches what it has read.

    They stand at the end of the newest turns of the user, and with two or more one of them at the end of the system
    prompt: what is before them does not change when the window grows. There is no `system` where it would be empty.

    Raises:
        InvalidInputError: more than the provider takes, or fewer than none.
    """
    if not 0 <= breakpoints <= MOST_BREAKPOINTS:
        raise InvalidInputError(
            f"{breakpoints} cache breakpoints are asked for.",
            f"Ask for 0 to {MOST_BREAKPOINTS}, as many as a request may have.",
        )
    on_system = bool(system) and breakpoints > 1
    of_user = [position for position, turn in enumerate(turns) if turn["role"] == "user"]
    marked = frozenset(of_user[-left:] if (left := breakpoints - on_system) else [])
    messages = [_cached(turn) if position in marked else turn for position, turn in enumerate(turns)]
    if not system:
        return {"messages": messages}
    return {"system": [_mark(text_part(system))] if on_system else system, "messages": messages}


def _cached(turn: dict[str, Any]) -> dict[str, Any]:
    *before, last = turn["content"]
    return {**turn, "content": [*before, _mark(last)]}


def _mark(block: Part) -> Part:
    return {**block, "cache_control": {"type": "ephemeral"}}


def render(messages: Sequence[Message], sending: Sending) -> tuple[str, list[dict[str, Any]]]:
    """The system prompt and the turns; what they cannot carry is noted."""
    answers = answers_to_calls(messages, sending)
    taken: Counter[str] = Counter()
    system: list[str] = []
    turns: list[dict[str, Any]] = []
    for sending.position, message in enumerate(messages):
        sending.lose_fields(message, "the message", {"role", "parts"})
        if is_system(message):
            words = "\n".join(words for part in message["parts"] if (words := sending.words(part)))
            system += [words] if words.strip() else []
            continue
        ids = distinct([safe_id(part["id"], _LONGEST_ID) for part in model_calls(message)], taken)
        role = "assistant" if is_model(message) else "user"
        blocks = _blocks(message, role, ids, sending)
        add_turn(turns, role, _thinking_first(blocks, turns, sending), "content")
        results = [_result(name, answers.get((sending.position, n)), sending) for n, name in enumerate(ids)]
        add_turn(turns, "user", results, "content")
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [text_part(LEFT_OUT)]})
    return "\n\n".join(system), turns


def _thinking_first(blocks: list[Part], turns: Sequence[dict[str, Any]], sending: Sending) -> list[Part]:
    """Blocks without thinking that the provider refuses: the last in a turn, or in a turn that begins with words."""
    kept = list(blocks)
    while kept and kept[-1]["type"] in _THINKING:
        kept.pop()
    goes_on = bool(turns) and turns[-1]["role"] == "assistant"
    begins = turns[-1]["content"][:1] if goes_on else kept[:1]
    if any(block["type"] not in _THINKING for block in begins):
        kept = [block for block in kept if block["type"] not in _THINKING]
    if len(kept) < len(blocks):
        sending.lose("thinking is left out, it does not begin the turn")
    return kept


def _blocks(message: Message, role: str, ids: Sequence[str], sending: Sending) -> list[Part]:
    left = iter(ids)
    own = _paired(message) if role == "assistant" else set()
    blocks: list[Part] = []
    for part in message["parts"]:
        if part["type"] == "tool_call" and role == "assistant":
            blocks.append(_call(part, next(left), sending))
        elif part.get("id", part.get("tool_use_id")) in own and part["type"] != "tool_result":
            blocks.append(part)
        elif part["type"] != "tool_result":
            block = _block(part, role, sending)
            blocks += [block] if block else []
    return blocks


def _paired(message: Message) -> set[str]:
    """The ids of calls to the provider's own tools that have their result in the same message."""
    called = {part.get("id") for part in message["parts"] if part["type"] in _SERVER_CALLS}
    answered = {part.get("tool_use_id") for part in message["parts"] if part["type"].endswith("_tool_result")}
    return {name for name in called & answered if isinstance(name, str)}


def _call(part: Part, called: str, sending: Sending) -> Part:
    sending.lose_fields(part, "a call", {"id", "name", "arguments", "custom", "cache_control"})
    return {
        "type": "tool_use",
        "id": called,
        "name": tool_name(part["name"], LONGEST_NAME),
        "input": arguments_of(part),
    }


def _block(part: Part, role: str, sending: Sending) -> Part | None:
    if role == "assistant" and _is_signed(part):
        return part
    media = read_media(part) if role == "user" else None
    block = _media(part, media) if media else None
    if block:
        return block
    words = sending.words(part)
    return text_part(words) if words.strip() else None


def _is_signed(part: Part) -> bool:
    """Whether it is thinking that this provider knows as its own."""
    if part["type"] == "thinking":
        return bool(part.get("signature")) and isinstance(part.get("thinking"), str)
    return part["type"] == "redacted_thinking" and bool(part.get("data"))


def _media(part: Part, media: Media) -> Part | None:
    """The image or document that shows it; None where this provider has none."""
    if part["type"] in {"image", "document"}:
        return {name: value for name, value in part.items() if name != "cache_control"} if _takes(media) else None
    kind = "image" if media.kind == "image" else "document"
    if not _takes(media) or media.file_id:
        return None
    if media.url:
        return {"type": kind, "source": {"type": "url", "url": media.url}}
    return {"type": kind, "source": {"type": "base64", "media_type": media.mime, "data": media.data}}


def _takes(media: Media) -> bool:
    if media.data:
        return media.mime in IMAGES if media.kind == "image" else media.mime == PDF
    return bool(media.text) or (bool(media.url) and media.kind != "audio") or media.home == "anthropic"


def _result(call: str, part: Part | None, sending: Sending) -> Part:
    if part is None:
        return {"type": "tool_result", "tool_use_id": call, "content": OPEN_CALL}
    sending.lose_fields(part, "a result", {"call_id", "content", "is_error", "cache_control"})
    content = part.get("content")
    said: Any = _result_blocks(content, sending) if isinstance(content, list) else result_text(content)
    block = {"type": "tool_result", "tool_use_id": call, "content": said}
    return block | ({"is_error": True} if part.get("is_error") else {})


def _result_blocks(content: list[Any], sending: Sending) -> list[Part]:
    found: list[Part] = []
    for block in result_blocks(content):
        media = read_media(block)
        shown = _media(block, media) if media else None
        if media and not shown:
            sending.lose("media in a result is sent as a few words")
        words = "" if shown else text_of_part(block, {})
        found += [shown] if shown else [text_part(words)] if words.strip() else []
    return found
