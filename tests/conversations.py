"""Conversations: to commit, to read back, to make up."""

from typing import Any

from hypothesis import strategies as st

from commontrace._async.contexts import AsyncContextRepository

Message = dict[str, Any]


async def say(repository: AsyncContextRepository, *texts: str, **options: Any) -> str:
    """Commit what the user says; returns the commit's id."""
    for text in texts:
        repository.user(text)
    return (await repository.commit(**options)).commit_id


async def said(repository: AsyncContextRepository, ref: str = "HEAD") -> list[str]:
    """What the user said in a window."""
    window = await repository.window(ref, format="messages")
    assert window.messages is not None
    return [message["parts"][0]["text"] for message in window.messages]


async def refs(repository: AsyncContextRepository) -> dict[str, str | None]:
    """Where every branch points, and which of them HEAD is on."""
    found = await repository.branches()
    return {branch.name: branch.commit_id for branch in found} | {"HEAD": next(b.name for b in found if b.current)}


WORDS = st.sampled_from(["", " ", "\n", "yes", "look at line 3", "Ünïcode 👋"])
IDS = st.sampled_from(["a", "b", "c", "call_1", "functions.run:0", ""])
ARGUMENTS = st.sampled_from(["{}", '{"n": 1}', "[1]", "not json", "", "null"])
OPENAI_CALL = st.builds(
    lambda called, arguments: {
        "id": called,
        "type": "function",
        "function": {"name": "run", "arguments": arguments},
    },
    IDS,
    ARGUMENTS,
)
BLOCKS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, WORDS),
    st.builds(lambda text: text, WORDS),
    st.builds(lambda called: {"type": "tool_use", "id": called, "name": "run", "input": {"n": 1}}, IDS),
    st.builds(
        lambda called, content, failed: {
            "type": "tool_result",
            "tool_use_id": called,
            "content": content,
            "is_error": failed,
        },
        IDS,
        st.one_of(
            WORDS,
            st.none(),
            st.lists(st.builds(lambda text: {"type": "text", "text": text}, WORDS), max_size=2),
            st.just([{"type": "image", "source": {}}]),
            st.just([{"type": "other"}]),
            st.just([{"type": "text"}]),
            st.just({"n": 1}),
        ),
        st.booleans(),
    ),
    st.just({"type": "thinking", "thinking": "hm", "signature": "sig"}),
    st.just({"type": "thinking", "thinking": "hm"}),
    st.just({"type": "redacted_thinking", "data": "x"}),
    st.just({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}),
    st.just({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}),
    st.just({"type": "something_new", "value": 1}),
)
CALL_PART = st.builds(
    lambda called, arguments: {"type": "tool_call", "id": called, "name": "run", "arguments": arguments},
    IDS,
    st.sampled_from([None, {"n": 1}, 3, "{}"]),
)
MEDIA = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AAAA"}},
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_file"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}, "cache_control": {}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "no base64!"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "inline_data", "inlineData": {"mimeType": "image/webp", "data": "AAAA"}},
        {"type": "inline_data", "inlineData": "broken"},
        {"type": "file_data", "fileData": {"mimeType": "image/png", "fileUri": "files/1"}},
    ]
)
TYPED = st.sampled_from(
    [
        {"type": "artifact", "name": "plan.md", "text": "1. Look."},
        {"type": "output", "text": ""},
        {"type": "freeform", "payload": {"n": 1}},
        {"type": "session", "text": "resumed"},
        {"type": "config", "temperature": 0.5},
        {"type": "metadata", "text": "never sent"},
        {"type": "reasoning", "text": "so"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": None},
        {"type": "refusal", "refusal": "no"},
        {"type": "refusal"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srv", "content": []},
        {"type": "executable_code", "executableCode": {"language": "PYTHON", "code": "1"}},
    ]
)
NAMES = st.sampled_from(["run", "mcp.server/look at", "", "7up", "n" * 200])
RESPONSES_ITEM = st.one_of(
    st.builds(
        lambda called, name: {
            "type": "function_call",
            "id": "fc_1",
            "call_id": called,
            "name": name,
            "arguments": "{}",
        },
        IDS,
        NAMES,
    ),
    st.builds(lambda called, text: {"type": "function_call_output", "call_id": called, "output": text}, IDS, WORDS),
    st.builds(
        lambda called, text: {"type": "custom_tool_call", "call_id": called, "name": "run", "input": text}, IDS, WORDS
    ),
    st.builds(
        lambda sealed: {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed},
        st.sampled_from([None, "", "sealed"]),
    ),
    st.builds(
        lambda text: {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        },
        WORDS,
    ),
)
GEMINI_PART = st.one_of(
    st.builds(lambda text: {"text": text}, WORDS),
    st.builds(lambda text: {"text": text, "thought": True}, WORDS),
    st.just({"text": "", "thoughtSignature": "c2ln"}),
    st.builds(lambda name: {"functionCall": {"name": name, "args": {"n": 1}}}, NAMES),
    st.just({"functionCall": {"id": "a", "name": "run"}, "thoughtSignature": "c2ln"}),
    st.just({"functionResponse": {"name": "run", "response": {"output": "done"}}}),
    st.just({"functionResponse": {"id": "a", "name": "run", "response": {"n": 1}}}),
    st.just({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
)
MESSAGES = st.one_of(
    RESPONSES_ITEM,
    st.builds(
        lambda role, parts: {"role": role, "parts": parts},
        st.sampled_from(["user", "model"]),
        st.lists(GEMINI_PART, min_size=1, max_size=4),
    ),
    st.builds(
        lambda role, parts: {"role": role, "parts": parts},
        st.sampled_from(["system", "user", "assistant", "config", "artifact"]),
        st.lists(st.one_of(MEDIA, TYPED), max_size=4),
    ),
    st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "assistant"]), WORDS),
    st.builds(lambda text: {"role": "system", "content": text}, WORDS),
    st.builds(
        lambda text, calls: {"role": "assistant", "content": text, "tool_calls": calls},
        st.none() | WORDS,
        st.lists(OPENAI_CALL, max_size=3),
    ),
    st.builds(lambda called, text: {"role": "tool", "tool_call_id": called, "content": text}, IDS, WORDS),
    st.builds(
        lambda role, blocks: {"role": role, "content": blocks},
        st.sampled_from(["user", "assistant", "critic"]),
        st.lists(BLOCKS, max_size=4),
    ),
    st.builds(
        lambda role, parts: {"role": role, "parts": parts},
        st.sampled_from(["user", "assistant"]),
        st.lists(CALL_PART, max_size=2),
    ),
)
HISTORIES = st.lists(MESSAGES, max_size=14)
"""Whatever an agent may have said, in no order at all."""
