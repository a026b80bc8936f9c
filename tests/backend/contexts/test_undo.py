"""The operation log: undo takes back whatever the operation was, redo does it again."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import ConflictError, NotFoundError
from conversations import refs, said, say

pytestmark = pytest.mark.both_databases

State = tuple[dict[str, str | None], dict[str, str]]
Operation = Callable[[AsyncClient, AsyncContextRepository], Awaitable[object]]


async def state(client: AsyncClient) -> State:
    """Everything that undo is to restore."""
    tags = {tag.name: tag.commit_id for tag in await client.contexts.open("parser").tags()}
    return await refs(client.contexts.open("parser")), tags


@pytest.fixture
async def filled(repo: AsyncContextRepository) -> AsyncContextRepository:
    """main and fix have diverged, ahead is ahead of main, v1 is a tag; HEAD is on main."""
    await say(repo, "one")
    await repo.tag("v1")
    await repo.branch("fix")
    await say(repo, "theirs")
    await repo.switch("main")
    await say(repo, "ours")
    await repo.branch("ahead")
    await say(repo, "further")
    await repo.switch("main")
    return repo


OPERATIONS: dict[str, Operation] = {
    "commit": lambda _, repo: say(repo, "two", "three"),
    "commit to another branch": lambda _, repo: say(repo, "two", branch="fix"),
    "commit to a new branch": lambda _, repo: say(repo, "two", branch="fresh"),
    "create a branch": lambda _, repo: repo.branch("new", switch=False),
    "create a branch and switch": lambda _, repo: repo.branch("new"),
    "delete a branch": lambda client, _: client.contexts.open("parser").delete_branch("fix", force=True),
    "switch": lambda _, repo: repo.switch("fix"),
    "create a tag": lambda _, repo: repo.tag("v2"),
    "delete a tag": lambda client, _: client.contexts.open("parser").delete_tag("v1"),
    "merge": lambda _, repo: repo.merge("fix"),
    "go forward": lambda _, repo: repo.merge("ahead"),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_undo_takes_an_operation_back_and_redo_does_it_again(
    client: AsyncClient, filled: AsyncContextRepository, operation: Operation
) -> None:
    before, shown = await state(client), await filled.window()
    await operation(client, filled)
    after = await state(client)
    assert after != before

    undone = await filled.undo()
    assert undone.kind == "undo"
    assert await state(client) == before
    assert await filled.window() == shown
    again = await filled.redo()
    assert (again.kind, again.summary) == ("redo", undone.summary)
    assert await state(client) == after


async def test_the_very_first_commit_can_be_undone(client: AsyncClient, repo: AsyncContextRepository) -> None:
    first = await say(repo, "one")
    await repo.undo()
    assert await refs(repo) == {"main": None, "HEAD": "main"}
    with pytest.raises(NotFoundError, match="no commit yet"):
        await repo.window()
    await repo.redo()
    assert await refs(repo) == {"main": first, "HEAD": "main"}
    await repo.undo()
    await say(repo, "another beginning")
    assert await said(repo) == ["another beginning"]


async def test_undo_goes_back_step_by_step_and_redo_forward_again(
    client: AsyncClient, repo: AsyncContextRepository
) -> None:
    states = []
    for text in ("one", "two", "three"):
        await say(repo, text)
        states.append(await state(client))
    for expected in reversed(states[:-1]):
        await repo.undo()
        assert await state(client) == expected
    for expected in states[1:]:
        await repo.redo()
        assert await state(client) == expected
    with pytest.raises(NotFoundError, match="nothing to redo"):
        await repo.redo()
    await repo.undo()
    await repo.undo()
    await repo.redo()
    await repo.undo()
    assert await state(client) == states[0]


async def test_a_new_operation_leaves_nothing_to_redo(client: AsyncClient, repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await say(repo, "dropped")
    await repo.undo()
    await say(repo, "two")
    with pytest.raises(NotFoundError, match="nothing to redo"):
        await repo.redo()
    await repo.undo()
    await repo.redo()
    assert await said(repo) == ["one", "two"], "what was dropped before does not come back"


async def test_undo_says_when_there_is_nothing_left(repo: AsyncContextRepository) -> None:
    with pytest.raises(NotFoundError, match="no context parser"):
        await repo.undo()
    await say(repo, "one")
    with pytest.raises(NotFoundError, match="nothing to redo"):
        await repo.redo()
    await repo.undo()
    with pytest.raises(NotFoundError, match="nothing to undo"):
        await repo.undo()


async def test_who_did_nothing_has_nothing_to_undo_or_redo(
    repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await say(repo, "one")
    with pytest.raises(NotFoundError, match="nothing to undo"):
        await other.undo()
    with pytest.raises(NotFoundError, match="nothing to redo"):
        await other.redo()


async def test_undo_is_refused_where_head_is_not_what_the_log_says(
    client: AsyncClient, repo: AsyncContextRepository, store: Path
) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    await repo.branch("elsewhere", switch=False)
    await repo.undo()
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("UPDATE heads SET branch = 'main'")
    before = await state(client)
    with pytest.raises(ConflictError, match="Cannot undo"):
        await repo.undo()
    assert await state(client) == before


async def test_undo_is_refused_once_somebody_built_on_the_operation(
    client: AsyncClient, repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await say(repo, "one")
    await say(other, "two")
    before, log = await state(client), await client.contexts.open("parser").operations()
    with pytest.raises(ConflictError, match=r"Cannot undo .*something was built on it since") as caught:
        await repo.undo()
    assert caught.value.hint == "Branch from the commit before it instead."
    assert await state(client) == before
    assert await client.contexts.open("parser").operations() == log


async def test_undoing_the_making_of_a_branch_is_refused_once_it_moved(
    client: AsyncClient, repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await say(repo, "one")
    await repo.branch("fix", switch=False)
    await say(other, "two", branch="fix")
    before = await state(client)
    with pytest.raises(ConflictError, match="Cannot undo"):
        await repo.undo()
    assert await state(client) == before


async def test_redo_is_refused_once_somebody_took_the_place(
    client: AsyncClient, repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await say(repo, "one")
    await say(repo, "two")
    await repo.undo()
    await say(other, "instead")
    with pytest.raises(ConflictError, match="Cannot redo"):
        await repo.redo()
    assert await said(repo) == ["one", "instead"]


async def test_everybody_undoes_what_they_did_themselves(
    client: AsyncClient, repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    first = await say(repo, "one")
    await repo.branch("fix", switch=False)
    await other.tag("v1")
    await repo.undo()
    assert await state(client) == ({"main": first, "HEAD": "main"}, {"v1": first})
    await other.undo()
    assert (await state(client))[1] == {}
    with pytest.raises(NotFoundError, match="nothing to undo"):
        await other.undo()


async def test_undo_of_a_merge_lets_it_be_made_again(filled: AsyncContextRepository) -> None:
    await filled.merge("fix")
    await filled.undo()
    assert await said(filled) == ["one", "ours"]
    assert (await filled.merge("fix")).added == 1
    assert await said(filled) == ["one", "ours", "theirs"]


async def test_the_log_of_operations_tells_who_did_what(client: AsyncClient, repo: AsyncContextRepository) -> None:
    await say(repo, "one", message="begin")
    await repo.branch("fix")
    await repo.undo()
    found = await client.contexts.open("parser").operations()
    assert [(row.kind, row.summary, row.undone) for row in found] == [
        ("undo", "created fix", False),
        ("branch", "created fix", True),
        ("commit", "begin", False),
    ]
    assert {(row.contributor, row.working_copy) for row in found} == {("owner", "default")}
    assert [row.operation_id for row in found] == sorted((row.operation_id for row in found), reverse=True)
    assert (await client.contexts.open("parser").operations(limit=1)) == found[:1]


async def test_a_ref_expression_still_leads_to_what_was_undone(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await say(repo, "dropped")
    await repo.undo()
    assert await said(repo, "main@{1}") == ["one", "dropped"]
