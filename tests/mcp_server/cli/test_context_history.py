"""Looking: log, show, diff, status, slot."""

import json
import re
from pathlib import Path

import pytest

from commandline import Cli, Run


def test_the_log_reads_like_gits(trace: Run) -> None:
    trace("commit", "--text", "second")
    newest, first = trace("log").split("\ncommit ")
    assert "(HEAD → main)" in newest.splitlines()[0]
    assert "    (no message)" in newest
    assert "Author: " in newest
    assert "    the plan" in first
    assert "+1 message, " in first
    assert len(trace("log", "--oneline").splitlines()) == 2


def test_the_log_goes_on_where_it_stopped_and_can_be_searched(trace: Run) -> None:
    trace("commit", "-m", "second", "--text", "b")
    page = trace("log", "--oneline", "-n", "1").splitlines()
    assert "second" in page[0]
    assert page[1].startswith("More: trace log ")
    assert "the plan" in trace("log", "--oneline", page[1].split()[-1])
    assert "the plan" in trace("log", "--oneline", "HEAD~1")
    assert len(trace("log", "--oneline", "--grep", "plan").splitlines()) == 1
    assert trace("log", "--grep", "nothing of that kind") == "No such commits.\n"


def test_a_window_fits_its_budget_and_says_why(cli: Cli, trace: Run) -> None:
    trace("commit", "--role", "assistant", "--text", "word " * 300)
    trace("commit", "--text", "the newest")
    result = cli("context", "show", "--budget", "50")
    assert "the newest" in result.stdout
    assert "word word" not in result.stdout
    assert "left out" in result.stderr
    explained = trace("show", "--budget", "50", "--explain")
    assert [line.split()[2] for line in explained.splitlines()[:3]] == ["out", "out", "in"]
    assert explained.splitlines()[3].startswith("1 message in, 2 out, ")
    assert json.loads(trace("show", "--budget", "50", "--json"))["tokens"]["tokens"] <= 50


@pytest.mark.parametrize("shape", ["openai", "anthropic", "messages"])
def test_a_window_comes_in_the_shape_that_a_provider_takes(trace: Run, shape: str) -> None:
    trace("commit", "--role", "system", "--text", "Be brief.")
    shown = json.loads(trace("show", "--format", shape))
    assert "Move the importer" in json.dumps(shown["messages"])
    assert ("system" in shown) == (shape == "anthropic")


def test_a_window_is_printed_as_it_is(trace: Run) -> None:
    text = "def f():\n\treturn 1   \n\n    [bold]not markup[/bold] :smile: " + "x" * 300
    trace("commit", "--text", text)
    assert text in trace("show")


def test_a_difference_is_what_to_add_and_to_remove(trace: Run) -> None:
    trace("switch", "-c", "try")
    trace("commit", "--role", "assistant", "--text", "first line\nsecond line")
    added = trace("diff", "main..try")
    assert "+ assistant: first line\n+   second line\n" in added
    assert trace("diff", "main", "try") == added
    assert trace("diff", "main") == trace("diff", "main..") == added.replace("+++ try", "+++ HEAD")
    assert "- assistant: first line" in trace("diff", "try", "main")
    assert "The same window." in trace("diff", "main..main")


def test_a_difference_is_of_two(trace: Run, refused: Run) -> None:
    assert "two refs" in refused("diff", "a", "b", "c", code=2)


def test_status_of_a_branch_counts_by_role(trace: Run) -> None:
    trace("commit", "--role", "assistant", "--text", "I will.")
    said = trace("status")
    assert "2 messages, " in said
    assert {line.split()[0] for line in said.splitlines() if "%" in line} == {"user", "assistant", "text"}


def test_a_branch_without_commits_says_how_they_come_to_be(trace: Run) -> None:
    trace("undo")
    assert "No commits yet" in trace("status")


@pytest.fixture
def merged(trace: Run) -> Run:
    """`main` and `try`, merged."""
    trace("switch", "-c", "try")
    trace("commit", "-m", "theirs", "--text", "b", "--role", "assistant")
    trace("switch", "main")
    trace("commit", "-m", "ours", "--text", "c")
    trace("merge", "try", "-m", "both")
    return trace


def test_the_graph_draws_branches_and_merges(merged: Run) -> None:
    drawn = merged("log", "--graph").splitlines()
    shapes = [re.match(r"[*|\\/_ ]*", line)[0].rstrip() for line in drawn]  # type: ignore[index]
    assert shapes[:2] == ["*", "|\\"]
    assert {shapes[2], shapes[3]} == {"* |", "| *"}
    assert shapes[4:] == ["|/", "*"]
    assert "(HEAD → main) both" in drawn[0]
    assert drawn[-1].endswith(" tokens · " + drawn[-1].rpartition(" · ")[2])
    assert re.search(r"\+1 · \d+ tokens · \d+ seconds? ago$", drawn[-1])


def test_a_graph_of_three_and_of_a_root_of_its_own_closes_every_lane(merged: Run) -> None:
    merged("switch", "-c", "one")
    merged("commit", "-m", "1", "--text", "1")
    merged("switch", "main")
    merged("switch", "-c", "two")
    merged("commit", "-m", "2", "--text", "2")
    merged("switch", "main")
    merged("merge", "one", "two", "--no-ff", "-m", "octopus")
    merged("spawn", "child", "--mode", "clean")
    merged("commit", "-b", "child", "--text", "found", "-m", "work")
    merged("collapse", "child", "--text", "It found it.")
    drawn = merged("log", "--graph")
    commits = json.loads(merged("log", "--json"))["commits"]
    assert [line for line in drawn.splitlines() if "* " in line][-1].startswith("* ")
    assert len([line for line in drawn.splitlines() if "*" in line]) == len(commits) == 10
    assert all(commit["short_id"] in drawn for commit in commits)
    assert "|\\ \\" in drawn


def test_a_graph_goes_on_on_its_next_page(merged: Run) -> None:
    page = merged("log", "--graph", "-n", "2").splitlines()
    assert page[-1].startswith("More: trace log ")
    assert "the plan" in merged("log", "--graph", page[-1].split()[-1])


def test_a_graph_of_chosen_commits_leaves_no_lane_open(merged: Run) -> None:
    drawn = merged("log", "--graph", "--grep", "the plan").splitlines()
    assert len(drawn) == 1
    assert drawn[0].startswith("* ")


def test_the_log_takes_ranges_and_filters(merged: Run, refused: Run) -> None:
    merged("label", "good", "HEAD~1")
    assert [line.split()[1] for line in merged("log", "--oneline", "main~1..try").splitlines()] == ["(try)"]
    assert "[good] ours" in merged("log", "--oneline", "--label", "good")
    assert "[good]" in merged("log", "HEAD~1")
    assert len(merged("log", "--oneline", "--since", "1 hour ago").splitlines()) == 4
    assert merged("log", "--until", "yesterday") == "No such commits.\n"
    assert merged("log", "--author", "nobody") == "No such commits.\n"
    assert "both" in merged("log", "--oneline", "main@{now}", "-n", "1")
    assert "is not a time" in refused("log", "--since", "soon")


@pytest.mark.usefixtures("wide")
def test_a_line_of_the_log_fits_in_a_terminal(trace: Run) -> None:
    trace("commit", "-m", "word " * 60, "--text", "x")
    trace("commit", "-m", "w" * 70, "--text", "x")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", trace("log", "--graph")).splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert "…" in lines[1]
    assert lines[0].rstrip().endswith("ago")


def test_explaining_names_places_slots_and_beginnings(talk: Run) -> None:
    rows = talk("show", "--explain").splitlines()
    assert [row.split()[0] for row in rows[:-1]] == [str(place) for place in range(7)]
    assert "instructs the model" in rows[0]
    assert rows[1].endswith("Fix parse.py, not lexer.py.")
    assert rows[-1].startswith("7 messages in, 0 out, ")
    short = talk("show", "--explain", "--budget", "300", "--strategy", "adaptive")
    assert {row.split()[2] for row in short.splitlines()[:-1]} > {"in"}
    talk("skip", "6", "--reason", "later")
    assert "later" not in talk("show", "--explain")
    hidden = talk("show", "--explain", "--all").splitlines()
    assert len(hidden) == 8
    assert re.match(r"\w{8}  out +\d+  assistant  .*skip", hidden[6])


def test_a_slot_tells_everything_that_was_done_to_a_message(talk: Run, refused: Run) -> None:
    talk("edit", "1", "--text", "Fix parse.py alone.", "-m", "narrower")
    talk("pin", "1", "--reason", "the task")
    talk("compress", "--select", "type:tool", "--text", "Read both.")
    told = talk("slot", "1")
    assert told.splitlines()[0].endswith("in the window  pinned")
    assert [word for line in told.splitlines()[1:] if not line.startswith(" ") for word in line.split()[1:3]] == [
        "v0",
        "append",
        "v1",
        "edit",
        "annotate",
        "Mark",
    ]
    assert "    Fix parse.py, not lexer.py." in told
    assert "the task" in told
    before = json.loads(talk("show", "HEAD~1", "--explain", "--json"))["explanation"]
    covered = json.loads(talk("slot", before[2]["slot_id"], "--json"))
    assert f"summarised by {covered['hidden_by'][:8]}" in talk("slot", covered["slot_id"][:10])
    talk("remove", "3")
    assert "removed" in talk("slot", before[-1]["slot_id"]).splitlines()[0]
    assert "no message abcd" in refused("slot", "abcd")
    assert "The window has 3 messages" in refused("slot", "77")


def test_edits_are_shown_by_words_and_long_ones_by_lines(talk: Run) -> None:
    talk("edit", "1", "--text", "Fix parse.py, and lexer.py.")
    assert "    Fix parse.py, [-not-] {+and+} lexer.py." in talk("diff")
    text = "".join(f"line {number}\n" for number in range(12))
    talk("edit", "6", "--text", text)
    talk("edit", "6", "--text", text.replace("line 7\n", ""))
    shown = talk("diff", "HEAD~1")
    assert "    -line 7\n" in shown
    assert "    @@ " in shown
    assert "line 1\n" not in shown
    assert "1 edited · -" in shown


def test_moves_priorities_and_roles_stand_in_a_difference(talk: Run) -> None:
    talk("move", "1", "--after", "6")
    talk("pin", "0")
    shown = talk("diff", "HEAD~2..")
    assert re.search(r"^> user \w{8} moved  Fix parse\.py", shown, re.MULTILINE)
    assert re.search(r"^! system \w{8} pinned  Be brief\.", shown, re.MULTILINE)
    assert "1 moved, 1 with another priority · +0 tokens" in shown
    assert [line.split()[0] for line in talk("diff", "HEAD~2", "--stat").splitlines()[2:4]] == ["!", ">"]


def test_a_role_that_changed_is_told(talk: Run, work: Path) -> None:
    (work / "m.json").write_text('{"role": "assistant", "content": "Fix it."}')
    talk("edit", "1", "--file", "m.json")
    assert "user → assistant" in talk("diff")


def test_status_shows_what_the_window_is_made_of(talk: Run) -> None:
    talk("notes", "--keep", "42")
    said = talk("status", "--budget", "10000")
    assert "by type" in said
    assert re.search(r"tool_result\s+[\d,]+\s+\d+%  █", said)
    assert re.search(r"Budget █*░+ [\d,]+ of 10,000 tokens left", said)
    assert "tokens over the budget of 10" in talk("status", "--budget", "10")
    talk("skip", "--select", "name:read_file", "--reason", "read")
    assert "Not in the window: 4 skipped" in talk("status")


def test_status_counts_the_schemas_of_tools(talk: Run, work: Path) -> None:
    (work / "tools.json").write_text('{"tools": [{"name": "read_file"}]}')
    talk("notes", "--tools", "tools.json")
    assert "1 tool schema " in talk("status")


def test_a_list_stops_at_its_limit_and_standard_error_says_that_there_is_more(cli: Cli, trace: Run) -> None:
    for name in ("a", "b", "c"):
        trace("tag", name)
        trace("label", name)
        trace("branch", name)
    for command in ("tag", "label", "branch", "reflog"):
        cut = cli("context", command, "--limit", "2", "--json")
        assert len(json.loads(cut.stdout)) == 2, command
        assert cut.stderr == "There are more than 2: --limit shows more.\n", command
    whole = cli("context", "tag", "--limit", "3", "--json")
    assert (len(json.loads(whole.stdout)), whole.stderr) == (3, "")
