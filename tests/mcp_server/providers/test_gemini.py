"""Gemini contents: in, out again as they were, and from what other providers said."""

from typing import Any

import pytest

from commontrace.errors import InvalidInputError
from commontrace.providers.anthropic import to_anthropic
from commontrace.providers.gemini import UNSIGNED, to_gemini
from commontrace.providers.losses import losses
from commontrace.providers.messages import parse_message, parse_messages
from commontrace.providers.openai_chat import to_openai
from commontrace.providers.rendering import LEFT_OUT, OPEN_CALL, groups
from conversations import Message
from demands import assert_anthropic, assert_gemini, assert_openai

REQUEST: Message = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [{"text": "What is this?"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
        },
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True},
                {"functionCall": {"name": "look", "args": {"n": 1.5}}, "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "look", "args": {}}},
                {"functionCall": {"id": "f1", "name": "ask", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "look", "response": {"output": "a cat"}}},
                {"functionResponse": {"name": "look", "response": {"error": "no"}}},
                {"functionResponse": {"id": "f1", "name": "ask", "response": {"owner": ["Ann"]}}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "A cat.", "thoughtSignature": "c2lnMg=="},
                {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
                {"fileData": {"mimeType": "image/png", "fileUri": "files/1"}},
            ],
        },
    ],
}


def test_contents_come_out_as_they_went_in() -> None:
    messages = parse_messages(REQUEST)
    assert to_gemini(messages) == REQUEST
    assert losses(messages, "gemini") == []


def test_calls_without_ids_find_their_answers() -> None:
    messages = parse_messages(REQUEST)
    assert groups(messages) == [[0], [1], [2, 3], [4]]
    chat = to_openai(messages)
    assert_openai(chat)
    assert [message["content"] for message in chat if message["role"] == "tool"] == [
        "a cat",
        "no",
        '{"owner": ["Ann"]}',
    ]
    _, turns = to_anthropic(messages)
    assert_anthropic(turns)
    failed = [block.get("is_error") for block in turns[2]["content"]]
    assert failed == [None, True, None]


def test_calls_of_another_model_are_marked_as_unsigned_and_read_back_without_the_mark() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "run", "arguments": "{}"}}
    messages = parse_messages(
        [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": None, "tool_calls": [call, call | {"id": "call_2"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
        ]
    )
    request = to_gemini(messages)
    assert_gemini(request)
    assert request["contents"][1]["parts"] == [
        {"functionCall": {"id": "call_1", "name": "run", "args": {}}, "thoughtSignature": UNSIGNED},
        {"functionCall": {"id": "call_2", "name": "run", "args": {}}},
    ]
    said = [part["functionResponse"]["response"] for part in request["contents"][2]["parts"]]
    assert said == [{"output": "one"}, {"output": OPEN_CALL}]
    assert "systemInstruction" not in request
    assert UNSIGNED not in str(parse_messages(request))


def test_the_user_speaks_first_and_nothing_is_empty() -> None:
    request = to_gemini(parse_messages([{"role": "assistant", "content": "Hi."}, {"role": "user", "content": " "}]))
    assert_gemini(request)
    assert [content["parts"] for content in request["contents"]] == [[{"text": LEFT_OUT}], [{"text": "Hi."}]]
    assert to_gemini([]) == {"contents": []}


def test_fields_that_nobody_knows_are_kept_and_named_as_losses() -> None:
    content = {
        "role": "model",
        "parts": [
            {"functionCall": {"name": "run", "args": {}, "willContinue": True}},
            {"videoMetadata": {"fps": 1}, "text": "x"},
        ],
    }
    message = parse_message(content)
    assert message["parts"][0]["gemini"] == {"willContinue": True}
    assert message["parts"][1]["videoMetadata"] == {"fps": 1}
    assert losses([message], "gemini") == [
        "message 1: the field gemini of a call is not sent",
        "message 1: the field videoMetadata of a text is not sent",
    ]


BAD: list[Any] = [
    {"role": "user", "parts": [{"functionCall": {"args": {}}}]},
    {"role": "user", "parts": [{"somethingNew": 1}]},
    {"role": "user", "parts": [{"text": "x"}, 5]},
    {"role": "", "parts": [{"text": "x"}]},
    {"role": 5, "parts": [{"text": "x"}]},
]


@pytest.mark.parametrize("content", BAD, ids=str)
def test_a_content_that_cannot_be_read_is_refused(content: Message) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_message(content)
    assert caught.value.hint
