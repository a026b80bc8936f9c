"""From the shapes of providers to the canonical form and out again; windows that providers accept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.providers.anthropic import to_anthropic
from commontrace.providers.gemini import to_gemini
from commontrace.providers.messages import parse_message, parse_messages, text_of
from commontrace.providers.openai_chat import to_openai
from commontrace.providers.rendering import OPEN_CALL, groups, is_system
from commontrace.providers.responses import to_responses
from commontrace.providers.text import to_text
from commontrace_backend.contexts.window import Sized, choose
from conversations import HISTORIES, Message
from demands import assert_anthropic, assert_gemini, assert_openai, assert_responses

IMAGE_URL = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


def openai_call(called: str, arguments: str = "{}") -> dict[str, Any]:
    return {"id": called, "type": "function", "function": {"name": "run", "arguments": arguments}}


OPENAI: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "developer", "content": "Use tools."},
    {"role": "user", "content": "Run both."},
    {"role": "assistant", "content": None, "tool_calls": [openai_call("a", '{"n": 1.0}'), openai_call("b")]},
    {"role": "tool", "tool_call_id": "a", "content": "one"},
    {"role": "tool", "tool_call_id": "b", "content": ""},
    {"role": "assistant", "content": "And again.", "tool_calls": [openai_call("c")]},
    {"role": "tool", "tool_call_id": "c", "content": "two"},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE_URL]},
    {"role": "assistant", "content": "A\n\npicture. "},
]
ANTHROPIC: list[Message] = [
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "eA=="},
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"deep": {"n": 1.5}}},
            {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a cat"},
            {
                "type": "tool_result",
                "tool_use_id": "toolu_2",
                "content": [{"type": "text", "text": "no"}, IMAGE],
                "is_error": True,
            },
            {"type": "text", "text": "Go on."},
        ],
    },
    {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
]


def parsed(messages: list[Message]) -> list[Message]:
    return [parse_message(message) for message in messages]


def test_openai_messages_come_out_as_they_went_in() -> None:
    assert to_openai(parsed(OPENAI)) == OPENAI
    assert_openai(OPENAI)


def test_anthropic_messages_come_out_as_they_went_in() -> None:
    assert to_anthropic(parsed(ANTHROPIC)) == ("", ANTHROPIC)
    assert_anthropic(ANTHROPIC)


def test_canonical_messages_are_taken_as_they_are() -> None:
    for message in parsed([*OPENAI, *ANTHROPIC]):
        assert parse_message(message) == message


def test_one_provider_reads_what_another_one_said() -> None:
    system, turns = to_anthropic(parsed(OPENAI))
    assert system == "Be brief.\n\nUse tools."
    assert_anthropic(turns)
    assert turns[1]["content"][0] == {"type": "tool_use", "id": "a", "name": "run", "input": {"n": 1.0}}
    rendered = to_openai(parsed(ANTHROPIC))
    assert_openai(rendered)
    assert [message["role"] for message in rendered] == ["user", "assistant", "tool", "tool", "user", "assistant"]
    assert rendered[1]["tool_calls"][0]["function"]["arguments"] == '{"deep": {"n": 1.5}}'
    assert rendered[2]["content"] == "a cat"


def test_fields_that_nobody_knows_are_kept() -> None:
    call = openai_call("a") | {"extra_content": {"signature": "x"}, "index": 0}
    message = parse_message({"role": "assistant", "name": "ann", "tool_calls": [call], "refusal": None})
    assert (message["name"], message["refusal"]) == ("ann", None)
    assert message["parts"][0]["extra_content"] == {"signature": "x"}
    block = {"type": "tool_use", "id": "a", "name": "run", "input": {}, "cache_control": {"type": "ephemeral"}}
    assert parse_message({"role": "assistant", "content": [block]})["parts"] == [
        {"type": "tool_call", "id": "a", "name": "run", "arguments": {}, "cache_control": {"type": "ephemeral"}}
    ]
    new = {"type": "hologram", "beam": [1, 2]}
    assert parse_message({"role": "user", "content": [new]})["parts"] == [new]


def test_who_speaks_and_a_refusal_come_out_as_they_went_in() -> None:
    said: list[Message] = [
        {"role": "user", "content": "Tell me.", "name": "ann"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot."}]},
    ]
    assert to_openai(parse_messages(said)) == said
    assert to_openai(parse_messages([said[0], {"role": "assistant", "content": None, "refusal": "I cannot."}])) == said


def test_a_field_that_nobody_knows_cannot_pose_as_one_that_we_know() -> None:
    block = {"type": "tool_result", "tool_use_id": "a", "content": "x", "call_id": ["not", "an", "id"]}
    assert parse_message({"role": "user", "content": [block]})["parts"][0]["call_id"] == "a"
    use = {"type": "tool_use", "id": "a", "name": "run", "input": {}, "arguments": "forged"}
    assert parse_message({"role": "assistant", "content": [use]})["parts"][0]["arguments"] == {}


BAD: list[tuple[Message, str]] = [
    ({"content": "x"}, "no role"),
    ({"role": "", "content": "x"}, "no role"),
    ({"role": 5, "content": "x"}, "no role"),
    ({"role": "r" * 51, "content": "x"}, "no role"),
    ({"role": "user"}, "no content"),
    ({"role": "user", "text": "x"}, "no content"),
    ({"role": "user", "content": 5}, "neither a text nor a list"),
    ({"role": "user", "content": {"text": "x"}}, "neither a text nor a list"),
    ({"role": "user", "content": [5]}, "no type"),
    ({"role": "user", "content": [{"text": "x"}]}, "no type"),
    ({"role": "user", "content": [{"type": "text"}]}, "no text"),
    ({"role": "user", "content": [{"type": "text", "text": 5}]}, "no text"),
    ({"role": "user", "content": "x", "parts": []}, "both parts and content"),
    ({"role": "user", "parts": 5}, "not a list"),
    ({"role": "user", "parts": [5]}, "no type"),
    ({"role": "user", "parts": [{"type": "text"}]}, "no text"),
    ({"role": "assistant", "parts": [{"type": "tool_call"}]}, "no id or no name"),
    ({"role": "assistant", "content": [{"type": "tool_call", "id": "a"}]}, "no id or no name"),
    ({"role": "assistant", "content": [{"type": "tool_use", "id": "a", "input": {}}]}, "no id or no name"),
    ({"role": "assistant", "content": [{"type": "tool_use", "name": "run", "input": {}}]}, "no id or no name"),
    ({"role": "assistant", "tool_calls": "run"}, "not a list"),
    ({"role": "assistant", "tool_calls": ["run"]}, "no function"),
    ({"role": "assistant", "tool_calls": [{"id": "a"}]}, "no function"),
    ({"role": "assistant", "tool_calls": [{"function": {"name": "run"}}]}, "no id or no name"),
    ({"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}, "no id or no name"),
    ({"role": "tool", "content": "x"}, "which call"),
    ({"role": "tool", "content": "x", "tool_call_id": 5}, "which call"),
    ({"role": "user", "content": [{"type": "tool_result", "content": "x"}]}, "which call"),
    ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": ["a"], "content": "x"}]}, "which call"),
]


@pytest.mark.parametrize(("message", "said"), BAD, ids=[str(message)[:60] for message, _ in BAD])
def test_a_message_that_cannot_be_read_is_refused_with_what_to_send(message: Message, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        parse_message(message)
    assert caught.value.hint


@given(HISTORIES)
def test_any_history_renders_to_what_openai_accepts(history: list[Message]) -> None:
    assert_openai(to_openai(parsed(history)))


@given(HISTORIES)
def test_any_history_renders_to_what_anthropic_accepts(history: list[Message]) -> None:
    assert_anthropic(to_anthropic(parsed(history))[1])


@given(HISTORIES)
def test_any_history_renders_to_what_openai_responses_accepts(history: list[Message]) -> None:
    assert_responses(to_responses(parse_messages(history)))


@given(HISTORIES)
def test_any_history_renders_to_what_gemini_accepts(history: list[Message]) -> None:
    assert_gemini(to_gemini(parse_messages(history)))


@pytest.mark.parametrize("render", [to_openai, to_responses, to_gemini, lambda messages: _body(to_anthropic(messages))])
@given(history=HISTORIES)
def test_what_a_provider_was_sent_is_read_back_and_sent_again_as_it_was(render: Any, history: list[Message]) -> None:
    sent = render(parse_messages(history))
    assert render(parse_messages(sent)) == sent


def _body(rendered: tuple[str, list[Message]]) -> Message:
    return {"system": rendered[0], "messages": rendered[1]}


@given(HISTORIES, st.integers(0, 60))
def test_any_budget_that_is_possible_leaves_what_providers_accept(history: list[Message], budget: int) -> None:
    messages = parsed(history)
    tokens = [3 + len(text_of(message)) for message in messages]
    system = [at for at, message in enumerate(messages) if is_system(message)]
    sized = Sized.of(tokens, groups(messages), system, {})
    try:
        choice = choose(sized, budget)
    except InvalidInputError as error:
        least = int(error.hint.removeprefix("Give at least ").removesuffix("."))
        assert least > budget
        choice = choose(sized, least)
        assert sum(tokens[position] for position in choice.included) == least
        return
    kept = [message for position, message in enumerate(messages) if position in choice.included]
    assert sum(tokens[position] for position in choice.included) <= budget
    out = {*range(len(messages))} - {*choice.included}
    assert not any(is_system(messages[position]) for position in out)
    assert_openai(to_openai(kept))
    assert_anthropic(to_anthropic(kept)[1])
    assert_responses(to_responses(kept))
    assert_gemini(to_gemini(kept))


@given(HISTORIES)
def test_every_message_is_in_one_group(history: list[Message]) -> None:
    found = groups(parsed(history))
    assert sorted(position for group in found for position in group) == list(range(len(history)))


def test_an_id_that_is_used_again_means_its_latest_call() -> None:
    turn: list[Message] = [
        {"role": "assistant", "content": None, "tool_calls": [openai_call("call_0")]},
        {"role": "tool", "tool_call_id": "call_0", "content": "first"},
    ]
    again = [turn[0], turn[1] | {"content": "second"}]
    messages = parsed([{"role": "user", "content": "go"}, *turn, *again])
    assert [message["content"] for message in to_openai(messages) if message["role"] == "tool"] == ["first", "second"]
    assert groups(messages) == [[0], [1, 2], [3, 4]]
    turns = to_anthropic(messages)[1]
    assert_anthropic(turns)
    assert [turn["content"][0].get("tool_use_id") for turn in turns[2::2]] == ["call_0", "call_0_2"]


def test_an_open_call_gets_a_marker_and_a_lost_answer_is_left_out() -> None:
    messages = parsed(
        [
            {"role": "tool", "tool_call_id": "gone", "content": "lost"},
            {"role": "assistant", "content": None, "tool_calls": [openai_call("a")]},
        ]
    )
    assert to_openai(messages)[1:] == [{"role": "tool", "tool_call_id": "a", "content": OPEN_CALL}]
    _, turns = to_anthropic(messages)
    assert turns[-1]["content"] == [{"type": "tool_result", "tool_use_id": "a", "content": OPEN_CALL}]
    assert "lost" not in str(turns)


def test_text_shows_who_said_what() -> None:
    messages = parsed([OPENAI[2], OPENAI[3], OPENAI[4]])
    assert to_text(messages) == (
        'user: Run both.\n\nassistant: [call run {"n": 1.0}]\n[call run {}]\n\ntool: [result one]'
    )


def test_of_two_results_of_one_call_the_first_is_sent() -> None:
    messages = parsed(
        [
            {"role": "assistant", "content": None, "tool_calls": [openai_call("call_0")]},
            {"role": "tool", "tool_call_id": "call_0", "content": "first"},
            {"role": "tool", "tool_call_id": "call_0", "content": "second"},
        ]
    )
    assert [message["content"] for message in to_openai(messages) if message["role"] == "tool"] == ["first"]
    assert "second" not in str(to_anthropic(messages))
