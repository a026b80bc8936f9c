"""Remotes at the command line: keys that are never shown, previews before anything leaves, and what waits."""

import json
import shutil
from pathlib import Path

import pytest

from commandline import Cli, Run
from commontrace import connect
from commontrace.settings import default_remotes, default_sync_memory
from crowding import before
from factories import contribution

SERVER = "https://traces.example.com"
KEY = "ct_live_0123456789_secret"


@pytest.fixture
def team(template: Path, tmp_path: Path, cli: Cli) -> str:
    """The URL of a second store, which is the remote `origin`."""
    url = f"sqlite:///{shutil.copy(template, tmp_path / 'team.db')}"
    cli.good("remote", "add", "origin", url)
    return url


def contributed(cli: Cli, number: int = 0, visibility: str = "team") -> str:
    fields = contribution(number, visibility=visibility).model_dump_json(exclude_defaults=True)
    trace_id = cli.json("contribute", "-", "--visibility", visibility, stdin=fields)["trace_id"]
    return str(trace_id)


@pytest.mark.parametrize(("source", "stdin"), [("stdin", f"{KEY}\n"), ("prompt", f"{KEY}\n"), ("TEAM_KEY", None)])
def test_a_key_is_read_kept_for_its_owner_alone_and_never_shown(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, source: str, stdin: str | None
) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    said = cli("remote", "add", "team", SERVER, "--key-from", source, stdin=stdin)
    assert said.exit_code == 0
    shown = cli.good("remote", "list") + cli.good("remote", "show", "team") + cli.good("remote", "list", "--json")
    assert KEY not in shown + said.output
    assert "with a key" in shown
    assert KEY in default_remotes().read_text()
    assert default_remotes().stat().st_mode & 0o077 == 0
    assert default_sync_memory().stat().st_mode & 0o077 == 0


def test_a_key_stays_with_the_server_that_it_was_given_for(cli: Cli) -> None:
    cli.good("remote", "add", "team", SERVER, "--key-from", "stdin", stdin=KEY)
    kept = json.loads(default_remotes().read_text())
    kept["team"]["url"] = "https://elsewhere.example.com"
    default_remotes().write_text(json.dumps(kept))
    assert cli.json("remote", "show", "team")["has_key"] is False


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://traces.example.com", "everybody on the way reads the key"),
        ("ftp://host/x", "not the URL of a remote"),
        ("https://me:word@host", "not the URL of a server"),
    ],
)
def test_what_cannot_be_a_remote_is_refused(cli: Cli, place: str, why: str) -> None:
    said = cli.failed("remote", "add", "team", place)
    assert why in said
    assert "word" not in said
    assert "cannot be the name" in cli.failed("remote", "add", "Team!", SERVER)
    assert "Only a server takes a key" in cli.failed(
        "remote", "add", "t", "sqlite:///x", "--key-from", "stdin", stdin="k"
    )
    assert "NO_SUCH is not set" in cli.failed("remote", "add", "t", SERVER, "--key-from", "NO_SUCH")


def test_a_remote_that_is_removed_is_forgotten(cli: Cli, team: str) -> None:
    assert "origin already" in cli.failed("remote", "add", "origin", team)
    assert "origin already" in cli.failed("remote", "add", "origin", SERVER, "--key-from", "stdin", stdin=KEY)
    cli.good("remote", "remove", "origin")
    assert "There is no remote" in cli.good("remote", "list")
    assert "no remote origin" in cli.failed("pull")


def test_a_push_shows_every_word_and_asks(cli: Cli, team: str) -> None:
    trace_id = contributed(cli, visibility="private")
    refused = cli("push", "origin", trace_id[:8], stdin="n\n")
    assert refused.exit_code == 1
    assert "BEGIN IMMEDIATE" in refused.output
    assert "for private" in refused.output
    assert "Not sent." in refused.output
    with connect(team) as there:
        assert list(there.traces.all()) == []
    assert "added" in cli("push", trace_id[:8], "--as", "team", stdin="y\n").output
    assert cli.good("push", trace_id[:8], "--yes") == "origin: nothing new, 1 alike\n"
    assert "Give the ids of traces, or --all." in cli.failed("push", "origin", code=2)
    assert "there is nobody to ask" in cli.failed("push", "--all", "--json", code=2)


def test_a_pull_and_a_sync_say_what_came_and_what_was_held_back(cli: Cli, team: str) -> None:
    with connect(team) as there:
        there.traces.contribute(contribution(1, visibility="team"))
    assert [item["action"] for item in cli.json("pull", "--dry-run")["items"]] == ["added"]
    assert "added" in cli.good("pull")
    contributed(cli, 2)
    said = cli.good("sync")
    assert "1 trace of yours never went there; to send them: commontrace push --all" in said
    assert cli.json("push", "--all", "--yes")["items"][0]["action"] == "added"
    assert cli.json("sync")["push"]["held_back"] == 0


def test_what_waits_is_in_the_status_until_it_is_there(cli: Cli) -> None:
    cli.good("remote", "add", "origin", "http://127.0.0.1:9", "--key-from", "stdin", stdin=KEY)
    trace_id = contributed(cli, 0)
    assert "cannot be reached" in cli.failed("push", trace_id, "--yes")
    assert "waits in the outbox" in cli.good("push", trace_id, "--yes", "--later")
    stopped = cli("sync")
    assert stopped.exit_code == 1
    assert "1 thing in the outbox" in stopped.output
    assert [item["subject"] for item in cli.json("status")["outbox"]] == [trace_id]
    assert "tried 1 time" in cli.good("status")


def test_a_question_to_several_stores_says_where_each_answer_is_from(
    cli: Cli, team: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_REMOTE_TIMEOUT", "60")
    with connect(team) as there:
        there.traces.contribute(contribution(0, visibility="team"))
    contributed(cli, 1)
    asked = ("query", "sqlite database is locked")
    assert contribution(0).title not in cli.good(*asked)
    cli.good("remote", "add", "down", "http://127.0.0.1:9")
    said = cli.good(*asked, "--all-remotes")
    assert "at origin" in said
    assert "down is not part of this answer" in said
    assert [hit["remote"] for hit in cli.json(*asked, "--remote", "origin")["hits"]] == ["origin"]


def test_a_context_goes_to_a_remote_and_back(cli: Cli, team: str) -> None:
    trace = ("context", "-R", "work")
    cli.good(*trace, "commit", "--text", "hello", "-m", "first")
    looked = cli.good(*trace, "push", "--dry-run", "--show")
    assert "1 commit" in looked
    assert '"hello"' in looked
    assert "main new" in cli.good(*trace, "push", "origin", "main")
    with connect(team) as there:
        repository = there.contexts.open("work")
        repository.user("from there")
        repository.commit("second")
    assert cli.json(*trace, "fetch")["commits"] == 1
    assert "main: fast forward" in cli.good(*trace, "pull")
    assert "from there" in cli.good(*trace, "show")
    assert "origin/main" in cli.good(*trace, "log")


def test_a_contribution_goes_to_a_remote_in_the_same_step_after_a_preview(cli: Cli, team: str, fix: Run) -> None:
    given = ("contribute", fix(), "--visibility", "team", "--remote", "origin")
    looked = cli.good(*given, "--dry-run")
    assert looked.index("would be stored") < looked.index("would be added") < len(looked)
    assert "word for word" in looked
    refused = cli(*given, stdin="n\n")
    assert refused.exit_code == 1
    assert "BEGIN IMMEDIATE" in refused.stdout
    with connect(team) as there:
        assert list(there.traces.all()) == []
        assert "added" in cli(*given, stdin="y\n").stdout
        assert [trace.visibility for trace in there.traces.all()] == ["team"]
    assert cli.json("contribute", fix(1), "--remote", "origin", "--yes")["push"]["items"][0]["action"] == "added"
    assert cli.json("contribute", fix(2), "--remote", "origin", "--dry-run")["push"]["dry_run"] is True
    assert "there is nobody to ask" in cli.failed("contribute", fix(2), "--remote", "origin", "--json", code=2)


def test_a_contribution_waits_for_a_remote_that_does_not_answer(cli: Cli, fix: Run) -> None:
    cli.good("remote", "add", "origin", "http://127.0.0.1:9")
    given = ("contribute", fix(), "--remote", "origin")
    assert "cannot be reached" in cli.good(*given, "--dry-run")
    assert cli.json("status")["outbox"] == []
    assert "waits in the outbox" in cli.good(*given, "--yes")
    assert [item["kind"] for item in cli.json("status")["outbox"]] == ["trace"]


def test_an_offline_push_says_how_to_keep_it_and_what_is_kept_arrives(cli: Cli, template: Path, tmp_path: Path) -> None:
    cli.good("remote", "add", "origin", "http://127.0.0.1:9")
    contributed(cli)
    trace = ("context", "-R", "work")
    cli.good(*trace, "commit", "--text", "hello", "-m", "first")
    assert "commontrace push --later --yes" in cli.failed("push", "--all", "--yes")
    assert "trace push --later" in cli.failed(*trace, "push")
    assert "waits in the outbox" in cli.good("push", "--all", "--later", "--yes")
    assert "waits in the outbox" in cli.good(*trace, "push", "--later")
    url = f"sqlite:///{shutil.copy(template, tmp_path / 'team.db')}"
    default_remotes().write_text(json.dumps({"origin": {"url": url}}))
    assert cli.json("sync")["delivered"] == 2
    with connect(url) as there:
        assert [trace.content.title for trace in there.traces.all()] == [contribution(0).title]
        assert there.contexts.open("work").get("main").message == "first"


def test_a_crowded_remote_is_waited_for_and_a_terminal_says_so(cli: Cli, request: pytest.FixtureRequest) -> None:
    with before("http://127.0.0.1:9") as front:
        cli.good("remote", "add", "origin", front.url)
        said = {}
        for shown in (False, True):
            front.crowded["changes"] = [(429, "0"), (503, "3600")]
            if shown:
                request.getfixturevalue("wide")
            said[shown] = cli("pull").stderr
    assert {shown: "asking again in 0 s" in text for shown, text in said.items()} == {False: False, True: True}
    assert front.counts["changes"] == 4


def test_a_fetch_forgets_branches_that_are_gone_there_when_it_is_told_to(cli: Cli, team: str) -> None:
    trace = ("context", "-R", "work")
    with connect(team) as there:
        repository = there.contexts.open("work")
        repository.user("from there")
        repository.commit("first")
        repository.branch("side", switch=False)
        cli.good(*trace, "fetch")
        repository.delete_branch("side", force=True)
    assert "side" not in cli.good(*trace, "fetch")
    cli.good(*trace, "log", "origin/side")
    assert "origin/side " in cli.good(*trace, "fetch", "--prune")
    assert "origin/side" in cli.failed(*trace, "log", "origin/side")
    cli.good(*trace, "log", "origin/main")
