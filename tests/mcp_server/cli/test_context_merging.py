"""Bringing histories together, moving changes about, names, and sub-agents."""

import json
import re
from pathlib import Path

import pytest

from commandline import Cli, Run


def test_a_merge_can_be_looked_at_first(trace: Run) -> None:
    trace("switch", "-c", "try")
    trace("commit", "-m", "theirs", "--text", "theirs")
    trace("switch", "main")
    assert trace("merge", "try", "--dry-run").startswith("Would be: Fast-forward try into main ")
    trace("commit", "-m", "ours", "--text", "ours")
    assert trace("merge", "try", "--dry-run").startswith("Would be: Merged try into main ")
    assert "theirs" not in trace("show")
    assert " · +1 message · " in trace("merge", "try", "-m", "both")
    assert "ours" in trace("show")
    assert "theirs" in trace("show")
    assert "Merge:  " in trace("log")
    assert trace("merge", "try") == "main has everything of try already.\n"


def messages(trace: Run) -> list[str]:
    """What the messages of the window begin with."""
    return [item["begins"] for item in json.loads(trace("show", "--explain", "--json"))["explanation"]]


@pytest.fixture
def torn(trace: Run) -> Run:
    """`main` and `try` say something else of the plan; `try` has a message more."""
    trace("switch", "-c", "try")
    trace("edit", "0", "--text", "Move the importer to streaming with DuckDB.")
    trace("commit", "-m", "theirs", "--text", "DuckDB reads it in one pass.", "--role", "assistant")
    trace("switch", "main")
    trace("edit", "0", "--text", "Move the importer to streaming with a generator.")
    return trace


def test_a_conflict_is_shown_with_both_sides_where_they_part(torn: Run) -> None:
    said = torn("merge", "try")
    assert "1 conflict, the window shows ours:" in said
    assert re.search(r"^! \w{8} content$", said, re.MULTILINE)
    assert re.search(r"^    ours +\w{10}  … importer to streaming with a generator\.$", said, re.MULTILINE)
    assert re.search(r"^    theirs +\w{10}  … importer to streaming with DuckDB\.$", said, re.MULTILINE)
    assert "1 conflict to settle with trace resolve:" in torn("status")
    assert messages(torn)[0].endswith("with a generator.")


@pytest.mark.parametrize(
    ("said", "shown"),
    [("theirs", "with DuckDB."), ("ours", "with a generator."), ("Just stream it.", "Just stream it.")],
)
def test_a_conflict_is_settled_later_or_at_once(torn: Run, said: str, shown: str) -> None:
    slot = json.loads(torn("merge", "try", "--dry-run", "--json"))["conflicts"][0]["slot_id"]
    at_once = json.loads(torn("merge", "try", "--resolve", f"{slot[:8]}={said}", "--json"))
    assert at_once["conflicts"] == []
    assert messages(torn)[0].endswith(shown)
    torn("undo")
    torn("merge", "try")
    assert "Settled 1 message" in torn("resolve", f"{slot[:8].upper()}:content={said}")
    assert messages(torn)[0].endswith(shown)
    assert json.loads(torn("status", "--json"))["conflicts"] == []


def test_a_strategy_settles_every_conflict(torn: Run) -> None:
    assert "conflict" not in torn("merge", "try", "--strategy", "theirs")
    assert messages(torn)[0].endswith("with DuckDB.")


def test_what_is_left_after_a_resolution_is_said(torn: Run) -> None:
    torn("pin", "0")
    torn("switch", "try")
    torn("skip", "0")
    torn("switch", "main")
    torn("merge", "try")
    slot = json.loads(torn("status", "--json"))["conflicts"][0]["slot_id"]
    assert re.search(r"^\d conflicts? left; see trace status\.$", torn("resolve", f"{slot}:content=ours"), re.MULTILINE)
    assert "left" not in torn("resolve", "--strategy", "ours", "--dry-run")
    torn("resolve", "--strategy", "ours")


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (("merge", "try", "--resolve", "1a2b"), "SLOT=ours", 2),
        (("merge", "try", "--resolve", "zz=ours"), "slot", 1),
        (("merge", "try", "--resolve", "abcd=ours"), "No conflicts are at abcd", 1),
        (("merge",), "SOURCE", 2),
        (("merge", "nowhere"), "no branch, tag or commit nowhere", 1),
        (("resolve",), "Name a conflict", 2),
        (("rebase", "try"), "Both sides wrote differently", 1),
        (("cherry-pick", "try~1"), "says something else by now", 1),
        (("cherry-pick", "HEAD..HEAD"), "holds no commit", 1),
        (("reset", "nowhere"), "nowhere", 1),
        (("release",), "Nobody claimed", 1),
        (("spawn", "try"), "a branch try already", 1),
        (("spawn", "child", "--mode", "head", "0"), "mode selected", 1),
        (("collapse", "main"), "nothing new to bring home", 1),
        (("label", "-d"), "which label", 2),
        (("label", "-d", "none"), "has no label none", 1),
    ],
)
def test_what_cannot_be_brought_together_is_refused_in_one_line(
    torn: Run, refused: Run, arguments: tuple[str, ...], says: str, code: int
) -> None:
    before = torn("log", "--json")
    assert says in refused(*arguments, code=code)
    assert torn("log", "--json") == before


def test_a_squash_brings_a_summary_and_inject_chosen_commits(torn: Run) -> None:
    said = torn("merge", "try", "--mode", "squash", "--text", "DuckDB works.", "--strategy", "ours")
    assert said.startswith("Merged try into main (squash) ")
    assert any("DuckDB works." in message for message in messages(torn))
    torn("undo")
    torn("merge", "try", "--mode", "inject", "--commits", "try")
    assert messages(torn)[-1] == "DuckDB reads it in one pass."
    assert messages(torn)[0].endswith("with a generator.")


def test_several_sources_make_one_merge(trace: Run) -> None:
    for name in ("a", "b"):
        trace("switch", "-c", name)
        trace("commit", "--text", name)
        trace("switch", "main")
    assert trace("merge", "a", "b", "-m", "both").startswith("Merged a and b into main ")
    assert "Merge:  " in trace("log", "-n", "1")
    trace("switch", "a")
    assert trace("merge", "main", "--dry-run").startswith("Would be: Fast-forward main into a ")
    assert trace("merge", "main", "--no-ff").startswith("Merged main into a ")


def test_commits_are_picked_reverted_and_rebased(torn: Run) -> None:
    assert re.match(r"\[main \w{10}\] Picked 1 commit · 2 messages, ", torn("cherry-pick", "try"))
    assert messages(torn)[-1] == "DuckDB reads it in one pass."
    assert "Reverted 1 commit · 1 message, " in torn("revert", "HEAD")
    assert len(messages(torn)) == 1
    assert "1 brought nothing" in torn("cherry-pick", "try", "HEAD~2", "--strategy", "ours")
    torn("switch", "try")
    assert torn("rebase", "main", "--strategy", "theirs", "--dry-run").startswith("would be: Rebased ")
    torn("rebase", "main", "--strategy", "theirs")
    assert messages(torn)[0].endswith("with DuckDB.")


def test_a_reset_gives_what_it_no_longer_shows_and_undo_takes_it_back(torn: Run) -> None:
    assert torn("switch", "try", "--json")
    assert torn("reset", "HEAD~1", "--dry-run").startswith("would be: try is at ")
    said = torn("reset", "HEAD~1")
    assert re.match(r"try is at \w{10}, was at \w{10} · 1 message no longer shown\n", said)
    torn("undo")
    assert len(messages(torn)) == 2


def test_the_change_between_two_windows_is_made_here(torn: Run) -> None:
    assert "Changed 1 message" in torn("apply", "try~1..try")
    assert messages(torn)[-1] == "DuckDB reads it in one pass."
    assert messages(torn)[0].endswith("with a generator.")
    torn("apply", "HEAD..HEAD~1", "--strategy", "theirs")
    assert len(messages(torn)) == 1


def test_labels_are_put_listed_and_taken_off(trace: Run) -> None:
    assert re.match(r"Put good on \w{10}\n", trace("label", "good"))
    trace("label", "bad", "HEAD")
    assert [line.split()[0] for line in trace("label").splitlines()] == ["bad", "good"]
    assert re.match(r"Took good off \w{10}\n", trace("label", "-d", "good"))
    trace("undo")
    assert "[good]" in trace("log", "--oneline")


def test_a_claimed_branch_is_this_folders(
    cli: Cli, trace: Run, refused: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert re.match(r"main is yours until 20\d\d-\d\d-\d\d \d\d:\d\d UTC\n", trace("claim", "--minutes", "5"))
    assert "Claimed by you until " in trace("status")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "The branch main is claimed by " in refused("commit", "--text", "x")
    assert "Claimed by owner until " in trace("status")
    monkeypatch.chdir(tmp_path / "work")
    assert trace("release", "main") == "main is free again\n"
    monkeypatch.chdir(tmp_path / "elsewhere")
    trace("commit", "--text", "x")


def test_a_sub_agent_gets_its_context_and_its_work_comes_home(trace: Run) -> None:
    made = trace("spawn", "checker", "0", "--mode", "selected")
    assert re.match(r"Spawned checker \(selected\) \w{10} from \w{10} · 1 message, ", made)
    assert trace("spawn", "tried", "--dry-run").startswith("would be: tried (clone)")
    trace("commit", "-b", "checker", "--text", "41 s and 300 MB hold.", "--role", "assistant")
    said = trace("collapse", "checker", "--text", "The numbers hold.")
    assert "] Collapsed checker: 1 message, " in said
    slot = said.splitlines()[-1].split()[-1]
    assert messages(trace) == ["Move the importer to streaming.", "[Summary of 1 earlier message] The numbers hold."]
    trace("expand", slot)
    assert messages(trace)[-1] == "41 s and 300 MB hold."


def test_a_context_is_made_before_its_first_commit(cli: Cli, work: Path) -> None:
    assert cli.good("context", "init").startswith("The context default is ready\nBegin: trace commit")
    assert (
        cli.good("context", "init", "importer").splitlines()[0] == "The context importer is ready (.commontrace.toml)"
    )
    assert (work / ".commontrace.toml").read_text() == 'repository = "importer"\n'
    assert json.loads(cli.good("context", "commit", "--text", "x", "--json"))["repository"] == "importer"
    assert cli.good("context", "init", "other") == "The context other is ready\nBegin: trace commit -m … --text …\n"
    assert cli.good("context", "init") == "The context importer is ready\n"
    assert "name" in cli.failed("context", "init", "Not A Name")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("trace sw", ["switch"]),
        ("trace switch t", ["try", "twice"]),
        ("trace merge main", ["main"]),
        ("trace log v", ["v1"]),
    ],
)
def test_a_shell_completes_commands_and_refs(torn: Run, words: str, expected: list[str]) -> None:
    from click.shell_completion import BashComplete

    from commontrace.cli.contexts.group import context

    torn("branch", "twice")
    torn("tag", "v1")
    *before, last = words.split()
    found = BashComplete(context, {}, "trace", "_TRACE_COMPLETE").get_completions(before[1:], last)
    assert [item.value for item in found] == expected


def test_a_shell_completes_nothing_where_there_is_no_context(cli: Cli) -> None:
    from click.shell_completion import BashComplete

    from commontrace.cli.contexts.group import context

    assert BashComplete(context, {}, "trace", "_TRACE_COMPLETE").get_completions(["switch"], "m") == []
