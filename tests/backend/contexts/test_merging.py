"""Merges: forward where possible, else the union of both sides, ours first."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontrace import AsyncClient, connect_async
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import NotFoundError
from conversations import refs, said, say

pytestmark = pytest.mark.both_databases


async def fork(repo: AsyncContextRepository) -> None:
    """`main` says one, ours; `fix` says one, theirs. HEAD is on main."""
    await say(repo, "one")
    await repo.branch("fix")
    await say(repo, "theirs")
    await repo.switch("main")
    await say(repo, "ours")


async def everything(client: AsyncClient, repo: AsyncContextRepository) -> tuple[object, ...]:
    return await refs(repo), await repo.log(limit=1000), await client.contexts.open("parser").operations()


async def test_a_merge_shows_ours_and_then_what_theirs_adds(repo: AsyncContextRepository) -> None:
    await fork(repo)
    merge = await repo.merge("fix")
    assert (merge.kind, merge.branch, merge.added) == ("merged", "main", 1)
    assert await said(repo) == ["one", "ours", "theirs"]
    assert await said(repo, "fix") == ["one", "theirs"]
    assert merge.tokens == (await repo.window()).tokens
    made = (await repo.log(limit=1)).commits[0]
    assert (made.commit_id, made.message, made.messages) == (merge.commit_id, "Merge fix into main", 0)
    assert made.parents == [(await repo.log(ref)).commits[0].commit_id for ref in ("main@{1}", "fix")]
    assert merge.bases == [(await repo.log("main~2")).commits[0].commit_id]


async def test_an_unmoved_branch_goes_forward(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    tip = await say(repo, "two", "three")
    await repo.switch("main")
    merge = await repo.merge("fix")
    assert (merge.kind, merge.commit_id, merge.added) == ("fast_forward", tip, 2)
    assert await refs(repo) == {"main": tip, "fix": tip, "HEAD": "main"}
    assert merge.tokens == (await repo.window()).tokens


async def test_merging_twice_changes_nothing(client: AsyncClient, repo: AsyncContextRepository) -> None:
    await fork(repo)
    first = await repo.merge("fix")
    before = await everything(client, repo)
    for source in ("fix", "main", "HEAD", "HEAD~2", str(first.commit_id)):
        again = await repo.merge(source)
        assert (again.kind, again.commit_id, again.added) == ("up_to_date", first.commit_id, 0)
        assert again.tokens == first.tokens
    assert await everything(client, repo) == before


async def test_a_merge_can_name_a_tag_or_a_commit_and_say_why(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.tag("v1", "fix")
    merge = await repo.merge("v1", message="bring the fix home")
    assert (await repo.log(limit=1)).commits[0].message == "bring the fix home"
    assert merge.added == 1


async def test_a_dry_run_tells_what_would_happen_and_writes_nothing(
    client: AsyncClient, repo: AsyncContextRepository
) -> None:
    await fork(repo)
    before = await everything(client, repo)
    preview = await repo.merge("fix", dry_run=True)
    assert (preview.kind, preview.commit_id, preview.added) == ("merged", None, 1)
    assert await everything(client, repo) == before
    done = await repo.merge("fix")
    assert (done.added, done.tokens, done.bases) == (preview.added, preview.tokens, preview.bases)

    await repo.switch("fix")
    before = await everything(client, repo)
    forward = await repo.merge("main", dry_run=True)
    assert (forward.kind, forward.commit_id) == ("fast_forward", done.commit_id)
    assert await everything(client, repo) == before


async def test_a_merge_in_either_direction_holds_the_same_slots(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.branch("there", "main")
    await repo.merge("fix")
    await repo.branch("back", "fix")
    await repo.merge("main")
    one, other = await said(repo, "there"), await said(repo, "back")
    assert (one, other) == (["one", "ours", "theirs"], ["one", "theirs", "ours"])


async def test_writing_goes_on_behind_all_that_a_merge_shows(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.merge("fix")
    await say(repo, "after")
    assert await said(repo) == ["one", "ours", "theirs", "after"]
    await repo.switch("fix")
    await say(repo, "more")
    await repo.switch("main")
    assert (await repo.merge("fix")).added == 1
    assert await said(repo) == ["one", "ours", "theirs", "after", "more"]


async def test_a_third_branch_from_before_a_merge_comes_behind_all_of_ours(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.branch("third")
    await say(repo, "third")
    await repo.switch("main")
    await repo.merge("fix")
    await say(repo, "after")
    await repo.merge("third")
    assert await said(repo) == ["one", "ours", "theirs", "after", "third"]


async def test_a_criss_cross_keeps_the_order_of_each_side_and_then_ours(repo: AsyncContextRepository) -> None:
    await fork(repo)
    await repo.tag("a", "main")
    await repo.tag("b", "fix")
    await repo.merge("b")
    await repo.switch("fix")
    await repo.merge("a")
    assert await said(repo, "main") == ["one", "ours", "theirs"]
    assert await said(repo, "fix") == ["one", "theirs", "ours"]
    merge = await repo.merge("main")
    assert (merge.kind, merge.added, len(merge.bases)) == ("merged", 0, 2)
    assert await said(repo) == ["one", "theirs", "ours"]


async def test_histories_without_a_common_beginning_can_be_merged(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await say(repo, "two", branch="fresh")
    merge = await repo.merge("fresh")
    assert (merge.kind, merge.added, merge.bases) == ("merged", 1, [])
    assert await said(repo) == ["one", "two"]


async def test_what_cannot_be_merged_says_why(repo: AsyncContextRepository) -> None:
    with pytest.raises(NotFoundError, match="no context parser"):
        await repo.merge("fix")
    await say(repo, "one", branch="fresh")
    with pytest.raises(NotFoundError, match="main has no commit yet"):
        await repo.merge("fresh")
    await repo.switch("fresh")
    with pytest.raises(NotFoundError, match="nowhere"):
        await repo.merge("nowhere")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 3)),
        st.tuples(st.just("merge"), st.tuples(st.integers(0, 3), st.integers(0, 3))),
    ),
    min_size=4,
    max_size=12,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_any_appends_and_merges_keep_every_message_once_and_never_change_what_a_window_began_with(
    url: str, steps: list[tuple[str, int | tuple[int, int]]]
) -> None:
    async with connect_async(url) as client:
        repo = client.contexts.open(f"r{len(await client.contexts.repositories())}")
        windows = {f"b{number}": ["root"] for number in range(4)}
        await say(repo, "root")
        for branch in windows:
            await repo.branch(branch, "main")
        for number, (step, what) in enumerate(steps):
            branch = f"b{what if isinstance(what, int) else what[0]}"
            await repo.switch(branch)
            if isinstance(what, int):
                await say(repo, str(number))
                windows[branch] = [*windows[branch], str(number)]
            else:
                theirs = windows[f"b{what[1]}"]
                merge = await repo.merge(f"b{what[1]}")
                new = [text for text in theirs if text not in windows[branch]]
                assert merge.added == len(new)
                # Going forward takes over their order; a merge keeps ours and puts theirs behind it.
                windows[branch] = theirs if merge.kind == "fast_forward" else [*windows[branch], *new]
            window = await repo.window(format="messages")
            assert await said(repo) == windows[branch], step
            assert window.tokens == (await repo.status()).tokens
            assert (await repo.log(limit=1)).commits[0].tokens == window.tokens.tokens
