import json
from pathlib import Path

import pytest

from commandline import Cli, Run


def _failed(cli: Cli, *arguments: str, code: int = 1, stdin: str | None = None) -> str:
    said: str = cli.failed("context", *arguments, code=code, stdin=stdin)
    return said


def test_a_commit_says_where_it_went_and_what_the_window_comes_to(trace: Run, work: Path) -> None:
    (work / "two.json").write_text('[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]')
    said = trace("commit", "two.json", "-m", "two more")
    assert said.startswith("[main ")
    assert "] two more · +2 messages · " in said
    assert said.rstrip().endswith(" tokens")


@pytest.mark.parametrize(
    "text",
    [
        '[{"role": "user", "content": "one"}]',
        '{"role": "user", "content": "one"}',
        '{"model": "x", "messages": [{"role": "user", "content": [{"type": "text", "text": "one"}]}]}',
    ],
)
def test_a_list_a_message_and_a_whole_request_are_all_messages(trace: Run, text: str) -> None:
    assert "+1 message " in trace("commit", "-", stdin=text)
    assert "user: one" in trace("show")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "holds no list of messages"),
        ('{"messages": 7}', "holds no list of messages"),
        ('[{"role": "user", "content": "a"},', "line 1, column 35"),
        ("[7]", "messages.0"),
    ],
)
def test_messages_that_are_none_are_refused(cli: Cli, trace: Run, text: str, says: str) -> None:
    assert says in _failed(cli, "commit", "-", stdin=text)
    assert len(json.loads(trace("log", "--json"))["commits"]) == 1


@pytest.mark.parametrize("arguments", [(), ("file.json", "--text", "x")])
def test_a_commit_needs_messages_from_one_place(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert "--text" in _failed(cli, "commit", *arguments, code=2)


def test_a_commit_names_the_traces_it_used(cli: Cli, trace: Run, trace_id: str) -> None:
    trace("commit", "--text", "used it", "--trace", trace_id)
    assert f"Trace:  {trace_id}" in trace("log")


def test_control_characters_never_reach_the_terminal(cli: Cli, trace: Run) -> None:
    nasty = "\x1b]0;owned\x07 \x1b[31mred \u009b2J \u202eevil \u200b \x7f \r over\nnext"
    trace("commit", "-", "-m", nasty, stdin=json.dumps([{"role": "user", "content": nasty}]))
    trace("branch", "other")
    for command in (("show",), ("log",), ("log", "--oneline"), ("branch",), ("reflog",), ("diff", "HEAD~1")):
        shown = trace(*command)
        assert not set(shown) & set("\x1b\x07\x9b\u202e\u200b\x7f\r")
        assert "\\x1b[31mred" in shown
    document = trace("show", "--json")
    assert not set(document) & set("\x1b\x07\x9b\u202e\u200b\x7f\r")
    assert nasty in json.loads(document)["text"]
    assert json.loads(trace("show", "--format", "openai"))["messages"][-1]["content"] == nasty


def test_branches_are_created_listed_and_deleted(cli: Cli, trace: Run) -> None:
    assert trace("branch", "try").startswith("Created try at ")
    assert trace("branch").split()[:2] == ["*", "main"]
    assert trace("branch", "list") == trace("branch")
    assert trace("branch", "-d", "try").startswith("Deleted try (was ")
    trace("switch", "-c", "lonely")
    trace("commit", "--text", "only here")
    trace("switch", "main")
    assert "Merge it first" in _failed(cli, "branch", "-d", "lonely")
    trace("branch", "-D", "lonely")
    assert [branch["name"] for branch in json.loads(trace("branch", "--json"))] == ["main"]
    assert "one name" in _failed(cli, "branch", "a", "-d", "b", code=2)


def test_a_deleted_branch_comes_back_with_undo(trace: Run) -> None:
    trace("branch", "try")
    trace("branch", "-D", "try")
    assert "deleted try" in trace("undo")
    assert "try" in trace("branch")
    assert "deleted try" in trace("redo")
    assert "try" not in trace("branch")
    assert "undone" in trace("undo") + trace("reflog")


def test_a_switch_moves_this_folders_head_alone(
    cli: Cli, trace: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    trace("branch", "try")
    assert trace("switch", "try") == "Switched to branch try\n"
    assert "On branch try of default" in trace("status")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "On branch main of default" in trace("status")
    assert trace("switch", "-c", "more") == "Switched to a new branch more\n"


def test_tags_are_fixed_names(cli: Cli, trace: Run) -> None:
    assert trace("tag") == ""
    first = json.loads(trace("tag", "v1", "--json"))["commit_id"]
    trace("commit", "--text", "later")
    assert trace("tag", "v0", "HEAD~1").startswith("Tagged v0 ")
    assert [line.split()[0] for line in trace("tag").splitlines()] == ["v0", "v1"]
    assert json.loads(trace("show", "v1", "--json"))["commit_id"] == first
    assert "a tag v1 already" in _failed(cli, "tag", "v1")
    assert trace("tag", "-d", "v1").startswith("Deleted v1 ")
    assert "which tag" in _failed(cli, "tag", "-d", code=2)


def test_the_repository_is_the_folders_unless_named(cli: Cli, trace: Run, work: Path) -> None:
    (work / ".commontrace.toml").write_text('repository = "from-file"\n')
    assert json.loads(trace("commit", "--text", "x", "--json"))["repository"] == "from-file"
    assert json.loads(trace("-R", "named", "commit", "--text", "x", "--json"))["repository"] == "named"
    assert json.loads(trace("commit", "--repo", "named", "--text", "y", "--json"))["window_messages"] == 2
    assert {line.split()[0] for line in trace("repos").splitlines()} == {"default", "from-file", "named"}


def test_contexts_that_are_not_there_say_how_they_come_to_be(cli: Cli) -> None:
    assert cli.good("context", "repos") == "No contexts yet: trace commit -m … --text …\n"
    assert "first commit" in _failed(cli, "log")
    assert _failed(cli, "-R", "Not A Name", "commit", "--text", "x")


@pytest.mark.parametrize("ref", ["nowhere", "HEAD~9", "zz..", "main@{99}"])
def test_an_unknown_ref_is_refused_in_one_line(cli: Cli, trace: Run, ref: str) -> None:
    assert _failed(cli, "show", ref).startswith("error: ")


@pytest.mark.parametrize("name", ["../up", "a b", "x" * 300, "-", "HEAD", "a..b", "\x1b[31m"])
def test_a_name_that_git_would_refuse_is_refused(cli: Cli, trace: Run, name: str) -> None:
    assert _failed(cli, "branch", "--", name).startswith("error: ")


def test_nothing_to_undo_is_said(cli: Cli, trace: Run) -> None:
    trace("undo")
    assert _failed(cli, "undo").startswith("error: ")
    trace("redo")
    assert _failed(cli, "redo").startswith("error: ")
