"""Status: what the window is made of, what is not in it, what is not settled, what is left."""

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError
from conversations import say

CALL = {"id": "c", "type": "function", "function": {"name": "run", "arguments": "{}"}}


async def slots(repo: AsyncContextRepository) -> list[str]:
    return [item.slot_id for item in (await repo.window(explain=True)).explanation]


async def test_tokens_by_role_and_by_type_come_to_the_whole(repo: AsyncContextRepository) -> None:
    repo.user("Look at it.")
    repo.add(
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Where would that be?", "signature": "s"},
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "c", "name": "run", "input": {}},
            ],
        }
    )
    repo.add({"role": "tool", "tool_call_id": "c", "content": "a long traceback " * 20})
    repo.add({"role": "assistant", "content": []})
    await repo.commit()
    found = await repo.status()
    assert sum(found.by_role.values()) == sum(found.by_type.values()) == found.tokens.tokens
    assert set(found.by_type) == {"text", "reasoning", "tool_call", "tool_result", "empty"}
    assert found.by_type["tool_result"] == found.by_role["tool"]
    assert found.by_type.pop("empty") == 0  # no provider is sent it
    assert min(found.by_type.values()) > 0


async def test_a_summary_is_a_type_of_its_own(repo: AsyncContextRepository) -> None:
    await say(repo, "one " * 30, "two " * 30, "three")
    await repo.compress("0..1", text="Ones and twos.")
    found = await repo.status()
    assert set(found.by_type) == {"summary", "text"}
    assert found.hidden == {"summarised": 2}


async def test_what_is_not_in_the_window_is_counted_by_why(repo: AsyncContextRepository) -> None:
    await say(repo, "one", "two", "three", "four " * 30, "five " * 30)
    one, two, three, *rest = await slots(repo)
    await repo.remove(one)
    await repo.skip(two)
    await repo.skip(three)
    done = await repo.compress(slots=rest, text="Much.")
    await repo.expand(done.summary_slot or "")
    assert (await repo.status()).hidden == {"removed": 1, "skipped": 2, "expanded": 1}


async def test_schemas_of_tools_cost_beside_the_window_and_out_of_the_budget(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    bare = await repo.status(1000)
    await repo.notes(tools=[{"name": "run", "description": "runs"}, {"name": "read", "description": "reads"}])
    found = await repo.status(1000)
    assert (bare.tools, bare.tool_tokens, found.tools) == (0, 0, 2)
    assert found.tool_tokens > 10
    assert found.left == 1000 - found.tokens.tokens - found.tool_tokens
    assert bare.left == 1000 - bare.tokens.tokens
    assert ((await repo.status()).budget, (await repo.status()).left) == (None, None)
    over = (await repo.status(1)).left
    assert over is not None
    assert over < 0


async def test_conflicts_and_stale_summaries_are_told_until_they_are_settled(repo: AsyncContextRepository) -> None:
    await say(repo, "one " * 30, "two " * 30, "three")
    one, _, three = await slots(repo)
    await repo.branch("try")
    await repo.edit(three, "theirs")
    await repo.edit(one, "one, corrected")
    await repo.switch("main")
    await repo.edit(three, "ours")
    await repo.compress(slots=[one], text="Ones.")
    assert (await repo.status()).conflicts == []
    await repo.merge("try")
    found = await repo.status()
    assert sorted(conflict.kind for conflict in found.conflicts) == ["content", "stale"]
    assert len(found.stale) == 1
    await repo.resolve(strategy="ours")
    assert (await repo.status()).conflicts == []


async def test_the_status_of_a_branch_without_commits_is_empty(client: AsyncClient) -> None:
    made = await client.contexts.create("fresh")
    again = await client.contexts.create("fresh")
    found = await client.contexts.open("fresh").status(10)
    assert (made.name, made.branches, again.created_at) == ("fresh", 0, made.created_at)
    assert (found.branch, found.commit_id, found.messages, found.left) == ("main", None, 0, 10)
    with pytest.raises(InvalidInputError, match="name"):
        await client.contexts.create("Not A Name")
