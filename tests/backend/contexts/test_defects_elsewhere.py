"""What systems before this one were measured to get wrong, each with the name of what must hold instead."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.models.contexts import TokenCount
from commontrace.objects import Commit, identify
from commontrace.providers.usage import extract_usage
from conversations import said, say
from demands import assert_anthropic, assert_openai

CALL = {"id": "call", "type": "function", "function": {"name": "run", "arguments": "{}"}}


async def slots(repo: AsyncContextRepository, ref: str = "HEAD") -> list[str]:
    return [one.slot_id for one in (await repo.window(ref, explain=True)).explanation]


async def roles(repo: AsyncContextRepository) -> list[str]:
    return [message["role"] for message in (await repo.window(format="anthropic")).messages or []]


async def fork(repo: AsyncContextRepository, *texts: str) -> list[str]:
    """Say some things on main, and be on a branch `fix` of it; the slots."""
    await say(repo, *texts or ("one", "two"))
    await repo.branch("fix")
    return await slots(repo)


async def calls(repo: AsyncContextRepository) -> list[str]:
    """A call and its result in one commit; the slots."""
    repo.user("look")
    repo.add({"role": "assistant", "content": "so", "tool_calls": [CALL]})
    repo.add({"role": "tool", "tool_call_id": "call", "content": "found"})
    await repo.commit()
    return await slots(repo)


async def test_a_priority_holds_on_the_branch_where_it_was_set_alone(repo: AsyncContextRepository) -> None:
    ids = await fork(repo)
    await repo.skip(ids[0])
    assert (await said(repo), await said(repo, "main")) == (["two"], ["one", "two"])
    await repo.switch("main")
    assert await said(repo) == ["one", "two"]
    assert (await repo.slot(ids[0])).priority == "normal"
    assert (await repo.slot(ids[0], "fix")).priority == "skip"


async def test_a_merge_commit_says_nothing_in_the_window(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await say(repo, "theirs")
    await repo.switch("main")
    await say(repo, "ours")
    merged = await repo.merge("fix", message="Merged fix into main")
    assert await said(repo) == ["one", "two", "ours", "theirs"]
    assert (await repo.get(merged.commit_id or "")).messages == 0


@pytest.mark.parametrize("editing", ["main", "fix"])
async def test_an_edit_on_one_side_and_an_append_on_the_other_do_not_conflict(
    repo: AsyncContextRepository, editing: str
) -> None:
    ids = await fork(repo)
    await repo.switch(editing)
    await repo.edit(ids[0], "one, edited")
    await repo.switch("main" if editing == "fix" else "fix")
    await say(repo, "three")
    await repo.switch("main")
    assert (await repo.merge("fix")).conflicts == []
    assert await said(repo) == ["one, edited", "two", "three"]


async def test_the_same_edit_on_both_sides_is_no_conflict(repo: AsyncContextRepository) -> None:
    ids = await fork(repo)
    await repo.edit(ids[0], "the same")
    await repo.switch("main")
    await repo.edit(ids[0], "the same")
    assert (await repo.merge("fix")).conflicts == []
    assert await said(repo) == ["the same", "two"]


async def test_a_branch_that_edits_what_it_said_itself_can_be_rebased(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await say(repo, "mine")
    own = (await slots(repo))[-1]
    await repo.edit(own, "mine, edited")
    await repo.switch("main")
    await say(repo, "meanwhile")
    await repo.switch("fix")
    await repo.rebase("main")
    assert await said(repo) == ["one", "two", "meanwhile", "mine, edited"]
    assert (await slots(repo))[-1] == own


async def test_no_sum_of_tokens_is_ever_negative(repo: AsyncContextRepository) -> None:
    ids = await fork(repo)
    before = await repo.status()
    for _ in range(2):
        gone = await repo.remove(*ids)
        assert (gone.tokens.tokens, (await repo.status()).tokens.tokens) == (0, 0)
        assert (await repo.skip(*ids)).tokens.tokens == 0
        await repo.restore(*ids)
        await repo.annotate("normal", slots=ids)
    assert (await repo.status()).tokens == before.tokens
    with pytest.raises(ValidationError):
        TokenCount(tokens=-1, method="exact", encoding="o200k_base")


@pytest.mark.parametrize("which", [1, 2])
async def test_a_skipped_result_takes_its_call_with_it(repo: AsyncContextRepository, which: int) -> None:
    ids = await calls(repo)
    await repo.skip(ids[which])
    window = await repo.window(format="messages", explain=True)
    assert [one.role for one in window.explanation] == ["user"]
    assert_openai(window.to_openai())
    assert_anthropic(window.to_anthropic()["messages"])


async def test_everything_can_be_undone_and_looked_up_by_where_it_was(repo: AsyncContextRepository) -> None:
    first = await say(repo, "one")
    await repo.tag("begin")
    second = await say(repo, "two")
    await repo.reset("begin")
    assert (await repo.get("HEAD@{1}")).commit_id == second
    assert {(await repo.get(ref)).commit_id for ref in ("begin", "main~0", f"{second}~1", "@")} == {first}
    await repo.undo()
    assert await said(repo) == ["one", "two"]
    assert [done.kind for done in await repo.operations()][:2] == ["undo", "reset"]


async def test_what_is_pinned_is_the_same_message_in_the_same_place_after_compressing(
    repo: AsyncContextRepository,
) -> None:
    ids = await fork(repo, "one " * 40, "two " * 40, "three " * 40, "four")
    await repo.pin(ids[1])
    before = (await repo.window(format="messages", explain=True)).explanation[1]
    await repo.compress(slots=ids[:3])
    window = await repo.window(format="messages", explain=True)
    assert [one.slot_id for one in window.explanation][1:] == [ids[1], ids[3]]
    assert window.explanation[1] == before
    assert (window.messages or [])[1]["parts"][0]["text"] == "two " * 40


async def test_collecting_garbage_never_takes_what_a_summary_stands_for(repo: AsyncContextRepository) -> None:
    ids = await fork(repo, "one " * 40, "two " * 40, "three")
    before = await repo.window("main")
    done = await repo.compress(slots=ids[:2])
    await repo.delete_branch("main", force=True)
    await repo.gc(grace_days=0)
    assert (await repo.slot(done.summary_slot or "")).versions
    await repo.expand(done.summary_slot or "")
    assert (await repo.window()).state_id == before.state_id


async def test_a_repository_that_is_brought_elsewhere_keeps_every_id(
    client: AsyncClient, repo: AsyncContextRepository
) -> None:
    ids = await fork(repo)
    await repo.edit(ids[0], "edited")
    await repo.pin(ids[1])
    copy = client.contexts.open("copy")
    await copy.import_bundle(await repo.bundle())
    assert {one.name: one.commit_id for one in await copy.branches()} == {
        one.name: one.commit_id for one in await repo.branches()
    }
    assert await slots(copy, "fix") == ids
    assert (await copy.window("fix")).state_id == (await repo.window("fix")).state_id


def test_what_a_cache_held_counts_as_input() -> None:
    usage = {"input_tokens": 7, "cache_read_input_tokens": 9_000, "cache_creation_input_tokens": 0, "output_tokens": 11}
    found = extract_usage({"type": "message", "model": "claude", "usage": usage})
    assert (found.input, found.cache_read) == (9_007, 9_000)


FIELDS: list[dict[str, Any]] = [
    {"parents": ("b", "a")},
    {"parents": ("a",)},
    {"message": "another"},
    {"metadata": {"n": 2}},
    {"generation": {"model": "other"}},
    {"traces": ("t",)},
    {"agent": "other"},
    {"author": "other"},
    {"time": "later"},
]


@pytest.mark.parametrize("changes", FIELDS, ids=[str(next(iter(one))) for one in FIELDS])
def test_the_id_of_a_commit_depends_on_every_field_and_on_the_order_of_its_parents(changes: dict[str, Any]) -> None:
    made = Commit(("a", "b"), (), author="", agent="", time="", message="", metadata={"n": 1})
    assert replace(made, **changes).commit_id != made.commit_id


async def test_tool_calls_are_part_of_what_an_id_vouches_for(repo: AsyncContextRepository) -> None:
    await calls(repo)
    [line] = [line for line in (await repo.bundle()).splitlines() if b'"tool_call"' in line]
    stored = json.loads(line)
    encoded = json.dumps(stored["content"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert stored["blob"] == identify("blob", encoded)
    assert stored["blob"] != identify("blob", encoded.replace(b'"run"', b'"rm"'))


async def test_after_a_merge_user_and_assistant_still_take_turns(repo: AsyncContextRepository) -> None:
    await fork(repo, "one")
    for name in ("fix", "main"):
        await repo.switch(name)
        repo.assistant(f"an answer on {name}")
        repo.user(f"a question on {name}")
        await repo.commit()
    await repo.merge("fix")
    window = await repo.window(format="messages")
    assert_anthropic(window.to_anthropic()["messages"])
    assert await roles(repo) == ["user", "assistant", "user", "assistant", "user"]


# What was lost without a word.


async def test_everything_that_a_merge_brings_can_be_seen(repo: AsyncContextRepository) -> None:
    await fork(repo, "base")
    theirs = [f"theirs {number}" for number in range(20)]
    ours = [f"ours {number}" for number in range(20)]
    for text in theirs:
        await say(repo, text)
    await repo.switch("main")
    for text in ours:
        await say(repo, text)
    assert (await repo.merge("fix")).added == 20
    assert await said(repo) == ["base", *ours, *theirs]


async def test_going_to_a_branch_and_back_drops_nothing(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await say(repo, "three")
    for name in ("main", "fix", "main", "fix"):
        await repo.switch(name)
    assert await said(repo) == ["one", "two", "three"]
    assert await said(repo, "main") == ["one", "two"]


async def test_the_same_turn_on_two_branches_is_two_turns(repo: AsyncContextRepository) -> None:
    await fork(repo, "one")
    there = await say(repo, "the same words")
    await repo.switch("main")
    here = await say(repo, "the same words")
    assert there != here
    assert await said(repo) == await said(repo, "fix") == ["one", "the same words"]
    await repo.merge("fix")
    assert await said(repo) == ["one", "the same words", "the same words"]


async def test_what_is_committed_after_going_elsewhere_continues_from_there(
    repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await fork(repo, "one")
    on_fix = await say(repo, "two")
    on_main = await say(other, "three")  # this working copy never left main
    assert (await repo.get(on_main)).parents == (await repo.get(on_fix)).parents
    await repo.switch("main")
    assert (await repo.get(await say(repo, "four"))).parents == [on_main]
    assert await said(repo, "fix") == ["one", "two"]


def size(store: Path) -> int:
    """Bytes on the disk, those that are still in the log too."""
    log = store.with_name(f"{store.name}-wal")
    return store.stat().st_size + (log.stat().st_size if log.exists() else 0)


async def test_a_store_grows_with_what_is_said_and_not_with_its_square(
    store: Path, repo: AsyncContextRepository
) -> None:
    sizes = []
    for _ in range(3):
        for number in range(60):
            await say(repo, f"{number}: " + "some words that take their place on the disk " * 20)
        sizes.append(size(store))
    assert sizes[2] - sizes[1] < 1.5 * (sizes[1] - sizes[0]) + 2**18
