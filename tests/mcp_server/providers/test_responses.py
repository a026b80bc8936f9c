"""OpenAI Responses items: in, out again as they were, and from what other providers said."""

import pytest

from commontrace.errors import InvalidInputError
from commontrace.providers.losses import losses
from commontrace.providers.messages import parse_message, parse_messages
from commontrace.providers.openai_chat import to_openai
from commontrace.providers.rendering import OPEN_CALL, groups
from commontrace.providers.responses import to_responses
from conversations import Message
from demands import assert_openai, assert_responses

ITEMS: list[Message] = [
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
            {"type": "input_file", "file_id": "file-1"},
        ],
    },
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "gAA=",
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "look",
        "arguments": '{"n": 1.0}',
        "status": "completed",
    },
    {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "shell", "input": "ls -l"},
    {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "a cat"}]},
    {"type": "custom_tool_call_output", "call_id": "call_2", "output": "cat.png"},
    {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBB="},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "cat"}},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "phase": "final_answer",
        "content": [{"type": "output_text", "text": "A cat.", "annotations": [], "logprobs": []}],
    },
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Who owns it?"}]},
    {
        "type": "message",
        "id": "msg_2",
        "role": "assistant",
        "content": [{"type": "refusal", "refusal": "I cannot say."}],
    },
]


def test_items_come_out_as_they_went_in() -> None:
    messages = parse_messages(ITEMS)
    assert to_responses(messages) == ITEMS
    assert_responses(ITEMS)
    assert losses(messages, "responses") == []


def test_what_a_model_makes_between_two_inputs_is_one_message() -> None:
    messages = parse_messages(ITEMS)
    roles = ["developer", "user", "assistant", "tool", "tool", "assistant", "user", "assistant"]
    assert [message["role"] for message in messages] == roles
    assert groups(messages)[2] == [2, 3, 4]
    two = parse_messages([ITEMS[9], ITEMS[11]])
    assert [len(message["parts"]) for message in two] == [1, 1]


def test_a_body_is_read_with_its_instructions() -> None:
    [system, user] = parse_messages({"model": "gpt-5", "instructions": "Be brief.", "input": "Hello."})
    assert (system["role"], system["parts"]) == ("system", [{"type": "text", "text": "Be brief."}])
    assert (user["role"], user["parts"]) == ("user", [{"type": "text", "text": "Hello."}])
    assert len(parse_messages({"input": ITEMS})) == 8
    for body in ({}, {"input": 5}, {"messages": {"role": "user"}}):
        with pytest.raises(InvalidInputError, match="no list of messages"):
            parse_messages(body)


def test_reasoning_that_is_not_sealed_is_left_out_with_the_ids_that_ask_for_it() -> None:
    open_thought = ITEMS[2] | {"encrypted_content": None}
    messages = parse_messages([ITEMS[1], open_thought, ITEMS[8], ITEMS[3], ITEMS[5]])
    items = to_responses(messages)
    assert_responses(items)
    assert [item["type"] for item in items] == ["message", "function_call", "function_call_output"]
    assert "id" not in items[1]
    assert losses(messages, "responses") == [
        "message 2: reasoning is left out",
        "message 2: what the provider's own tools did is left out with the reasoning that led to it",
    ]


def test_reasoning_that_leads_to_nothing_and_an_id_seen_before_are_left_out() -> None:
    messages = parse_messages(
        [ITEMS[2], ITEMS[9], ITEMS[6], ITEMS[2], ITEMS[9], {"role": "user", "content": "x"}, ITEMS[7]]
    )
    items = to_responses(messages)
    assert_responses(items)
    assert [item["type"] for item in items] == ["reasoning", "message", "message", "message"]
    assert items[1]["id"] == "msg_1"
    assert "id" not in items[2]
    assert "message 5: reasoning is left out, nothing follows it" in losses(messages, "responses")


def test_plain_reasoning_text_of_another_model_never_goes_into_an_item() -> None:
    thought = ITEMS[2] | {"content": [{"type": "reasoning_text", "text": "plain"}]}
    messages = parse_messages([thought, ITEMS[9]])
    assert "content" not in to_responses(messages)[0]
    assert losses(messages, "responses") == ["message 1: the field content of reasoning is not sent"]


def test_a_custom_call_goes_to_chat_and_comes_from_it() -> None:
    chat: list[Message] = [
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "shell", "input": "ls"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "cat.png"},
    ]
    messages = parse_messages(chat)
    assert to_openai(messages) == chat
    assert to_responses(messages)[1:] == [
        {"type": "custom_tool_call", "call_id": "c", "name": "shell", "input": "ls"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "cat.png"},
    ]


def test_an_id_that_is_used_again_and_an_open_call_are_made_up_for() -> None:
    call = {"type": "function_call", "call_id": "a" * 64, "name": "run", "arguments": "{}"}
    answer = {"type": "function_call_output", "call_id": "a" * 64, "output": "first"}
    items = to_responses(parse_messages([call, answer, call]))
    assert_responses(items)
    assert [item["call_id"] for item in items] == ["a" * 64] * 2 + ["a" * 62 + "_2"] * 2
    assert [items[1]["output"], items[3]["output"]] == ["first", OPEN_CALL]


def test_chat_reads_what_responses_said() -> None:
    rendered = to_openai(parse_messages(ITEMS))
    assert_openai(rendered)
    assert [message["role"] for message in rendered] == [
        "developer", "user", "assistant", "tool", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert rendered[3]["content"] == "a cat"
    assert rendered[-1]["content"] == [{"type": "refusal", "refusal": "I cannot say."}]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"type": "function_call", "name": "run", "arguments": "{}"}, "no id or no name"),
        ({"type": "function_call_output", "output": "x"}, "which call"),
        ({"type": "message", "content": []}, "no role"),
        ({"type": "message", "role": "user"}, "no content"),
    ],
)
def test_an_item_that_cannot_be_read_is_refused(item: Message, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        parse_message(item)
