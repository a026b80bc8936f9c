"""Merging with modes, strategies and resolutions through the client."""

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError
from commontrace.models.contexts import MergeResult, Resolution
from conversations import said, say


async def slots(repo: AsyncContextRepository, ref: str = "HEAD") -> list[str]:
    return [item.slot_id for item in (await repo.window(ref, explain=True)).explanation]


async def fork(repo: AsyncContextRepository) -> list[str]:
    """Both sides edit the first message; theirs skips the second one, which ours edits too. HEAD is on main."""
    await say(repo, "one", "two", "three")
    ids = await slots(repo)
    await repo.branch("fix")
    await repo.edit(ids[0], "one, by theirs")
    await repo.skip(ids[1])
    await say(repo, "added by theirs")
    await repo.switch("main")
    await repo.edit(ids[0], "one, by ours")
    await repo.edit(ids[1], "two, by ours")
    return ids


async def test_conflicts_are_kept_as_values_and_hide_nothing(repo: AsyncContextRepository) -> None:
    ids = await fork(repo)
    preview = await repo.merge("fix", dry_run=True)
    merged = await repo.merge("fix")
    assert merged.conflicts == preview.conflicts
    assert [(one.kind, one.slot_id) for one in merged.conflicts] == [("content", ids[0]), ("contradiction", ids[1])]
    assert [value.text for value in merged.conflicts[0].values] == ["one, by ours", "one, by theirs"]
    assert await said(repo) == ["one, by ours", "two, by ours", "three", "added by theirs"]
    assert (await repo.merge("fix")).kind == "up_to_date"


async def test_conflicts_are_the_same_from_the_other_side(repo: AsyncContextRepository) -> None:
    await fork(repo)
    mine = await repo.merge("fix", dry_run=True)
    await repo.switch("fix")
    yours = await repo.merge("main", dry_run=True)

    def plain(merged: MergeResult) -> list[tuple[str, str, list[str]]]:
        found = [(one.kind, one.slot_id, sorted(str(value.value) for value in one.values)) for one in merged.conflicts]
        return sorted(found)

    assert plain(mine) == plain(yours)


@pytest.mark.parametrize(
    ("strategy", "shown"),
    [
        ("ours", ["one, by ours", "two, by ours", "three", "added by theirs"]),
        ("theirs", ["one, by theirs", "three", "added by theirs"]),
        ("base", ["one", "two, by ours", "three", "added by theirs"]),
    ],
)
async def test_a_strategy_settles_every_conflict(repo: AsyncContextRepository, strategy: str, shown: list[str]) -> None:
    await fork(repo)
    merged = await repo.merge("fix", strategy=strategy)
    assert merged.conflicts == []
    assert await said(repo) == shown
    assert (await repo.merge("fix")).kind == "up_to_date"


async def test_a_conflict_is_settled_one_by_one_while_merging_or_later(repo: AsyncContextRepository) -> None:
    ids = await fork(repo)
    merged = await repo.merge("fix", resolutions=[Resolution(slot=ids[0], use="theirs")])
    assert [one.kind for one in merged.conflicts] == ["contradiction"]
    assert (await said(repo))[0] == "one, by theirs"
    done = await repo.resolve(Resolution(slot=ids[1], use="theirs"))
    assert done.commit_id is not None
    assert await said(repo) == ["one, by theirs", "three", "added by theirs"]
    assert (await repo.resolve(strategy="ours")).commit_id is None
    with pytest.raises(InvalidInputError, match="No conflicts are at"):
        await repo.resolve(Resolution(slot=ids[2], use="ours"))


async def test_a_conflict_can_be_settled_by_words_of_its_own(repo: AsyncContextRepository) -> None:
    ids = await fork(repo)
    both = Resolution(slot=ids[0], content={"role": "user", "content": "one, by both"})
    merged = await repo.merge("fix", resolutions=[both], strategy="ours")
    assert merged.conflicts == []
    assert (await said(repo))[0] == "one, by both"
    await repo.undo()
    await repo.merge("fix")
    with pytest.raises(InvalidInputError, match="only while merging"):
        await repo.resolve(Resolution(slot=ids[0], use="base"))


async def test_the_same_change_on_both_sides_and_an_edit_beside_a_pin_are_clean(repo: AsyncContextRepository) -> None:
    await say(repo, "one", "two")
    ids = await slots(repo)
    await repo.branch("fix")
    await repo.edit(ids[0], "same")
    await repo.pin(ids[1])
    await repo.switch("main")
    await repo.edit(ids[0], "same")
    await repo.edit(ids[1], "two, edited")
    assert (await repo.merge("fix")).conflicts == []
    assert await said(repo) == ["same", "two, edited"]
    assert (await repo.slot(ids[1])).priority == "pinned"


async def test_a_squash_brings_theirs_as_a_summary_that_opens(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    await say(repo, "tried a", "tried b", "it was c")
    await repo.switch("main")
    await say(repo, "meanwhile")
    merged = await repo.merge("fix", mode="squash", text="It was c.")
    assert (merged.added, merged.mode) == (1, "squash")
    assert (await said(repo))[:2] == ["one", "meanwhile"]
    assert "It was c." in (await said(repo))[2]
    await repo.expand((await slots(repo))[2])
    assert await said(repo) == ["one", "meanwhile", "tried a", "tried b", "it was c"]
    assert (await repo.merge("fix")).kind == "up_to_date"


async def test_an_injection_brings_chosen_commits_alone(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    await say(repo, "noise")
    wanted = await say(repo, "the finding")
    await repo.switch("main")
    await say(repo, "meanwhile")
    merged = await repo.merge("fix", mode="inject", commits=["fix"])
    assert merged.added == 1
    assert await said(repo) == ["one", "meanwhile", "the finding"]
    assert (await repo.get("HEAD")).metadata == {"picked_from": [wanted]}
    assert len((await repo.get("HEAD")).parents) == 1
    await repo.merge("fix")
    assert await said(repo) == ["one", "meanwhile", "the finding", "noise"]


async def test_several_branches_come_together_in_one_commit(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    for name in ("a", "b", "c"):
        await repo.branch(name, "main")
        await say(repo, name)
    await repo.switch("main")
    merged = await repo.merge("a", "b", "c")
    assert (merged.kind, merged.added) == ("merged", 3)
    assert len((await repo.get("HEAD")).parents) == 4
    assert await said(repo) == ["one", "a", "b", "c"]


async def test_a_merge_commit_is_made_where_one_is_wanted_though_nothing_has_to_be_merged(
    repo: AsyncContextRepository,
) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    await say(repo, "two")
    await repo.switch("main")
    assert (await repo.merge("fix", fast_forward=False)).kind == "merged"
    assert len((await repo.get("HEAD")).parents) == 2
    assert await said(repo) == ["one", "two"]
