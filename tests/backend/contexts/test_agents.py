"""Children: what a sub-agent begins with, and what comes home of its work."""

from typing import Any

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import ConflictError, InvalidInputError, NotFoundError
from conversations import say

CALL = {"id": "c", "type": "function", "function": {"name": "run", "arguments": "{}"}}


@pytest.fixture
async def parent(repo: AsyncContextRepository) -> AsyncContextRepository:
    """An instruction, a task that is pinned, a call with its result."""
    repo.system("You lead.")
    repo.user("Find the bug in parse.py.")
    repo.add({"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]})
    repo.add({"role": "tool", "tool_call_id": "c", "content": "a traceback"})
    await repo.commit("the task")
    await repo.annotate("pinned", slots=[(await repo.window(explain=True)).explanation[1].slot_id])
    return repo


async def work(child: AsyncContextRepository, name: str) -> None:
    """What a sub-agent does on its branch."""
    await child.switch(name)
    child.system("You look into parsers.")
    child.user("Where does it fail?")
    child.assistant("Line 42 of parse.py must not raise ValueError.")
    await child.commit("found it")


@pytest.mark.parametrize(
    ("mode", "options", "roles"),
    [
        ("clone", {}, ["system", "user", "assistant", "tool"]),
        ("head", {}, ["system", "user", "assistant", "tool"]),
        ("selected", {"select": "type:result"}, ["assistant", "tool"]),
        ("clean", {}, []),
    ],
)
async def test_a_child_begins_with_what_its_mode_says(
    parent: AsyncContextRepository, mode: Any, options: dict[str, Any], roles: list[str]
) -> None:
    head = (await parent.status()).commit_id
    made = await parent.spawn("child", mode, **options)
    window = await parent.window("child", explain=True)
    assert [item.role for item in window.explanation] == roles
    assert (made.spawned_from, made.window_messages, made.mode) == (head, len(roles), mode)
    first = await parent.get("child")
    assert first.metadata["spawned_from"] == {"branch": "main", "commit": head, "mode": mode}
    assert first.parents == ([head] if mode == "clone" else [])
    assert (await parent.status()).branch == "main"
    if len(roles) == 4:
        assert window.state_id == (await parent.window()).state_id  # priorities came along
    assert made.tokens == window.tokens


@pytest.mark.parametrize("mode", ["clone", "head", "clean"])
async def test_what_a_child_found_comes_home_as_one_summary_that_can_be_expanded(
    parent: AsyncContextRepository, other: AsyncContextRepository, mode: Any
) -> None:
    before = (await parent.window(format="text")).text
    await parent.spawn("child", mode)
    await work(other, "child")
    tried = await parent.collapse("child", "It is line 42.", dry_run=True)
    done = await parent.collapse("child", "It is line 42.")
    assert tried.commit_id is None
    assert (tried.tokens, tried.window_messages) == (done.tokens, done.window_messages)
    text = (await parent.window(format="text")).text
    assert text is not None
    assert text.startswith(str(before))
    assert text.endswith("It is line 42.")
    assert len(done.covered) == 2
    merged = await parent.get()
    assert merged.metadata["collapsed"] == {"branch": "child", "commit": (await parent.get("child")).commit_id}
    assert merged.parents[1] == done.source_commit
    assert done.token_delta == done.summary_tokens
    await parent.expand(done.summary_slot or "")
    shown = (await parent.window(format="text")).text or ""
    assert shown.count("Find the bug") == 1
    assert "Line 42 of parse.py must not raise" in shown
    assert "You look into parsers" not in shown
    assert (await parent.verify(full=True)).problems == []


async def test_a_child_that_goes_on_comes_home_again_with_what_is_new(
    parent: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await parent.spawn("child", "clean")
    await work(other, "child")
    await parent.collapse("child", "Line 42.")
    await say(other, "And line 43?")
    again = await parent.collapse("child", "Line 43 too.")
    assert len(again.covered) == 1
    with pytest.raises(InvalidInputError, match="nothing new to bring home"):
        await parent.collapse("child")
    await parent.undo()
    await parent.undo()
    assert [item.role for item in (await parent.window(explain=True)).explanation] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]


async def test_without_words_the_summary_is_made_of_the_childs_own(
    parent: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await parent.spawn("child", "head")
    await work(other, "child")
    done = await parent.collapse("child")
    assert "42" in done.text
    assert "You look into parsers" not in done.text


async def test_what_a_child_pinned_comes_home_as_it_is(
    parent: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await parent.spawn("child", "clean")
    await work(other, "child")
    finding = (await other.window(explain=True)).explanation[-1].slot_id
    await other.pin(finding)
    done = await parent.collapse("child", "Looked.")
    assert finding not in done.covered
    assert finding in [item.slot_id for item in (await parent.window(explain=True)).explanation]


async def test_a_child_that_said_nothing_leaves_no_summary(parent: AsyncContextRepository) -> None:
    await parent.spawn("child", "head")
    done = await parent.collapse("child")
    assert (done.summary_slot, done.covered, done.token_delta) == (None, [], 0)


async def test_must_keep_patterns_hold_for_what_comes_home(
    parent: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await parent.notes(keep=["/[Ll]ine \\d+/"])
    await parent.spawn("child", "clean")
    await work(other, "child")
    with pytest.raises(InvalidInputError, match="lacks what it must keep"):
        await parent.collapse("child", "Found it.")
    await parent.collapse("child", "Found it: Line 42.")


async def test_an_edit_of_the_childs_and_one_of_ours_are_a_conflict(
    parent: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    task = (await parent.window(explain=True)).explanation[1].slot_id
    await parent.spawn("child")
    await work(other, "child")
    await other.edit(task, "theirs")
    await parent.edit(task, "ours")
    done = await parent.collapse("child", "Found.")
    assert [conflict.kind for conflict in done.conflicts] == ["content"]


async def test_children_that_cannot_be_are_refused(parent: AsyncContextRepository) -> None:
    await parent.spawn("child")
    with pytest.raises(ConflictError, match="a branch child already"):
        await parent.spawn("child")
    wrong: list[dict[str, Any]] = [{"mode": "selected"}, {"mode": "head", "select": "role:user"}]
    for options in wrong:
        with pytest.raises(InvalidInputError, match="mode selected"):
            await parent.spawn("other", **options)
    with pytest.raises(InvalidInputError, match="cannot be the name"):
        await parent.spawn("../up")
    with pytest.raises(NotFoundError):
        await parent.collapse("nobody")
    assert (await parent.spawn("tried", "head", dry_run=True)).commit_id is None
    assert {branch.name for branch in await parent.branches()} == {"main", "child"}


async def test_a_spawn_is_one_step_of_undo(parent: AsyncContextRepository) -> None:
    await parent.spawn("child", "head")
    await parent.undo()
    assert [branch.name for branch in await parent.branches()] == ["main"]
    await parent.redo()
    assert (await parent.window("child")).state_id == (await parent.window()).state_id
