"""`commontrace learn`: past transcripts teach what resolved an error; it is looked at, and kept once."""

import json
from pathlib import Path
from typing import Any

import pytest

from commandline import Cli
from commontrace import Client
from commontrace.models.search import Query

MISSING = (
    'Traceback (most recent call last):\n  File "/home/ann/shop/app.py", line 3, in <module>\n    import flurbo\n'
    "ModuleNotFoundError: No module named 'flurbo'"
)
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
WHY = "That works. The cause was a missing dependency: flurbo was never in the requirements."


class Claude:
    """Writes a session as Claude Code does."""

    def __init__(self, session: str = "1f2e3d4c-0000-4000-8000-000000000000") -> None:
        self.lines: list[dict[str, Any]] = []
        self.session = session

    def _line(self, role: str, content: Any) -> None:
        number = len(self.lines)
        line: dict[str, Any] = {"type": role, "uuid": f"{self.session}-{number}", "sessionId": self.session}
        line |= {"timestamp": f"2026-11-20T10:00:{number:02}.000Z", "message": {"role": role, "content": content}}
        line["parentUuid"] = self.lines[-1]["uuid"] if self.lines else None
        self.lines.append(line)

    def says(self, text: str) -> "Claude":
        self._line("assistant", [{"type": "text", "text": text}])
        return self

    def calls(self, name: str, given: dict[str, Any], said: str, *, failed: bool = False) -> "Claude":
        call = f"toolu_{len(self.lines)}"
        self._line("assistant", [{"type": "tool_use", "id": call, "name": name, "input": given}])
        self._line("user", [{"type": "tool_result", "tool_use_id": call, "content": said, "is_error": failed}])
        return self

    def runs(self, command: str, error: str = "") -> "Claude":
        said = f"Exit code 1\n{error}" if error else "ok"
        return self.calls("Bash", {"command": command}, said, failed=bool(error))

    def edits(self, path: str, old: str, new: str) -> "Claude":
        return self.calls("Edit", {"file_path": path, "old_string": old, "new_string": new}, "The file was updated.")

    def write(self, folder: Path) -> Path:
        path = folder / ".claude" / "projects" / "-home-ann-shop" / f"{self.session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(line)}\n" for line in self.lines), encoding="utf-8")
        return path


def resolved() -> Claude:
    """A session in which a missing module was found missing, twice, and installed."""
    told = Claude().runs("python app.py", MISSING).runs("pip install flurb").runs("python app.py", MISSING)
    told = told.runs("ls").runs(f"pip install flurbo --index https://u:{TOKEN}@x.test/simple")
    return told.edits("/home/ann/shop/requirements.txt", "flask\n", "flask\nflurbo\n").runs("python app.py").says(WHY)


def codex(folder: Path) -> Path:
    """A session of Codex in which an option was wrong, and a patch mended it."""
    lines: list[dict[str, Any]] = [{"type": "session_meta", "payload": {"id": "0" * 36}}]

    def call(kind: str, name: str, given: str, said: str) -> None:
        field = "input" if kind == "custom_tool_call" else "arguments"
        number = str(len(lines))
        lines.append(
            {"type": "response_item", "payload": {"type": kind, "call_id": number, "name": name, field: given}}
        )
        lines.append(
            {"type": "response_item", "payload": {"type": f"{kind}_output", "call_id": number, "output": said}}
        )

    run = json.dumps({"command": ["bash", "-lc", "node server.js"]})
    bad = "Exit code: 1\nWall time: 0.1 seconds\nOutput:\nTypeError: app.listn is not a function\n    at main.js:3:1\n"
    call("function_call", "shell", run, bad)
    patch = "*** Begin Patch\n*** Update File: server.js\n@@\n-app.listn(80)\n+app.listen(80)\n*** End Patch"
    call("custom_tool_call", "apply_patch", patch, "Success.")
    call("function_call", "shell", run, json.dumps({"output": "ready", "metadata": {"exit_code": 0}}))
    path = folder / ".codex" / "sessions" / "2026" / "rollout-1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def mine(home: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of somebody with a session of each agent."""
    monkeypatch.setenv("COMMONTRACE_URL", url)
    resolved().write(home)
    codex(home)
    return home


def test_what_was_done_is_stored_privately_and_found_by_the_error(cli: Cli, mine: Path, blocking: Client) -> None:
    told = cli.json("learn", "--yes")
    assert (told["transcripts"], len(told["findings"]), len(told["stored"])) == (2, 2, 2)
    (hit,) = blocking.traces.query(Query(error=MISSING, exact=True, detail="full")).hits
    assert hit.body
    assert hit.visibility == "private"
    assert hit.body.solution.startswith(WHY)
    assert "pip install flurbo" in hit.body.solution
    assert "```diff\n+flurbo\n```" in hit.body.solution
    assert [attempt.tried for attempt in hit.body.failed_attempts] == ["ran: pip install flurb"]
    assert "`python app.py` failed 2×" in hit.body.problem
    assert hit.body.evidence
    assert (hit.body.evidence.exit_before, hit.body.evidence.exit_after) == (1, 0)
    (other,) = blocking.traces.query(
        Query(error="TypeError: app.listn is not a function", exact=True, detail="full")
    ).hits
    assert other.body
    assert "+app.listen(80)" in other.body.solution
    whole = json.dumps([hit.model_dump(mode="json"), other.model_dump(mode="json"), told])
    assert TOKEN not in whole


def test_learning_again_finds_nothing_new(cli: Cli, mine: Path, blocking: Client) -> None:
    cli.good("learn", "--yes")
    assert cli.json("learn", "--yes")["findings"] == []
    assert "0 findings in 2 transcripts" in cli.good("learn")
    assert len(blocking.traces.page().traces) == 2


def test_looking_stores_nothing_and_decides_nothing(cli: Cli, mine: Path, blocking: Client) -> None:
    for _ in range(2):
        said = cli.good("learn", "--dry-run")
        assert "2 findings in 2 transcripts" in said
        assert "No module named 'flurbo'" in said
    assert blocking.traces.page().traces == []


def test_each_finding_is_shown_and_decided_on(cli: Cli, mine: Path, blocking: Client) -> None:
    result = cli("learn", stdin="approve\nskip\n")
    assert result.exit_code == 0, result.output
    assert "1 private trace stored" in result.stdout
    (kept,) = blocking.traces.page().traces
    assert "No module named 'flurbo'" in kept.content.title
    assert "The same error came again." in result.stdout
    assert TOKEN not in result.output
    assert cli.json("learn", "--dry-run")["findings"] == []


def test_paths_and_days_choose_transcripts(cli: Cli, mine: Path) -> None:
    (path,) = (mine / ".codex").rglob("*.jsonl")
    assert [one["command"] for one in cli.json("learn", str(path), "--dry-run")["findings"]] == ["node server.js"]
    assert cli.json("learn", str(mine / ".claude"), "--dry-run")["transcripts"] == 1
    assert cli.json("learn", "--since", "0", "--dry-run")["transcripts"] == 0
    assert cli.json("learn", "--since", "1", "--dry-run")["transcripts"] == 2


def test_with_json_nobody_is_asked(cli: Cli, mine: Path) -> None:
    assert "--yes" in cli.failed("learn", "--json", code=2)


@pytest.mark.parametrize(
    "told",
    [
        Claude().runs("python app.py", MISSING).runs("python app.py"),
        Claude().runs("python app.py", MISSING).runs("pip install flurbo"),
        Claude().runs("python app.py", MISSING).runs("pip install flurbo").runs("python other.py"),
        Claude().runs("pytest", "E   assert 1 == 2\n1 failed").edits("a.py", "1", "2").runs("pytest"),
        Claude().runs("grep x a.log", MISSING).edits("a.py", "1", "2").runs("grep x a.log"),
    ],
    ids=["passes by itself", "never run again", "another one passes", "a test that is written first", "an answer"],
)
def test_what_was_no_fix_teaches_nothing(cli: Cli, home: Path, told: Claude) -> None:
    told.write(home)
    assert cli.json("learn", "--dry-run") == {"transcripts": 1, "findings": [], "stored": []}


def test_what_cannot_be_read_is_left_out(cli: Cli, mine: Path) -> None:
    bad = mine / ".claude" / "projects" / "p" / "bad.jsonl"
    bad.parent.mkdir()
    bad.write_bytes(b"\xff\x00 no JSON\n" * 3)
    assert len(cli.json("learn", "--dry-run")["findings"]) == 2


def test_quickstart_ends_with_how_many_there_are(cli: Cli, mine: Path) -> None:
    assert "hold 2 fixes of their own" in cli.good("quickstart")
    cli.good("learn", "--yes")
    assert "of their own" not in cli.good("quickstart")
