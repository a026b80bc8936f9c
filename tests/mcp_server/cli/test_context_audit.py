"""`trace grep`, `blame`, `calls`, `usage`, `gc`: what people read, what programs read, and how each ends."""

import json
import re

import pytest

from commandline import Cli, Run
from commontrace import connect

USED = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-sonnet-4-5",
    "usage": {"input_tokens": 30, "cache_read_input_tokens": 1200, "output_tokens": 45},
}


def plain(said: str) -> list[str]:
    """The lines of an answer, with ids and times as what they are."""
    said = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "NOW", said)
    return [re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,64}\b", "ID", line) for line in said.splitlines()]


@pytest.fixture
def edited(talk: Run) -> Run:
    """The talk, its task edited on main, a note on a branch, and the last message skipped."""
    talk("edit", "1", "--text", "Fix parse.py and\nits parse tests\nonly.")
    talk("branch", "aside")
    talk("switch", "aside")
    talk("commit", "-m", "a note", "--role", "user", "--text", "The lexer is fine as it is.")
    talk("switch", "main")
    talk("skip", "6", "--reason", "off the point")
    return talk


def test_grep_shows_where_it_was_said_and_what_became_of_it(edited: Run) -> None:
    assert plain(edited("grep", "Line 42")) == [
        "ID ID assistant:1  Line 42 must not raise.",
        "  not in main: it is skipped: off the point  (aside)",
    ]
    assert plain(edited("grep", "parse tests")) == ["ID ID user:2  its parse tests", "  main:1  (aside)"]
    assert plain(edited("grep", "fine as")) == [
        "ID ID user:1  The lexer is fine as it is.",
        "  aside:7",
    ]


def test_grep_counts_further_lines_and_pages(edited: Run) -> None:
    first = edited("grep", "lexer.py line", "--limit", "1")
    assert plain(first)[0] == "ID ID tool:1  [result src/lexer.py line (and 119 more lines)"
    [*_, more] = edited("grep", "e", "--limit", "1").splitlines()
    assert more.startswith("More: --after ")
    following = edited("grep", "e", "--limit", "1", "--after", more.removeprefix("More: --after "))
    assert following != edited("grep", "e", "--limit", "1")


def test_grep_takes_expressions_letter_case_and_a_ref(edited: Run, cli: Cli) -> None:
    assert len(plain(edited("grep", "-E", r"^fix (parse|lexer)\.py"))) == 4  # as it was, and as it is
    assert cli("context", "grep", "-E", "-s", r"^fix parse").exit_code == 1
    assert "fine as it is" in edited("grep", "fine as", "aside")
    assert cli("context", "grep", "fine as", "main").exit_code == 1


def test_grep_that_finds_nothing_says_so_by_its_exit_code_alone(edited: Run, cli: Cli) -> None:
    found = cli("context", "grep", "nobody said that")
    assert (found.exit_code, found.stdout, found.stderr) == (1, "", "")
    document = cli("context", "grep", "nobody said that", "--json")
    assert (document.exit_code, json.loads(document.stdout)) == (1, {"hits": [], "next": None})


def test_grep_for_programs_has_whole_ids_and_reasons(edited: Run, cli: Cli) -> None:
    [hit] = cli.json("context", "grep", "Line 42")["hits"]
    assert (len(hit["slot_id"]), len(hit["commit_id"])) == (32, 64)
    assert (hit["at"], hit["shown"], hit["refs"]) == ("main", False, ["aside", "main"])
    assert hit["reason"] == "it is skipped: off the point"


def test_what_grep_cannot_look_for_is_named_in_one_line(edited: Run, refused: Run) -> None:
    assert refused("grep", "-E", "(").startswith("error: '(' is no regular expression: missing ): (. Use RE2's syntax")
    assert refused("grep", "x", "nowhere").startswith("error: There is no branch, tag or commit nowhere.")
    assert refused("grep", "x", "--after", "no page").startswith("error: This is not where a page ended.")
    assert "Missing argument 'PATTERN'" in refused("grep", code=2)


def test_grep_cannot_be_made_to_steer_the_terminal(trace: Run) -> None:
    trace("commit", "-m", "bad \x1b[31m", "--role", "user", "--text", "danger \x1b]0;title\x07 here")
    said = trace("grep", "danger") + trace("blame", "--grep", "danger")
    assert "\x1b" not in said
    assert "danger \\x1b]0;title\\x07 here" in said


def test_blame_names_commit_edit_merge_and_who(edited: Run) -> None:
    edited("merge", "aside")
    said = plain(edited("blame"))
    assert said[:4] == [
        "  0 ID system: Be brief.",
        "    append   ID the talk · owner, NOW",
        "  1 ID user: Fix parse.py and its parse tests only.",
        "    append   ID the talk · owner, NOW",
    ]
    assert said[4].startswith("    edit     ID Edit a message")
    assert [line for line in said if line.startswith("    merge ")] == [
        "    merge    ID Merge aside into main · owner, NOW"
    ]
    assert not [line for line in said if line != line.rstrip()]


def test_blame_tells_summaries_picks_agents_and_priorities(edited: Run) -> None:
    edited("switch", "aside")
    edited("pin", "1", "--reason", "the task")
    edited("compress", "--select", "2..5", "--text", "Both files were read.")
    edited("switch", "main")
    edited("cherry-pick", "aside~2")
    [_, picked] = plain(edited("blame", "--grep", "lexer is fine"))
    assert picked.startswith("    append   ID ")
    assert ", picked from ID" in picked
    said = plain(edited("blame", "aside"))
    assert said[2].endswith("only.  pinned")
    assert "    stands for 4 messages" in said
    assert [line for line in said if line.startswith("    cover    ID ")]


def test_blame_of_words_that_no_message_holds_ends_with_one(edited: Run, cli: Cli) -> None:
    assert len(plain(edited("blame", "--grep", "its parse"))) == 3
    found = cli("context", "blame", "--grep", "nobody said that")
    assert (found.exit_code, found.stdout) == (1, "")
    document = cli("context", "blame", "--grep", "nobody said that", "--json")
    assert (document.exit_code, json.loads(document.stdout)["messages"]) == (1, [])


def test_blame_for_programs_has_the_chain_of_each_message(edited: Run, cli: Cli, refused: Run) -> None:
    found = cli.json("context", "blame")
    assert [message["position"] for message in found["messages"]] == [0, 1, 2, 3, 4, 5]
    assert [step["kind"] for step in found["messages"][1]["origin"]] == ["append", "edit"]
    assert {step["author_name"] for message in found["messages"] for step in message["origin"]} == {"owner"}
    assert refused("blame", "nowhere").startswith("error: There is no branch, tag or commit nowhere.")


@pytest.fixture
def called(talk: Run, url: str) -> Run:
    """The talk, and two calls: one with what it used, one of which nothing is known."""
    with connect(url) as client:
        repo = client.contexts.open("default")
        repo.record_call(repo.window(format="anthropic"), usage=USED)
        repo.record_call(repo.window(format="text"))
    return talk


def test_calls_are_listed_newest_first_with_what_they_used(called: Run) -> None:
    newest, oldest = plain(called("calls"))
    assert re.fullmatch(r"2  NOW  ID  text +\(no model\) +~[\d,]+ in *", newest)
    assert re.fullmatch(r"1  NOW  ID  anthropic +claude-sonnet-4-5 +1,230 in +45 out  1,200 cached", oldest)
    assert len(called("calls", "--limit", "1").splitlines()) == 1


def test_a_call_is_printed_as_it_was_sent(called: Run, cli: Cli) -> None:
    said = cli("context", "calls", "1")
    assert said.stderr.strip() == "The request as it was sent, to the byte."
    sent = json.loads(said.stdout)
    assert (sent["system"], sent["messages"][0]["role"]) == ("Be brief.", "user")
    text = cli("context", "calls", "2")
    assert text.stdout.splitlines()[0].endswith("Be brief.")
    assert cli.json("context", "calls", "1")["same"] is True


def test_a_call_that_a_purge_went_through_is_said_to_be_no_more_than_that(called: Run, cli: Cli) -> None:
    called("purge", "Line 42 must not raise.", "--yes")
    said = cli("context", "calls", "1")
    assert (said.exit_code, said.stderr.strip()) == (0, "As far as a purge left it.")
    assert "Line 42" not in said.stdout


def test_a_call_that_nobody_made_is_an_error(called: Run, refused: Run) -> None:
    assert refused("calls", "9").startswith("error: There is no call 9.")
    assert "0 is not in the range" in refused("calls", "0", code=2)


def test_without_calls_both_say_so(trace: Run, cli: Cli) -> None:
    assert trace("calls") == "No calls were recorded.\n"
    assert cli.json("context", "calls") == []
    window = cli.json("context", "status")["tokens"]["tokens"]
    assert trace("usage") == f"0 calls; the window now has {window} tokens\n"
    assert cli.json("context", "usage")["models"] == []


def test_usage_is_told_by_model_with_what_was_cached(called: Run, cli: Cli) -> None:
    [total, *models] = called("usage").splitlines()
    assert re.fullmatch(r"2 calls; the window now has ~?[\d,]+ tokens.*", total)
    claude = next(line for line in models if "claude-sonnet-4-5" in line)
    assert "1 call " in claude
    assert "30 in, 1,200 cached, 45 out" in claude
    assert re.search(r"estimates × [\d.]+ \([\d.]+ to [\d.]+\)", claude)
    unknown = next(line for line in models if "(no model)" in line)
    assert "nothing reported" in unknown
    found = cli.json("context", "usage")
    assert (found["calls"], sorted(model["model"] for model in found["models"])) == (2, ["", "claude-sonnet-4-5"])


@pytest.mark.usefixtures("wide")
def test_what_takes_long_shows_in_a_terminal_that_it_goes_on(edited: Run, cli: Cli) -> None:
    for command, doing in (
        (["gc", "--dry-run"], "Looking at every commit and message"),
        (["verify"], "Checking every byte"),
        (["purge", "Be brief.", "--yes"], "Taking it out of every message"),
    ):
        said = cli("context", *command)
        assert said.exit_code == 0
        assert doing in said.stderr
        assert doing not in said.stdout


def test_in_a_pipe_nothing_is_said_on_the_way(edited: Run, cli: Cli) -> None:
    said = cli("context", "gc", "--dry-run")
    assert said.stderr == ""
    assert said.stdout.startswith("would take out ")
    assert cli.json("context", "gc", "--dry-run")["commits"] >= 0
