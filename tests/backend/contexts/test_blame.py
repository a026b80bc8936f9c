"""Blame: every message of a window has one chain of origin; what is hidden says why."""

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError
from conversations import say

pytestmark = pytest.mark.both_databases


async def slots(repo: AsyncContextRepository) -> list[str]:
    return [item.slot_id for item in (await repo.window(explain=True)).explanation]


@pytest.fixture
async def full(repo: AsyncContextRepository) -> AsyncContextRepository:
    """A window with an edit, a summary, a merge and a cherry-pick in it."""
    await say(repo, "first words", "second words", message="the beginning", agent="claude")
    await repo.edit((await slots(repo))[0], "other words", message="better")
    await repo.branch("aside")
    await say(repo, "from aside", message="aside")
    await repo.branch("further")
    await say(repo, "picked words", message="to be picked")
    await repo.switch("main")
    await say(repo, "on main", message="meanwhile")
    await repo.merge("aside", message="bring it home")
    await repo.cherry_pick("further")
    await repo.compress(slots=[(await slots(repo))[1]], text="sum", force=True)
    await repo.pin((await slots(repo))[-1], reason="keep")
    return repo


async def test_every_message_of_a_window_has_its_chain(full: AsyncContextRepository) -> None:
    found = await full.blame()
    assert [message.slot_id for message in found.messages] == await slots(full)
    chains = {message.excerpt: [(step.kind, step.message) for step in message.origin] for message in found.messages}
    assert chains == {
        "other words": [("append", "the beginning"), ("edit", "better")],
        "[Summary of 1 earlier message] sum": [("cover", "Summarise 1 messages")],
        "on main": [("append", "meanwhile")],
        "from aside": [("append", "aside"), ("merge", "bring it home")],
        "picked words": [("append", "to be picked"), ("annotate", "Mark as pinned")],
    }
    picked = found.messages[-1].origin[0]
    assert picked.picked_from == (await full.get("further")).commit_id
    assert (found.messages[0].origin[0].agent, found.messages[0].origin[0].picked_from) == ("claude", None)
    assert found.messages[-1].priority == "pinned"
    assert [len(message.covers) for message in found.messages] == [0, 1, 0, 0, 0]
    assert found.commit_id == (await full.get()).commit_id


async def test_a_chain_begins_with_what_introduced_the_message_and_each_commit_is_of_the_history(
    full: AsyncContextRepository,
) -> None:
    for ref in ("main", "aside", "further", "main~2"):
        history = {commit.commit_id for commit in (await full.log(ref)).commits}
        for message in (await full.blame(ref)).messages:
            assert [step.kind for step in message.origin].count("append") + len(message.covers) == 1
            assert message.origin[0].kind in {"append", "cover"}
            assert {step.commit_id for step in message.origin} <= history


async def test_words_are_blamed_alone(full: AsyncContextRepository) -> None:
    assert [message.excerpt for message in (await full.blame(grep="OTHER")).messages] == ["other words"]
    found = await full.blame(grep="^(on|from)", regex=True)
    assert [message.excerpt for message in found.messages] == ["on main", "from aside"]
    assert (await full.blame(grep="Other", case_sensitive=True)).messages == []
    assert [message.position for message in found.messages] == [2, 3]


async def test_all_is_explained_hidden_messages_too(full: AsyncContextRepository) -> None:
    names = await slots(full)
    await full.remove(names[2])
    await full.skip(names[3])
    every = (await full.window(explain="all")).explanation
    shown = (await full.window(explain=True)).explanation
    assert [item for item in every if item.included] == shown
    assert {item.begins: item.reason for item in every if not item.included} == {
        "second words": f"the summary {names[1][:10]} stands for it",
        "on main": "it was removed",
        "from aside": "it is skipped",
    }
    assert {item.tier for item in every if not item.included} == {"out"}
    await full.expand(names[1])
    reasons = {item.begins: item.reason for item in (await full.window(explain="all")).explanation}
    assert reasons["[Summary of 1 earlier message] sum"] == "a summary that was expanded"


async def test_a_summary_in_a_summary_says_so(repo: AsyncContextRepository) -> None:
    await say(repo, "one", "two")
    names = await slots(repo)
    inner = await repo.compress(slots=[names[0]], text="i", force=True)
    await repo.compress(slots=[inner.summary_slot or "", names[1]], text="o", force=True)
    reasons = [item.reason for item in (await repo.window(explain="all")).explanation if not item.included]
    assert sum("stands for it" in reason for reason in reasons) == 3
    assert sum("another summary" in reason for reason in reasons) == 1


async def test_explaining_takes_no_other_word(client: AsyncClient) -> None:
    await say(client.contexts.open("parser"), "one")
    with pytest.raises(InvalidInputError):
        await client.contexts.open("parser").window(explain="some")
