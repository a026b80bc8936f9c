"""Branches, tags and HEAD: what they may be called, where they point, and what happens on one of them alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import AmbiguousRefError, ConflictError, InvalidInputError, NotFoundError
from conversations import refs, said, say


async def test_the_first_commit_makes_the_repository_and_its_main_branch(repo: AsyncContextRepository) -> None:
    first = await say(repo, "one")
    assert await refs(repo) == {"main": first, "HEAD": "main"}


async def test_nothing_on_one_branch_changes_what_another_one_shows(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    await say(repo, "two", "three")
    await repo.tag("done")
    await repo.switch("main")
    before = await repo.window()
    await say(repo, "four")
    await repo.merge("fix")
    assert await said(repo, "fix") == ["one", "two", "three"]
    assert await repo.window("main~2") == before.model_copy(update={"ref": "main~2"})


async def test_every_working_copy_has_its_own_head(repo: AsyncContextRepository, other: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    await say(other, "two")
    await say(repo, "three")
    assert (await repo.status()).branch == "fix"
    assert (await other.status()).branch == "main"
    assert await said(repo) == ["one", "three"]
    assert await said(other) == ["one", "two"]


async def test_a_branch_begins_where_it_is_told_to(repo: AsyncContextRepository) -> None:
    first = await say(repo, "one")
    await say(repo, "two")
    made = await repo.branch("old", "HEAD~1", switch=False)
    assert (made.name, made.commit_id, made.current) == ("old", first, False)
    assert (await repo.status()).branch == "main"


async def test_a_branch_name_that_is_taken_or_bad_is_refused(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    with pytest.raises(ConflictError, match="is a branch main already"):
        await repo.branch("main")
    with pytest.raises(InvalidInputError, match="cannot be the name"):
        await repo.branch("HEAD")
    with pytest.raises(NotFoundError, match="no branch, tag or commit nowhere"):
        await repo.branch("fix", "nowhere")
    with pytest.raises(InvalidInputError, match="cannot be the name"):
        await say(repo, "two", branch="a..b")
    assert await refs(repo) == {"main": (await repo.log()).commits[0].commit_id, "HEAD": "main"}


async def test_a_commit_to_a_named_branch_leaves_head_where_it_is(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("fix", switch=False)
    await say(repo, "two", branch="fix")
    await say(repo, "a new beginning", branch="fresh")
    assert (await repo.status()).branch == "main"
    assert await said(repo, "fix") == ["one", "two"]
    assert await said(repo, "fresh") == ["a new beginning"]


async def test_switching_needs_a_branch(repo: AsyncContextRepository) -> None:
    with pytest.raises(NotFoundError, match="no context parser"):
        await repo.switch("main")
    await say(repo, "one")
    await repo.tag("v1")
    for name in ("nowhere", "v1", "HEAD"):
        with pytest.raises(NotFoundError, match="no branch"):
            await repo.switch(name)
    assert (await repo.switch("main")).current


async def test_a_branch_is_deleted_unless_something_would_be_lost(
    client: AsyncClient, repo: AsyncContextRepository
) -> None:
    delete = repo.delete_branch
    await say(repo, "one")
    await repo.branch("same")
    await repo.branch("fix")
    await say(repo, "two")
    with pytest.raises(ConflictError, match="You are on fix"):
        await delete("fix", force=True)
    await repo.switch("main")
    with pytest.raises(ConflictError, match="Nothing else leads to the commits of fix"):
        await delete("fix")
    with pytest.raises(NotFoundError, match="no branch nowhere"):
        await delete("nowhere")
    await delete("same")
    await repo.tag("kept", "fix")
    assert (await delete("fix")).name == "fix"
    assert await refs(repo) == {"main": (await repo.log("kept~1")).commits[0].commit_id, "HEAD": "main"}


async def test_a_branch_that_nothing_keeps_goes_with_force(client: AsyncClient, repo: AsyncContextRepository) -> None:
    lost = await say(repo, "one")
    await say(repo, "another beginning", branch="fresh")
    await repo.switch("fresh")
    with pytest.raises(ConflictError, match="Nothing else"):
        await client.contexts.open("parser").delete_branch("main")
    await client.contexts.open("parser").delete_branch("main", force=True)
    assert set(await refs(repo)) == {"fresh", "HEAD"}
    assert await said(repo, lost) == ["one"], "its commits stay"


async def test_a_commit_on_a_branch_that_somebody_deleted_says_so(
    client: AsyncClient, repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await say(repo, "one")
    await other.branch("fix")
    await client.contexts.open("parser").delete_branch("fix")
    with pytest.raises(NotFoundError, match="fix, which you are on, is gone"):
        await say(other, "two")
    assert (await other.branch("fix", "main")).current
    await other.commit("still gathered")
    assert await said(other) == ["one", "two"]


async def test_a_tag_stays_where_it_is(client: AsyncClient, repo: AsyncContextRepository) -> None:
    first = await say(repo, "one")
    assert (await repo.tag("v1")).commit_id == first
    await say(repo, "two")
    assert await said(repo, "v1") == ["one"]
    with pytest.raises(ConflictError, match="is a tag v1 already"):
        await repo.tag("v1")
    with pytest.raises(InvalidInputError, match="cannot be the name"):
        await repo.tag("a b")
    assert [tag.name for tag in await client.contexts.open("parser").tags()] == ["v1"]
    assert (await client.contexts.open("parser").delete_tag("v1")).commit_id == first
    with pytest.raises(NotFoundError, match="no tag v1"):
        await client.contexts.open("parser").delete_tag("v1")
    assert await client.contexts.open("parser").tags() == []


async def test_names_with_slashes_work_everywhere(client: AsyncClient, repo: AsyncContextRepository) -> None:
    first = await say(repo, "one")
    await repo.branch("fix/parser-2")
    await repo.tag("v1/rc", "fix/parser-2")
    assert (await client.contexts.open("parser").get("fix/parser-2")).commit_id == first
    assert (await client.contexts.open("parser").get("v1/rc~0")).commit_id == first
    await repo.switch("main")
    await client.contexts.open("parser").delete_tag("v1/rc")
    await client.contexts.open("parser").delete_branch("fix/parser-2")
    assert set(await refs(repo)) == {"main", "HEAD"}


async def test_a_branch_goes_before_a_tag_and_a_tag_before_a_prefix(repo: AsyncContextRepository) -> None:
    first = await say(repo, "one")
    await repo.tag("twin")
    second = await say(repo, "two")
    await repo.branch("twin")
    assert (await repo.log("twin")).commits[0].commit_id == second
    await repo.tag(first[:8], second)
    assert (await repo.log(first[:8])).commits[0].commit_id == second
    assert (await repo.log(first[:9])).commits[0].commit_id == first


async def test_an_expression_finds_the_commit_that_it_means(repo: AsyncContextRepository) -> None:
    one, two, three = [await say(repo, text) for text in ("one", "two", "three")]
    await repo.branch("fix", "HEAD~1")
    meant = {
        "HEAD": two,
        "@": two,
        "main": three,
        "main~": two,
        "main^^": one,
        "main~1^": one,
        "fix~1": one,
        "main@{0}": three,
        "main@{1}": two,
        "main@{2}": one,
        "main@{1}~1": one,
        "fix@{0}": two,
        "@{0}": two,
        three: three,
        three[:7]: three,
        three[:12].upper(): three,
        f"{three[:7]}~2": one,
    }
    assert {text: (await repo.log(text)).commits[0].commit_id for text in meant} == meant


@pytest.mark.parametrize(
    ("text", "said_then"),
    [
        ("main~3", "does not go back 3 commits"),
        ("main~999999", "does not go back 999999 commits"),
        ("main@{3}", "history of main does not go back 3 moves"),
        ("main@{99}", "history of main does not go back 99 moves"),
        ("nowhere@{0}", "history of nowhere does not go back"),
        ("nowhere", "no branch, tag or commit nowhere"),
        ("abc", "no branch, tag or commit abc"),
        ("f" * 64, "no branch, tag or commit"),
        ("f" * 65, "no branch, tag or commit"),
        ("%", "no branch, tag or commit %"),
    ],
)
async def test_a_ref_that_leads_nowhere_is_not_found(repo: AsyncContextRepository, text: str, said_then: str) -> None:
    for word in ("one", "two", "three"):
        await say(repo, word)
    with pytest.raises(NotFoundError, match=said_then):
        await repo.log(text)


async def test_a_misspelt_ref_names_those_that_are_close(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("fix/parser", switch=False)
    await repo.branch("docs", switch=False)
    with pytest.raises(NotFoundError) as caught:
        await repo.window("fix/praser")
    assert caught.value.hint == "There is fix/parser."
    with pytest.raises(NotFoundError) as caught:
        await repo.window("zzz")
    assert caught.value.hint == "There is docs, fix/parser, main."


async def test_a_prefix_that_several_commits_share_names_them(repo: AsyncContextRepository, store: Path) -> None:
    first = await say(repo, "one")
    twin = first[:10] + "0" * 54
    with closing(sqlite3.connect(store)) as database, database:
        same = "repository_id, tenant_id, encoded, generation, window_messages, window_tokens, encoding"
        database.execute(f"INSERT INTO commits (commit_id, {same}) SELECT ?, {same} FROM commits", [twin])
    with pytest.raises(AmbiguousRefError, match=f"{first[:10]} is the beginning of several") as caught:
        await repo.log(first[:10])
    assert caught.value.extra["candidates"] == sorted([first, twin])
    assert (await repo.log(first[:20])).commits[0].commit_id == first


async def test_nothing_can_be_read_from_a_branch_without_a_commit(repo: AsyncContextRepository) -> None:
    await say(repo, "one", branch="fresh")
    for what in (repo.window(), repo.log(), repo.branch("fix"), repo.tag("v1"), repo.merge("fresh")):
        with pytest.raises(NotFoundError, match="main has no commit yet"):
            await what
    status = await repo.status()
    assert (status.branch, status.commit_id, status.messages, status.tokens.tokens) == ("main", None, 0, 0)
    assert (await refs(repo))["main"] is None
