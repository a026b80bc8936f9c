"""Committing: whatever was said comes back as it was, or is refused whole."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontrace import AsyncClient, connect_async
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError, RefMovedError, TooLargeError
from commontrace.models.contexts import NewCommit
from conversations import said, say

pytestmark = pytest.mark.both_databases

BLNS = Path(__file__).parents[4] / "shared" / "data" / "safety" / "blns.jsonl"
JSON = {"Content-Type": "application/json"}
USER = {"role": "user", "content": "hello"}


def rows(store: Path) -> dict[str, int]:
    """How many rows every table about contexts has."""
    tables = ("repositories", "blobs", "commits", "refs", "heads", "operations", "commit_traces")
    with closing(sqlite3.connect(store)) as database:
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


async def read_back(client: AsyncClient, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    await client.contexts.open("parser").store(NewCommit(messages=messages))
    window = await client.contexts.open("parser").window(format="messages")
    assert window.messages is not None
    return window.messages


async def test_a_commit_says_what_it_did(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    repo.system("Be brief.")
    repo.assistant("two")
    result = await repo.commit("a turn", agent="claude", metadata={"turn": 2}, generation={"model": "m"})
    assert (result.repository, result.branch, result.messages, result.window_messages) == ("parser", "main", 2, 3)
    assert result.commit_id.startswith(result.short_id)
    assert len(result.short_id) == 10
    assert result.tokens == (await repo.window()).tokens
    assert result.tokens.method == "exact"
    made = (await repo.log()).commits[0]
    assert (made.message, made.agent, made.metadata) == ("a turn", "claude", {"turn": 2})
    assert made.generation == {"model": "m"}


@pytest.mark.skipif(not BLNS.is_file(), reason="the list of naughty strings lies beside the repository, not in it")
async def test_naughty_strings_come_back_as_they_were(client: AsyncClient) -> None:
    texts = [json.loads(line)["text"] for line in BLNS.read_text(encoding="utf-8").splitlines()]
    kept = [text for text in texts if "\0" not in text]
    messages = [{"role": "user", "content": text} for text in kept]
    found = await read_back(client, messages)
    assert [message["parts"][0]["text"] for message in found] == kept
    assert len(kept) > 400


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text("ab\\u0é"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\\", max_size=3), inner, max_size=3),
    ),
)
async def test_any_text_and_any_value_come_back_as_they_were(url: str, text: str, value: object) -> None:
    async with connect_async(url) as client:
        message = {"role": "user", "content": text, "value": value}
        assert (await read_back(client, [message]))[-1] == {
            "role": "user",
            "parts": [{"type": "text", "text": text}],
            "value": value,
        }


@pytest.mark.parametrize("value", [2**80, -(2**63) - 1, 1e300, 5e-324, -0.0, 1.0, 0.1 + 0.2])
async def test_numbers_keep_their_value_and_their_kind(client: AsyncClient, value: float) -> None:
    found = (await read_back(client, [USER | {"value": value}]))[0]["value"]
    assert repr(found) == repr(value)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no role", {"messages": [USER, {"content": "x"}]}, "no role"),
    ("no content", {"messages": [USER, {"role": "user", "text": "x"}]}, "no content"),
    ("odd content", {"messages": [USER, {"role": "user", "content": 5}]}, "neither a text nor a list"),
    ("a call without id", {"messages": [USER, {"role": "assistant", "content": [{"type": "tool_use"}]}]}, "no id"),
    ("an answer without id", {"messages": [USER, {"role": "tool", "content": "x"}]}, "which call"),
    ("NUL in a text", {"messages": [USER, {"role": "user", "content": "a\0b"}]}, "NUL"),
    ("NUL in a field", {"messages": [USER | {"a\0": 1}]}, "NUL"),
    ("NUL in the note", {"messages": [USER], "message": "a\0"}, "NUL"),
    ("NUL in metadata", {"messages": [USER], "metadata": {"a": ["\0"]}}, "NUL"),
    ("NUL in the agent", {"messages": [USER], "agent": "\0"}, "NUL"),
    ("half a character", {"messages": [USER | {"content": "a\ud800"}]}, "surrogate"),
    ("half a character in a key", {"messages": [USER | {"\udfff": 1}]}, "surrogate"),
    ("not a number", {"messages": [USER | {"value": float("nan")}]}, "JSON cannot carry"),
    ("infinity", {"messages": [USER | {"value": [float("-inf")]}]}, "JSON cannot carry"),
    ("infinite metadata", {"messages": [USER], "metadata": {"a": float("inf")}}, "JSON cannot carry"),
    ("a value of Python", {"messages": [USER | {"when": object()}]}, "JSON cannot carry"),
    ("deep nesting", {"messages": [USER | {"value": json.loads("[" * 150 + "]" * 150)}]}, "deeper than 100"),
    ("a bad branch", {"messages": [USER], "branch": "a b"}, "cannot be the name"),
]


@pytest.mark.parametrize(("fields", "said_then"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_cannot_be_kept_is_refused_and_nothing_is_written(
    client: AsyncClient, store: Path, fields: dict[str, Any], said_then: str
) -> None:
    await client.contexts.repositories()
    before = rows(store)
    with pytest.raises(InvalidInputError, match=said_then) as caught:
        await client.contexts.open("parser").store(NewCommit(**fields))
    assert caught.value.hint
    assert rows(store) == before


async def test_the_server_refuses_the_same_whatever_a_client_sends(
    client: AsyncClient, http: httpx2.AsyncClient
) -> None:
    bodies = {
        '{"messages": [{"role": "user", "content": "\\ud800"}]}': "surrogate",
        '{"messages": [{"role": "user", "content": "\\u0000"}]}': "NUL",
        '{"messages": [{"role": "user", "content": "x", "v": NaN}]}': "JSON cannot carry",
        '{"messages": [{"role": "user", "content": "x", "v": 1e999}]}': "JSON cannot carry",
        '{"messages": [{"role": "user", "content": "x"}], "metadata": {"v": 1e999}}': "JSON cannot carry",
        '{"messages": []}': "messages",
        '{"messages": [5]}': "messages",
        '{"messages": "x"}': "messages",
        '{"message": "x"}': "messages",
        '{"messages": [{"role": "user", "content": "x"}], "colour": "red"}': "colour",
        '{"messages": [{"role": "user", "content": "x"}], "expected_head": "HEAD"}': "expected_head",
        '{"messages": [{"role": "user", "content": "x"}], "trace_ids": ["no"]}': "trace_ids",
        '{"messages": [': "not valid JSON",
        '{"messages": [{"role": "user", "content": ' + "[" * 150 + "]" * 150 + "}]}": "deeper than 100",
    }
    for body, expected in bodies.items():
        answer = await http.post("/api/v1/contexts/parser/commits", content=body, headers=JSON)
        problem = answer.json()
        assert answer.status_code == 422, (body[:80], problem)
        assert expected in problem["detail"], (body[:80], problem)
        assert problem["hint"]
    assert await client.contexts.repositories() == []


async def test_a_body_that_no_parser_can_read_is_refused(client: AsyncClient, http: httpx2.AsyncClient) -> None:
    body = '{"messages": [{"role": "user", "content": ' + "[" * 100_000
    answer = await http.post("/api/v1/contexts/parser/commits", content=body, headers=JSON)
    assert answer.status_code in {400, 422}
    assert answer.json()["detail"]
    assert await client.contexts.repositories() == []


async def test_the_deepest_nesting_that_is_taken_comes_back(client: AsyncClient) -> None:
    value = json.loads("[" * 98 + "]" * 98)
    assert (await read_back(client, [USER | {"value": value}]))[0]["value"] == value


async def test_a_large_message_comes_back_whole(repo: AsyncContextRepository) -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 50_000
    await say(repo, text)
    assert await said(repo) == [text]


async def test_a_commit_over_the_limit_is_refused(repo: AsyncContextRepository) -> None:
    with pytest.raises(TooLargeError, match="16384 KiB"):
        await say(repo, "x" * (16 * 1024 * 1024 + 1))


async def test_two_thousand_messages_fit_one_commit_and_no_more(repo: AsyncContextRepository) -> None:
    texts = [f"message {number}" for number in range(2000)]
    await say(repo, *texts)
    assert await said(repo) == texts
    with pytest.raises(InvalidInputError, match="2000"):
        await say(repo, *texts, "one more")


async def test_a_message_said_twice_is_kept_once_and_shown_twice(repo: AsyncContextRepository, store: Path) -> None:
    await say(repo, "again", "again")
    await say(repo, "again")
    assert await said(repo) == ["again"] * 3
    assert rows(store)["blobs"] == 1


async def test_a_commit_that_failed_keeps_what_was_gathered(repo: AsyncContextRepository) -> None:
    repo.user("one")
    with pytest.raises(InvalidInputError):
        await repo.commit(branch="a b")
    await repo.commit()
    assert await said(repo) == ["one"]
    with pytest.raises(InvalidInputError, match="messages"):
        await repo.commit("nothing was gathered since")


async def test_a_commit_expects_the_head_that_it_was_told(repo: AsyncContextRepository, store: Path) -> None:
    first = await say(repo, "one")
    second = await say(repo, "two", expected_head=first)
    before = rows(store)
    with pytest.raises(RefMovedError, match=f"main is at {second[:10]}, not at {first[:10]}"):
        await say(repo, "three", expected_head=first)
    with pytest.raises(RefMovedError, match="fresh has no commit, not at"):
        await say(repo, branch="fresh", expected_head=second)
    assert rows(store) == before
    await repo.commit(expected_head=second[:10])
    assert await said(repo) == ["one", "two", "three"]


async def test_two_clients_that_commit_at_once_lose_nothing(url: str) -> None:
    async def write(client: AsyncClient, name: str) -> list[str]:
        repo = client.contexts.open("shared")
        return [await say(repo, f"{name} {number}") for number in range(15)]

    async with connect_async(url, working_copy="a") as one, connect_async(url, working_copy="b") as other:
        both = await asyncio.gather(write(one, "a"), write(other, "b"), write(one, "c"))
        log = await one.contexts.open("shared").log(limit=1000)
        texts = await said(one.contexts.open("shared"))
    assert {commit.commit_id for commit in log.commits} == {commit_id for ids in both for commit_id in ids}
    assert sorted(texts) == sorted(f"{name} {number}" for name in "abc" for number in range(15))
    for name in "abc":
        assert [text for text in texts if text.startswith(name)] == [f"{name} {number}" for number in range(15)]


async def test_of_two_commits_that_expect_one_head_one_wins(url: str) -> None:
    async with connect_async(url, working_copy="a") as one, connect_async(url, working_copy="b") as other:
        first = await say(one.contexts.open("shared"), "one")
        tries = [say(client.contexts.open("shared"), "two", expected_head=first) for client in (one, other)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["RefMovedError", "str"]
        assert await said(one.contexts.open("shared")) == ["one", "two"]


async def test_commits_link_traces_and_are_found_by_them(client: AsyncClient) -> None:
    trace, other_trace = "ab" * 16, "cd" * 16
    early = await say(client.contexts.open("one"), "used it", trace_ids=[trace, other_trace])
    await say(client.contexts.open("two"), "did not use it")
    deeper = await say(client.contexts.open("two"), "used it again", trace_ids=[trace[:8]])
    found = await client.contexts.commits_of_trace(trace)
    assert [(commit.repository, commit.commit_id) for commit in found] == [("two", deeper), ("one", early)]
    assert found[1].traces == [trace, other_trace]
    assert [commit.commit_id for commit in await client.contexts.commits_of_trace(other_trace)] == [early]
    assert await client.contexts.commits_of_trace("ef" * 16) == []


CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "run", "input": {}}]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "done"}


@pytest.mark.parametrize("messages", [[RESULT], [RESULT, CALL], [USER, CALL, {**RESULT, "tool_call_id": "c2"}]])
async def test_a_result_without_its_call_is_refused_and_nothing_is_written(
    repo: AsyncContextRepository, store: Path, messages: list[dict[str, Any]]
) -> None:
    await say(repo, "one")
    before = rows(store)
    with pytest.raises(InvalidInputError, match=r"answers c[12], a call that is not in the history") as caught:
        await repo.store(NewCommit(messages=messages))
    assert "Commit the message that makes the call first" in caught.value.hint
    assert rows(store) == before


async def test_a_result_may_come_any_number_of_commits_after_its_call(repo: AsyncContextRepository) -> None:
    await repo.store(NewCommit(messages=[USER, CALL]))
    for number in range(70):  # more than are read at once
        await say(repo, f"wait {number}")
    await repo.store(NewCommit(messages=[RESULT]))
    assert (await repo.window(format="openai")).left_out == 0
    await repo.branch("elsewhere", "HEAD~71")
    with pytest.raises(InvalidInputError, match="answers c9"):
        await repo.store(NewCommit(messages=[{**RESULT, "tool_call_id": "c9"}]))
    await repo.store(NewCommit(messages=[RESULT]))


async def test_a_part_has_what_its_type_requires_or_is_refused(repo: AsyncContextRepository, store: Path) -> None:
    await say(repo, "one")
    await repo.notes(types={"ticket": {"render": "text", "required": ["number"]}})
    ticket = {"type": "ticket", "text": "It crashes.", "number": 7}
    await repo.store(NewCommit(messages=[{"role": "user", "content": [ticket]}]))
    before = rows(store)
    bare = {"type": "ticket", "text": "It hangs."}
    with pytest.raises(InvalidInputError, match="'ticket' lacks number"):
        await repo.store(NewCommit(messages=[{"role": "user", "content": [ticket, bare]}]))
    assert rows(store) == before
    other = {"type": "ticket_of_theirs", "text": "Unknown types are kept as they came."}
    await repo.store(NewCommit(messages=[{"role": "user", "content": [other]}]))
