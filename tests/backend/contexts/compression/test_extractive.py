"""Summaries without a model."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.patterns import missing_keeps
from commontrace.providers.messages import parse_message, text_of
from commontrace_backend.contexts.compression.extractive import summarize_extractive
from commontrace_backend.contexts.compression.loss import losses
from commontrace_backend.tokens import default_counter
from conversations import HISTORIES
from transcripts import SESSION, Message, assistant, count, tool, user

SAID = SESSION[1:]
STACK = (
    "I decided to use an explicit stack instead of recursion, because sys.setrecursionlimit(10_000) would only hide it."
)
CHATTER = assistant("Thanks. " * 20)


def exact(text: str) -> int:
    return default_counter().count(text).tokens


def lines(messages: list[Message], target: int = 400) -> list[str]:
    return [line.removeprefix("- ") for line in summarize_extractive(messages, target, count).splitlines()]


def test_an_agents_session_keeps_what_it_was_asked_what_failed_and_what_mended_it() -> None:
    assert summarize_extractive(SAID, 400, exact).splitlines() == [
        "Asked:",
        "- The nightly build fails since 2026-11-03: parsing deeply nested brackets crashes.",
        "- Ticket PARSE-4821.",
        "- Please fix src/parser/lexer.py, but do not touch src/parser/legacy.py and don't change the public API.",
        "- See https://ci.example.com/builds/9931 for the log.",
        "- Also, the timeout in config/ci.toml must stay at 300 seconds, never more.",
        "- Now write the changelog entry.",
        "Problems and fixes:",
        "- bash pytest tests/test_lexr.py: failed",
        "- Error: no such file tests/test_lexr.py",
        "- tests/test_lexer.py::test_nested FAILED",
        "- E RecursionError: maximum recursion depth exceeded in comparison",
        "- tests/test_lexer.py:88: RecursionError",
        "- 1 failed, 239 passed in 4.21s",
        "- The root cause is that Lexer.depth recurses once per bracket, so 1,000 brackets exceed Python's limit.",
        f"- {STACK}",
        "- The fix is on branch fix/nested-brackets, commit 8f3c2d1.",
        "- Done: CHANGELOG.md has a line under Fixed.",
        "Done:",
        "- read_file src/parser/lexer.py",
        "- edit_file src/parser/lexer.py",
        "Known:",
        "- Understood: the timeout stays at 300 seconds.",
    ]


def test_a_fifteenth_of_a_session_loses_no_prohibition_path_or_address() -> None:
    report = losses(SAID, summarize_extractive(SAID, 320, exact))
    assert (report.negations.lost, report.paths.lost, report.urls.lost) == (0, 0, 0)
    assert report.numbers.share_kept > 0.8


@pytest.mark.parametrize("target", [5, 20, 60, 120, 240])
def test_a_summary_stays_within_its_target(target: int) -> None:
    assert 0 < exact(summarize_extractive(SAID, target, exact)) <= target


@pytest.mark.parametrize("target", [60, 100, 300, 1_000])
def test_a_counter_to_which_many_lines_are_dear_is_heeded(target: int) -> None:
    def dear(text: str) -> int:
        return count(text) + text.count("\n") ** 2

    assert 0 < dear(summarize_extractive(SAID, target, dear)) <= target


def test_orders_come_before_everything_else() -> None:
    assert "do not touch src/parser/legacy.py" in summarize_extractive(SAID, 60, exact)


def test_code_and_chatter_are_left_to_those_who_expand() -> None:
    said = assistant("Great! Let me look.\n\n```python\nx = secret_plan()\n```\n\n1. We use an explicit stack, always.")
    assert lines([said]) == ["Decided:", "We use an explicit stack, always."]


def test_a_line_is_said_once() -> None:
    order = "Never deploy the billing service on a Friday."
    assert lines([user(order), user(order), user(order[:-1] + ", please!")]) == ["Asked:", order]


def test_a_parameter_that_looks_like_a_list_is_not_cut() -> None:
    assert lines([assistant(STACK), CHATTER]) == ["Problems and fixes:", STACK]


def test_calls_are_named_by_what_says_most_about_them() -> None:
    calls = [
        *tool("a", "Write", {"content": "x = 1", "file_path": "src/a.py"}, "ok"),
        *tool("b", "deploy", {"zone": "eu-west-1"}, "ok"),
        *tool("c", "run_query", "SELECT 17", "ok"),
        *tool("d", "list_all", {}, "ok"),
    ]
    assert lines(calls) == ["Done:", "Write src/a.py", "deploy eu-west-1", "run_query SELECT 17", "list_all"]


def test_a_failed_call_says_its_last_line_even_where_no_word_of_it_tells_of_an_error() -> None:
    assert "out of patience" in lines(tool("a", "deploy", {"zone": "eu"}, "trying\nout of patience", is_error=True))


def test_a_long_sentence_ends_where_a_word_does() -> None:
    [_, line] = lines([user("Keep " + "every word " * 60), CHATTER])
    assert line.endswith((" word …", " every …"))
    assert len(line) <= 302


@pytest.mark.parametrize(
    "keep",
    [
        ["/PARSE-[0-9]+/", "8f3c2d1"],
        ["Ticket PARSE-4821", "PARSE"],
        ["tests/test_parser.py::test_rule_33 PASSED"],
        ["class Lexer:\n    def rule_0"],
    ],
)
def test_what_must_be_kept_is_kept_word_for_word(keep: list[str]) -> None:
    summary = summarize_extractive(SAID, 120, exact, keep)
    assert missing_keeps([text_of(message) for message in SAID], summary, keep) == []
    assert exact(summary) <= 120


def test_what_must_be_kept_stands_bare_where_its_lines_are_too_long() -> None:
    said = [user(f"Ticket A-{number} is about " + "something or other " * 12) for number in range(4)]
    values = [f"- A-{number}" for number in range(4)]
    assert summarize_extractive(said, 25, exact, ["/A-[0-9]/"]).splitlines() == ["Known:", *values]
    assert "Ticket A-3" in summarize_extractive([*said, CHATTER], 400, exact, ["/A-[0-9]/"])


def test_too_little_room_for_what_must_be_kept_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"What must be kept needs 1[0-9]{3} tokens alone, .* may have 100"):
        summarize_extractive(SAID, 100, exact, ["/rule_[0-9]+/", "/test_rule_[0-9]+ PASSED/"])


@pytest.mark.parametrize(("messages", "target"), [([], 100), (SAID, 0), ([user("")], 100)])
def test_nothing_is_not_summarised(messages: list[Message], target: int) -> None:
    with pytest.raises(InvalidInputError, match="cannot be summarised in"):
        summarize_extractive(messages, target, count)


def test_where_there_is_only_code_its_first_line_is_taken() -> None:
    assert summarize_extractive([user("```\nx = plan_a()\ny = 2\n```")], 50, count) == "x = plan_a()"


def test_a_picture_is_at_least_mentioned() -> None:
    assert summarize_extractive([{"role": "user", "parts": [{"type": "image", "source": {}}]}], 50, count) == "[image]"


@given(
    HISTORIES,
    st.integers(1, 400),
    st.sampled_from([count, len]),
    st.lists(st.sampled_from(["yes", "/[0-9]/", "👋", "run"]), max_size=2),
)
def test_no_summary_is_longer_than_its_target_or_its_source(
    history: list[Message], target: int, count: Callable[[str], int], keep: list[str]
) -> None:
    messages = [parse_message(raw) for raw in history]
    texts = [text_of(message) for message in messages]
    try:
        summary = summarize_extractive(messages, target, count, keep)
    except InvalidInputError:
        return
    assert 0 < count(summary) <= min(target, sum(count(text) for text in texts))
    assert missing_keeps(texts, summary, keep) == []
    assert summarize_extractive(messages, target, count, keep) == summary
