import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from commandline import Cli, Run
from doors import People, Server
from factories import contribution

SEED = {
    "title": "Redis connection pool exhausted under load",
    "context": "Workers raise MaxConnectionsError because each request opens a client of its own.",
    "solution": "Create one ConnectionPool per process with `max_connections=50` and share the client.",
    "tags": ["Redis", "CI/CD", "connection pooling"],
    "agent_model": "some-model",
    "agent_version": "1.0",
}


def _lines(*rows: object) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _row(number: int = 0, **changes: Any) -> dict[str, Any]:
    return contribution(number, **changes).model_dump(mode="json", exclude_defaults=True)


def _contents(exported: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in exported.splitlines()]
    return [{name: value for name, value in row.items() if name not in {"trace_id", "visibility"}} for row in rows]


@pytest.mark.parametrize("shape", ["array", "lines"])
def test_an_array_and_lines_are_both_read(cli: Cli, work: Path, shape: str) -> None:
    rows = [_row(number) for number in range(3)]
    (work / "rows").write_text(json.dumps(rows, indent=2) if shape == "array" else "\n" + _lines(*rows))
    assert cli.good("import", "rows") == "3 traces added\n"
    assert cli.good("import", "rows") == "0 traces added, 3 there already\n"
    assert cli.json("status")["traces"] == 3


def test_a_seed_becomes_a_trace(cli: Cli) -> None:
    summary = cli.json("import", "-", stdin=json.dumps([SEED]))
    assert (summary["added"], summary["failed"], summary["ignored_fields"]) == (1, 0, [])
    [content] = _contents(cli.good("export"))
    assert content["problem"] == SEED["context"]
    assert content["tags"] == ["redis", "ci-cd", "connection-pooling"]
    assert content["source"]["model"] == "some-model"
    [hit] = cli.json("query", "pool exhausted")["hits"]
    assert hit["contributor"]["name"] == "imports"


def test_the_context_can_be_left_out(cli: Cli) -> None:
    cli.good("import", "-", "--leave-out", "context", stdin=json.dumps([SEED]))
    [content] = _contents(cli.good("export"))
    assert content["problem"] == content["title"] == SEED["title"]


def test_a_row_without_problem_or_context_takes_its_title(cli: Cli) -> None:
    cli.good("import", "-", stdin=_lines({name: SEED[name] for name in ("title", "solution")}))
    assert _contents(cli.good("export"))[0]["problem"] == SEED["title"]


def test_bad_rows_are_reported_with_their_line_and_the_rest_go_on(cli: Cli) -> None:
    bad = [{"title": "no solution"}, {**_row(), "title": 7}, ["a list"], {**_row(), "tags": [7]}]
    result: Result = cli("import", "-", stdin=_lines(*bad, _row(1)) + '{"title": \n')
    assert result.exit_code == 1
    assert result.stdout == "1 trace added, 5 failed\n"
    said = result.stderr.splitlines()
    assert [line.split(":")[0] for line in said] == ["line 1", "line 2", "line 3", "line 4", "line 6"]
    assert "solution is missing" in said[0]
    assert "title: input should be a valid string" in said[1]
    assert "not a JSON object" in said[2]
    assert "tags.0" in said[3]
    assert "at column 11" in said[4]


def test_bad_rows_of_an_array_are_reported_with_their_number(cli: Cli) -> None:
    result = cli("import", "-", "--json", stdin=json.dumps([_row(), {**_row(1), "solution": "TODO"}]))
    assert result.exit_code == 1
    [problem] = json.loads(result.stdout)["problems"]
    assert (problem["row"], problem["code"]) == ("row 2", "low_quality")
    assert result.stderr == ""


def test_fields_that_no_trace_has_are_named(cli: Cli) -> None:
    said = cli.good("import", "-", stdin=json.dumps([{**_row(), "upvotes": 3, "url": "x"}]))
    assert "Fields that no trace has were left out: upvotes, url" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no rows"),
        ("[]", "holds no rows"),
        ('[{"title": "x"},]', "line 1, column 17"),
        ("title,solution\na,b\n", "neither a JSON array nor JSON lines"),
    ],
)
def test_a_file_without_rows_is_refused(cli: Cli, text: str, says: str) -> None:
    assert says in cli.failed("import", "-", stdin=text)


def test_a_row_nested_too_deeply_is_one_bad_row(cli: Cli) -> None:
    result = cli("import", "-", stdin='{"a":' * 100_000 + "\n" + _lines(_row()))
    assert result.exit_code == 1
    assert "nested too deeply" in result.stderr
    assert result.stdout == "1 trace added, 1 failed\n"


def test_an_export_imports_elsewhere_without_loss(cli: Cli, fix: Run, work: Path, tmp_path: Path) -> None:
    full = {"failed_attempts": [{"tried": "waiting", "why": "it never ends"}], "applies_when": "WAL", "not_when": "NFS"}
    cli.good("contribute", fix(**full, evidence={"command": "pytest", "exit_after": 0}))
    cli.good("contribute", fix(1))
    assert cli.good("export", "out.jsonl") == "2 traces → out.jsonl\n"
    exported = (work / "out.jsonl").read_text()
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    assert cli.json("import", "out.jsonl", "--url", elsewhere)["added"] == 2
    assert _contents(cli.good("export", "--url", elsewhere)) == _contents(exported)
    assert cli.json("import", "out.jsonl")["existing"] == 2


def test_public_rows_are_imported_for_the_team_only(cli: Cli, trace_id: str, tmp_path: Path) -> None:
    cli.good("publish", trace_id, "--yes")
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    cli.good("import", "-", "--url", elsewhere, stdin=cli.good("export"))
    assert json.loads(cli.good("export", "--url", elsewhere))["visibility"] == "team"


def test_an_export_to_a_place_that_cannot_be_written_leaves_nothing(cli: Cli, trace_id: str, work: Path) -> None:
    assert "no such file or directory" in cli.failed("export", "nowhere/out.jsonl")
    (work / "folder").mkdir()
    assert "directory" in cli.failed("export", "folder")
    assert sorted(path.name for path in work.iterdir()) == ["fix-0.json", "folder"]


async def test_an_import_that_may_not_go_on_stops_at_once(
    cli: Cli, server: Server, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_API_KEY", await people.key("ann"))
    said = cli.failed("import", "-", "--url", server.url, stdin=_lines(_row(), _row(1)))
    assert "Stopped at line 1; 0 rows before it are kept." in said
    assert "admin" in said


@pytest.mark.usefixtures("wide")
def test_somebody_who_watches_sees_a_bar(cli: Cli) -> None:
    result = cli("import", "-", stdin=_lines(_row(), _row(1)))
    assert "importing" in result.stderr
