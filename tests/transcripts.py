"""What a coding agent did, as its transcript has it, and windows made of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from commontrace.providers.messages import parse_message, text_of
from commontrace.providers.rendering import groups
from commontrace_backend.contexts.compression.items import Item, Priority
from commontrace_backend.tokens import FRAMING

Message = dict[str, Any]


def count(text: str) -> int:
    """Tokens, near enough: a word or four letters each."""
    return -(-len(text.encode()) // 4)


def cost(message: Message) -> int:
    """What a message costs: its words and a frame."""
    return count(text_of(message)) + FRAMING


def user(text: str) -> Message:
    return parse_message({"role": "user", "content": text})


def system(text: str) -> Message:
    return parse_message({"role": "system", "content": text})


def assistant(text: str) -> Message:
    return parse_message({"role": "assistant", "content": text})


def tool(called: str, name: str, arguments: Any, output: Any, **fields: Any) -> list[Message]:
    """A call, and its result in the Anthropic shape."""
    call = {"type": "tool_use", "id": called, "name": name, "input": arguments}
    result = {"type": "tool_result", "tool_use_id": called, "content": output, **fields}
    return [
        parse_message({"role": "assistant", "content": [call]}),
        parse_message({"role": "user", "content": [result]}),
    ]


def window(messages: Sequence[Message], priorities: Mapping[int, Priority] | None = None) -> list[Item]:
    """The messages as a window, some of them with a priority of their own."""
    group_of = {place: number for number, group in enumerate(groups(messages)) for place in group}
    return [
        Item(
            position=place,
            slot_id=f"{place:04x}slot",
            message=message,
            tokens=cost(message),
            priority=(priorities or {}).get(place, "normal"),
            age=len(messages) - place - 1,
            group=group_of[place],
            summary=False,
            commit_id=f"c{place // 4:03x}",
        )
        for place, message in enumerate(messages)
    ]


LEXER = "\n".join(
    [
        "import re",
        "",
        "class Lexer:",
        *(f"    def rule_{number}(self, text): return re.match(r'[{number}]+', text)" for number in range(60)),
    ]
)
FAILED_TESTS = "\n".join(
    [
        "============ test session starts ============",
        "collected 240 items",
        *(f"tests/test_lexer.py::test_rule_{number} PASSED" for number in range(117)),
        "tests/test_lexer.py::test_nested FAILED",
        *(f"tests/test_parser.py::test_rule_{number} PASSED" for number in range(120)),
        "    def test_nested(): assert depth('((()))') == 3",
        "E   RecursionError: maximum recursion depth exceeded in comparison",
        "tests/test_lexer.py:88: RecursionError",
        "1 failed, 239 passed in 4.21s",
    ]
)

SESSION: list[Message] = [
    system("You are a careful engineer. Never push to main."),
    user(
        "The nightly build fails since 2026-11-03: parsing deeply nested brackets crashes. Ticket PARSE-4821. "
        "Please fix src/parser/lexer.py, but do not touch src/parser/legacy.py and don't change the public API. "
        "See https://ci.example.com/builds/9931 for the log."
    ),
    assistant("I'll start by reading the lexer."),
    *tool("t1", "read_file", {"path": "src/parser/lexer.py"}, LEXER),
    *tool(
        "t2", "bash", {"command": "pytest tests/test_lexr.py"}, "Error: no such file tests/test_lexr.py", is_error=True
    ),
    *tool("t3", "bash", {"command": "pytest tests/test_lexer.py"}, FAILED_TESTS, is_error=False),
    assistant(
        "The root cause is that Lexer.depth recurses once per bracket, so 1,000 brackets exceed Python's limit. "
        "I decided to use an explicit stack instead of recursion, because sys.setrecursionlimit(10_000) "
        "would only hide it."
    ),
    *tool(
        "t4",
        "edit_file",
        {"path": "src/parser/lexer.py", "old": "return self.depth(text[1:])", "new": "stack.append(char)"},
        "edited",
    ),
    *tool("t5", "read_file", {"path": "src/parser/lexer.py"}, LEXER.replace("re.match", "re.fullmatch")),
    *tool("t6", "bash", {"command": "pytest -x -q"}, "240 passed in 3.98s", is_error=False),
    user("Good. Also, the timeout in config/ci.toml must stay at 300 seconds, never more."),
    assistant(
        "Understood: the timeout stays at 300 seconds. The fix is on branch fix/nested-brackets, commit 8f3c2d1."
    ),
    user("Now write the changelog entry."),
    assistant("Done: CHANGELOG.md has a line under Fixed."),
]
"""A bug that was found and mended, with all that lies about on the way."""
