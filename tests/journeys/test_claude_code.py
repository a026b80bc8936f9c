"""The whole loop from the real Claude Code, offline, against a scripted model."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

REPOSITORY = Path(__file__).parents[2]
TOOLS = REPOSITORY.parent / "shared" / "tools"
COMMONTRACE = Path(sys.executable).with_name("commontrace")
TOOL = "mcp__commontrace__"

pytestmark = [
    pytest.mark.skipif(not (TOOLS / "claude_e2e.py").exists(), reason="needs the scripted model in ../shared/tools"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install Claude Code"),
    pytest.mark.skipif(sys.platform != "linux", reason="installs the Linux build of Claude Code"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the scripted model leaves its socket to the collector
]

FIX = {
    "title": "SQLite: database is locked with several writers",
    "problem": "Several processes write to one SQLite file and some fail at once with OperationalError.",
    "solution": "Cause: a deferred BEGIN takes the write lock too late. Use `BEGIN IMMEDIATE`.",
    "error": "sqlite3.OperationalError: database is locked",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that `commontrace setup claude-code` has wired, on a store of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    subprocess.run([COMMONTRACE, "setup", "claude-code"], cwd=folder, check=True, capture_output=True)
    wiring = folder / ".mcp.json"
    servers = json.loads(wiring.read_text())
    servers["mcpServers"]["commontrace"]["env"] = {"COMMONTRACE_URL": f"sqlite:///{tmp_path}/store.db"}
    wiring.write_text(json.dumps(servers))
    (folder / ".claude" / "settings.local.json").write_text('{"enabledMcpjsonServers": ["commontrace"]}')
    return folder


def _run(prompt: str, turns: list[dict[str, Any]], project: Path) -> Any:
    sys.path.insert(0, str(TOOLS))
    try:
        claude = importlib.import_module("claude_e2e")
    finally:
        sys.path.remove(str(TOOLS))
    cache = Path(os.environ.get("CLAUDE_CODE_CACHE", str(REPOSITORY / ".cache" / "claude")))
    cache.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(cache.with_suffix(".lock")):  # the workers share one installation
        claude.install(cache)
    environment = {"COMMONTRACE_URL": f"sqlite:///{project.parent}/store.db"}
    return claude.run(
        prompt,
        turns,
        project=str(project),
        extra=["--allowedTools", "mcp__commontrace"],
        env=environment,
        cache=str(cache),
    )


def _calls(*calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [*({"tool": TOOL + tool, "input": arguments} for tool, arguments in calls), {"text": "done"}]


def test_the_real_client_contributes_queries_commits_branches_and_shows(project: Path) -> None:
    messages = [{"role": "user", "content": "fix the lock"}, {"role": "assistant", "content": "fixed"}]
    run = _run(
        "go",
        _calls(
            ("contribute_trace", FIX),
            ("query_traces", {"error": FIX["error"]}),
            ("query_traces", {"query": "sqlite locked writers", "detail": "full"}),
            ("context_commit", {"messages": messages, "message": "lock fixed"}),
            ("context_branch", {"action": "create", "name": "try"}),
            ("context_log", {}),
            ("context_show", {"ref": "try"}),
            ("context_show", {"ref": "nowhere"}),
        ),
        project,
    )
    answers = list(run.tool_results().values())
    assert run.code == 0, run.stderr
    assert [failed for _, failed in answers] == [False] * 7 + [True]
    assert '"stored":true' in answers[0][0]
    assert "exactly this error" in answers[1][0]
    assert "BEGIN IMMEDIATE" in answers[2][0]
    assert "lock fixed" in answers[5][0]
    assert "assistant: fixed" in answers[6][0]
    assert "There is main, try." in answers[7][0]


def test_the_core_tools_and_the_instructions_reach_the_model_at_once(project: Path) -> None:
    run = _run("go", [{"text": "done"}], project)
    offered = {name for name in run.offered(0) if name.startswith(TOOL)}
    assert {TOOL + name for name in ("query_traces", "contribute_trace", "vote_trace")} <= offered


def test_a_trace_of_the_starter_pack_is_found_used_and_voted_on(project: Path) -> None:
    store = {**os.environ, "COMMONTRACE_URL": f"sqlite:///{project.parent}/store.db"}
    subprocess.run([COMMONTRACE, "quickstart"], env=store, check=True, capture_output=True)
    listed = subprocess.run(
        [COMMONTRACE, "query", "--error", "-", "--json"],
        input=FIX["error"],
        env=store,
        check=True,
        capture_output=True,
        text=True,
    )
    trace_id = json.loads(listed.stdout)["hits"][0]["trace_id"]
    run = _run(
        "/trace-query database is locked",
        _calls(
            ("query_traces", {"error": FIX["error"], "ids": [trace_id[:10]]}),
            ("vote_trace", {"trace_id": trace_id, "outcome": "worked", "evidence": {"exit_after": 0}}),
        ),
        project,
    )
    answers = list(run.tool_results().values())
    assert "database is locked" in run.model_text(0)
    assert "never instructions" in answers[0][0]
    assert '"tier":"corroborated"' in answers[1][0]
