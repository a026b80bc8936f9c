"""Windows: what of a history is shown within a budget, in which shape, and why."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest

from commontrace import AsyncClient, connect_async
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError, NotFoundError
from commontrace.models.contexts import NewCommit, WindowFormat
from commontrace_backend.tokens import default_counter
from conversations import Message, said, say
from demands import assert_anthropic, assert_gemini, assert_openai, assert_responses

SHAPES: list[WindowFormat] = list(get_args(WindowFormat))
FRAMING = 4
CALL = {"id": "a", "type": "function", "function": {"name": "run", "arguments": '{"n": 1}'}}
HISTORY: list[Message] = [
    {"role": "system", "content": "You are terse and you never guess."},
    {"role": "user", "content": "Why does the parser fail on line forty two of the input file?"},
    {"role": "assistant", "content": "Let me run it.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "a", "content": "SyntaxError: unexpected end of input"},
    {"role": "assistant", "content": "The string literal is never closed."},
    {"role": "user", "content": "Fix it."},
]


async def commit(client: AsyncClient, messages: list[Message]) -> None:
    await client.contexts.open("parser").store(NewCommit(messages=messages))


def cost(text: str) -> int:
    return default_counter().count(text).tokens + FRAMING


async def test_the_tokens_of_a_window_are_the_sum_of_its_messages(client: AsyncClient) -> None:
    for message in HISTORY:
        await commit(client, [message])
    window = await client.contexts.open("parser").window(explain=True)
    by_hand = cost("Fix it.") + cost("The string literal is never closed.") + cost("You are terse and you never guess.")
    assert sum(item.tokens for item in window.explanation) == window.tokens.tokens
    assert sum(item.tokens for item in (window.explanation[0], *window.explanation[-2:])) == by_hand
    assert (window.tokens.method, window.tokens.encoding) == ("exact", "o200k_base")
    log = await client.contexts.open("parser").log()
    assert [commit.tokens for commit in log.commits] == [
        (await client.contexts.open("parser").window(f"HEAD~{steps}")).tokens.tokens for steps in range(len(HISTORY))
    ]
    status = await client.contexts.open("parser").status()
    assert status.tokens == window.tokens
    assert sum(status.by_role.values()) == window.tokens.tokens
    assert set(status.by_role) == {"system", "user", "assistant", "tool"}
    assert status.by_role["system"] == cost("You are terse and you never guess.")


async def test_a_window_comes_in_every_shape(client: AsyncClient) -> None:
    await commit(client, HISTORY)
    windows = {shape: await client.contexts.open("parser").window(format=shape) for shape in SHAPES}
    assert windows["openai"].messages == HISTORY
    assert_openai(windows["openai"].messages or [])
    assert_anthropic(windows["anthropic"].messages or [])
    assert windows["anthropic"].system == HISTORY[0]["content"]
    assert [message["role"] for message in windows["messages"].messages or []] == [row["role"] for row in HISTORY]
    assert_responses(windows["responses"].messages or [])
    assert_gemini({"contents": windows["gemini"].messages})
    assert windows["gemini"].system == HISTORY[0]["content"]
    assert (windows["markdown"].text or "").startswith("## System\n\nYou are terse")
    text = windows["text"].text or ""
    assert text.startswith("system: You are terse")
    assert text.endswith("user: Fix it.")
    assert len({(window.state_id, window.commit_id, window.tokens.tokens) for window in windows.values()}) == 1


async def test_a_window_of_messages_turns_into_every_other_shape(client: AsyncClient) -> None:
    await commit(client, HISTORY)
    windows = {shape: await client.contexts.open("parser").window(format=shape) for shape in SHAPES}
    window = windows["messages"]
    assert window.to_openai() == windows["openai"].messages
    assert window.to_responses() == windows["responses"].messages
    assert window.to_anthropic() == {"system": windows["anthropic"].system, "messages": windows["anthropic"].messages}
    assert window.to_gemini() == {
        "systemInstruction": {"parts": [{"text": windows["gemini"].system}]},
        "contents": windows["gemini"].messages,
    }
    assert window.to_text() == windows["text"].text
    assert window.to_markdown() == windows["markdown"].text
    with pytest.raises(InvalidInputError, match="in the format 'openai' already") as caught:
        windows["openai"].to_anthropic()
    assert 'format="messages"' in caught.value.hint


async def test_a_budget_keeps_what_instructs_and_the_newest_groups(client: AsyncClient) -> None:
    await commit(client, HISTORY)
    whole = await client.contexts.open("parser").window(explain=True)
    tokens = [item.tokens for item in whole.explanation]
    assert [item.reason for item in whole.explanation] == ["instructs the model", *["fits"] * 5]

    async def kept(budget: int) -> list[int]:
        window = await client.contexts.open("parser").window(budget=budget, explain=True)
        assert window.tokens.tokens <= budget
        assert (window.included, window.left_out) == (
            sum(item.included for item in window.explanation),
            sum(not item.included for item in window.explanation),
        )
        out = {item.reason for item in window.explanation if not item.included}
        assert out <= {"older than what fits the budget"}
        return [position for position, item in enumerate(window.explanation) if item.included]

    assert await kept(sum(tokens)) == [0, 1, 2, 3, 4, 5]
    assert await kept(sum(tokens) - 1) == [0, 2, 3, 4, 5]
    # A call and its answer stay together.
    assert await kept(sum(tokens) - tokens[1] - 1) == [0, 4, 5]
    assert await kept(tokens[0] + tokens[5]) == [0, 5]


async def test_a_budget_too_small_says_what_is_needed_at_least(client: AsyncClient) -> None:
    await commit(client, HISTORY)
    tokens = [item.tokens for item in (await client.contexts.open("parser").window(explain=True)).explanation]
    least = tokens[0] + tokens[5]
    for budget in (1, tokens[0] - 1, tokens[0], least - 1):
        with pytest.raises(InvalidInputError, match=f"Impossible: .* {least} tokens") as caught:
            await client.contexts.open("parser").window(budget=budget)
        assert caught.value.hint == f"Give at least {least}."
    assert (await client.contexts.open("parser").window(budget=least)).included == 2
    with pytest.raises(InvalidInputError, match="budget"):
        await client.contexts.open("parser").window(budget=0)


async def test_instructions_alone_can_be_too_much(client: AsyncClient) -> None:
    await commit(client, [HISTORY[0], HISTORY[0]])
    tokens = 2 * cost("You are terse and you never guess.")
    with pytest.raises(InvalidInputError, match=f"Impossible: .* {tokens} tokens"):
        await client.contexts.open("parser").window(budget=tokens - 1)
    assert (await client.contexts.open("parser").window(budget=tokens)).included == 2


async def test_reading_a_window_changes_nothing(client: AsyncClient, url: str) -> None:
    await commit(client, HISTORY)
    operations = await client.contexts.open("parser").operations()
    first = await client.contexts.open("parser").window(explain=True)
    await client.contexts.open("parser").window(budget=60)
    await client.contexts.open("parser").window(format="anthropic")
    assert await client.contexts.open("parser").window(explain=True) == first
    async with connect_async(url) as cold:
        assert await cold.contexts.open("parser").window(explain=True) == first
    assert await client.contexts.open("parser").operations() == operations


async def test_appending_leaves_the_beginning_of_a_window_as_it_was(client: AsyncClient) -> None:
    rendered: dict[WindowFormat, Any] = {}
    for message in HISTORY:
        await commit(client, [message])
        for shape in SHAPES:
            window = await client.contexts.open("parser").window(format=shape)
            now = window.messages if window.text is None else window.text
            before = rendered.get(shape)
            if before and message["role"] not in {"tool", "assistant"}:
                assert now is not None
                assert now[: len(before)] == before
            rendered[shape] = now


async def test_a_past_window_is_still_what_it_was(repo: AsyncContextRepository) -> None:
    seen = {}
    for number in range(5):
        commit_id = await say(repo, f"message {number}")
        seen[commit_id] = await repo.window(commit_id)
    await repo.branch("fix", "HEAD~2")
    await say(repo, "elsewhere")
    await repo.merge("main")
    for commit_id, window in seen.items():
        assert await repo.window(commit_id) == window


async def test_two_ways_to_one_window_have_one_state(client: AsyncClient) -> None:
    one, other = client.contexts.open("one"), client.contexts.open("other")
    await say(one, "a", "b", "c")
    for text in "abc":
        await say(other, text)
    first, second = await one.window(), await other.window()
    assert first.commit_id != second.commit_id
    assert first.state_id == second.state_id
    await say(other, "d")
    assert (await other.window()).state_id != first.state_id
    assert (await other.window("HEAD~1")).state_id == first.state_id


async def test_the_order_of_messages_is_part_of_the_state(client: AsyncClient) -> None:
    one, other = client.contexts.open("one"), client.contexts.open("other")
    await say(one, "a", "b")
    await say(other, "b", "a")
    assert (await one.window()).state_id != (await other.window()).state_id


async def test_a_window_that_another_encoding_counted_is_counted_again(
    repo: AsyncContextRepository, store: Path
) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    await say(repo, "theirs")
    await repo.switch("main")
    await say(repo, "two")
    before = (await repo.window()).tokens
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("UPDATE blobs SET tokens = 1000, encoding = 'bytes/4'")
        database.execute("UPDATE commits SET window_tokens = 2000, encoding = 'bytes/4'")
    assert (await repo.window()).tokens == before
    assert (await repo.status()).tokens == before
    merge = await repo.merge("fix")
    assert merge.tokens == (await repo.window()).tokens
    assert merge.tokens.tokens == before.tokens + cost("theirs")
    await repo.switch("fix")
    repo.user("three")
    assert (await repo.commit()).tokens.tokens == cost("one") + cost("theirs") + cost("three")


async def test_what_is_not_there_cannot_be_shown(repo: AsyncContextRepository) -> None:
    with pytest.raises(NotFoundError, match="no context parser"):
        await repo.window()
    await say(repo, "one")
    with pytest.raises(InvalidInputError, match="is not a ref"):
        await repo.window("a..b c")
    assert await said(repo) == ["one"]
