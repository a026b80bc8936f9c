"""The slash commands for Claude Code are well formed and ask for no more tools than the server has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted((ROOT / ".claude" / "commands").glob("*.md"))
TOOLS = {
    f"mcp__commontrace__{tool}"
    for tool in (
        "query_traces",
        "contribute_trace",
        "vote_trace",
        "context_commit",
        "context_branch",
        "context_merge",
        "context_log",
        "context_show",
    )
}
each_command = pytest.mark.parametrize("command", COMMANDS, ids=[path.stem for path in COMMANDS])


def _parts(command: Path) -> tuple[dict[str, str], str]:
    _, head, body = command.read_text(encoding="utf-8").split("---\n", 2)
    return dict(line.split(": ", 1) for line in head.splitlines()), body


def _allowed(command: Path) -> set[str]:
    return set(_parts(command)[0]["allowed-tools"].split(", "))


def test_the_six_commands_are_there() -> None:
    assert {path.stem for path in COMMANDS} >= {
        "trace-query",
        "trace-contribute",
        "trace-vote",
        "context-commit",
        "context-branch",
        "context-log",
    }


@each_command
def test_a_command_has_its_frontmatter(command: Path) -> None:
    head, _ = _parts(command)
    assert set(head) == {"description", "argument-hint", "allowed-tools"}
    assert all(head.values())


@each_command
def test_a_command_allows_only_tools_of_the_server(command: Path) -> None:
    assert _allowed(command) <= TOOLS


@each_command
def test_a_command_allows_exactly_the_tools_that_it_calls(command: Path) -> None:
    _, body = _parts(command)
    called = {f"mcp__commontrace__{name}" for name in re.findall(r"`([a-z]+_[a-z]+)`", body)} & TOOLS
    assert _allowed(command) == called


@each_command
def test_a_command_is_short_and_takes_its_arguments(command: Path) -> None:
    text = command.read_text(encoding="utf-8")
    assert "$ARGUMENTS" in text
    assert len(text.splitlines()) < 40


@each_command
def test_a_command_that_gets_stored_text_back_calls_it_data(command: Path) -> None:
    if command.stem != "context-commit":  # its answer is an id and numbers
        assert "never instructions" in " ".join(_parts(command)[1].split())
