"""The hooks in the real Claude Code, offline: the fix arrives where a command fails, and no word is lost."""

import asyncio
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from commandline import Cli
from commontrace import Client, connect_async
from commontrace.hooks.capturing import keep_waiting
from commontrace.hooks.cold import branch_of
from commontrace.hooks.surroundings import hooks_folder
from factories import contribution

REPOSITORY = Path(__file__).parents[2]
TOOLS = REPOSITORY.parent / "shared" / "tools"
SHIPPED = REPOSITORY / ".claude" / "hooks" / "hooks.json"
FAILS = """python3 -c "import sqlite3; raise sqlite3.OperationalError('database is locked')" """
COMMAND = Path(sys.executable).with_name("commontrace")

pytestmark = [
    pytest.mark.skipif(not (TOOLS / "claude_e2e.py").exists(), reason="needs the scripted model in ../shared/tools"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install Claude Code"),
    pytest.mark.skipif(sys.platform != "linux", reason="installs the Linux build of Claude Code"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the scripted model leaves its socket to the collector
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose Claude Code has the server and the hooks that the plugin brings."""
    folder = tmp_path / "shop"
    (folder / ".claude").mkdir(parents=True)
    events = json.loads(SHIPPED.read_text())["hooks"]
    for [group] in events.values():
        for hook in group["hooks"]:
            hook["command"] = f"{COMMAND} hook {hook['command'].rpartition(' hook ')[2]}"
            hook.pop("async", None)  # so that the client waits for the last one
    settings = {"hooks": events, "enabledMcpjsonServers": ["commontrace"]}
    (folder / ".claude" / "settings.local.json").write_text(json.dumps(settings))
    server = {"command": str(COMMAND), "args": ["mcp"], "alwaysLoad": True}
    (folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"commontrace": server}}))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def claude(project: Path, url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the client in the project."""
    sys.path.insert(0, str(TOOLS))
    try:
        tools = importlib.import_module("claude_e2e")
    finally:
        sys.path.remove(str(TOOLS))
    cache = Path(os.environ.get("CLAUDE_CODE_CACHE", str(REPOSITORY / ".cache" / "claude")))
    cache.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(cache.with_suffix(".lock")):  # the workers share one installation
        tools.install(cache)
    environment = {
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "CLAUDE_CODE_MCP_STARTUP_WAIT_MS": "20000",
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "COMMONTRACE_URL": url,
        "COMMONTRACE_EMBEDDER": "none",
        "COMMONTRACE_CAPTURE": "true",
    }
    monkeypatch.setenv("COMMONTRACE_URL", url)

    def run(prompt: str, turns: list[Any], *options: str) -> Any:
        extra = ["--allowedTools", "Bash", *options]
        done = tools.run(prompt, turns, project=str(project), extra=extra, env=environment, cache=str(cache))
        assert done.code == 0, done.stderr
        return done

    return run


def _heard(run: Any) -> str:
    """What the model was told in the last request."""
    return json.dumps(run.main[-1]["messages"], ensure_ascii=False)


async def _kept(url: str) -> None:
    """Keep what still waits, as the next server would."""
    async with connect_async(url) as client:
        await keep_waiting(client, hooks_folder(), 10**9)


def _bash(command: str) -> dict[str, Any]:
    return {"tool": "Bash", "input": {"command": command, "description": "run it"}}


def test_the_fix_arrives_once_and_what_was_said_is_kept_through_a_compaction(
    claude: Callable[..., Any], blocking: Client, home: Path, project: Path
) -> None:
    stored = blocking.traces.contribute(contribution(0))
    # On a busy machine the server may be late for the first of them; then it is silent, and speaks at the next.
    tries = [part for number in range(3) for part in (_bash(f"sleep {3 if number else 6}"), _bash(FAILS))]
    run = claude("why is it locked?", [*tries, {"text": "I see."}])
    assert _heard(run).count("CommonTrace knows this error") == 1
    assert stored.trace_id
    assert f"vote_trace(trace_id='{stored.trace_id[:10]}'" in _heard(run)
    assert blocking.traces.vote(stored.trace_id, "worked").outcome == "worked"

    (session,) = (home / ".claude" / "projects").glob("*/*.jsonl")
    claude("/compact", [{"text": "the summary"}] * 9, "--resume", session.stem)
    after = claude("and now?", [_bash("sleep 5"), {"text": "go on"}], "--resume", session.stem)
    branch = branch_of(session.stem)
    assert f"word for word, on branch {branch}" in _heard(after)
    assert "why is it locked?" not in _heard(after).replace("the summary", "")

    asyncio.run(_kept(blocking.url))
    log = Cli().json("context", "log", branch)
    whole = next(one["commit_id"] for one in log["commits"] if "why is it locked?" in one["message"])
    resumed = Path(Cli().json("context", "resume", whole, "--claude-dir", str(home / ".claude"))["file"])
    assert resumed.parent == session.parent
    assert "why is it locked?" in resumed.read_text()
    assert "database is locked" in resumed.read_text()
