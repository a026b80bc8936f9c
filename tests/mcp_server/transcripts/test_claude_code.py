"""Session files of Claude Code, read into a tree of messages."""

import json
from typing import Any

import pytest

from commontrace.errors import InvalidInputError
from commontrace.transcripts.entries import Entry, Transcript
from commontrace.transcripts.reading import read
from sessions import Session


@pytest.fixture
def session() -> Session:
    return Session()


def parsed(session: Session | str, known: dict[str, str] | None = None) -> Transcript:
    text = session if isinstance(session, str) else session.text
    (transcript,) = read(text, "auto", known or {})
    return transcript


def tree(transcript: Transcript) -> list[tuple[str | None, str]]:
    return [(entry.parent, entry.entry_id) for entry in transcript.entries]


def words(entry: Entry) -> list[str]:
    content = entry.message["content"]
    return [content] if isinstance(content, str) else [block.get("text", block["type"]) for block in content]


def test_a_conversation_is_named_by_its_session_and_its_messages_follow_each_other(session: Session) -> None:
    session.turn("1", "why?", "because")
    transcript = parsed(session)
    assert (transcript.agent, transcript.name) == ("claude-code", "claude/1f2e3d4c")
    assert tree(transcript) == [(None, "1-u"), ("1-u", "1-a")]
    first, second = transcript.entries
    assert (first.opens_turn, second.opens_turn) == (True, False)
    assert (first.time, second.model) == ("2026-11-21T08:00:00.500000+00:00", "claude-opus-5-5")
    assert second.usage["cache_read_input_tokens"] == 5


def test_the_lines_of_one_answer_are_one_message(session: Session) -> None:
    session.user("u", "go")
    session.said("a1", "Let me see.", api_id="m")
    session.calls("a2", api_id="m")
    session.result("r", "ok")
    session.said("b", "Done.")
    transcript = parsed(session)
    assert tree(transcript) == [(None, "u"), ("u", "a1"), ("a1", "r"), ("r", "b")]
    assert transcript.entries[1].lines == ("a1", "a2")
    assert words(transcript.entries[1]) == ["Let me see.", "tool_use"]


def test_results_of_parallel_calls_are_no_fork(session: Session) -> None:
    session.user("u", "go")
    session.calls("a1", "one", api_id="m")
    session.calls("a2", "two", api_id="m")
    session.result("r1", "first", "one", parent="a1")
    session.result("r2", "second", "two", parent="a2")
    session.said("b", "Both done.", parent="r1")
    assert tree(parsed(session)) == [(None, "u"), ("u", "a1"), ("a1", "r1"), ("r1", "r2"), ("r2", "b")]


def test_a_result_may_come_before_the_last_block_of_its_answer(session: Session) -> None:
    session.user("u", "go")
    session.calls("a1", "one", api_id="m")
    session.result("r1", "first", "one")
    session.calls("a2", "two", api_id="m", parent="a1")
    session.result("r2", "second", "two")
    assert tree(parsed(session)) == [(None, "u"), ("u", "a1"), ("a1", "r1"), ("r1", "r2")]


def test_an_answer_that_was_imported_in_part_stays_in_parts(session: Session) -> None:
    session.user("u", "go")
    session.calls("a1", "one", api_id="m")
    session.calls("a2", "two", api_id="m")
    session.result("r2", "second", "two")
    known = {"u": "first commit", "a1": "first commit"}
    assert tree(parsed(session, known)) == [(None, "u"), ("u", "a1"), ("a1", "a2"), ("a2", "r2")]


def test_a_question_asked_anew_is_a_fork(session: Session) -> None:
    session.turn("1", "one", "first")
    session.turn("2", "two", "second")
    session.turn("3", "other", "third", parent="1-a")
    assert ("1-a", "2-u") in tree(parsed(session))
    assert ("1-a", "3-u") in tree(parsed(session))


def test_lines_without_a_message_are_counted_and_bridged(session: Session) -> None:
    session.raw(type="queue-operation", operation="enqueue", content="go")
    session.user("u", "go")
    session.line("att", "attachment", attachment={"type": "environment"}, rendered=[{"content": "You are here."}])
    session.line("sys", "system", subtype="informational", content="note")
    session.line("new", "some-new-kind", payload=1)
    session.said("err", "API Error: 529", isApiErrorMessage=True)
    session.said("a", "done")
    session.line("odd", "user", message="no object")
    session.raw(type="user", message={"role": "user", "content": "no id"})
    transcript = parsed(session)
    assert tree(transcript) == [(None, "u"), ("u", "a")]
    assert transcript.left_out == {
        "queue-operation": 1,
        "attachment: environment": 1,
        "informational": 1,
        "some-new-kind": 1,
        "an API error": 1,
        "a user line without a message": 2,
    }


def test_what_was_attached_is_a_message_of_the_user(session: Session) -> None:
    session.user("u", "look at @a.txt")
    rendered = [{"content": "Called Read"}, {"content": [{"type": "text", "text": "hello"}]}]
    session.line("file", "attachment", attachment={"type": "file"}, rendered=rendered)
    session.said("a", "I see")
    entry = parsed(session).entries[1]
    assert entry.message == {
        "role": "user",
        "content": ["Called Read", {"type": "text", "text": "hello"}],
        "attachment": "file",
    }
    assert not entry.opens_turn


@pytest.mark.parametrize(
    "fields",
    [
        {"isMeta": True},
        {"content": "<local-command-stdout>ok</local-command-stdout>"},
        {"content": "[Request interrupted by user]"},
    ],
)
def test_what_no_person_asks_opens_no_turn(session: Session, fields: dict[str, Any]) -> None:
    session.user("u", fields.pop("content", "caveat"), **fields)
    assert not parsed(session).entries[0].opens_turn


def test_a_compaction_follows_what_it_summarises_and_says_what_it_keeps(session: Session) -> None:
    session.turn("1", "one", "first")
    session.turn("2", "two", "second")
    session.compaction("c", "In short.", keeps=["2-a"])
    session.turn("3", "three", "third")
    transcript = parsed(session)
    assert tree(transcript)[3:] == [("2-u", "2-a"), ("2-a", "c-s"), ("c-s", "3-u"), ("3-u", "3-a")]
    assert transcript.entries[4].keeps == frozenset({"2-a"})
    assert [entry.keeps for entry in transcript.entries if entry.entry_id != "c-s"] == [None] * 6


@pytest.mark.parametrize(
    ("about", "keeps"),
    [
        ({"preservedSegment": {"headUuid": "1-a", "tailUuid": "2-a"}}, {"1-a", "2-u", "2-a"}),
        ({"preservedSegment": "nothing"}, set()),
        ({}, set()),
        (None, set()),
    ],
)
def test_an_older_compaction_names_the_ends_of_what_it_keeps(session: Session, about: Any, keeps: set[str]) -> None:
    session.turn("1", "one", "first")
    session.turn("2", "two", "second")
    session.line("b", "system", parent=None, logicalParentUuid="2-a", subtype="compact_boundary", compactMetadata=about)
    session.user("s", "In short.", isCompactSummary=True)
    assert parsed(session).entries[-1].keeps == frozenset(keeps)


def test_a_file_forked_off_behind_a_compaction_begins_with_the_summary(session: Session) -> None:
    session.line("b", "system", parent=None, logicalParentUuid="kept", subtype="compact_boundary")
    session.user("s", "In short.", isCompactSummary=True)
    session.said("kept", "second")
    session.turn("3", "three", "third")
    transcript = parsed(session)
    assert tree(transcript)[:2] == [(None, "s"), ("s", "kept")]
    assert transcript.problems == []


def test_sub_agents_are_chains_of_their_own() -> None:
    session = Session()
    session.turn("1", "delegate", "done")
    agent = Session(agent="a7d5040890e2252d7")
    agent.turn("x", "look", "seen")
    transcript = parsed(session.text + agent.text)
    assert tree(transcript)[2:] == [(None, "x-u"), ("x-u", "x-a")]
    assert [entry.chain for entry in transcript.entries] == ["", "", agent.agent, agent.agent]
    assert transcript.chains == {agent.agent: {"agent_id": agent.agent}}


def test_side_chains_of_older_versions_stand_in_the_same_file(session: Session) -> None:
    session.calls("a")
    session.user("x", "look", isSidechain=True)
    session.said("y", "seen", isSidechain=True)
    transcript = parsed(session)
    assert tree(transcript) == [(None, "a"), (None, "x"), ("x", "y")]
    assert [entry.chain for entry in transcript.entries] == ["", "chain", "chain"]


def test_the_last_line_may_be_half_written(session: Session) -> None:
    session.turn("1", "one", "first")
    whole = session.text
    session.user("2-u", "two")
    for cut in (1, 40):
        transcript = parsed(whole + session.lines[-1][:-cut])
        assert tree(transcript) == [(None, "1-u"), ("1-u", "1-a")]
        assert (transcript.left_out["an unfinished last line"], transcript.problems) == (1, [])


def test_other_broken_lines_are_named(session: Session) -> None:
    session.turn("1", "one", "first")
    broken = f"{session.lines[0]}\n{{\n\n[1]\n{session.lines[1]}\n"
    transcript = parsed(broken)
    assert transcript.problems == ["line 2 is not a JSON object", "line 4 is not a JSON object"]
    assert len(transcript.entries) == 2


def test_separators_inside_of_a_text_do_not_end_a_line(session: Session) -> None:
    session.user("u", "a\u2028b\x85c\x0bd")
    text = json.dumps(json.loads(session.lines[0]), ensure_ascii=False) + "\n"
    assert parsed(text).entries[0].message["content"] == "a\u2028b\x85c\x0bd"


def test_parents_in_a_circle_are_named_and_the_rest_is_read(session: Session) -> None:
    session.turn("1", "one", "first")
    session.user("x", "round", parent="y")
    session.user("y", "and round")
    transcript = parsed(session)
    assert tree(transcript) == [(None, "1-u"), ("1-u", "1-a")]
    assert transcript.problems == ["2 messages follow each other in a circle"]


def test_a_line_may_come_before_its_parent(session: Session) -> None:
    session.turn("1", "one", "first")
    session.lines.reverse()
    assert tree(parsed(session)) == [(None, "1-u"), ("1-u", "1-a")]


def test_a_repeated_line_counts_once(session: Session) -> None:
    session.turn("1", "one", "first")
    transcript = parsed(session.text + session.text)
    assert len(transcript.entries) == 2
    assert transcript.left_out["a repeated line"] == 2


def test_a_file_without_messages_is_refused(session: Session) -> None:
    session.raw(type="mode", mode="normal")
    with pytest.raises(InvalidInputError, match="no messages of claude-code"):
        read(session.text, "auto", {})
