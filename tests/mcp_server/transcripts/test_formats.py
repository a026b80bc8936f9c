"""Rollouts of Codex, lists of messages, and exports of accounts; and what a file is."""

import json
from typing import Any

import pytest

from commontrace.errors import InvalidInputError
from commontrace.transcripts.entries import BEGINNING, Transcript, time_of
from commontrace.transcripts.reading import read

ID = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"


def rollout(*items: tuple[str, dict[str, Any]]) -> str:
    """The lines of a rollout file."""
    head = ("session_meta", {"id": ID, "cwd": "/work", "cli_version": "0.65.0"})
    lines = [
        {"timestamp": f"2026-11-21T08:00:{number:02}.000Z", "type": kind, "payload": payload}
        for number, (kind, payload) in enumerate([head, *items])
    ]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def said(role: str, text: str) -> tuple[str, dict[str, Any]]:
    kind = "output_text" if role == "assistant" else "input_text"
    return "response_item", {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def one(text: str, wanted: Any = "auto") -> Transcript:
    (transcript,) = read(text, wanted, {})
    return transcript


def messages(transcript: Transcript) -> list[Any]:
    return [entry.message for entry in transcript.entries]


def parents(transcript: Transcript) -> list[int | None]:
    number = {entry.entry_id: position for position, entry in enumerate(transcript.entries)}
    return [number[entry.parent] if entry.parent else None for entry in transcript.entries]


def test_a_rollout_of_codex() -> None:
    transcript = one(
        rollout(
            said("user", "<environment_context>here</environment_context>"),
            ("turn_context", {"model": "gpt-5-codex"}),
            said("user", "go"),
            ("event_msg", {"type": "user_message", "message": "go"}),
            ("response_item", {"type": "reasoning", "summary": [], "encrypted_content": "xyz"}),
            ("response_item", {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c1"}),
            ("response_item", {"type": "function_call_output", "call_id": "c1", "output": "ok"}),
            ("response_item", {"type": "custom_tool_call", "name": "apply_patch", "input": "***", "call_id": "c2"}),
            ("response_item", {"type": "custom_tool_call_output", "call_id": "c2", "output": {"content": "done"}}),
            ("response_item", {"type": "web_search_call", "status": "completed"}),
            said("assistant", "Done."),
        )
    )
    assert (transcript.agent, transcript.name) == ("codex", "codex/eeeeffff")
    assert [message["role"] for message in messages(transcript)] == [
        "user",
        "user",
        "assistant",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "assistant",
    ]
    assert [entry.opens_turn for entry in transcript.entries[:2]] == [False, True]
    assert messages(transcript)[2]["content"] == [{"type": "reasoning", "summary": [], "encrypted_content": "xyz"}]
    assert messages(transcript)[3]["tool_calls"][0]["function"] == {"name": "shell", "arguments": "{}"}
    assert messages(transcript)[6] == {"role": "tool", "tool_call_id": "c2", "content": "done"}
    assert messages(transcript)[7]["content"] == [{"type": "text", "text": "Done."}]
    assert transcript.entries[-1].model == "gpt-5-codex"
    assert transcript.left_out == {"user_message": 1, "web_search_call": 1}


def test_turns_that_codex_rolled_back_become_a_fork() -> None:
    back = ("event_msg", {"type": "thread_rolled_back", "num_turns": 1})
    transcript = one(
        rollout(
            said("user", "a"),
            said("assistant", "b"),
            said("user", "c"),
            said("assistant", "d"),
            back,
            said("user", "e"),
        )
    )
    assert parents(transcript) == [None, 0, 1, 2, 1]


def test_a_rollback_of_more_turns_than_there_are_goes_to_the_beginning() -> None:
    back = ("event_msg", {"type": "thread_rolled_back", "num_turns": 9})
    nothing = ("event_msg", {"type": "thread_rolled_back"})
    transcript = one(rollout(said("user", "a"), said("assistant", "b"), nothing, back, said("user", "c")))
    assert parents(transcript) == [None, 0, None]


def test_a_compaction_of_codex_keeps_the_prompts() -> None:
    transcript = one(
        rollout(said("user", "a"), said("assistant", "b"), ("compacted", {"message": "In short."}), said("user", "c"))
    )
    assert transcript.entries[2].keeps == frozenset({transcript.entries[0].entry_id})


def test_the_same_list_of_messages_is_the_same_transcript_and_a_longer_one_goes_on() -> None:
    short = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    before, after = one(json.dumps(short)), one(json.dumps({"messages": [*short, {"role": "user", "content": "c"}]}))
    assert before.name == after.name
    assert [entry.entry_id for entry in before.entries] == [entry.entry_id for entry in after.entries][:2]
    assert [entry.opens_turn for entry in after.entries] == [True, False, True]


@pytest.mark.parametrize(
    ("value", "agent"),
    [
        ([{"role": "user", "content": "a"}], "openai"),
        ({"messages": [{"role": "user", "content": "a"}], "model": "x"}, "openai"),
        ({"system": "Be brief.", "messages": [{"role": "user", "content": "a"}]}, "anthropic"),
        ([{"role": "assistant", "content": [{"type": "tool_use", "id": "x", "name": "n", "input": {}}]}], "anthropic"),
        ([{"role": "assistant", "content": None, "tool_calls": []}], "openai"),
    ],
)
def test_lists_of_messages_are_told_by_their_blocks(value: Any, agent: str) -> None:
    assert one(json.dumps(value)).agent == agent


def test_a_system_prompt_apart_comes_first() -> None:
    transcript = one(json.dumps({"system": "Be brief.", "messages": [{"role": "user", "content": "a"}]}))
    assert messages(transcript)[0] == {"role": "system", "content": "Be brief."}


def test_a_result_opens_no_turn() -> None:
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "ok"}]}
    assert not one(json.dumps([result])).entries[0].opens_turn


def test_conversations_one_a_line_that_begin_alike_are_forks_of_one() -> None:
    begin = [{"role": "user", "content": "a"}]
    lines = [{"messages": [*begin, {"role": "assistant", "content": text}]} for text in ("b", "c")]
    other = {"messages": [{"role": "user", "content": "z"}]}
    text = "".join(f"{json.dumps(line)}\n" for line in [*lines, {"n": 1}, other])
    first, second = read(text, "auto", {})
    assert parents(first) == [None, 0, 0]
    assert len(second.entries) == 1
    assert first.problems == ["line 3 holds no messages"]


def node(name: str, parent: str | None, role: str, *parts: Any, **content: Any) -> dict[str, Any]:
    """A node of a ChatGPT export."""
    said = content or {"content_type": "text", "parts": list(parts)}
    author = {"role": role, "name": "browser" if role == "tool" else None}
    message = {"author": author, "content": said, "create_time": 1_763_712_000.5, "metadata": {"model_slug": "gpt-5"}}
    return {name: {"id": name, "parent": parent, "children": [], "message": message}}


def test_an_export_of_chatgpt_is_a_tree() -> None:
    mapping = {
        "root": {"id": "root", "parent": None, "message": None},
        **node("s", "root", "system", ""),
        **node("u", "s", "user", "hello", {"content_type": "image_asset_pointer", "asset_pointer": "file://1"}),
        **node("a", "u", "assistant", "hi"),
        **node("b", "u", "assistant", "hi again"),
        **node("c", "a", "assistant", content_type="code", text="1 + 1"),
        **node("t", "c", "tool", "2"),
        **node("lost", "gone", "user", "alone"),
        "odd": {"id": "odd", "parent": "u", "message": {"author": None}},
    }
    export = [{"title": "T", "conversation_id": "68abcdef-1", "mapping": mapping}]
    transcript = one(json.dumps(export))
    assert (transcript.agent, transcript.name) == ("chatgpt", "chatgpt/68abcdef")
    assert parents(transcript) == [None, 0, 0, 1, 3, None]
    assert messages(transcript)[0]["content"][1]["type"] == "image_asset_pointer"
    assert messages(transcript)[4] == {"role": "user", "content": [{"type": "text", "text": "2"}], "name": "browser"}
    assert (transcript.entries[0].time, transcript.entries[1].model) == ("2025-11-21T08:00:00.500000+00:00", "gpt-5")
    assert transcript.left_out == {"an empty node": 3}


def test_an_export_of_claude() -> None:
    listed: list[Any] = [
        {
            "uuid": "m1",
            "sender": "human",
            "created_at": "2026-11-21T08:00:00Z",
            "parent_message_uuid": "00000000-0000-4000-8000-000000000000",
            "text": "hello",
            "content": [{"type": "text", "text": "hello"}],
            "attachments": [{"file_name": "a.txt", "extracted_content": "x"}, {"file_name": "b.png"}],
        },
        {
            "uuid": "m2",
            "sender": "assistant",
            "parent_message_uuid": "m1",
            "content": [{"type": "tool_use", "name": "search", "input": {}}, {"type": "text", "text": ""}],
        },
        {"uuid": "m3", "sender": "human", "parent_message_uuid": "m1", "text": "only text"},
        {"uuid": "m4", "sender": "human", "text": ""},
        {"uuid": "m5", "sender": "nobody", "text": "x"},
        {"uuid": "m6", "sender": "assistant", "text": "no parent is said"},
    ]
    transcript = one(json.dumps({"uuid": "12345678-9", "name": "N", "chat_messages": listed}))
    assert (transcript.agent, transcript.name) == ("claude", "claude-export/12345678")
    assert parents(transcript) == [None, 0, 0, 2]
    assert [part["text"] for part in messages(transcript)[0]["content"]] == ["hello", "a.txt:\nx"]
    assert messages(transcript)[1]["content"] == [{"type": "claude_tool_use", "name": "search", "input": {}}]
    assert transcript.left_out == {"an empty message": 2}


@pytest.mark.parametrize(
    "text",
    ["", "hello\n", "[]", "[1, 2]", "{}", '{"messages": []}', '{"messages": [{"content": "x"}]}', "5\n", "[[[["],
)
def test_what_is_no_transcript_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="no transcript that CommonTrace knows"):
        read(text, "auto", {})


@pytest.mark.parametrize("wanted", ["claude-code", "codex", "openai", "anthropic", "chatgpt", "claude"])
def test_a_file_of_another_format_than_was_said_is_refused(wanted: Any) -> None:
    with pytest.raises(InvalidInputError, match=f"no messages of {wanted}"):
        read('{"hello": 1}\n', wanted, {})


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("2026-11-21T10:00:00+02:00", "2026-11-21T08:00:00.000000+00:00"),
        ("2026-11-21T08:00:00", "2026-11-21T08:00:00.000000+00:00"),
        (0, BEGINNING),
        (1e30, BEGINNING),
        (True, BEGINNING),
        (None, BEGINNING),
        ("soon", BEGINNING),
    ],
)
def test_times_are_of_one_form(value: Any, time: str) -> None:
    assert time_of(value) == time
