"""Sessions of the real Claude Code, offline: imported, forked, compacted, and opened again."""

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

from commontrace import Client
from commontrace._sync.contexts import ContextRepository
from commontrace.transcripts.claude_session import project_folder

REPOSITORY = Path(__file__).parents[2]
TOOLS = REPOSITORY.parent / "shared" / "tools"
READ = {"tool": "Bash", "input": {"command": "echo hello", "description": "say hello"}}

pytestmark = [
    pytest.mark.skipif(not (TOOLS / "claude_e2e.py").exists(), reason="needs the scripted model in ../shared/tools"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install Claude Code"),
    pytest.mark.skipif(sys.platform != "linux", reason="installs the Linux build of Claude Code"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the scripted model leaves its socket to the collector
]

Claude = Callable[..., Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def sessions(tmp_path: Path, project: Path) -> Path:
    """Where the client keeps the sessions of the project."""
    return tmp_path / "claude" / "projects" / project_folder(str(project))


@pytest.fixture
def claude(project: Path, sessions: Path) -> Claude:
    """Runs the client in the project; its sessions stay."""
    sys.path.insert(0, str(TOOLS))
    try:
        tools = importlib.import_module("claude_e2e")
    finally:
        sys.path.remove(str(TOOLS))
    cache = Path(os.environ.get("CLAUDE_CODE_CACHE", str(REPOSITORY / ".cache" / "claude")))
    cache.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(cache.with_suffix(".lock")):  # the workers share one installation
        tools.install(cache)

    def run(prompt: str, turns: list[Any], *options: str) -> Any:
        done = tools.run(
            prompt,
            turns,
            project=str(project),
            extra=["--allowedTools", "Bash", *options],
            env={"CLAUDE_CONFIG_DIR": str(sessions.parents[1])},
            cache=str(cache),
        )
        assert done.code == 0, done.stderr
        return done

    return run


@pytest.fixture
def repo(blocking: Client) -> ContextRepository:
    return blocking.contexts.open("project")


def _words(repo: ContextRepository, ref: str) -> str:
    return repo.window(ref, format="text").text or ""


def _heard(run: Any) -> str:
    """What the model was told in the last request."""
    return json.dumps(run.main[-1]["messages"])


def test_a_session_is_imported_grows_is_compacted_and_goes_on_from_any_commit(
    claude: Claude, repo: ContextRepository, sessions: Path, project: Path
) -> None:
    claude("first question", [[{"text": "Let me see."}, READ, READ], {"text": "It says hello."}])
    (file,) = sessions.glob("*.jsonl")
    branch = f"claude/{file.stem[:8]}"
    first = repo.import_transcript(file)
    assert (first.commits, first.branches, first.problems) == (1, [branch], [])
    roles = [message["role"] for message in repo.window(branch, format="messages").messages or []]
    assert roles == ["user", "assistant", "user", "user", "assistant"]

    claude("second question", [{"text": "x"}] * 2 + [{"text": "second answer"}], "--resume", file.stem)
    assert repo.import_transcript(file).commits == 1
    assert repo.import_transcript(file).commits == 0

    claude("/compact", [{"text": "the summary"}] * 9, "--resume", file.stem)
    repo.import_transcript(file)
    assert "the summary" in _words(repo, branch)
    assert "first question" not in _words(repo, branch)
    assert "first question" in _words(repo, f"{branch}~2")

    session = repo.session(f"{branch}~3", folder=project)
    (sessions / f"{session.session_id}.jsonl").write_text(session.text)
    again = claude("what now?", [{"text": "y"}] * 2 + [{"text": "resumed"}], "--resume", session.session_id)
    assert again.result == "resumed"
    assert all(words in _heard(again) for words in ("first question", "echo hello", "It says hello.", "what now?"))
    assert "second question" not in _heard(again)


def test_a_context_of_our_own_is_opened_on_its_branch(
    claude: Claude, repo: ContextRepository, sessions: Path, project: Path
) -> None:
    repo.system("Answer in one word.")
    repo.user("Which port?")
    repo.assistant("5432")
    repo.commit()
    repo.branch("try")
    repo.user("And the host?")
    repo.commit()
    session = repo.session("try", folder=project)
    sessions.mkdir(parents=True)
    (sessions / f"{session.session_id}.jsonl").write_text(session.text)
    run = claude("go on", [{"text": "localhost"}] * 4, "--resume", session.session_id)
    assert run.result == "localhost"
    assert all(words in _heard(run) for words in ("one word", "Which port?", "5432", "And the host?", "go on"))
    grown = repo.import_transcript(sessions / f"{session.session_id}.jsonl")
    assert _words(repo, grown.branches[0]).endswith("localhost")
