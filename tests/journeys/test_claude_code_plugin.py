"""The plugin in the real Claude Code, offline: installed from this repository as a marketplace, and used."""

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
TOOL = "mcp__plugin_commontrace_commontrace__"
FIX = {
    "title": "SQLite: database is locked with several writers",
    "problem": "Several processes write to one SQLite file and some fail at once with OperationalError.",
    "solution": "Cause: a deferred BEGIN takes the write lock too late. Use `BEGIN IMMEDIATE`.",
    "error": "sqlite3.OperationalError: database is locked",
}
FAILING = """python3 -c 'import sqlite3; raise sqlite3.OperationalError("database is locked")'"""

pytestmark = [
    pytest.mark.skipif(not (TOOLS / "claude_e2e.py").exists(), reason="needs the scripted model in ../shared/tools"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install Claude Code"),
    pytest.mark.skipif(sys.platform != "linux", reason="installs the Linux build of Claude Code"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the scripted model leaves its socket to the collector
]


class Claude:
    """Claude Code with a home of its own, where the installed `commontrace` is found."""

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(TOOLS))
        try:
            self._tools: Any = importlib.import_module("claude_e2e")
        finally:
            sys.path.remove(str(TOOLS))
        self._cache = Path(os.environ.get("CLAUDE_CODE_CACHE", str(REPOSITORY / ".cache" / "claude")))
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._cache.with_suffix(".lock")):  # the workers share one installation
            self._binary = self._tools.install(self._cache)
        self._project = folder / "project"
        self._project.mkdir()
        self._environment = {
            "HOME": str(folder),
            "CLAUDE_CONFIG_DIR": str(folder / ".claude"),
            "COMMONTRACE_URL": f"sqlite:///{folder}/store.db",
            "COMMONTRACE_EMBEDDER": "none",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def __call__(self, *arguments: str) -> str:
        """What a command of the client prints."""
        environment = {**self._tools.environment(Path(self._environment["HOME"]), 9, {}), **self._environment}
        run = subprocess.run(
            [self._binary, *arguments], cwd=self._project, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def run(self, prompt: str, turns: list[tuple[str, dict[str, Any]]], *options: str) -> Any:
        """A run against the scripted model, which calls these tools one after the other."""
        scripted = [{"tool": tool if tool == "Bash" else TOOL + tool, "input": arguments} for tool, arguments in turns]
        done = self._tools.run(
            prompt,
            [*scripted, {"text": "done"}],
            project=str(self._project),
            extra=list(options),
            env=self._environment,
            cache=str(self._cache),
        )
        assert done.code == 0, done.stderr
        return done


def _installed(folder: Path) -> Claude:
    """The client with the plugin from a copy of this repository."""
    claude = Claude(folder)
    marketplace = str(_checkout(folder / "checkout"))
    assert "Validation passed" in claude("plugin", "validate", marketplace, "--strict", "--profile", "directory")
    claude("plugin", "marketplace", "add", marketplace)
    claude("plugin", "install", "commontrace@commontrace")
    listed = [line for line in claude("mcp", "list").splitlines() if "commontrace" in line]
    assert len(listed) == 1
    assert listed[0].endswith("✔ Connected")
    return claude


def _contributed(claude: Claude) -> str:
    """The id of a trace stored after a preview; nothing but the command's own allowed-tools permits the calls."""
    run = claude.run(
        "/commontrace:trace-contribute the lock",
        [("contribute_trace", {**FIX, "dry_run": True}), ("contribute_trace", FIX)],
    )
    assert "Only an explicit yes lets you go on" in run.model_text(0)
    assert "before the second attempt" not in run.model_text(0)  # a skill's body is read when it is needed
    assert "query-traces" in str(run.main[0])
    preview, stored = run.tool_results().values()
    assert (preview[1], stored[1]) == (False, False)
    assert '"stored":false' in preview[0]
    assert '"stored":true' in stored[0]
    return str(json.loads(stored[0])["trace_id"])


def _checkout(folder: Path) -> Path:
    """The repository without what tools left in it: installing copies all that is there."""
    left = shutil.ignore_patterns(".git", ".venv", ".cache", "*_cache", "__pycache__", "tests", "dist", ".hypothesis")
    shutil.copytree(REPOSITORY, folder, ignore=left)
    return folder


def test_the_plugin_is_installed_connects_and_leads_from_a_preview_to_a_restored_state(tmp_path: Path) -> None:
    claude = _installed(tmp_path)
    trace_id = _contributed(claude)
    commit = {"messages": [{"role": "user", "content": "fix the lock"}], "message": "before the attempt"}
    used = claude.run(
        "go",
        [
            ("context_commit", commit),
            ("context_branch", {"action": "create", "name": "try"}),
            ("context_commit", {**commit, "message": "it failed"}),
            ("context_branch", {"action": "switch", "name": "main"}),
            ("context_show", {"ref": "main"}),
            # A hook waits for the server for a moment only and speaks once: on a busy machine not the first time.
            *[("Bash", {"command": FAILING, "description": "open the store"})] * 3,
            ("vote_trace", {"trace_id": trace_id, "outcome": "worked", "evidence": {"exit_after": 0}}),
        ],
        "--allowedTools",
        "mcp__plugin_commontrace_commontrace,Bash",
    )
    answers = list(used.tool_results().values())
    assert [failed for _, failed in answers] == [*[False] * 5, True, True, True, False]
    assert answers[4][0].count("fix the lock") == 1
    assert used.model_text(-1).count("CommonTrace knows this error: your own trace") == 1
    assert used.model_text(-1).count("BEGIN IMMEDIATE") == 1
    assert '"self_report":true' in answers[8][0]
