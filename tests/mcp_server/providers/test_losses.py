"""What crosses from one provider to another: media, reasoning, typed parts, names; and what is lost, said out loud."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import TokenCount, Window
from commontrace.providers.anthropic import to_anthropic
from commontrace.providers.gemini import to_gemini
from commontrace.providers.losses import Provider, losses
from commontrace.providers.messages import parse_message, parse_messages, text_of
from commontrace.providers.openai_chat import to_openai
from commontrace.providers.parts import PartTypes, check_parts, check_types
from commontrace.providers.responses import to_responses
from commontrace.providers.text import to_markdown, to_text
from conversations import HISTORIES, Message
from demands import assert_anthropic, assert_gemini, assert_openai, assert_responses

DATA = "data:image/png;base64,AAAA"
SOURCE = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
PICTURES: list[Message] = [
    {"type": "image_url", "image_url": {"url": DATA}},
    {"type": "input_image", "image_url": DATA},
    {"type": "image", "source": SOURCE},
    {"type": "inline_data", "inlineData": {"mimeType": "image/png", "data": "AAAA"}},
]
PAGES: list[Message] = [
    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
    {"type": "document", "source": SOURCE | {"media_type": "application/pdf"}, "title": "a.pdf"},
]
PROVIDERS: list[Provider] = ["openai", "responses", "anthropic", "gemini"]


def shown(role: str, *parts: Message) -> dict[str, list[Message]]:
    """What each provider is sent of one message, checked."""
    messages = [parse_message({"role": role, "parts": list(parts)})]
    chat, items, turns, contents = (
        to_openai(messages),
        to_responses(messages),
        to_anthropic(messages)[1],
        to_gemini(messages),
    )
    assert_openai(chat)
    assert_responses(items)
    assert_anthropic(turns)
    assert_gemini(contents)
    said = chat[-1]["content"] if chat else []
    return {
        "openai": said if isinstance(said, list) else [{"type": "text", "text": said}],
        "responses": items[-1]["content"] if items else [],
        "anthropic": turns[-1]["content"] if turns else [],
        "gemini": contents["contents"][-1]["parts"] if contents["contents"] else [],
    }


@pytest.mark.parametrize("picture", PICTURES, ids=lambda part: part["type"])
def test_a_picture_of_any_provider_is_a_picture_at_every_other(picture: Message) -> None:
    sent = shown("user", picture)
    assert [part for parts in sent.values() for part in parts] == [
        *PICTURES[:3],
        {"inlineData": PICTURES[3]["inlineData"]},
    ]
    message = parse_message({"role": "user", "parts": [picture]})
    assert [losses([message], provider) for provider in PROVIDERS] == [[], [], [], []]
    assert text_of(message) == "[image image/png, 1 kB]"


@pytest.mark.parametrize("page", PAGES, ids=lambda part: part["type"])
def test_a_document_of_any_provider_is_one_at_every_other(page: Message) -> None:
    sent = shown("user", page)
    assert sent["openai"] == PAGES[:1]
    assert sent["responses"] == PAGES[1:2]
    assert sent["anthropic"][0]["source"] == PAGES[2]["source"]
    assert sent["gemini"] == [{"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}]


def test_sound_and_words_in_a_document_go_where_they_are_taken() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    sent = shown("user", sound)
    assert sent["openai"] == [sound]
    assert sent["gemini"] == [{"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}]
    assert sent["anthropic"] == [{"type": "text", "text": "[audio audio/wav, 1 kB]"}]
    assert sent["responses"] == [{"type": "input_text", "text": "[audio audio/wav, 1 kB]"}]
    back = shown("user", {"type": "inline_data", "inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}})
    assert back["openai"] == [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}]
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}
    sent = shown("user", document)
    assert sent["anthropic"] == [document]
    assert sent["openai"] == [{"type": "text", "text": "words"}]
    assert sent["gemini"] == [{"text": "words"}]
    assert sent["responses"] == [{"type": "input_text", "text": "words"}]


@pytest.mark.parametrize("role", ["assistant", "system"])
def test_a_picture_where_a_provider_takes_none_is_a_few_words(role: str) -> None:
    messages = [parse_message({"role": role, "parts": [PICTURES[0]]}), parse_message({"role": "user", "content": "x"})]
    assert_openai(to_openai(messages))
    assert_responses(to_responses(messages))
    assert_anthropic(to_anthropic(messages)[1])
    assert_gemini(to_gemini(messages))
    assert to_openai(messages)[0]["content"] == "[image image/png, 1 kB]"
    assert losses(messages, "openai") == ["message 1: image_url is sent as a few words"]


def test_a_file_stays_with_the_provider_that_keeps_it() -> None:
    kept = {"type": "input_file", "file_id": "file-1"}
    sent = shown("user", kept)
    assert sent["responses"] == [kept]
    assert sent["openai"] == [{"type": "file", "file": {"file_id": "file-1"}}]
    assert sent["anthropic"] == [{"type": "text", "text": "[file file-1]"}]
    assert sent["gemini"] == [{"text": "[file file-1]"}]
    assert shown("user", {"type": "input_image", "file_id": "file-2"})["responses"] == [
        {"type": "input_image", "file_id": "file-2"}
    ]
    remote = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    sent = shown("user", remote)
    assert sent["anthropic"] == [remote]
    assert sent["responses"] == [{"type": "input_file", "file_url": "https://example.com/a.pdf"}]
    assert sent["openai"] == [{"type": "text", "text": "[file https://example.com/a.pdf]"}]


def test_a_picture_in_a_result_is_shown_where_that_is_possible() -> None:
    call = {"type": "tool_call", "id": "a", "name": "look", "arguments": {}}
    result = {"type": "tool_result", "call_id": "a", "content": [{"type": "text", "text": "see"}, PICTURES[0]]}
    messages = parse_messages([{"role": "user", "content": "go"}, {"role": "assistant", "parts": [call]}])
    messages.append(parse_message({"role": "tool", "parts": [result]}))
    assert to_openai(messages)[2]["content"] == "see\n[image image/png, 1 kB]"
    assert to_responses(messages)[2]["output"] == [{"type": "input_text", "text": "see"}, PICTURES[1]]
    assert to_anthropic(messages)[1][2]["content"][0]["content"] == [{"type": "text", "text": "see"}, PICTURES[2]]
    said = to_gemini(messages)["contents"][2]["parts"][0]["functionResponse"]["response"]
    assert said == {"output": "see\n[image image/png, 1 kB]"}
    lost = "message 2: media in a result is sent as a few words"
    assert [losses(messages, provider) for provider in PROVIDERS] == [[lost], [], [], [lost]]
    result["content"] = [PICTURES[0] | {"image_url": {"url": "data:image/tiff;base64,AAAA"}}]
    messages[2] = parse_message({"role": "tool", "parts": [result]})
    assert losses(messages, "anthropic") == [lost]


def test_reasoning_goes_back_only_to_the_provider_that_signed_it() -> None:
    thoughts: list[Message] = [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eA=="},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAA="},
        {"type": "reasoning", "text": "so", "thought": True},
    ]
    said = {"type": "text", "text": "Yes."}
    sent = shown("assistant", *thoughts, said)
    assert sent["openai"] == [said]
    assert sent["anthropic"] == [*thoughts[:2], said]
    assert sent["gemini"] == [{"text": "so", "thought": True}, {"text": "Yes."}]
    messages = [parse_message({"role": "assistant", "parts": [*thoughts, said]})]
    assert to_responses(messages)[0] == thoughts[2]
    assert [len(losses(messages, provider)) for provider in PROVIDERS] == [4, 3, 2, 3]
    assert text_of(messages[0]) == "hm\n[redacted thinking]\n\nso\nYes."


def test_thinking_that_does_not_begin_a_turn_is_left_out() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    turn: list[Message] = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "First."},
        {"role": "assistant", "content": [thinking, {"type": "text", "text": "Second."}]},
        {"role": "assistant", "content": [thinking]},
    ]
    messages = parse_messages(turn)
    _, turns = to_anthropic(messages)
    assert_anthropic(turns)
    assert [block["text"] for block in turns[1]["content"]] == ["First.", "Second."]
    assert losses(messages, "anthropic") == [
        "message 3: thinking is left out, it does not begin the turn",
        "message 4: thinking is left out, it does not begin the turn",
    ]


def test_what_the_providers_own_tools_did_stays_if_it_is_complete() -> None:
    use = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "cat"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"encrypted_content": "x"}]}
    assert shown("assistant", use, found)["anthropic"] == [use, found]
    [alone] = shown("assistant", use)["anthropic"]
    assert alone["type"] == "text"
    assert losses([parse_message({"role": "assistant", "parts": [use]})], "anthropic") == [
        "message 1: server_tool_use is sent as text"
    ]


def test_names_and_ids_are_written_in_the_letters_that_providers_take() -> None:
    call = {
        "type": "tool_call",
        "id": "functions.run:0" * 9,
        "name": "2 mcp.server/look" * 9,
        "arguments": '{"n": NaN}',
    }
    messages = [parse_message({"role": "assistant", "parts": [call]})]
    assert_openai(to_openai(messages))
    assert_responses(to_responses(messages))
    assert_anthropic(to_anthropic(messages)[1])
    assert_gemini(to_gemini(messages))
    assert to_anthropic(messages)[1][1]["content"][0]["input"] == {"arguments": '{"n": NaN}'}
    assert to_openai(messages)[0]["tool_calls"][0]["function"]["name"].startswith("_2_mcp_server_look")


def test_a_custom_call_has_its_text_as_input_where_calls_take_objects() -> None:
    messages = parse_messages([{"type": "custom_tool_call", "call_id": "c", "name": "shell", "input": "123"}])
    assert to_anthropic(messages)[1][1]["content"][0]["input"] == {"input": "123"}


TYPED = ["artifact", "output", "freeform", "session", "reasoning", "config", "metadata"]


def test_every_known_type_has_a_text_and_only_some_reach_a_model() -> None:
    messages = parse_messages([{"role": role, "content": f"the {role}"} for role in TYPED])
    assert [message["parts"][0]["type"] for message in messages] == TYPED
    assert [text_of(message) for message in messages] == [f"the {role}" for role in TYPED]
    chat = [(message["role"], message["content"]) for message in to_openai(messages)]
    assert chat == [
        ("user", "the artifact"),
        ("assistant", "the output"),
        ("user", "the freeform"),
        ("user", "the session"),
    ]
    assert losses(messages, "openai") == ["message 5: reasoning is left out"]
    assert to_text(messages).endswith("reasoning: the reasoning")
    assert "config" not in to_markdown(messages)
    assert (
        text_of(parse_message({"role": "user", "parts": [{"type": "freeform", "n": 1}]}))
        == '{"n": 1, "type": "freeform"}'
    )
    named = parse_message({"role": "user", "parts": [{"type": "artifact", "name": "a.md", "text": "# A"}]})
    assert text_of(named) == "[a.md]\n# A"


TYPES: PartTypes = {
    "decision": {"render": "text", "required": ["text", "by"]},
    "table": {"render": "json"},
    "cursor": {"render": "hidden", "required": []},
}


def test_custom_types_are_rendered_as_their_repository_says() -> None:
    check_types(TYPES)
    parts = [
        {"type": "decision", "text": "Use it.", "by": "Ann"},
        {"type": "table", "rows": [1]},
        {"type": "cursor", "line": 3},
        {"type": "hologram", "beam": 1},
    ]
    message = parse_message({"role": "user", "parts": parts})
    check_parts(message, TYPES)
    assert message["parts"] == parts
    assert to_openai([message], TYPES)[0]["content"] == (
        'Use it.\n{"rows": [1], "type": "table"}\n{"beam": 1, "type": "hologram"}'
    )
    assert losses([message], "gemini", TYPES) == ["message 1: hologram is sent as text"]
    window = Window(
        repository="parser", ref="HEAD", commit_id="c", state_id="s", format="messages",
        messages=[message], types=TYPES,
        tokens=TokenCount(tokens=1, method="exact", encoding="o200k_base"), included=1, left_out=0,
    )  # fmt: skip
    assert window.to_openai() == to_openai([message], TYPES)
    assert "cursor" not in window.to_text() + window.to_markdown()
    with pytest.raises(InvalidInputError, match="'decision' lacks by"):
        check_parts(parse_message({"role": "user", "parts": [{"type": "decision", "text": "x"}]}), TYPES)


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ({"text": {"render": "text"}}, "cannot be registered"),
        ({"config": {"render": "text"}}, "cannot be registered"),
        ({"": {"render": "text"}}, "cannot be registered"),
        ({"a": {}}, "how it is rendered"),
        ({"a": {"render": "loud"}}, "how it is rendered"),
        ({"a": {"render": "json", "required": "by"}}, "not a list of fields"),
        ({"a": {"render": "json", "required": [1]}}, "not a list of fields"),
    ],
)
def test_a_registry_that_cannot_be_used_is_refused(types: Any, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        check_types(types)
    assert caught.value.hint


@given(HISTORIES)
def test_every_word_that_was_said_reaches_every_provider(history: list[Message]) -> None:
    messages = parse_messages(history)
    parts = [part for message in messages for part in message["parts"]]
    words = [part["text"] for part in parts if part["type"] == "text" and part["text"].strip()]
    for render in (to_openai, to_responses, to_anthropic, to_gemini):
        sent = repr(render(messages))
        assert [word for word in words if repr(word)[1:-1] not in sent] == []


@given(HISTORIES, st.sampled_from(PROVIDERS))
def test_what_no_provider_knows_is_a_loss_wherever_it_stands(history: list[Message], provider: Provider) -> None:
    messages = parse_messages(history)
    before = losses(messages, provider)
    unknown = parse_message({"role": "assistant", "content": [{"type": "hologram", "beam": 1}]})
    assert losses([*messages, unknown], provider) == [*before, f"message {len(messages) + 1}: hologram is sent as text"]


def test_cache_breakpoints_stand_where_a_growing_window_stays_as_it_is() -> None:
    turns: list[Message] = [
        {"role": role, "content": f"{role} {n}"} for n in range(3) for role in ("user", "assistant")
    ]
    messages = parse_messages([{"role": "system", "content": "Be brief."}, *turns])

    def marked(breakpoints: int, *, system: bool = True) -> list[str]:
        window = Window(
            repository="parser", ref="HEAD", commit_id="c", state_id="s", format="messages",
            messages=messages if system else messages[1:],
            tokens=TokenCount(tokens=1, method="exact", encoding="o200k_base"), included=1, left_out=0,
        )  # fmt: skip
        call = window.to_anthropic(cache_breakpoints=breakpoints)
        assert_anthropic(call["messages"])
        prompt = call.get("system", [])
        blocks = [
            *(prompt if isinstance(prompt, list) else []),
            *(b for turn in call["messages"] for b in turn["content"]),
        ]
        assert {block.get("cache_control", {}).get("type", "ephemeral") for block in blocks} == {"ephemeral"}
        return [block["text"] for block in blocks if "cache_control" in block]

    assert marked(0) == []
    assert marked(1) == ["user 2"]
    assert marked(2) == ["Be brief.", "user 2"]
    assert marked(4) == ["Be brief.", "user 0", "user 1", "user 2"]
    assert marked(4, system=False) == ["user 0", "user 1", "user 2"]
    for breakpoints in (-1, 5):
        with pytest.raises(InvalidInputError, match="cache breakpoints") as caught:
            marked(breakpoints)
        assert "0 to 4" in caught.value.hint


def test_markdown_keeps_what_it_fences_inside() -> None:
    call = {"type": "tool_call", "id": "a", "name": "run", "arguments": {"n": 1}}
    result = {"type": "tool_result", "call_id": "a", "content": "```\nnot the end\n```"}
    messages = [
        parse_message({"role": "assistant", "parts": [call, {"type": "hologram", "beam": 1}]}),
        parse_message({"role": "tool", "parts": [result]}),
    ]
    assert to_markdown(messages) == (
        '## Assistant\n\nCalls `run`:\n\n```json\n{"n": 1}\n```\n\n```json\n{"beam": 1, "type": "hologram"}\n```\n\n'
        "## Tool\n\nResult:\n\n````\n```\nnot the end\n```\n````"
    )
