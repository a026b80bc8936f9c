"""`trace import`, `export`, `resume`."""

import json
import stat
from pathlib import Path

import pytest

from commandline import Cli, Run
from sessions import SESSION, Session

MAIN = "claude/1f2e3d4c"


@pytest.fixture
def trace(cli: Cli) -> Run:
    """`trace …`, in a folder with a session of Claude Code's."""

    def run(*arguments: str, stdin: str | bytes | None = None) -> str:
        said: str = cli.good("context", *arguments, stdin=stdin)
        return said

    return run


@pytest.fixture
def file(work: Path) -> Path:
    """A session with a secret, a line that is broken and one that is no message."""
    session = Session()
    session.turn("1", "my key is AKIAQ3ZK7WTR5HVN2XLM", "never tell it")
    session.lines.insert(1, "{")
    session.raw(type="mode", mode="normal")
    path = work / f"{SESSION}.jsonl"
    path.write_text(session.text)
    return path


def test_an_import_says_what_came_what_was_taken_out_and_what_was_left_out(trace: Run, file: Path) -> None:
    said = trace("import", file.name)
    assert said.splitlines() == [
        "1 commit with 2 messages of claude-code",
        f"  {MAIN}",
        "Taken out: 1 × secret:aws-access-key",
        "line 2 is not a JSON object",
        "Left out: 1 line that hold no message",
    ]
    assert trace("import", file.name).startswith("0 commits with 0 messages")
    assert "my key is [redacted secret:aws-access-key]" in trace("show", MAIN)


def test_an_import_as_a_document(cli: Cli, file: Path) -> None:
    told = cli.json("context", "import", str(file))
    assert (told["commits"], told["branches"], told["left_out"]) == (1, [MAIN], {"mode": 1})


def test_a_transcript_may_come_from_standard_input(trace: Run) -> None:
    assert trace("import", "-", "--format", "anthropic", stdin='[{"role": "user", "content": "hi"}]').startswith(
        "1 commit with 1 message of anthropic"
    )


def test_a_bundle_goes_from_one_context_to_another(trace: Run, cli: Cli, file: Path, work: Path) -> None:
    trace("import", file.name)
    assert trace("export", "-o", "all.ndjson") == "bundle → all.ndjson\n"
    assert stat.S_IMODE((work / "all.ndjson").stat().st_mode) == 0o600
    said = trace("-R", "other", "import", "all.ndjson")
    assert said.startswith("1 commit and 2 messages are new here\n  claude/1f2e3d4c new → ")
    assert cli.json("context", "-R", "other", "log", MAIN)["commits"][0]["messages"] == 2
    assert trace("-R", "other", "import", "-", "--prefix", "mine", stdin=trace("export")).count("mine/claude") == 1
    trace("switch", MAIN)
    trace("commit", "--text", "more")
    trace("export", "HEAD", "-o", "all.ndjson")
    assert " → " in trace("-R", "other", "import", "all.ndjson").replace("new → ", "")


def test_a_bundle_that_was_changed_is_refused_in_one_line(trace: Run, cli: Cli, file: Path) -> None:
    trace("import", file.name)
    changed = trace("export").replace("never tell it", "always tell it")
    assert "something was changed" in cli.failed("context", "-R", "other", "import", "-", stdin=changed)


def test_windows_come_out_in_the_shapes_of_providers(trace: Run, file: Path) -> None:
    trace("import", file.name)
    assert json.loads(trace("export", MAIN, "--format", "openai"))["messages"][1]["content"] == "never tell it"
    assert trace("export", MAIN, "--format", "anthropic-jsonl").count("\n") == 1


def test_a_session_to_resume_is_written_where_the_client_looks(
    trace: Run, cli: Cli, file: Path, home: Path, work: Path
) -> None:
    trace("import", file.name)
    said = trace("resume", MAIN)
    (first,) = (home / ".claude" / "projects").glob("*/*.jsonl")
    assert said == f"claude --resume {first.stem}\n"
    assert first.parent.name == "".join(char if char.isalnum() else "-" for char in str(work.resolve()))
    assert {json.loads(line)["sessionId"] for line in first.read_text().splitlines()} == {first.stem}
    again = cli.json("context", "resume", MAIN, "--claude-dir", "elsewhere")
    assert again["session_id"] != first.stem
    assert Path(again["file"]).is_relative_to("elsewhere")


@pytest.mark.parametrize("command", [["import", "nowhere"], ["export", "-o", "no/such/folder"]])
def test_a_file_that_cannot_be_used_is_named(trace: Run, cli: Cli, file: Path, command: list[str]) -> None:
    trace("import", file.name)
    assert command[-1] in cli.failed("context", *command)
