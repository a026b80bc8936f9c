"""What providers demand of a conversation, without any code of ours."""

import base64
import json
import re
from itertools import zip_longest
from typing import Any

Message = dict[str, Any]

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")
CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
PICTURES = {"image/png", "image/jpeg", "image/webp", "image/gif"}
THINKING = {"thinking", "redacted_thinking"}


def is_base64(mime: str, data: str, types: set[str]) -> bool:
    """Whether it is data of a type that is taken, and can be decoded."""
    return mime in types and bool(base64.b64decode(data, validate=True))


def is_url(url: str) -> bool:
    """Whether it is an address on the web, or data in it that is a picture or a page."""
    found = re.fullmatch(r"data:([^;]+);base64,(.+)", url)
    return is_base64(found[1], found[2], PICTURES | {"application/pdf"}) if found else url.startswith("https://")


def assert_openai(messages: list[Message]) -> None:
    """Every call is answered right behind it, no answer stands alone, and nothing is empty."""
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls, "an answer without its call right before it"
            open_calls.remove(message["tool_call_id"])
            assert isinstance(message["content"], str)
            continue
        assert not open_calls, "a call without an answer right behind it"
        assert message["role"] in {"system", "developer", "user", "assistant"}
        calls = message.get("tool_calls", [])
        assert message["role"] == "assistant" or not calls
        assert message["content"] or calls
        open_calls = [call["id"] for call in calls]
        assert len(set(open_calls)) == len(open_calls)
        for call in calls:
            _assert_openai_call(call)
        for part in message["content"] if isinstance(message["content"], list) else []:
            _assert_openai_part(message["role"], part)
    assert not open_calls


def _assert_openai_call(call: Message) -> None:
    assert 0 < len(call["id"]) <= 40
    inner = call[call["type"]]
    assert NAME.fullmatch(inner["name"])
    assert isinstance(inner["arguments" if call["type"] == "function" else "input"], str)


def _assert_openai_part(role: str, part: Message) -> None:
    taken = {"user": {"text", "image_url", "input_audio", "file"}, "assistant": {"text", "refusal"}}
    assert part["type"] in taken.get(role, {"text"}), f"{part['type']} from {role}"
    inner = part[part["type"]]
    if part["type"] in {"text", "refusal"}:
        assert inner
    elif part["type"] == "image_url":
        assert is_url(inner["url"])
    elif part["type"] == "input_audio":
        assert is_base64(f"audio/{inner['format']}", inner["data"], {"audio/wav", "audio/mp3"})
    elif "file_id" not in inner:
        assert inner["filename"]
        assert is_url(inner["file_data"])


def assert_responses(items: list[Message]) -> None:
    """Calls are answered before anybody else speaks, reasoning is sealed and leads to something, ids are used once."""
    asked: dict[str, str] = {}
    seen: set[str] = set()
    for item, after in zip_longest(items, items[1:]):
        if "id" in item:
            assert item["id"] not in seen, "an id is used twice"
            seen.add(item["id"])
        if item["type"].endswith("_output"):
            assert asked.pop(item["call_id"]) == item["type"].removesuffix("_output"), "an answer without its call"
            _assert_output(item["output"])
            continue
        assert not asked or item["type"] in {
            "function_call",
            "custom_tool_call",
            "reasoning",
            "message",
            "web_search_call",
        }
        if item["type"] == "reasoning":
            assert item["encrypted_content"]
            assert item["id"].startswith("rs")
            assert isinstance(item["summary"], list)
            assert not item.get("content")
            assert after
            assert after["type"] in {"reasoning", "message", "function_call", "custom_tool_call", "web_search_call"}
            assert after.get("role", "assistant") == "assistant"
        elif item["type"] in {"function_call", "custom_tool_call"}:
            assert item["call_id"] not in seen, "an id is used twice"
            seen.add(item["call_id"])
            asked[item["call_id"]] = item["type"]
            assert 0 < len(item["call_id"]) <= 64
            assert NAME.fullmatch(item["name"])
            assert isinstance(item.get("arguments", item.get("input")), str)
        elif item["type"] == "message":
            assert item["role"] == "assistant" or not asked, "somebody speaks before a call is answered"
            _assert_responses_message(item)
        else:
            assert item["type"] == "web_search_call"
    assert not asked, "an open call at the end"


def _assert_responses_message(item: Message) -> None:
    assert item["role"] in {"system", "developer", "user", "assistant"}
    assert item["content"]
    taken = {"user": {"input_text", "input_image", "input_file"}, "assistant": {"output_text", "refusal"}}
    for block in item["content"]:
        assert block["type"] in taken.get(item["role"], {"input_text"})
        _assert_responses_block(block)


def _assert_responses_block(block: Message) -> None:
    if block["type"] in {"input_text", "output_text"}:
        assert block["text"]
    elif block["type"] == "input_image":
        assert block.get("file_id") or is_url(block["image_url"])
    elif block["type"] == "input_file":
        assert block.get("file_id") or is_url(block.get("file_url") or block["file_data"])
        assert "file_data" not in block or block["filename"]
    else:
        assert block["refusal"]


def _assert_output(output: Any) -> None:
    if isinstance(output, str):
        return
    for block in output:
        assert block["type"] in {"input_text", "input_image", "input_file"}
        _assert_responses_block(block)


def assert_anthropic(messages: list[Message]) -> None:
    """User and assistant take turns, the user first; calls are answered in the next turn; no text is empty."""
    asked: list[str] = []
    seen: set[str] = set()
    for number, message in enumerate(messages):
        assert message["role"] == ("assistant" if number % 2 else "user"), "roles do not alternate"
        assert message["content"], "an empty turn"
        for block in message["content"]:
            _assert_anthropic_block(message["role"], block)
        kinds = [block["type"] for block in message["content"]]
        answered = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
        assert sorted(answered) == sorted(asked), "calls and answers do not match"
        assert set(kinds[: len(answered)]) <= {"tool_result"}, "answers do not come first"
        if not THINKING.isdisjoint(kinds):
            assert kinds[0] in THINKING, "thinking does not begin the turn"
            assert kinds[-1] not in THINKING, "thinking ends the turn"
        asked = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        assert message["role"] == "assistant" or not asked
        assert seen.isdisjoint(asked)
        assert len(set(asked)) == len(asked), "an id is used twice"
        seen.update(asked)
        _assert_own_tools(message["content"])
    assert not asked, "an open call at the end"


def _assert_own_tools(blocks: list[Message]) -> None:
    called = [block["id"] for block in blocks if block["type"] == "server_tool_use"]
    answered = [block["tool_use_id"] for block in blocks if block["type"] == "web_search_tool_result"]
    assert set(called) == set(answered)


def _assert_anthropic_block(role: str, block: Message) -> None:
    own = {"tool_use", "thinking", "redacted_thinking", "server_tool_use", "web_search_tool_result"}
    taken = {"text", *own} if role == "assistant" else {"text", "image", "document", "tool_result"}
    assert block["type"] in taken, f"{block['type']} from {role}"
    if block["type"] == "text":
        assert block["text"].strip(), "an empty text"
    elif block["type"] == "tool_use":
        assert CALL_ID.fullmatch(block["id"])
        assert NAME.match(block["name"])
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", block["name"])
        assert isinstance(block["input"], dict)
        json.dumps(block["input"], allow_nan=False).encode()
    elif block["type"] in {"image", "document"}:
        _assert_anthropic_media(block)
    elif block["type"] == "tool_result" and isinstance(block["content"], list):
        for part in block["content"]:
            _assert_anthropic_block("user", part)
    elif block["type"] == "thinking":
        assert block["signature"]


def _assert_anthropic_media(block: Message) -> None:
    source = block["source"]
    if source["type"] == "base64":
        assert is_base64(
            source["media_type"], source["data"], PICTURES if block["type"] == "image" else {"application/pdf"}
        )
    elif source["type"] == "url":
        assert source["url"].startswith("https://")
    else:
        assert source["type"] == "file" or (block["type"] == "document" and source["data"].strip())


def assert_gemini(request: Message) -> None:
    """User and model take turns, the user first; calls are answered in the next content, in their number and order."""
    for part in request.get("systemInstruction", {"parts": [{"text": "x"}]})["parts"]:
        assert part["text"].strip()
    asked: list[Any] = []
    for number, content in enumerate(request["contents"]):
        assert content["role"] == ("model" if number % 2 else "user"), "roles do not alternate"
        assert content["parts"], "an empty content"
        for part in content["parts"]:
            _assert_gemini_part(content["role"], part)
        answered = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
        assert [(answer.get("id"), answer["name"]) for answer in answered] == asked, "calls and answers do not match"
        assert all("functionResponse" in part for part in content["parts"][: len(answered)])
        calls = [part for part in content["parts"] if "functionCall" in part]
        assert content["role"] == "model" or not calls
        assert not calls or calls[0]["thoughtSignature"], "the first call of a turn has no signature"
        asked = [(part["functionCall"].get("id"), part["functionCall"]["name"]) for part in calls]
    assert not asked, "an open call at the end"


def _assert_gemini_part(role: str, part: Message) -> None:
    [kind] = part.keys() - {"thought", "thoughtSignature"}
    inner = part[kind]
    if kind == "text":
        assert inner.strip() or part.get("thoughtSignature") or part.get("thought")
        assert role == "model" or not part.get("thought")
    elif kind == "functionCall":
        assert NAME.fullmatch(inner["name"])
        assert isinstance(inner["args"], dict)
        json.dumps(inner["args"], allow_nan=False).encode()
    elif kind == "functionResponse":
        assert isinstance(inner["response"], dict)
    elif kind == "inlineData":
        assert is_base64(inner["mimeType"], inner["data"], PICTURES | {"audio/wav", "audio/mp3", "application/pdf"})
    elif kind == "fileData":
        assert inner["fileUri"]
    else:
        assert kind == "executableCode"
        assert role == "model"
