"""What a call used, from the answers of providers as their references show them, whole and in pieces."""

from typing import Any

import pytest

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import Usage
from commontrace.providers.usage import extract_usage

CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-5.6",
    "choices": [],
    "usage": {
        "prompt_tokens": 2_006,
        "completion_tokens": 300,
        "total_tokens": 2_306,
        "prompt_tokens_details": {"cached_tokens": 1_920, "cache_write_tokens": 80, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 128},
    },
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5.6",
    "usage": {
        "input_tokens": 9_658,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 9_655},
        "output_tokens": 42,
        "output_tokens_details": {"reasoning_tokens": 25},
        "total_tokens": 9_700,
    },
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-4-8",
    "usage": {
        "input_tokens": 7,
        "cache_read_input_tokens": 9_000,
        "cache_creation_input_tokens": 0,
        "output_tokens": 11,
        "service_tier": "standard",
    },
}
GEMINI: dict[str, Any] = {
    "candidates": [],
    "modelVersion": "gemini-3-pro",
    "usageMetadata": {
        "promptTokenCount": 120,
        "cachedContentTokenCount": 100,
        "toolUsePromptTokenCount": 30,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 50,
        "totalTokenCount": 220,
    },
}


def used(provider: Any, model: str, **numbers: int | None) -> Usage:
    return Usage(provider=provider, model=model, **numbers)


WHOLE = [
    (CHAT, used("openai", "gpt-5.6", input=2_006, output=300, cache_read=1_920, cache_write=80, reasoning=128)),
    (RESPONSE, used("responses", "gpt-5.6", input=9_658, output=42, cache_read=0, cache_write=9_655, reasoning=25)),
    (MESSAGE, used("anthropic", "claude-opus-4-8", input=9_007, output=11, cache_read=9_000, cache_write=0)),
    (GEMINI, used("gemini", "gemini-3-pro", input=150, output=70, cache_read=100, reasoning=50)),
]


@pytest.mark.parametrize(("answer", "expected"), WHOLE, ids=["chat", "responses", "anthropic", "gemini"])
def test_the_input_is_all_of_the_input_at_every_provider(answer: dict[str, Any], expected: Usage) -> None:
    assert extract_usage(answer) == expected
    assert extract_usage([answer]) == expected


def test_a_stream_of_anthropic_starts_with_the_input_and_ends_with_the_output() -> None:
    start = MESSAGE | {"usage": MESSAGE["usage"] | {"output_tokens": 1}}
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 11, "input_tokens": None},
        },
        {"type": "message_stop"},
    ]
    assert extract_usage(events) == WHOLE[2][1]
    again = {
        "type": "message_delta",
        "usage": {"output_tokens": 12, "input_tokens": 8, "cache_read_input_tokens": 9_000},
    }
    assert (extract_usage([*events, again]).input, extract_usage([*events, again]).output) == (9_008, 12)


def test_a_stream_of_openai_chat_says_it_in_its_last_chunk() -> None:
    chunk: dict[str, Any] = {
        "object": "chat.completion.chunk",
        "model": "gpt-5.6",
        "choices": [{"delta": {}}],
        "usage": None,
    }
    assert extract_usage([chunk, chunk, CHAT | {"object": "chat.completion.chunk"}]) == WHOLE[0][1]


def test_a_stream_of_responses_says_it_when_it_is_completed() -> None:
    created = {"type": "response.created", "response": RESPONSE | {"usage": None}}
    assert extract_usage([created, {"type": "response.completed", "response": RESPONSE}]) == WHOLE[1][1]


def test_a_stream_of_gemini_counts_on() -> None:
    first = GEMINI | {"usageMetadata": {"promptTokenCount": 120, "candidatesTokenCount": 3}}
    assert extract_usage([first, GEMINI]) == WHOLE[3][1]


def test_what_is_not_reported_is_unknown_and_not_nothing() -> None:
    assert extract_usage({"usage": {"prompt_tokens": 5}}) == Usage(provider="openai", input=5)
    assert extract_usage({"type": "message", "usage": {"output_tokens": 3}}) == Usage(provider="anthropic", output=3)
    found = extract_usage({"usageMetadata": {"promptTokenCount": 4}, "modelVersion": 5})
    assert found == Usage(provider="gemini", input=4)
    assert found.cache_read is None
    plain = extract_usage(MESSAGE | {"usage": {"input_tokens": 7, "output_tokens": 0}})
    assert (plain.input, plain.output, plain.cache_read, plain.cache_write) == (7, 0, None, None)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"usage": None},
        {"usage": {}},
        {"usage": 5},
        {"object": "response"},
        {"choices": []},
        [5, None],
        {"type": "message"},
    ],
    ids=str,
)
def test_what_is_no_answer_with_usage_is_refused(answer: Any) -> None:
    with pytest.raises(InvalidInputError, match="no answer with usage") as caught:
        extract_usage(answer)
    assert "include_usage" in caught.value.hint


@pytest.mark.parametrize("value", [-1, 1.5, True, "7", [7]], ids=str)
def test_a_number_that_cannot_be_one_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="for input_tokens"):
        extract_usage(MESSAGE | {"usage": MESSAGE["usage"] | {"input_tokens": value}})
