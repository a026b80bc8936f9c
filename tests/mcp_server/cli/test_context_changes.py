"""Changing what the window shows: edits, priorities, presence, places, notes, summaries, plans."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commandline import Cli, Run


def places(trace: Run, ref: str = "HEAD") -> list[str]:
    """What the messages of a window begin with."""
    return [item["begins"] for item in json.loads(trace("show", ref, "--explain", "--json"))["explanation"]]


def test_an_edit_gives_other_words_and_an_earlier_version_back(talk: Run) -> None:
    said = talk("edit", "1", "--text", "Fix parse.py.", "-m", "narrower")
    assert re.match(r"\[main \w{10}\] Edited 1 message · 7 messages, [\d,]+ tokens \(-\d+\)\n", said)
    assert places(talk)[1] == "Fix parse.py."
    talk("edit", "1", "--version", "0")
    assert places(talk)[1] == "Fix parse.py, not lexer.py."
    assert talk("edit", "1", "--version", "0").startswith("Nothing to do: 7 messages, ")


def test_an_edit_can_be_looked_at_first_and_expects_a_head(talk: Run, refused: Run) -> None:
    assert talk("edit", "1", "--text", "x", "--dry-run").startswith("would be: Edited 1 message")
    assert places(talk)[1] != "x"
    assert "not at" in refused("edit", "1", "--text", "x", "--expected-head", "0" * 10)
    assert "It is not said what" in refused("edit", "1")


def test_a_whole_message_comes_from_a_file(talk: Run, refused: Run, work: Path) -> None:
    (work / "m.json").write_text('{"role": "assistant", "content": [{"type": "text", "text": "Fixed."}]}')
    talk("edit", "6", "--file", "m.json")
    assert places(talk)[6] == "Fixed."
    (work / "bad.json").write_text("[]")
    assert "does not hold a JSON object" in refused("edit", "6", "--file", "bad.json")


def test_priorities_are_given_by_place_by_slot_and_by_query(talk: Run) -> None:
    slot = json.loads(talk("show", "--explain", "--json"))["explanation"][6]["slot_id"]
    assert "Pinned 2 messages" in talk("pin", "1", slot[:8].upper(), "--reason", "the task")
    assert "Skipped 2 messages" in talk("skip", "--select", "type:tool text:lexer", "--reason", "read")
    assert len(places(talk)) == 5
    talk("annotate", slot, "--priority", "normal", "--note", "seen=true", "--note", "by=ann")
    noted = json.loads(talk("slot", slot, "--json"))
    assert noted["priority"] == "normal"
    written = {version["value"]["key"]: version["value"]["value"] for version in noted["versions"][-3:]}
    assert written == {"priority": {"level": "normal", "reason": ""}, "seen": True, "by": "ann"}


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (("pin",), "It is not said which messages", 1),
        (("pin", "1", "--select", "role:user"), "slots, or select", 1),
        (("annotate", "1"), "Nothing is said of the messages", 1),
        (("annotate", "1", "--note", "loose"), "NAME=VALUE", 2),
        (("annotate", "1", "--priority", "high"), "'high' is not one of", 2),
        (("skip", "--select", "colour:red"), "colour:red", 1),
        (("remove", "zz"), "slots.0", 1),
        (("notes",), "--keep", 2),
        (("plan", "1"), "Impossible", 1),
        (("compress", "--text", "a", "--text-file", "b"), "not both", 2),
        (("expand", "1"), "None of these messages is a summary", 1),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    talk: Run, refused: Run, arguments: tuple[str, ...], says: str, code: int
) -> None:
    assert says in refused(*arguments, code=code)
    assert len(json.loads(talk("log", "--json"))["commits"]) == 1


def test_messages_are_removed_restored_and_moved(talk: Run) -> None:
    before = places(talk)
    slots = [item["slot_id"] for item in json.loads(talk("show", "--explain", "--json"))["explanation"]]
    assert "Removed 2 messages" in talk("remove", "2")  # with its result
    assert places(talk) == [*before[:2], *before[4:]]
    assert "Restored 2 messages" in talk("restore", slots[2])
    assert places(talk) == before
    assert "Moved 1 message" in talk("move", "1", "--after", "6")
    assert places(talk)[-1] == before[1]
    assert "Moved 1 message" in talk("move", slots[1])
    assert places(talk)[0] == before[1]


def test_notes_hold_for_the_whole_context(talk: Run, refused: Run, work: Path) -> None:
    (work / "tools.json").write_text('[{"name": "read_file"}]')
    said = talk("notes", "--tools", "tools.json", "--keep", "42", "--keep", "/lexer\\.py/", "--types", '{"plan": {}}')
    assert "] Set keep, tools, types" in said
    assert "lacks what it must keep: '42'" in refused("compress", "6", "--text", "It must not raise.")
    assert "] Set keep" in talk("notes", "--clear", "keep")
    talk("compress", "6", "--text", "No raise.", "--force")
    (work / "tools.json").write_text("7")
    assert "holds no list of tools" in refused("notes", "--tools", "tools.json")
    assert "line 1, column 1" in refused("notes", "--types", "nonsense")


def test_a_summary_is_tried_made_and_taken_back(talk: Run, work: Path) -> None:
    tried = talk("compress", "--select", "type:tool", "--dry-run")
    assert tried.startswith("would be: Summarised 4 messages, ")
    assert "── summary" in tried
    assert len(places(talk)) == 7
    (work / "summary.txt").write_text("Read src/parse.py.\n")
    made = talk("compress", "--select", "type:tool", "--text-file", "summary.txt")
    assert re.search(r"^  paths +█*░+ +1/2  lost: src/lexer\.py", made, re.MULTILINE)
    assert "── summary" not in made
    slot = made.splitlines()[-1].split()[-1]
    assert made.splitlines()[-1] == f"Take it back: trace expand {slot}"
    assert len(places(talk)) == 4
    assert "Expanded 1 summary" in talk("expand", slot)
    assert len(places(talk)) == 7


def test_a_part_of_what_a_summary_stands_for_comes_back(talk: Run) -> None:
    slots = [item["slot_id"] for item in json.loads(talk("show", "--explain", "--json"))["explanation"]]
    talk("compress", "--select", "type:tool", "--text", "Read both.")
    talk("expand", "2", "--only", slots[2])
    assert [item["slot_id"] for item in json.loads(talk("show", "--explain", "--json"))["explanation"]][2:5] != slots[
        2:5
    ]
    assert len(places(talk)) == 6


def test_all_but_the_newest_are_summarised_without_a_word(talk: Run) -> None:
    done = json.loads(talk("compress", "--keep-newest", "1", "--target", "60", "--keep", "src/parse.py", "--json"))
    assert len(done["covered"]) == 5  # not the instruction
    assert "src/parse.py" in done["text"]
    assert talk("compress", "--keep-newest", "90").startswith("Nothing to do: ")


def test_a_plan_is_a_table_and_is_carried_out_in_one_step(talk: Run) -> None:
    whole = json.loads(talk("status", "--json"))["tokens"]["tokens"]
    shown = talk("plan", str(whole // 2), "--keep-newest", "1")
    rows = shown.splitlines()
    assert rows[0].split() == ["action", "messages", "saves", "re-bills", "risk", "why"]
    assert re.match(r"(skip|edit|cover) +[\d.]+( in [\d.]+)? +[\d,]+ +[\d,]+ +(low|medium|high) ", rows[1])
    assert rows[-1] == f"Do it: trace plan {whole // 2} --apply"
    done = talk("plan", str(whole // 2), "--keep-newest", "1", "--apply")
    assert "] Carried out " in done
    assert json.loads(talk("status", "--json"))["tokens"]["tokens"] <= whole // 2
    talk("undo")
    assert json.loads(talk("status", "--json"))["tokens"]["tokens"] == whole
    assert talk("plan", "100000") == f"Nothing to do: the window has {whole:,} of 100,000 tokens.\n"


def test_a_commit_brings_tools_and_says_what_its_budget_says(talk: Run, refused: Run, work: Path) -> None:
    (work / "tools.json").write_text('[{"name": "read_file"}]')
    said = talk("commit", "--text", "more", "--tools", "tools.json", "--budget", "100")
    assert len(said.splitlines()) == 2
    assert "1 tool schema" in talk("status")
    refused("commit", "--text", "more", "--budget", "100", "--when-full", "reject")
    assert len(json.loads(talk("log", "--json"))["commits"]) == 2


def test_secrets_are_taken_out_and_said(talk: Run) -> None:
    secret = "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"  # made up
    assert "Taken out before it was stored: 1 × secret:" in talk("commit", "--text", f"the token is {secret}")
    assert "Taken out before it was stored: 1 × secret:" in talk("edit", "1", "--text", f"use {secret}")
    assert secret not in talk("show", "--json")


def test_a_context_is_checked_collected_and_purged(cli: Cli, talk: Run, refused: Run) -> None:
    assert talk("verify", "--full").startswith("sound: ")
    assert talk("gc", "--dry-run", "--grace-days", "0").startswith("would take out ")
    assert cli("context", "purge", "Line 42 must").exit_code == 130  # nobody answered
    assert "Nothing was taken out." in cli("context", "purge", "Line 42 must", stdin="n\n").stderr
    assert talk("purge", "Line 42 must", "--yes", "--reason", "a leak").startswith("Took out 1 message")
    assert "Line 42" not in talk("show")
    talk("purge", "--slot", "1", "--yes")
    assert "lexer.py." not in "".join(places(talk))
    refused("purge", "nobody said this", "--yes")
    assert talk("verify").startswith("sound")


def test_damage_ends_with_exit_code_one(cli: Cli, talk: Run, store: Path) -> None:
    with closing(sqlite3.connect(store)) as database:
        database.execute("UPDATE commits SET window_messages = window_messages + 1")
        database.commit()
    result = cli("context", "verify", "--full")
    assert result.exit_code == 1
    assert result.stdout.startswith("damaged: ")
