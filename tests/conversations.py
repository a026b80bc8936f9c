"""Conversations: to commit, to read back, to make up; and what providers demand of them, without any code of ours."""

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
        for part in message["content"] if isinstance(message["content"], list) else []:
            assert part["type"] != "text" or part["text"]
    assert not open_calls


def assert_anthropic(messages: list[Message]) -> None:
    """User and assistant take turns, the user first; calls are answered in the next turn; no text is empty."""
    asked: list[str] = []
    seen: set[str] = set()
    for number, message in enumerate(messages):
        assert message["role"] == ("assistant" if number % 2 else "user"), "roles do not alternate"
        assert message["content"], "an empty turn"
        for block in message["content"]:
            assert block["type"] != "text" or block["text"].strip(), "an empty text"
        answered = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
        assert sorted(answered) == sorted(asked), "calls and answers do not match"
        for block in (block for block in message["content"] if block["type"] == "tool_result"):
            inner = block["content"] if isinstance(block["content"], list) else []
            assert all(part["type"] != "text" or part["text"].strip() for part in inner)
        asked = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        assert message["role"] == "assistant" or not asked
        assert all(name and name.replace("_", "a").replace("-", "a").isalnum() for name in asked)
        assert all(name.isascii() for name in asked)
        assert seen.isdisjoint(asked)
        assert len(set(asked)) == len(asked), "an id is used twice"
        seen.update(asked)
        assert all(isinstance(block["input"], dict) for block in message["content"] if block["type"] == "tool_use")
    assert not asked, "an open call at the end"


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
MESSAGES = st.one_of(
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
