"""Writing registers through the client: content, priority, presence, place, and what is said of the whole context."""

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import AmbiguousRefError, InvalidInputError, NotFoundError, RefMovedError
from conversations import say
from demands import assert_anthropic, assert_openai

CALL = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path": "a.py"}'}}


async def slots(repo: AsyncContextRepository, ref: str = "HEAD") -> list[str]:
    return [item.slot_id for item in (await repo.window(ref, explain=True)).explanation]


async def talk(repo: AsyncContextRepository) -> list[str]:
    """A system message, a question, a call with its result, an answer."""
    repo.system("Be brief.")
    repo.user("Why does it fail?")
    repo.add({"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]})
    repo.add({"role": "tool", "tool_call_id": "c1", "content": "x = 1"})
    repo.assistant("It is x.")
    await repo.commit("talk")
    return await slots(repo)


async def texts(repo: AsyncContextRepository, ref: str = "HEAD") -> list[str]:
    window = await repo.window(ref, format="openai")
    assert window.messages is not None
    return [message["content"] for message in window.messages]


async def test_an_edit_shows_another_content_and_every_earlier_one_can_come_back(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    first = await repo.window()
    await repo.edit(ids[1], "Why does the parser fail?")
    await repo.edit(ids[1], "Why?")
    assert (await texts(repo))[1] == "Why?"
    history = await repo.slot(ids[1])
    assert [(item.kind, item.version, item.text) for item in history.versions] == [
        ("append", 0, "Why does it fail?"),
        ("edit", 1, "Why does the parser fail?"),
        ("edit", 2, "Why?"),
    ]
    await repo.edit(ids[1], version=1)
    assert (await texts(repo))[1] == "Why does the parser fail?"
    await repo.edit(ids[1], version=0)
    assert (await repo.window()).state_id == first.state_id
    with pytest.raises(InvalidInputError, match="has 5 versions"):
        await repo.edit(ids[1], version=9)


async def test_an_edit_belongs_to_its_branch(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    await repo.branch("try")
    await repo.edit(ids[1], "On the branch")
    await repo.skip(ids[4], reason="noise")
    assert (await texts(repo, "main"))[1] == "Why does it fail?"
    assert len(await slots(repo, "main")) == 5
    assert len(await slots(repo, "try")) == 4


async def test_an_edit_keeps_the_calls_and_results_of_its_message(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    await repo.edit(ids[2], "Looking.")
    await repo.edit(ids[3], "y = 2")
    assert (await texts(repo))[2:4] == ["Looking.", "y = 2"]
    for content in ({"role": "assistant", "content": "no call"}, {"role": "user", "content": "x"}):
        with pytest.raises(InvalidInputError, match="other tool calls or results"):
            await repo.edit(ids[2], content=content)
    with pytest.raises(InvalidInputError, match="not said what the message is to be"):
        await repo.edit(ids[2])


async def test_skipping_a_call_skips_its_results_and_the_window_stays_valid(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    before = await repo.window()
    for member in ids[2:4]:
        result = await repo.skip(member, reason="noise")
        assert result.slots == ids[2:4]
        window = await repo.window()
        assert_openai(window.to_openai())
        assert_anthropic(window.to_anthropic()["messages"])
        assert window.included == 3
        await repo.annotate("normal", slots=[member])
        assert (await repo.window()).state_id == before.state_id


async def test_removing_and_restoring_is_the_window_before(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    before = await repo.window()
    await repo.remove(ids[3])
    assert await slots(repo) == [ids[0], ids[1], ids[4]]
    assert (await repo.slot(ids[3])).hidden_by == "removed"
    assert (await repo.remove(ids[3])).commit_id is None
    await repo.restore(ids[2])
    assert (await repo.window()).state_id == before.state_id


async def test_what_is_pinned_stays_in_whatever_the_budget(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    await repo.pin(ids[1], reason="the task")
    for number in range(20):
        await say(repo, f"filler {number}")
    window = await repo.window(budget=60, explain=True)
    inside = [item for item in window.explanation if item.included]
    assert [item.slot_id for item in inside[:2]] == ids[:2]
    assert [item.reason for item in inside[:2]] == ["instructs the model", "pinned"]
    with pytest.raises(InvalidInputError, match="Impossible"):
        await repo.window(budget=10)


async def test_important_messages_come_before_newer_ones_within_a_budget(repo: AsyncContextRepository) -> None:
    await talk(repo)
    old = await say(repo, "remember this")
    ids = await slots(repo)
    for number in range(20):
        await say(repo, f"filler {number}")
    await repo.annotate("important", slots=[ids[-1]])
    window = await repo.window(budget=60, explain=True)
    assert [item.reason for item in window.explanation if item.slot_id == ids[-1]] == ["important"]
    assert old


async def test_a_moved_group_stays_together_and_moving_back_is_the_window_before(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    before = await repo.window()
    await repo.move(ids[4], after=ids[2])  # behind the whole group, not into it
    assert await slots(repo) == ids
    await repo.move(ids[3], after=ids[0])
    assert await slots(repo) == [ids[0], ids[2], ids[3], ids[1], ids[4]]
    await repo.move(ids[1], after=ids[0])
    assert (await repo.window()).state_id == before.state_id
    await repo.move(ids[4])
    assert (await slots(repo))[0] == ids[4]
    with pytest.raises(InvalidInputError, match="behind itself"):
        await repo.move(ids[2], after=ids[3])


async def test_a_query_selects_whole_groups(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    result = await repo.annotate("skip", reason="old output", select="type:result")
    assert result.slots == ids[2:4]
    assert (await repo.annotate("skip", select="role:nobody")).commit_id is None
    with pytest.raises(InvalidInputError, match="colour"):
        await repo.annotate("skip", select="colour:red")
    with pytest.raises(InvalidInputError, match="not said which messages"):
        await repo.annotate("skip")


async def test_a_message_is_named_by_its_first_digits(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    assert (await repo.pin(ids[1][:8])).slots == [ids[1]]
    with pytest.raises(NotFoundError, match="no message 0000"):
        await repo.pin("0000000000")


async def test_a_change_expects_the_head_that_it_was_told_and_can_be_tried(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    log = await repo.log()
    tried = await repo.remove(ids[4], dry_run=True)
    assert (tried.commit_id, tried.window_messages) == (None, 4)
    assert tried.token_delta < 0
    assert await repo.log() == log
    await say(repo, "meanwhile")
    with pytest.raises(RefMovedError):
        await repo.remove(ids[4], expected_head=log.commits[0].commit_id)


async def test_notes_belong_to_the_branch_and_unknown_types_are_refused(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.notes(types={"diagram": {"render": "text", "required": ["text"]}}, keep=["must"])
    repo.add({"role": "user", "parts": [{"type": "diagram", "text": "a → b"}]})
    await repo.commit()
    assert "a → b" in (await repo.window()).to_text()
    assert (await repo.notes(keep=["must"])).commit_id is None
    with pytest.raises(InvalidInputError, match="diagram"):
        await repo.notes(types={"diagram": {"render": "sideways"}})
    with pytest.raises(InvalidInputError, match="stands for something else"):
        await repo.annotate(notes={"content": "x"}, select="role:user")
    with pytest.raises(InvalidInputError, match="Nothing is said"):
        await repo.annotate(select="role:user")


async def test_every_change_is_one_step_of_undo(repo: AsyncContextRepository) -> None:
    ids = await talk(repo)
    before = await repo.window()
    changes = [
        repo.edit(ids[1], "other"),
        repo.pin(ids[1]),
        repo.remove(ids[4]),
        repo.move(ids[4]),
        repo.notes(keep=["x"]),
        repo.compress("type:tool", text="Read a.py."),
    ]
    for change in changes:
        await change
        after = await repo.window()
        await repo.undo()
        assert (await repo.window()).state_id == before.state_id
        await repo.redo()
        assert (await repo.window()).state_id == after.state_id
        await repo.undo()


async def test_two_messages_with_the_same_beginning_are_told_apart(repo: AsyncContextRepository) -> None:
    ids: list[str] = []
    while not (near := {one[:4] for one in ids if [other[:4] for other in ids].count(one[:4]) > 1}):
        repo.add({"role": "user", "content": f"{len(ids)}"})
        for number in range(300):
            repo.user(f"{len(ids)} {number}")
        await repo.commit()
        ids = await slots(repo)
    with pytest.raises(AmbiguousRefError, match="several messages"):
        await repo.pin(next(iter(near)))
