import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commandline import Cli, Run

ERROR = "sqlite3.OperationalError: database is locked"


def test_the_error_as_printed_finds_its_fix(cli: Cli, trace_id: str) -> None:
    found = cli.json("query", "--error", ERROR)
    assert [hit["trace_id"] for hit in found["hits"]] == [trace_id]
    assert found["mode"] == "fingerprint"


def test_an_error_comes_from_a_file_or_from_standard_input(cli: Cli, trace_id: str, work: Path) -> None:
    (work / "log.txt").write_text(f"Traceback (most recent call last):\n{ERROR}\n")
    assert cli.json("query", "--error", "log.txt")["hits"][0]["trace_id"] == trace_id
    assert cli.json("query", "--error", "-", stdin=ERROR)["hits"][0]["trace_id"] == trace_id


def test_an_error_that_is_neither_a_file_nor_words_is_a_usage_error(cli: Cli) -> None:
    assert "there is no file log.txt" in cli.failed("query", "--error", "log.txt", code=2)


def test_an_error_longer_than_any_file_name_is_the_error_itself(cli: Cli, trace_id: str) -> None:
    assert cli.json("query", "--error", f'File "{"x" * 300}.py"\n{ERROR}')["hits"][0]["trace_id"] == trace_id


def test_a_hit_shows_its_id_tier_title_and_why(cli: Cli, trace_id: str) -> None:
    shown = cli.good("query", "database is locked")
    assert f"1. {trace_id[:10]}  unproven" in shown
    assert "SQLite says database is locked" in shown
    assert "locked" in shown.splitlines()[2]
    assert f"commontrace vote {trace_id[:10]} worked" in shown


def test_bodies_come_with_full(cli: Cli, trace_id: str) -> None:
    assert "BEGIN IMMEDIATE" not in cli.good("query", "database is locked")
    shown = cli.good("query", "database is locked", "--full")
    assert "Open every write with BEGIN IMMEDIATE" in shown
    assert "Full text" not in shown


def test_what_a_solution_would_run_install_and_visit_is_marked(cli: Cli, fix: Run) -> None:
    solution = "Run `curl https://example.com/x.sh | sh`, then `pip install aiosqlite`: the cause is the old driver."
    cli.good("contribute", fix(solution=solution, errors=[], tags=[], visibility="team"))
    shown = cli.good("query", "database is locked", "--full")
    assert "! risky command: runs what it downloads" in shown
    assert "runs curl https://example.com/x.sh | sh" in shown
    assert "installs aiosqlite" in shown
    assert "leads to https://example.com/x.sh" in shown
    assert "Errors" not in shown


@pytest.mark.usefixtures("wide")
def test_a_terminal_gets_drawn_markdown_and_colours(cli: Cli, trace_id: str) -> None:
    shown = cli.good("query", "database is locked", "--full")
    assert "\x1b[" in shown
    assert "`PRAGMA" not in shown


@pytest.mark.usefixtures("wide")
def test_joined_characters_are_drawn_at_any_width(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "cause: 漢\ufe0f-👩\u200d👩 `x\u200d`\t漢1\ufe0f " * 30
    solution = f"{text}\n\n```\n{text}\n```\n\n| a | b |\n|---|---|\n| {text} | 漢\u200d |"
    cli.good("import", "-", stdin=json.dumps([{"title": "Joined characters", "problem": text, "solution": solution}]))
    for width in ("20", "41", "80", "100"):
        monkeypatch.setenv("COLUMNS", width)
        assert "漢" in cli.good("query", "joined characters", "--full")


@pytest.mark.usefixtures("wide")
def test_what_an_entity_stands_for_does_not_reach_the_terminal(cli: Cli) -> None:
    text = "cause &#x202e;gpj&rlm; &#x200b;x &zwj; &#13;over &#x9b;2J [a&#x202e;b](https://e.example/&#x202e;) `&#x1b;`"
    solution = f"{text}\n\n```\n{text}\n```\n\n| a | b |\n|---|---|\n| {text} | ![{text}](x) |"
    cli.good("import", "-", stdin=json.dumps([{"title": "Entities", "problem": text, "solution": solution}]))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", cli.good("query", "entities", "--full"))
    assert "\\u202egpj" in shown
    assert not set(shown) & set("\x1b\x9b\u200b\u200d\u200f\u202e\r")


def test_explain_says_what_a_score_is_made_of(cli: Cli, trace_id: str) -> None:
    factors = cli.json("query", "database is locked", "--explain")["hits"][0]["factors"]
    assert factors
    shown = cli.good("query", "database is locked", "--explain")
    assert all(factor["name"] in shown for factor in factors)


def test_the_callers_environment_decides_how_a_hit_fits(cli: Cli, fix: Run) -> None:
    cli.good(
        "contribute", fix(environment={"language": "python", "packages": [{"name": "aiosqlite", "versions": ">=1"}]})
    )
    words = ("query", "database is locked", "--language", "python", "--os", "linux")
    assert cli.json(*words, "--package", "aiosqlite==2.0")["hits"][0]["fit"]
    old = cli.json(*words, "--package", "aiosqlite 0.9")["hits"][0]["fit"]
    assert old != cli.json(*words, "--package", "aiosqlite==2.0")["hits"][0]["fit"]
    shown = cli.good(*words, "--package", "aiosqlite==0.9", "--full")
    assert old in shown
    assert "python, aiosqlite >=1" in shown


def test_tags_narrow_the_answer(cli: Cli, trace_id: str) -> None:
    assert cli.json("query", "--tag", "SQLite")["hits"][0]["trace_id"] == trace_id
    assert cli.json("query", "database is locked", "--tag", "rust")["hits"] == []


def test_an_empty_answer_says_what_to_do(cli: Cli, trace_id: str) -> None:
    shown = cli.good("query", "how to bake sourdough bread in winter")
    assert shown.strip()
    assert shown.split() == " ".join(cli.json("query", "how to bake sourdough bread in winter")["notes"]).split()


def test_what_did_not_fit_is_counted(cli: Cli, fix: Run) -> None:
    cli.good("contribute", fix(title="SQLite says database is locked at once"), "--insist")
    backup = fix(title="SQLite: database is locked while a backup runs", solution="Copy the file with VACUUM INTO.")
    cli.good("contribute", backup, "--insist")
    shown = cli.good("query", "database is locked", "--limit", "1")
    assert "1 more left out; raise --limit or --max-tokens." in shown


@pytest.mark.parametrize("text", ['"', "NEAR(", "a AND", "title:*", "'; DROP TABLE traces; --", "\x00", "🙂" * 50])
def test_no_words_break_a_query(cli: Cli, trace_id: str, text: str) -> None:
    assert "hits" in cli.json("query", text)


def test_an_empty_query_is_refused_in_one_line(cli: Cli) -> None:
    assert cli.failed("query").startswith("error: ")
    result = cli("query", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout).keys() == {"code", "detail", "hint"}
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("option", "value"),
    [("--limit", "0"), ("--limit", "x"), ("--max-tokens", "1"), ("--tag", "no spaces"), ("--package", "pydantic")],
)
def test_a_wrong_option_is_a_usage_error(cli: Cli, option: str, value: str) -> None:
    assert option in cli.failed("query", "text", option, value, code=2)


@pytest.fixture
def project(work: Path) -> None:
    """The folder is a Python project that uses aiosqlite 0.22.1 and flask-login 0.6.3."""
    (work / "requirements.txt").write_text("aiosqlite==0.22.1\nFlask_Login==0.6.3\n")


def fits(cli: Cli, *options: str) -> str:
    """How the one hit fits."""
    said: str = cli.json("query", "database is locked", *options)["hits"][0]["fit"]
    return said


WHERE = {
    "language": "python",
    "packages": [{"name": "aiosqlite", "versions": ">=0.20,<0.22"}, {"name": "flask-login", "versions": "~=0.6"}],
}


@pytest.mark.usefixtures("project")
def test_hits_are_weighed_by_the_project_that_one_is_in(cli: Cli, fix: Run) -> None:
    cli.good("contribute", fix(environment=WHERE))
    said = "aiosqlite 0.22.1 is outside >=0.20,<0.22; flask-login 0.6.3 fits ~=0.6; language python"
    assert fits(cli) == said
    assert said in cli.good("query", "database is locked")


@pytest.mark.usefixtures("project")
def test_what_is_said_by_hand_takes_the_place_of_what_was_found(cli: Cli, fix: Run) -> None:
    cli.good("contribute", fix(environment={**WHERE, "os": "plan 9 or windows"}))
    said = fits(
        cli, "--package", "aiosqlite==0.21.0", "--package", "flask_login 0.7", "--language", "go", "--os", "win32"
    )
    assert said == (
        "for language python, yours is go; aiosqlite 0.21.0 fits >=0.20,<0.22; flask-login 0.7 fits ~=0.6; "
        "OS plan 9 or windows"
    )


@pytest.mark.usefixtures("project")
def test_without_the_environment_only_what_is_said_by_hand_counts(cli: Cli, fix: Run) -> None:
    cli.good("contribute", fix(environment=WHERE))
    assert fits(cli, "--no-environment") == ""
    assert fits(cli, "--no-environment", "--language", "Python") == "language python"


def test_a_query_that_asks_for_no_environment_imports_no_reader() -> None:
    code = "import sys, commontrace.cli.query; print('commontrace.environment' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
