"""What tests of the command line share: a folder to work in, the commands on a fresh store, and input for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from commandline import Cli, Run
from factories import contribution


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def cli(work: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The commands, on a fresh store."""
    monkeypatch.setenv("COMMONTRACE_URL", url)
    return Cli()


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that shows colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def fix(work: Path) -> Run:
    """Writes a good contribution to a file; returns its name."""

    def write(number: int = 0, **changes: Any) -> str:
        fields = contribution(number, **changes).model_dump(mode="json", exclude_defaults=True)
        path = work / f"fix-{number}.json"
        path.write_text(json.dumps(fields), encoding="utf-8")
        return path.name

    return write


@pytest.fixture
def trace_id(cli: Cli, fix: Run) -> str:
    """The id of a trace that the store holds: SQLite, database is locked."""
    found: str = cli.json("contribute", fix())["trace_id"]
    return found


@pytest.fixture
def trace(cli: Cli) -> Run:
    """`trace …`, with one commit on main."""

    def run(*arguments: str, stdin: str | None = None) -> str:
        said: str = cli.good("context", *arguments, stdin=stdin)
        return said

    run("commit", "-m", "the plan", "--role", "user", "--text", "Move the importer to streaming.")
    return run


@pytest.fixture
def refused(cli: Cli) -> Run:
    """`trace …` that fails: the one line that it prints."""

    def run(*arguments: str, code: int = 1) -> str:
        said: str = cli.failed("context", *arguments, code=code)
        return said

    return run


@pytest.fixture
def talk(trace: Run, work: Path) -> Run:
    """`trace …`, with an instruction, a task, and two files read; the messages are at the places 0 to 6."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Fix parse.py, not lexer.py."},
    ]
    for number, name in enumerate(("src/parse.py", "src/lexer.py")):
        called = {"name": "read_file", "arguments": json.dumps({"path": name})}
        call = {"id": f"c{number}", "type": "function", "function": called}
        messages.append({"role": "assistant", "content": "Reading.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": f"{name} line\n" * 120})
    messages.append({"role": "assistant", "content": "Line 42 must not raise."})
    (work / "talk.json").write_text(json.dumps(messages))
    trace("undo")
    trace("commit", "talk.json", "-m", "the talk")
    return trace
