"""Tokens of messages and requests: the parts and the whole, pictures, tools, and what is learned from reports."""

import math
from dataclasses import asdict
from typing import Any

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from commontrace.models.contexts import TokenCount
from commontrace.providers.messages import Message, parse_message, parse_messages
from commontrace.providers.openai_chat import to_openai
from commontrace_backend.tokens import (
    PRIMING,
    Calibration,
    chat_tokens,
    counter_for,
    default_counter,
    message_tokens,
    provider_of,
    sum_of,
    tools_tokens,
)
from conversations import HISTORIES, WORDS

EXACT = default_counter()
SAID = st.lists(
    st.builds(
        lambda role, text, name: {"role": role, "content": text} | ({"name": name} if name else {}),
        st.sampled_from(["system", "developer", "user", "assistant"]),
        st.text(max_size=40).filter(lambda text: "\0" not in text) | WORDS,
        st.sampled_from(["", "ann", "not a name"]),
    ),
    max_size=6,
)
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 40_000}}


def by_the_cookbook(messages: list[dict[str, Any]], encoding: tiktoken.Encoding) -> int:
    """The formula that OpenAI publishes for chat requests without tools, step by step."""
    tokens = 3
    for message in messages:
        tokens += 3
        for key, value in message.items():
            tokens += len(encoding.encode(value, disallowed_special=())) + (1 if key == "name" else 0)
    return tokens


@pytest.fixture(scope="module")
def encoding() -> tiktoken.Encoding:
    counter: Any = default_counter()
    counter.count("load")
    found = counter._encoding
    assert isinstance(found, tiktoken.Encoding)
    return found


@given(said=SAID)
def test_a_chat_request_of_words_costs_exactly_what_openai_publishes(
    encoding: tiktoken.Encoding, said: list[dict[str, Any]]
) -> None:
    messages = parse_messages(said)
    rendered = to_openai(messages)
    whole = chat_tokens(EXACT, rendered)
    assert (whole.tokens, whole.method) == (by_the_cookbook(rendered, encoding), "exact")
    assert (whole.low, whole.high) == (whole.tokens, whole.tokens)
    parts = sum_of([message_tokens(EXACT, message) for message in messages], EXACT)
    assert parts.tokens + PRIMING == whole.tokens


def test_a_request_with_calls_costs_the_sum_of_its_messages() -> None:
    calls = [{"id": name, "type": "function", "function": {"name": "run", "arguments": '{"n": 1}'}} for name in "ab"]
    messages = parse_messages(
        [
            {"role": "user", "content": "Run both."},
            {"role": "assistant", "content": "Yes.", "tool_calls": calls},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": name, "content": "done"} for name in "ab"],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "Both ran."}]},
        ]
    )
    counts = [message_tokens(EXACT, message) for message in messages]
    assert [count.method for count in counts] == ["exact", "estimated", "estimated", "exact"]
    whole = chat_tokens(EXACT, to_openai(messages))
    parts = sum_of(counts, EXACT)
    assert (whole.tokens - PRIMING, whole.low - PRIMING, whole.high - PRIMING) == (parts.tokens, parts.low, parts.high)
    assert whole.low < whole.tokens < whole.high
    custom = [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}}],
        }
    ]
    assert chat_tokens(EXACT, custom).tokens == PRIMING + 4 + 2 + 7


@given(
    HISTORIES, st.sampled_from(["openai", "responses", "anthropic", "gemini"]), st.sampled_from(["gpt-4o", "claude-x"])
)
def test_no_message_costs_less_than_nothing_and_bounds_hold(history: list[Message], provider: str, model: str) -> None:
    counter = counter_for(model)
    for message in parse_messages(history):
        count = message_tokens(counter, message, provider)
        assert 0 <= count.low <= count.tokens <= count.high
    assert sum_of([], counter).tokens == 0
    whole = chat_tokens(counter, to_openai(parse_messages(history)))
    assert 0 <= whole.low <= whole.tokens <= whole.high


@pytest.mark.parametrize(("model", "tokens"), [("gpt-4o", 765), ("claude-opus-4", 1_334), ("gemini-3-pro", 1_120)])
def test_a_picture_costs_what_its_provider_says_and_not_its_base64(model: str, tokens: int) -> None:
    message = parse_message({"role": "user", "content": [IMAGE]})
    count = message_tokens(default_counter(), message, provider_of(model))
    assert (count.tokens, count.method) == (tokens + 4, "estimated")
    assert count.low < count.tokens < count.high
    assert chat_tokens(EXACT, to_openai([message])).tokens == 765 + 4 + PRIMING


def test_a_file_costs_by_its_size_and_words_in_a_document_as_words() -> None:
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + "A" * 200_000}}
    count = message_tokens(EXACT, parse_message({"role": "user", "content": [file]}))
    assert (count.tokens, count.low, count.high) == (6_004, 1_504, 24_004)
    words = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hello world"}}
    count = message_tokens(EXACT, parse_message({"role": "user", "content": [words]}), "anthropic")
    assert (count.tokens, count.method) == (2 + 4, "exact")


def test_what_no_model_sees_costs_nothing() -> None:
    hidden = parse_message({"role": "config", "content": "temperature 0.5 " * 50})
    assert message_tokens(EXACT, hidden).tokens == 0
    cursor = parse_message({"role": "user", "parts": [{"type": "cursor", "line": 3}]})
    assert message_tokens(EXACT, cursor, types={"cursor": {"render": "hidden"}}).tokens == 0
    thought = parse_message(
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hello world", "signature": "c"}]}
    )
    assert [message_tokens(EXACT, thought, provider).tokens for provider in ("openai", "anthropic")] == [0, 6]


PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "The city."},
        "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
        "days": {"type": "array", "items": {"type": "object", "properties": {"day": {"type": "integer"}}}},
    },
}


def test_tools_are_counted_alike_in_every_shape() -> None:
    named = {"name": "get_weather", "description": "Say the weather."}
    shapes: list[tuple[str, dict[str, Any]]] = [
        ("openai", {"type": "function", "function": named | {"parameters": PARAMETERS}}),
        ("responses", {"type": "function", **named, "parameters": PARAMETERS}),
        ("gemini", {"functionDeclarations": [named | {"parameters": PARAMETERS}]}),
        ("anthropic", named | {"input_schema": PARAMETERS}),
    ]
    counts = [tools_tokens(EXACT, [tool], provider) for provider, tool in shapes]
    assert {count.tokens for count in counts[:3]} == {counts[0].tokens}
    assert counts[3].tokens == counts[0].tokens + 346
    assert counts[0].method == "estimated"
    lines = [
        "get_weather:Say the weather",
        "city:string:The city",
        "unit:string:",
        "celsius",
        "kelvin",
        "days:array:",
        "day:integer:",
    ]
    framing = 7 + 3 + 4 * 3 + (-3 + 2 * 3) + 12
    assert counts[0].tokens == sum(EXACT.count(line).tokens for line in lines) + framing
    assert counts[0].low < counts[0].tokens < counts[0].high
    request = chat_tokens(EXACT, [{"role": "user", "content": "hi"}], [shapes[0][1]])
    assert request.tokens == counts[0].tokens + chat_tokens(EXACT, [{"role": "user", "content": "hi"}]).tokens


def test_no_tools_cost_nothing_and_odd_ones_are_counted_as_they_are() -> None:
    none = tools_tokens(EXACT, [], "anthropic")
    assert (none.tokens, none.method) == (0, "exact")
    hosted = tools_tokens(EXACT, [{"type": "web_search"}])
    assert hosted.tokens == EXACT.count('{"type": "web_search"}').tokens + 7 + 12
    odd = {"name": "x", "parameters": {"properties": {"a": 5, "b": {"enum": "c"}}}}
    assert tools_tokens(EXACT, [odd]).tokens > 0
    assert tools_tokens(EXACT, [{"name": "x", "parameters": "none"}]).tokens > 0


def estimate(tokens: int) -> TokenCount:
    return TokenCount(tokens=tokens, method="estimated", encoding="o200k_base×1.25")


def test_a_correction_is_learned_and_its_band_narrows() -> None:
    first = calibration = Calibration().learned(1_000, 1_300)
    for number in range(1, 40):
        calibration = calibration.learned(1_000, 1_300 + 10 * (number % 3))
    early, corrected = first.applied(estimate(1_000)), calibration.applied(estimate(1_000))
    assert math.isclose(calibration.factor, 1.31, rel_tol=0.01)
    assert corrected.high - corrected.low < (early.high - early.low) / 3
    for reported in (1_300, 1_310, 1_320):
        assert corrected.low <= reported <= corrected.high
    assert corrected.method == "estimated"
    assert Calibration(**asdict(calibration)) == calibration


def test_a_changed_tokenizer_is_learned_anew() -> None:
    calibration = Calibration()
    for reported in [1_000] * 200 + [1_500] * 200:
        calibration = calibration.learned(1_000, reported)
    assert math.isclose(calibration.factor, 1.5, rel_tol=0.02)


def test_what_is_known_or_unlearned_stays_as_it_is() -> None:
    exact = TokenCount(tokens=10, method="exact", encoding="o200k_base")
    learned = Calibration().learned(100, 200)
    assert learned.applied(exact) == exact
    assert Calibration().applied(estimate(10)) == estimate(10)
    assert Calibration().learned(0, 5) == Calibration().learned(5, 0) == Calibration()
    assert Calibration().learned(1, 1_000_000).factor == pytest.approx(4)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), max_size=20), st.integers(0, 10**6))
def test_a_corrected_count_lies_in_its_band(pairs: list[tuple[int, int]], tokens: int) -> None:
    calibration = Calibration()
    for estimated, reported in pairs:
        calibration = calibration.learned(estimated, reported)
    count = calibration.applied(estimate(tokens))
    assert 0 <= count.low <= count.tokens <= count.high
