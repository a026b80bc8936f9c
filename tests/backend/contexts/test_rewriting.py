"""Cherry-pick, revert, apply, rebase and reset through the client."""

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError, MergeConflictError
from conversations import said, say


async def slot(repo: AsyncContextRepository, place: int, ref: str = "HEAD") -> str:
    return (await repo.window(ref, explain=True)).explanation[place].slot_id


async def fork(repo: AsyncContextRepository) -> None:
    """main: one, ours; fix: one, theirs, more. HEAD is on main."""
    await say(repo, "one", message="one")
    await repo.branch("fix")
    await say(repo, "theirs", message="theirs")
    await say(repo, "more", message="more")
    await repo.switch("main")
    await say(repo, "ours", message="ours")


async def test_a_picked_commit_names_its_origin_and_is_not_brought_again_by_a_merge(
    repo: AsyncContextRepository,
) -> None:
    await fork(repo)
    origin = (await repo.get("fix~1")).commit_id
    picked = await repo.cherry_pick("fix~1")
    assert await said(repo) == ["one", "ours", "theirs"]
    made = await repo.get(picked.commits[0])
    assert (made.message, made.metadata) == ("theirs", {"picked_from": origin})
    assert (await repo.cherry_pick("fix~1")).skipped == [origin]
    await repo.merge("fix")
    assert await said(repo) == ["one", "ours", "theirs", "more"]


async def test_picking_all_commits_of_a_branch_in_order_is_rebasing_it(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.branch("picked")
    await repo.cherry_pick("main..fix")
    await repo.switch("fix")
    await repo.rebase("main")
    assert (await repo.window("picked")).state_id == (await repo.window("fix")).state_id
    with pytest.raises(InvalidInputError, match="holds no commit"):
        await repo.cherry_pick("fix..main")


async def test_reverting_takes_a_change_back_and_reverting_the_revert_makes_it_again(
    repo: AsyncContextRepository,
) -> None:
    await fork(repo)
    await repo.merge("fix")
    merged = await repo.window()
    await repo.edit(await slot(repo, 0), "changed")
    edited = await repo.window()
    await repo.revert("HEAD")
    assert (await repo.window()).state_id == merged.state_id
    await repo.revert("HEAD")
    assert (await repo.window()).state_id == edited.state_id
    await repo.revert("HEAD~3")  # the merge: what it brought goes
    assert await said(repo) == ["changed", "ours"]
    await repo.revert("HEAD")
    assert (await repo.window()).state_id == edited.state_id


async def test_a_change_that_contradicts_what_stands_is_refused_until_a_side_is_chosen(
    repo: AsyncContextRepository,
) -> None:
    await say(repo, "one")
    first = await slot(repo, 0)
    await repo.edit(first, "two")
    await repo.edit(first, "three")
    log = await repo.log()
    with pytest.raises(MergeConflictError, match="something else by now") as caught:
        await repo.revert("HEAD~1")
    assert caught.value.extra["slots"] == [first]
    assert await repo.log() == log
    await repo.revert("HEAD~1", strategy="ours")
    assert await said(repo) == ["three"]
    await repo.revert("HEAD~1", strategy="theirs")
    assert await said(repo) == ["one"]


async def test_a_diff_that_is_applied_where_it_begins_leads_to_where_it_ends(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.edit(await slot(repo, 0), "edited")
    await repo.pin(await slot(repo, 0))
    for a, b in (("main", "fix"), ("fix", "main"), ("main~1", "fix~1")):
        await repo.branch(f"at-{b.replace('~', '-')}-{a.replace('~', '-')}", a)
        await repo.apply(await repo.diff(a, b))
        assert (await repo.window()).state_id == (await repo.window(b)).state_id
    difference = await repo.diff("main", "fix")
    assert [change.change for change in difference.changes].count("edited") == 1
    assert {change.change for change in difference.changes} == {"edited", "priority", "added", "removed"}


async def test_a_rebase_keeps_the_branchs_own_edits(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.switch("fix")
    await repo.edit(await slot(repo, 1), "theirs, better")
    await repo.skip(await slot(repo, 2))
    await repo.edit(await slot(repo, 0), "one, better")
    result = await repo.rebase("main")
    assert len(result.commits) == 5
    assert await said(repo) == ["one, better", "ours", "theirs, better"]
    assert [commit.message for commit in (await repo.log(limit=2)).commits] == ["Edit a message", "Mark as skip"]


async def test_a_rebase_onto_its_own_base_changes_nothing_and_there_and_back_is_where_it_was(
    repo: AsyncContextRepository,
) -> None:
    await fork(repo)
    await repo.switch("fix")
    before = await repo.get("HEAD")
    assert (await repo.rebase("main~1")).commits == []
    assert await repo.get("HEAD") == before
    state = (await repo.window()).state_id
    await repo.rebase("main")
    assert (await repo.window()).state_id != state
    base = (await repo.get("main~1")).commit_id
    await repo.reset("fix@{1}")
    assert (await repo.window()).state_id == state
    assert (await repo.rebase(base)).head == before.commit_id


async def test_a_rebase_refuses_what_both_sides_wrote_until_a_side_is_chosen(repo: AsyncContextRepository) -> None:
    await fork(repo)
    shared = await slot(repo, 0)
    await repo.edit(shared, "ours says")
    await repo.switch("fix")
    await repo.edit(shared, "theirs says")
    before = await repo.branches()
    with pytest.raises(MergeConflictError, match="Both sides wrote differently"):
        await repo.rebase("main")
    assert await repo.branches() == before
    await repo.rebase("main", strategy="ours")
    assert (await said(repo))[0] == "ours says"
    await repo.undo()
    await repo.rebase("main", strategy="theirs")
    assert (await said(repo))[0] == "theirs says"


async def test_a_reset_gives_back_what_it_no_longer_shows_and_can_be_undone(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.switch("fix")
    tip = (await repo.get("HEAD")).commit_id
    tried = await repo.reset("HEAD~2", dry_run=True)
    assert await said(repo) == ["one", "theirs", "more"]
    result = await repo.reset("HEAD~2")
    assert result == tried
    assert [message["parts"][0]["text"] for message in result.messages] == ["theirs", "more"]
    assert await said(repo) == ["one"]
    for message in result.messages:
        repo.add(message)
    await repo.commit("again, as one")
    assert await said(repo) == ["one", "theirs", "more"]
    await repo.undo()
    await repo.undo()
    assert (await repo.get("HEAD")).commit_id == tip
