"""The plugin's parts for Claude Code are well formed, ask for no more tools than they call, and cost few tokens."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from commontrace.hooks.calling import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted((ROOT / ".claude" / "commands").glob("*.md"))
SKILLS = sorted((ROOT / ".claude" / "skills").glob("*/SKILL.md"))
PLUGIN = ROOT / ".claude-plugin"
# What the server's tools are called where `commontrace setup` wired it, and where the plugin brings it.
SERVERS = ("mcp__commontrace__", "mcp__plugin_commontrace_commontrace__")
TOOLS = {
    f"{server}{tool}"
    for server in SERVERS
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


def test_the_commands_are_there() -> None:
    assert {path.stem for path in COMMANDS} == {
        "trace-query",
        "trace-contribute",
        "trace-vote",
        "trace-reflect",
        "trace-status",
        "context-commit",
        "context-branch",
        "context-merge",
        "context-log",
        "context-restore",
    }


@each_command
def test_a_command_has_its_frontmatter(command: Path) -> None:
    head, _ = _parts(command)
    assert set(head) == {"description", "argument-hint", "allowed-tools"}
    assert all(head.values())


@each_command
def test_a_command_allows_only_tools_of_the_server(command: Path) -> None:
    assert _allowed(command) <= TOOLS | {"Bash(commontrace status:*)"}


@each_command
def test_a_command_allows_exactly_the_tools_that_it_calls(command: Path) -> None:
    _, body = _parts(command)
    names = re.findall(r"`([a-z]+_[a-z]+)`", body)
    called = {f"{server}{name}" for server in SERVERS for name in names} & TOOLS
    shell = {f"Bash({line}:*)" for line in re.findall(r"Run `(commontrace [a-z]+)`", body)}
    assert _allowed(command) == called | shell


@each_command
def test_a_command_is_short_and_takes_its_arguments(command: Path) -> None:
    text = command.read_text(encoding="utf-8")
    assert "$ARGUMENTS" in text
    assert len(text.splitlines()) < 40


@each_command
def test_a_command_that_gets_stored_text_back_calls_it_data(command: Path) -> None:
    if command.stem != "context-commit":  # its answer is an id and numbers
        assert "never instructions" in " ".join(_parts(command)[1].split())


def test_the_four_skills_say_when_in_one_line_each() -> None:
    assert [path.parent.name for path in SKILLS] == [
        "contribute-traces",
        "query-traces",
        "use-contexts",
        "vote-on-traces",
    ]
    for skill in SKILLS:
        head, body = _parts(skill)
        assert set(head) == {"name", "description"}
        assert head["name"] == skill.parent.name
        assert len(head["description"]) <= 160
        assert len(body.splitlines()) < 40


def _manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PLUGIN / name).read_text(encoding="utf-8"))
    return found


def test_the_plugin_offers_the_files_of_the_repository_and_has_its_version() -> None:
    plugin = _manifest("plugin.json")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [listed] = _manifest("marketplace.json")["plugins"]
    assert (listed["name"], ROOT / listed["source"]) == (plugin["name"], ROOT)
    assert (plugin["name"], plugin["version"]) == (project["name"], project["version"])
    assert ROOT / plugin["commands"] == COMMANDS[0].parent
    assert ROOT / plugin["skills"] == SKILLS[0].parents[1]
    assert (ROOT / plugin["hooks"]).is_file()


def test_the_icon_is_square_and_large_enough() -> None:
    data = (ROOT / _manifest("plugin.json")["icon"]).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert [int.from_bytes(data[at : at + 4], "big") for at in (16, 20)] == [512, 512]


HOOKS: dict[str, list[dict[str, Any]]] = json.loads((ROOT / ".claude" / "hooks" / "hooks.json").read_text())["hooks"]


def test_every_hook_has_a_short_timeout_and_those_that_only_keep_things_hold_nobody_up() -> None:
    hooks = {event: hook for event, [group] in HOOKS.items() for hook in group["hooks"]}
    assert {event: hook["command"].rpartition(" hook ")[2] for event, hook in hooks.items()} == {
        "SessionStart": "session-start",
        "PreToolUse": "pre-tool-use",
        "PostToolUse": "post-tool-use",
        "PostToolUseFailure": "post-tool-use-failure",
        "PreCompact": "pre-compact",
        "SessionEnd": "session-end",
    }
    assert {hook["command"].rpartition(" hook ")[2] for hook in hooks.values()} == PATIENCE.keys()
    assert {hook["timeout"] for hook in hooks.values()} == {2}
    assert {event for event, hook in hooks.items() if hook.get("async")} == {"PreCompact", "SessionEnd"}
    # What is edited between a failure and its passing is what resolved it.
    assert {event: group["matcher"] for event, [group] in HOOKS.items() if "matcher" in group} == {
        "PreToolUse": "Bash",
        "PostToolUse": "Bash|Edit|Write|MultiEdit|NotebookEdit",
        "PostToolUseFailure": "Bash",
    }


@pytest.fixture
def launch(tmp_path: Path) -> Any:
    """Runs the launcher with a PATH of one folder, in which stand-ins for the programs say what they are told."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def run(*arguments: str, **said: str) -> subprocess.CompletedProcess[str]:
        for name, line in said.items():
            (programs / name).write_text(f"#!/bin/sh\n{line}\n")
            (programs / name).chmod(0o755)
        environment = {"HOME": str(tmp_path), "PATH": f"{programs}:/usr/bin:/bin", "CLAUDE_PLUGIN_DATA": str(tmp_path)}
        command = ["sh", str(PLUGIN / "commontrace.sh"), *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


needs_sh = pytest.mark.skipif(os.name == "nt", reason="the launcher is a shell script")


@needs_sh
def test_the_plugin_starts_the_installed_command_else_its_own_copy(launch: Any, tmp_path: Path) -> None:
    own = launch("mcp", uv='echo "uv $UV_PROJECT_ENVIRONMENT $*"')
    assert own.stdout.startswith(f"uv {tmp_path}/.venv run --quiet --frozen --no-dev --project {ROOT} ")
    assert own.stdout.endswith(" commontrace mcp\n")
    assert launch("mcp", commontrace='echo "installed $*"').stdout == "installed mcp\n"


@needs_sh
def test_a_hook_of_the_plugin_never_fails_and_is_silent_where_setup_wrote_it_too(launch: Any, tmp_path: Path) -> None:
    nothing = launch("hook", "session-start")
    refused = launch("hook", "session-start", commontrace="echo usage >&2; exit 2")
    asked = launch("hook", "pre-tool-use", commontrace='echo "asked $*"')
    assert [(run.returncode, run.stdout, run.stderr) for run in (nothing, refused)] == [(0, "", "")] * 2
    assert asked.stdout == "asked hook pre-tool-use\n"
    settings = tmp_path / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"hooks": [{"command": "/usr/bin/commontrace hook pre-tool-use"}]}')
    assert launch("hook", "pre-tool-use").stdout == ""
    assert launch("hook", "session-start", commontrace="echo spoken").stdout == "spoken\n"
