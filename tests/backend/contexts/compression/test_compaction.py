"""What a window could do without."""

from typing import Any

import pytest

from commontrace_backend.contexts.compression.compaction import Proposal, propose
from commontrace_backend.contexts.compression.items import Priority
from transcripts import FAILED_TESTS, LEXER, Message, assistant, cost, system, tool, user, window

NEWEST = [user("What now?"), assistant("I look."), user("Go on.")]
ANOTHER = LEXER.replace("re.match", "re.search")


def proposals(*messages: Message | list[Message], **priorities: Priority) -> list[Proposal]:
    """For these messages and three newer ones; priorities by position, as in p3="pinned"."""
    flat = [one for some in messages for one in (some if isinstance(some, list) else [some])]
    items = window([*flat, *NEWEST], {int(place[1:]): priority for place, priority in priorities.items()})
    return propose(items, cost)


def found(kind: str, *messages: Message | list[Message], **priorities: Priority) -> list[tuple[list[int], str]]:
    """Positions and risk of what is proposed of a kind."""
    every = proposals(*messages, **priorities)
    return [([item.position for item in one.items], one.risk) for one in every if one.kind == kind]


def read(called: str, path: str = "src/a.py", output: Any = LEXER, **more: Any) -> list[Message]:
    return tool(called, "read_file", {"path": path, **more}, output)


def bash(called: str, command: str, output: str, **fields: Any) -> list[Message]:
    return tool(called, "bash", {"command": command}, output, **fields)


@pytest.mark.parametrize(
    ("later", "risk"),
    [
        (read("b"), "low"),
        (read("b", "./src/a.py"), "low"),
        (tool("b", "Read", {"file_path": "src/a.py"}, ANOTHER), "low"),
        (tool("b", "view", {"filename": "src/a.py"}, ANOTHER), "low"),
        (bash("b", "cat src/a.py", ANOTHER), "low"),
        (tool("b", "Write", {"file_path": "src/a.py", "content": "x = 1"}, "written"), "low"),
        (tool("b", "Edit", {"file_path": "src/a.py", "old_string": "a", "new_string": "b"}, "edited"), "medium"),
        (tool("b", "str_replace_based_edit_tool", {"command": "view", "path": "src/a.py"}, ANOTHER), "low"),
        (tool("b", "str_replace_based_edit_tool", {"command": "create", "path": "src/a.py"}, "ok"), "low"),
        (tool("b", "str_replace_based_edit_tool", {"command": "str_replace", "path": "src/a.py"}, "ok"), "medium"),
        ([*tool("b", "Edit", {"file_path": "src/a.py"}, "edited"), *read("c")], "low"),
    ],
)
def test_a_read_is_stale_once_the_file_was_read_or_written_again(later: list[Message], risk: str) -> None:
    assert found("stale_read", read("a"), later) == [([1], risk)]


@pytest.mark.parametrize(
    "later",
    [
        read("b", "src/b.py"),
        read("b", offset=100),
        read("b", output="Error: no such file"),
        tool("b", "read_file", {"path": "src/a.py"}, "denied", is_error=True),
        read("b")[:1],
        bash("b", "cat src/a.py | head", ANOTHER),
        bash("b", "rm src/a.py", "gone"),
        tool("b", "lint", {"path": "src/a.py"}, "fine"),
        tool("b", "read_file", '{"path": "src/a.py"', ANOTHER),
        tool("b", "read_file", ["src/a.py"], ANOTHER),
    ],
)
def test_a_read_is_not_stale_without_a_later_one_that_says_as_much(later: list[Message]) -> None:
    assert found("stale_read", read("a"), later) == []


def test_a_partial_read_is_stale_after_the_same_part_or_the_whole() -> None:
    part = read("a", offset=10, limit=20)
    assert found("stale_read", part, read("b", offset=10, limit=20)) == [([1], "low")]
    assert found("stale_read", part, read("b")) == [([1], "low")]
    assert found("stale_read", part, read("b", offset=500)) == []


def test_what_a_stale_read_becomes_says_why_and_where_the_whole_is() -> None:
    [stale] = [one for one in proposals(read("a"), read("b")) if one.kind == "stale_read"]
    message = stale.messages[stale.items[0].slot_id]
    assert message["parts"][0]["content"] == "[left out: src/a.py was read again at 2; slot 0001slot has the whole]"
    assert message["parts"][0]["call_id"] == "a"
    assert stale.tokens_saved == stale.items[0].tokens - cost(message)


def test_a_read_too_short_to_save_anything_stays() -> None:
    assert found("stale_read", read("a", output="x"), read("b")) == []


def test_several_results_in_one_message_are_changed_together_and_the_others_stay() -> None:
    calls = [call for name in ("a", "b", "c") for call in read(name, f"src/{name}.py")[0]["parts"]]
    results = [result for name in ("a", "b", "c") for result in read(name)[1]["parts"]]
    both = [{"role": "assistant", "parts": calls}, {"role": "user", "parts": results}]
    [stale] = [one for one in proposals(both, read("d"), read("e", "src/c.py")) if one.kind == "stale_read"]
    said = [part["content"][:10] for part in stale.messages["0001slot"]["parts"]]
    assert said == ["[left out:", LEXER[:10], "[left out:"]


def test_pictures_beside_a_text_stay_in_a_result() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    seen = read("a", output=[{"type": "text", "text": LEXER}, picture])
    [stale] = [one for one in proposals(seen, read("b")) if one.kind == "stale_read"]
    text, kept = stale.messages["0001slot"]["parts"][0]["content"]
    assert (text["type"], kept) == ("text", picture)


def test_ids_that_are_used_again_mean_the_latest_call() -> None:
    assert found("stale_read", read("a"), read("a", "src/b.py"), read("a")) == [([1], "low")]


LONG = "The deployment needs the staging credentials from the vault, in the path ops/staging, rotated each Monday."


def test_a_message_that_is_said_again_is_left_out_where_it_came_first() -> None:
    assert found("duplicate", user(LONG), assistant("Yes."), user(LONG)) == [([0], "low")]
    assert found("duplicate", user(LONG), assistant(LONG)) == []
    assert found("duplicate", user("go on"), assistant("Yes."), user("go on")) == []
    assert found("duplicate", system(LONG), user("go on"), system(LONG)) == []


def test_a_turn_is_said_again_whatever_its_ids_and_goes_whole() -> None:
    assert found("duplicate", bash("a", "ls", LONG), bash("b", "ls", LONG)) == [([0, 1], "low")]
    assert found("duplicate", bash("a", "ls", LONG), bash("b", "ls -l", LONG)) == []


@pytest.mark.parametrize(
    "failure",
    [
        bash("a", "pytest tests/a.py", "no tests ran", is_error=True),
        bash("a", "pytest tests/a.py", "Error: file not found"),
        bash("a", "pytest tests/a.py", "Traceback (most recent call last):\n  …\nValueError: no"),
        bash("a", "pytest tests/a.py", "some output\nExit code: 4"),
        bash("a", "pytest tests/a.py", "some output\nprocess exited with code 2."),
        bash("a", "pytest tests/a.py", "collected 1\nsqlalchemy.exc.OperationalError: locked"),
    ],
)
def test_a_failed_turn_goes_once_the_call_succeeded(failure: list[Message]) -> None:
    retry = bash("b", "pytest tests/a.py -x", "3 passed")
    assert found("failed_turn", failure, retry) == [([0, 1], "low")]
    assert found("failed_turn", failure, assistant("The fixture was missing."), retry) == [([0, 1], "medium")]


@pytest.mark.parametrize(
    ("failure", "later"),
    [
        (bash("a", "pytest tests/a.py", "3 passed"), bash("b", "pytest tests/a.py", "3 passed")),
        (bash("a", "pytest tests/a.py", "Error: no", is_error=False), bash("b", "pytest tests/a.py", "3 passed")),
        (bash("a", "pytest tests/a.py", "Error: no"), bash("b", "pytest tests/a.py", "Error: still")),
        (bash("a", "pytest tests/a.py", "Error: no"), bash("b", "git status --short", "M a.py")),
        (bash("a", "pytest tests/a.py", "Error: no"), tool("b", "python", {"command": "pytest tests/a.py"}, "ok")),
        (read("a", output="Error: no"), read("b", "src/b.py")),
    ],
)
def test_a_turn_stays_that_did_not_fail_or_was_not_made_again(failure: list[Message], later: list[Message]) -> None:
    assert found("failed_turn", failure, later) == []


def test_a_turn_goes_only_when_every_call_of_it_failed_and_was_made_again() -> None:
    def both(second: str) -> list[Message]:
        failed, other = read("a", output="Error: no"), read("b", "src/b.py", output=second)
        return [{"role": message["role"], "parts": [*message["parts"], *more["parts"]]}
                for message, more in zip(failed, other, strict=True)]  # fmt: skip

    assert found("failed_turn", both("x = 1"), read("c"), read("d", "src/b.py")) == []
    assert found("failed_turn", both("Error: no"), read("c"), read("d", "src/b.py")) == [([0, 1], "medium")]


def shortened(output: Any) -> str:
    [long] = [one for one in proposals(bash("a", "pytest", output)) if one.kind == "tool_result"]
    assert (long.action, long.risk) == ("edit", "medium")
    content = long.messages["0001slot"]["parts"][0]["content"]
    assert isinstance(content, str)
    return content


def test_a_long_result_keeps_its_head_its_tail_and_its_errors() -> None:
    lines = shortened(FAILED_TESTS).splitlines()
    assert lines[0].startswith("============ test session")
    assert "tests/test_lexer.py::test_nested FAILED" in lines
    assert lines[-2] == "1 failed, 239 passed in 4.21s"
    assert lines[-1] == f"[shortened from {len(FAILED_TESTS):,} characters; slot 0001slot has the whole]"
    gaps = [int(line[1:].split()[0]) for line in lines if line.endswith("lines left out]")]
    assert sum(gaps) + len(lines) - len(gaps) - 1 == len(FAILED_TESTS.splitlines())


def test_long_lines_lose_their_middle() -> None:
    content = shortened({"rows": ["x" * 5_000]})
    assert content.startswith('{"rows": ["xxx')
    assert "characters left out]" in content
    assert len(content) < 500


def test_a_result_that_is_long_without_anything_to_leave_out_stays() -> None:
    assert found("tool_result", bash("a", "ls", "\n".join("word " * 50 for _ in range(10)))) == []
    assert found("tool_result", bash("a", "ls", "short")) == []
    assert found("tool_result", read("a", output=[{"type": "image", "source": "x" * 9_000}])) == []


@pytest.mark.parametrize("priority", ["pinned", "important", "skip"])
@pytest.mark.parametrize("place", ["p0", "p1"])
def test_what_is_kept_or_already_out_is_never_proposed(priority: Priority, place: str) -> None:
    assert proposals(read("a"), read("b", "src/b.py", "x"), **{place: priority}) == []
    failed = bash("a", "pytest", "Error: no")
    assert found("failed_turn", failed, bash("b", "pytest", "3 passed"), **{place: priority}) == []


def test_the_newest_groups_are_left_alone() -> None:
    items = window([*read("a"), *read("b"), user("Go on.")])
    assert [one.kind for one in propose(items, cost)] == ["stale_read", "duplicate", "tool_result"]
    assert propose(items, cost, keep_newest=3) == []
    assert len(propose(items, cost, keep_newest=0)) == 4
