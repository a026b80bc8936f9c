"""Conflicts settled by who is asked about each: a function, or a model."""

from collections.abc import Iterator
from typing import Any

import pytest

from chats import Chat, chat_endpoint
from commontrace import connect
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError, RefMovedError
from commontrace.models.contexts import ConflictInfo, Resolution
from commontrace.resolvers import AsyncModelResolver, ModelResolver
from commontrace.summarizers import AsyncOpenAISummarizer, SummaryRequest
from conversations import said, say

THEIRS = ["one, by theirs", "two"]


@pytest.fixture
def chat() -> Iterator[Chat]:
    """An endpoint that runs."""
    with chat_endpoint() as running:
        yield running


async def fork(repo: AsyncContextRepository) -> None:
    """Both sides edit the first message, and give the second another priority."""
    await say(repo, "one", "two")
    first, second = [item.slot_id for item in (await repo.window(explain=True)).explanation]
    await repo.branch("fix")
    await repo.edit(first, "one, by theirs")
    await repo.pin(second)
    await repo.switch("main")
    await repo.edit(first, "one, by ours")
    await repo.annotate("important", slots=[second])


async def test_a_function_is_asked_about_each_conflict(repo: AsyncContextRepository) -> None:
    await fork(repo)
    asked: list[ConflictInfo] = []

    async def decide(conflict: ConflictInfo) -> Resolution | None:
        asked.append(conflict)
        return None if conflict.kind == "priority" else Resolution(slot=conflict.slot_id, use="theirs")

    merged = await repo.merge("fix", decide=decide)
    assert [one.kind for one in asked] == ["content", "priority"]
    assert [one.kind for one in merged.conflicts] == ["priority"]  # left alone, and kept
    assert await said(repo) == THEIRS


async def test_what_it_leaves_alone_falls_to_the_strategy(repo: AsyncContextRepository) -> None:
    await fork(repo)

    async def nobody_knows(_: ConflictInfo) -> None:
        return None

    assert (await repo.merge("fix", decide=nobody_knows, strategy="theirs")).conflicts == []
    assert await said(repo) == THEIRS


async def test_a_model_writes_one_message_out_of_both(repo: AsyncContextRepository, chat: Chat) -> None:
    await fork(repo)
    chat.answers = ["one, by both"]
    resolver = AsyncModelResolver(AsyncOpenAISummarizer(f"{chat.url}/v1", "small"))
    merged = await repo.merge("fix", decide=resolver)
    assert await said(repo) == ["one, by both", "two"]
    assert [one.kind for one in merged.conflicts] == ["priority"]  # not about words
    [asked] = chat.bodies
    assert "one, by ours" in asked["messages"][1]["content"]
    assert "one, by theirs" in asked["messages"][1]["content"]
    await repo.undo()
    assert await said(repo) == ["one, by ours", "two"]


async def test_a_branch_that_moved_while_somebody_was_asked_stays_as_it_is(repo: AsyncContextRepository) -> None:
    await fork(repo)

    async def slow(conflict: ConflictInfo) -> Resolution:
        await say(repo, "meanwhile")
        return Resolution(slot=conflict.slot_id, register_name=conflict.register_name, use="theirs")

    with pytest.raises(RefMovedError):
        await repo.merge("fix", decide=slow)
    assert (await said(repo))[:2] == ["one, by ours", "two"]


async def test_words_settle_a_conflict_of_words_alone_and_leave_calls_as_they_are(
    repo: AsyncContextRepository,
) -> None:
    call: dict[str, Any] = {"type": "tool_use", "id": "c", "name": "run", "input": {}}
    repo.add({"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, call]})
    await repo.commit()
    [slot] = [item.slot_id for item in (await repo.window(explain=True)).explanation]
    await repo.branch("fix")
    await repo.edit(slot, "Let me look.")
    await repo.pin(slot)
    await repo.switch("main")
    await repo.edit(slot, "Let me run it.")
    await repo.annotate("important", slots=[slot])
    with pytest.raises(InvalidInputError, match="priority has no words"):
        await repo.merge("fix", resolutions=[Resolution(slot=slot, register_name="priority", text="high")])
    await repo.merge("fix", resolutions=[Resolution(slot=slot, register_name="content", text="Let me do both.")])
    [message] = (await repo.window(format="messages")).messages or []
    assert [part["type"] for part in message["parts"]] == ["text", "tool_call"]
    assert message["parts"][0]["text"] == "Let me do both."


def test_a_blocking_client_asks_a_blocking_function(url: str) -> None:
    asked: list[SummaryRequest] = []

    def both(request: SummaryRequest) -> str:
        asked.append(request)
        return "by both"

    with connect(url) as client:
        repo = client.contexts.open("parser")
        repo.user("one")
        repo.commit()
        [slot] = [item.slot_id for item in repo.window(explain=True).explanation]
        repo.branch("fix")
        repo.edit(slot, "by theirs")
        repo.switch("main")
        repo.edit(slot, "by ours")
        assert repo.merge("fix", decide=ModelResolver(both)).conflicts == []
        assert [message["parts"][0]["text"] for message in repo.window().messages or []] == ["by both"]
    assert len(asked) == 1
