"""The story of a trace and of a window, by the command line alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commontrace.cli.app import app
from factories import contribution

pytestmark = pytest.mark.both_databases


@pytest.fixture
def run(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command with --json in an empty folder; returns its document."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("COMMONTRACE_URL", url)

    def one(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return one


def _rows(path: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in row.items() if name != "trace_id"} for row in rows]


def test_a_trace_is_contributed_used_improved_taken_back_and_carried_elsewhere(run: Any, tmp_path: Path) -> None:
    Path("fix.json").write_text(contribution().model_dump_json(exclude_defaults=True), encoding="utf-8")
    identifier = run("contribute", "fix.json", "--visibility", "team")["trace_id"]

    [hit] = run("query", "--error", "OperationalError: database is locked")["hits"]
    assert hit["trace_id"] == identifier
    assert run("vote", hit["short_id"], "worked")["self_report"]

    run("amend", identifier, "--verification", "Twenty processes wrote for an hour.", "--reason", "measured again")
    assert run("show", identifier)["version_number"] == 2

    flag = run("flag", identifier, "incorrect", "--note", "not on NFS")["flag_id"]
    assert run("show", identifier)["flags"] == 1
    run("unflag", flag)

    run("withdraw", identifier, "--reason", "to be rewritten")
    assert run("query", "database is locked")["hits"] == []
    assert run("unwithdraw", identifier)["state"] == "active"

    assert run("export", "all.jsonl")["traces"] == 1
    elsewhere = ("--url", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert run("import", "all.jsonl", *elsewhere)["added"] == 1
    assert run("import", "all.jsonl", *elsewhere)["existing"] == 1
    run("export", "again.jsonl", *elsewhere)
    assert _rows("again.jsonl") == _rows("all.jsonl")
    assert (
        "Twenty processes"
        in run("query", "database is locked", "--full", *elsewhere)["hits"][0]["body"]["verification"]
    )


def test_a_window_is_kept_branched_merged_and_taken_back(run: Any) -> None:
    def trace(*arguments: str) -> Any:
        return run("context", *arguments)

    plan = trace("commit", "-m", "the plan", "--text", "Move the importer to streaming.")
    trace("switch", "-c", "try-duckdb")
    trace("commit", "-m", "an attempt", "--role", "assistant", "--text", "DuckDB reads it in one pass.")
    assert [change["change"] for change in trace("diff", "main..try-duckdb")["changes"]] == ["added"]

    trace("switch", "main")
    assert trace("merge", "try-duckdb", "--dry-run")["kind"] == "fast_forward"
    assert trace("status")["commit_id"] == plan["commit_id"]
    merged = trace("merge", "try-duckdb")
    trace("branch", "-d", "try-duckdb")
    trace("tag", "good")
    assert trace("log", "good")["commits"][0]["commit_id"] == merged["commit_id"]

    for _ in range(3):
        trace("undo")
    assert trace("status")["commit_id"] == plan["commit_id"]
    assert {branch["name"] for branch in trace("branch")} == {"main", "try-duckdb"}
    assert "DuckDB" in trace("show", "try-duckdb", "--budget", "1000")["text"]
