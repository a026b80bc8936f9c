"""Summaries through the client: a lens that loses nothing."""

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError
from conversations import say
from demands import assert_anthropic, assert_openai

CALL = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path": "src/parse.py"}'}}
OUTPUT = "\n".join(f"{number}: x = {number}" for number in range(60))


async def slots(repo: AsyncContextRepository, ref: str = "HEAD") -> list[str]:
    return [item.slot_id for item in (await repo.window(ref, explain=True)).explanation]


async def talk(repo: AsyncContextRepository) -> list[str]:
    repo.system("Never touch the database.")
    repo.user("Mend src/parse.py by Friday. Do not change the API.")
    repo.add({"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]})
    repo.add({"role": "tool", "tool_call_id": "c1", "content": OUTPUT})
    repo.assistant("We decided to keep version 2.1 because 2.2 broke TICKET-77.")
    repo.user("Go on.")
    await repo.commit("talk")
    return await slots(repo)


async def test_a_summary_stands_for_its_messages_and_expanding_it_is_the_window_before(
    repo: AsyncContextRepository,
) -> None:
    ids = await talk(repo)
    before = await repo.window()
    done = await repo.compress("type:tool", text="Read src/parse.py: assignments only.")
    assert done.covered == ids[2:4]
    assert done.token_delta < 0
    window = await repo.window(explain=True)
    assert [item.slot_id for item in window.explanation] == [ids[0], ids[1], done.summary_slot, ids[4], ids[5]]
    assert "assignments only" in window.to_text()
    assert_openai(window.to_openai())
    assert_anthropic(window.to_anthropic()["messages"])
    assert (await repo.slot(ids[3])).hidden_by == done.summary_slot
    await repo.expand(str(done.summary_slot))
    assert (await repo.window()).state_id == before.state_id


async def test_what_is_pinned_and_what_instructs_stay_where_they_are(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    await repo.pin(ids[1])
    done = await repo.compress(keep_newest=1)
    assert done.covered == ids[2:5]
    assert await slots(repo) == [ids[0], ids[1], done.summary_slot, ids[5]]
    again = await repo.compress(slots=[str(done.summary_slot)])
    assert again.commit_id is None
    await repo.pin(ids[4])
    assert ids[4] in await slots(repo)


async def test_the_offline_summary_keeps_what_it_must_and_the_report_names_what_is_lost(
    repo: AsyncContextRepository,
) -> None:
    await talk(repo)
    await repo.notes(keep=["/TICKET-\\d+/"])
    done = await repo.compress(keep_newest=1, target_tokens=60)
    assert "TICKET-77" in done.text
    assert done.summary_tokens <= 70
    assert done.loss is not None
    assert done.loss.keeps.lost == 0
    assert done.keep == ["/TICKET-\\d+/"]
    assert done.loss.numbers.total > 0


async def test_a_summary_that_lacks_what_it_must_keep_or_is_too_long_is_refused_and_nothing_written(
    repo: AsyncContextRepository,
) -> None:
    ids = await talk(repo)
    before = await repo.log()
    with pytest.raises(InvalidInputError, match="TICKET-77") as caught:
        await repo.compress(slots=[ids[4]], text="We decided.", keep=["TICKET-77"])
    assert caught.value.extra["missing"] == ["TICKET-77"]
    with pytest.raises(InvalidInputError, match="what it covers has"):
        await repo.compress(slots=[ids[5]], text="far too many words " * 20)
    assert await repo.log() == before
    forced = await repo.compress(slots=[ids[5]], text="far too many words " * 20, force=True)
    assert forced.token_delta > 0


async def test_the_calling_agent_gets_the_material_and_sends_the_words_back(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    asked = await repo.compress(keep_newest=1, dry_run=True, material=True)
    assert [message["role"] for message in asked.material] == ["user", "assistant", "tool", "assistant"]
    assert asked.commit_id is None
    done = await repo.compress(slots=asked.covered, text="Mend src/parse.py by Friday; do not change the API.")
    assert done.covered == ids[1:5]


async def test_a_part_of_a_summary_comes_back_alone(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    done = await repo.compress(keep_newest=1, text="Mended.")
    await repo.expand(str(done.summary_slot), only=[ids[3]])
    assert await slots(repo) == [ids[0], done.summary_slot, ids[2], ids[3], ids[5]]
    with pytest.raises(InvalidInputError, match="None of these"):
        await repo.expand(ids[5])


async def test_a_summary_of_summaries_opens_one_after_the_other(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    before = await repo.window()
    inner = await repo.compress("type:tool", text="Read it.")
    outer = await repo.compress(keep_newest=1, text="Mended, by 2.1.")
    assert inner.summary_slot in outer.covered
    assert await slots(repo) == [ids[0], outer.summary_slot, ids[5]]
    await repo.expand(str(outer.summary_slot))
    assert inner.summary_slot in await slots(repo)
    await repo.expand(str(inner.summary_slot))
    assert (await repo.window()).state_id == before.state_id


async def test_forks_and_merges_carry_a_summary_and_an_edit_below_it_makes_it_stale(
    repo: AsyncContextRepository,
) -> None:
    ids = await talk(repo)
    await repo.branch("fix")
    await repo.edit(ids[4], "We decided to keep version 3.0.")
    await repo.switch("main")
    done = await repo.compress(keep_newest=1, text="Mended, by 2.1.")
    await repo.branch("carried")
    await say(repo, "more")
    assert (await slots(repo))[1] == done.summary_slot
    merged = await repo.merge("fix")
    assert [conflict.kind for conflict in merged.conflicts] == ["stale"]
    await repo.expand(str(done.summary_slot))
    assert "version 3.0" in (await repo.window()).to_text()
    assert (await repo.merge("fix")).conflicts == []
