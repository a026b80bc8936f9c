"""Transcripts into a repository: twice adds nothing, what has grown is added, secrets stay out."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError
from conversations import say
from demands import assert_anthropic
from sessions import SESSION, Session

MAIN = "claude/1f2e3d4c"
KEY = "AKIAQ3ZK7WTR5HVN2XLM"


@pytest.fixture
def repo(client: AsyncClient) -> AsyncContextRepository:
    return client.contexts.open("parser")


@pytest.fixture
def session() -> Session:
    return Session()


async def shown(repo: AsyncContextRepository, ref: str = MAIN) -> list[str]:
    """The words in a window, calls and results by their type."""
    window = await repo.window(ref, format="messages")
    return [part.get("text", part["type"]) for message in window.messages or [] for part in message["parts"]]


async def titles(repo: AsyncContextRepository, ref: str = MAIN) -> list[str]:
    return [commit.message for commit in (await repo.log(ref)).commits]


async def test_one_commit_a_turn(repo: AsyncContextRepository, session: Session) -> None:
    session.user("u", "  why?\nplease")
    session.calls("a")
    session.result("r", "ok")
    session.said("b", "because")
    session.turn("2", "x" * 100, "long")
    result = await repo.import_transcript(session.lines)
    assert (result.commits, result.messages, result.branches) == (2, 6, [MAIN])
    newest, oldest = (await repo.log(MAIN)).commits
    assert (oldest.message, oldest.agent, oldest.generation) == ("why?", "claude-code", {"model": "claude-opus-5-5"})
    assert newest.message == f"{'x' * 71}…"
    assert oldest.created_at.isoformat() == "2026-11-21T08:00:03.500000+00:00"
    about: Any = oldest.metadata["transcript"]
    assert about["entries"] == [["u"], ["a"], ["r"], ["b"]]
    assert about["usage"][0]["cache_read_input_tokens"] == 5
    assert newest.tokens == (await repo.window(MAIN)).tokens.tokens


async def test_importing_twice_adds_nothing(repo: AsyncContextRepository, session: Session) -> None:
    session.turn("1", "one", "first")
    session.turn("2", "two", "second")
    await repo.import_transcript(session.lines)
    before = await repo.operations()
    again = await repo.import_transcript(session.lines)
    assert (again.commits, again.messages, again.branches) == (0, 0, [MAIN])
    assert await repo.operations() == before


async def test_a_transcript_may_be_imported_after_every_line(repo: AsyncContextRepository, session: Session) -> None:
    session.turn("1", "one", "first")
    session.user("u", "go")
    session.calls("a1", "one", api_id="m")
    session.result("r1", "1", "one")
    session.calls("a2", "two", api_id="m", parent="a1")
    session.result("r2", "2", "two")
    session.said("b", "done")
    session.turn("3", "other", "third", parent="1-a")
    session.compaction("c", "In short.", keeps=["3-a"])
    session.turn("4", "more", "fourth")
    for number in range(1, len(session.lines) + 1):
        await repo.import_transcript(session.lines[:number])
        assert (await repo.import_transcript(session.lines[:number])).commits == 0
    assert await shown(repo) == ["one", "first", "go", "tool_call", "tool_result", "tool_call", "tool_result", "done"]
    fork = f"{MAIN}/fork-1"
    assert await shown(repo, fork) == ["In short.", "third", "more", "fourth"]
    assert {branch.name for branch in await repo.branches()} == {"main", MAIN, fork}
    window = await repo.window(MAIN, format="anthropic")
    assert_anthropic(window.messages or [])


async def test_a_fork_shares_its_beginning(repo: AsyncContextRepository, session: Session) -> None:
    session.turn("1", "one", "first")
    session.turn("2", "two", "second")
    session.turn("3", "other", "third", parent="1-a")
    result = await repo.import_transcript(session.lines)
    assert result.branches == [f"{MAIN}/fork-1", MAIN]
    assert await titles(repo) == ["two", "one"]
    assert await titles(repo, f"{MAIN}/fork-1") == ["other", "one"]
    assert (await repo.log(MAIN)).commits[1] == (await repo.log(f"{MAIN}/fork-1")).commits[1].model_copy()


async def test_a_fork_inside_of_a_turn_that_was_imported_whole(repo: AsyncContextRepository, session: Session) -> None:
    session.turn("1", "one", "first")
    session.said("1-b", "and more")
    await repo.import_transcript(session.lines)
    session.said("1-c", "or this", parent="1-a")
    assert (await repo.import_transcript(session.lines)).commits == 1
    assert await shown(repo) == ["one", "first", "and more"]
    assert await shown(repo, f"{MAIN}/fork-1") == ["one", "first", "or this"]
    assert (await repo.import_transcript(session.lines)).commits == 0


async def test_an_older_copy_of_a_file_changes_nothing(repo: AsyncContextRepository, session: Session) -> None:
    session.turn("1", "one", "first")
    session.turn("2", "two", "second")
    await repo.import_transcript(session.lines)
    before = await repo.operations()
    assert (await repo.import_transcript(session.lines[:1])).commits == 0
    assert (await repo.import_transcript(session.lines[:2])).commits == 0
    assert await repo.operations() == before


async def test_a_compaction_hides_what_it_summarises_and_a_fork_after_it_starts_compacted(
    repo: AsyncContextRepository, session: Session
) -> None:
    session.turn("1", "one", "first")
    session.turn("2", "two", "second")
    session.compaction("c", "In short.", keeps=["2-a"])
    session.turn("3", "three", "third")
    session.compaction("d", "Shorter.")
    session.turn("4", "four", "fourth")
    await repo.import_transcript(session.lines)
    assert await shown(repo) == ["Shorter.", "four", "fourth"]
    assert await titles(repo) == ["four", "Compacted", "three", "Compacted", "two", "one"]
    assert await shown(repo, f"{MAIN}~2") == ["In short.", "second", "three", "third"]
    assert await shown(repo, f"{MAIN}~4") == ["one", "first", "two", "second"]
    await repo.branch("try", f"{MAIN}~2")
    await say(repo, "go on")
    assert await shown(repo, "try") == ["In short.", "second", "three", "third", "go on"]
    assert (await repo.get(f"{MAIN}~2")).tokens == (await repo.window(f"{MAIN}~2")).tokens.tokens


async def test_a_session_that_was_forked_off_shares_its_commits(repo: AsyncContextRepository, session: Session) -> None:
    session.turn("1", "one", "first")
    session.turn("2", "two", "second")
    fork = Session("99999999-0000-4000-8000-000000000000")
    fork.turn("1", "one", "first")
    fork.turn("3", "three", "third")
    await repo.import_transcript(session.lines)
    assert (await repo.import_transcript(fork.lines)).commits == 1
    assert await shown(repo, "claude/99999999") == ["one", "first", "three", "third"]


async def test_sub_agents_are_read_from_beside_the_session(
    repo: AsyncContextRepository, session: Session, tmp_path: Path
) -> None:
    session.turn("1", "delegate", "done")
    agent = Session(agent="a7d5040890e2252d7")
    agent.turn("x", "look", "seen")
    file = tmp_path / f"{SESSION}.jsonl"
    file.write_text(session.text + '{"half a li')
    beside = tmp_path / SESSION / "subagents"
    beside.mkdir(parents=True)
    (beside / "agent-a7d5040890e2252d7.jsonl").write_text(agent.text.rstrip("\n"))
    result = await repo.import_transcript(file)
    side = f"{MAIN}/side-a7d5040890e2252d7"
    assert set(result.branches) == {MAIN, side}
    assert (result.left_out, result.problems) == ({"an unfinished last line": 1}, [])
    assert await shown(repo, side) == ["look", "seen"]
    about: Any = (await repo.get(side)).metadata["transcript"]
    assert about["sub_agent"] == {"agent_id": "a7d5040890e2252d7"}
    assert (await repo.import_transcript(str(file))).commits == 0


async def test_secrets_are_taken_out_before_anything_is_stored(
    repo: AsyncContextRepository, session: Session, client: AsyncClient
) -> None:
    session.user("u", f"my key is {KEY}")
    session.assistant(
        "a",
        {"type": "thinking", "thinking": f"the key is {KEY}", "signature": "of other words"},
        {"type": "thinking", "thinking": "hm", "signature": KEY, "id": 5},
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": f"export K={KEY}", KEY: 1}},
    )
    result = await repo.import_transcript(session.lines)
    assert sum(result.redactions.values()) == 4
    stored = await repo.bundle()
    assert stored.count(KEY.encode()) == 1  # the signature, which a provider wants back byte for byte
    assert b"of other words" not in stored
    assert "[redacted" in (await repo.get(MAIN)).message


async def test_characters_that_no_store_holds_are_replaced(repo: AsyncContextRepository, session: Session) -> None:
    session.user("u", "a\0b\ud800c 👋")
    result = await repo.import_transcript(session.lines)
    assert await shown(repo) == ["a\ufffdb\ufffdc 👋"]
    assert result.redactions == {"a character that cannot be stored": 1}


async def test_a_message_that_cannot_be_kept_is_named(repo: AsyncContextRepository, session: Session) -> None:
    session.turn("1", "one", "first")
    session.assistant("bad", {"no": "type"})
    result = await repo.import_transcript(session.lines)
    assert [problem.partition(":")[0] for problem in result.problems] == ["bad"]
    assert await shown(repo) == ["one", "first"]


async def test_a_branch_on_which_somebody_went_on_stays_theirs(repo: AsyncContextRepository, session: Session) -> None:
    session.turn("1", "one", "first")
    await repo.import_transcript(session.lines)
    await repo.switch(MAIN)
    mine = await say(repo, "mine")
    session.turn("2", "two", "second")
    session.turn("3", "other", "third", parent="1-a")
    result = await repo.import_transcript(session.lines)
    assert set(result.branches) == {f"{MAIN}/fork-1", f"{MAIN}/fork-2"}
    assert (await repo.get(MAIN)).commit_id == mine
    assert (await repo.import_transcript(session.lines)).commits == 0


async def test_a_list_of_messages_goes_on_where_it_ended(repo: AsyncContextRepository, tmp_path: Path) -> None:
    listed = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    file = tmp_path / "chat.json"
    file.write_text(json.dumps(listed))
    branch = (await repo.import_transcript(file)).branches[0]
    file.write_text(json.dumps([*listed, {"role": "user", "content": "c"}]))
    result = await repo.import_transcript(file)
    assert (result.format, result.branches, result.commits) == ("openai", [branch], 1)
    assert await shown(repo, branch) == ["a", "b", "c"]
    file.write_text(json.dumps([listed[0], {"role": "assistant", "content": "otherwise"}]))
    assert (await repo.import_transcript(file)).branches == [f"{branch}/fork-1"]


@pytest.mark.parametrize("source", ["/no/such/file", "a\0b"])
async def test_a_file_that_cannot_be_read_is_named(repo: AsyncContextRepository, source: str) -> None:
    with pytest.raises(InvalidInputError, match="Check the path"):
        await repo.import_transcript(source)


async def test_a_window_comes_out_as_documents_and_goes_in_again(
    repo: AsyncContextRepository, session: Session
) -> None:
    session.user("u", "go")
    session.calls("a")
    session.result("r", "ok")
    session.said("b", "done")
    await repo.import_transcript(session.lines)
    shapes: list[Literal["openai", "anthropic"]] = ["openai", "anthropic"]
    for shape in shapes:
        text = await repo.export(shape, MAIN)
        line = await repo.export("openai-jsonl" if shape == "openai" else "anthropic-jsonl", MAIN)
        assert line.count("\n") == 1
        assert json.loads(text) == json.loads(line)
        branch = (await repo.import_transcript(text.split("\n"), shape)).branches[0]
        assert await repo.export(shape, branch) == text
    assert json.loads(await repo.export("messages", MAIN))["messages"][0]["parts"]
    assert (await repo.export("bundle")).encode() == await repo.bundle()
    assert (await repo.export("bundle", MAIN)).encode() == await repo.bundle([MAIN])


async def test_a_window_comes_out_as_a_session_and_goes_in_again(
    repo: AsyncContextRepository, session: Session
) -> None:
    repo.system("Be brief.")
    await repo.commit()
    await repo.import_transcript([*_conversation(session)])
    await repo.merge(MAIN)
    made = await repo.session(folder="/work", session_id=SESSION)
    assert [json.loads(line)["cwd"] for line in made.text.splitlines()] == ["/work"] * made.messages
    elsewhere = (await repo.import_transcript(made.text.split("\n"))).branches
    assert elsewhere == [f"{MAIN}/fork-1"]
    system, *rest = await shown(repo, elsewhere[0])
    assert (system, rest) == ("<system-reminder>\nBe brief.\n</system-reminder>", await shown(repo))
    assert await repo.export("claude-code") == (await repo.session()).text != made.text


def _conversation(session: Session) -> list[str]:
    session.user("u", "go")
    session.calls("a")
    session.result("r", "ok")
    session.said("b", "done")
    return session.lines


async def test_a_window_of_instructions_alone_is_a_session_too(repo: AsyncContextRepository) -> None:
    repo.system("Be brief.")
    await repo.commit()
    made = await repo.session()
    assert (made.messages, "Be brief." in made.text) == (1, True)
