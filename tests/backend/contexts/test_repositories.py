"""Who sees which repository: its contributor alone, or the team, and nobody else on any route."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from commontrace import AsyncClient
from commontrace.errors import ForbiddenError, InvalidInputError, NotFoundError
from commontrace.models.contexts import NewCommit
from conversations import said, say
from doors import People

pytestmark = pytest.mark.both_databases

Call = Callable[[AsyncClient], Awaitable[object]]
HELLO = NewCommit(messages=[{"role": "user", "content": "hello"}])
READS: dict[str, Call] = {
    "log": lambda client: client.contexts.open("parser").log(),
    "get": lambda client: client.contexts.open("parser").get(),
    "window": lambda client: client.contexts.open("parser").window(),
    "diff": lambda client: client.contexts.open("parser").diff("HEAD"),
    "status": lambda client: client.contexts.open("parser").status(),
    "branches": lambda client: client.contexts.open("parser").branches(),
    "tags": lambda client: client.contexts.open("parser").tags(),
    "operations": lambda client: client.contexts.open("parser").operations(),
}
WRITES: dict[str, Call] = {
    "create branch": lambda client: client.contexts.open("parser").branch("fix"),
    "delete branch": lambda client: client.contexts.open("parser").delete_branch("main", force=True),
    "switch": lambda client: client.contexts.open("parser").switch("main"),
    "create tag": lambda client: client.contexts.open("parser").tag("v1"),
    "delete tag": lambda client: client.contexts.open("parser").delete_tag("v1"),
    "merge": lambda client: client.contexts.open("parser").merge("main"),
    "undo": lambda client: client.contexts.open("parser").undo(),
    "redo": lambda client: client.contexts.open("parser").redo(),
}


def share(store: Path) -> None:
    """Make every repository the team's; nothing else does so yet."""
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("UPDATE repositories SET visibility = 'team'")


@pytest.mark.parametrize("call", (READS | WRITES).values(), ids=READS | WRITES)
async def test_a_private_repository_is_as_good_as_missing_to_others(
    client: AsyncClient, people: People, call: Call
) -> None:
    ann = await people("ann")
    with pytest.raises(NotFoundError) as missing:
        await call(ann)
    await client.contexts.open("parser").store(HELLO)
    with pytest.raises(NotFoundError) as foreign:
        await call(ann)
    assert str(foreign.value) == str(missing.value)
    assert (await client.contexts.open("parser").operations())[0].kind == "commit"


@pytest.mark.parametrize("call", (READS | WRITES).values(), ids=READS | WRITES)
async def test_a_repository_of_the_team_is_missing_to_another_organization(
    client: AsyncClient, people: People, store: Path, call: Call
) -> None:
    await client.contexts.open("parser").store(HELLO)
    share(store)
    eve = await people("eve", "evil corp")
    with pytest.raises(NotFoundError, match="no context parser"):
        await call(eve)


async def test_the_same_name_is_another_repository_for_everybody(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    await say(client.contexts.open("parser"), "mine")
    await say(ann.contexts.open("parser"), "hers")
    assert await said(client.contexts.open("parser")) == ["mine"]
    assert await said(ann.contexts.open("parser")) == ["hers"]
    assert [found.branches for found in await ann.contexts.repositories()] == [1]


async def test_the_team_works_on_what_is_shared_each_with_a_head_of_their_own(
    client: AsyncClient, people: People, store: Path
) -> None:
    mine, hers = client.contexts.open("parser"), (await people("ann")).contexts.open("parser")
    await say(mine, "one")
    share(store)
    await hers.branch("fix")
    await say(hers, "two")
    assert await said(mine) == ["one"]
    assert await said(mine, "fix") == ["one", "two"]
    assert (await mine.status()).branch == "main"
    authors = {commit.author for commit in (await mine.log("fix")).commits}
    assert len(authors) == 2
    assert [found.contributor for found in await client.contexts.open("parser").operations()] == ["ann", "ann", "owner"]
    with pytest.raises(NotFoundError, match="nothing to redo"):
        await mine.redo()


async def test_ones_own_repository_goes_before_the_one_of_the_team(
    client: AsyncClient, people: People, store: Path
) -> None:
    ann = await people("ann")
    await say(client.contexts.open("parser"), "the team's")
    await say(ann.contexts.open("parser"), "hers")
    share(store)
    assert await said(ann.contexts.open("parser")) == ["hers"]
    assert await said(client.contexts.open("parser")) == ["the team's"]


async def test_commits_that_link_a_trace_are_shown_to_those_who_may_see_them(
    client: AsyncClient, people: People, store: Path
) -> None:
    trace = "ab" * 16
    ann, eve = await people("ann"), await people("eve", "evil corp")
    await say(client.contexts.open("parser"), "one", trace_ids=[trace])
    assert [len(await who.contexts.commits_of_trace(trace)) for who in (client, ann, eve)] == [1, 0, 0]
    share(store)
    assert [len(await who.contexts.commits_of_trace(trace)) for who in (client, ann, eve)] == [1, 1, 0]


async def test_a_commit_id_of_another_repository_leads_nowhere(client: AsyncClient) -> None:
    other = await say(client.contexts.open("other"), "secret")
    mine = client.contexts.open("mine")
    await say(mine, "one")
    for ref in (other, other[:12]):
        with pytest.raises(NotFoundError, match="no branch, tag or commit"):
            await mine.window(ref)
        with pytest.raises(NotFoundError, match="no branch, tag or commit"):
            await mine.merge(ref)


async def test_a_key_that_may_only_read_changes_nothing(client: AsyncClient, people: People, store: Path) -> None:
    await client.contexts.open("parser").store(HELLO)
    await client.contexts.open("parser").tag("v1")
    share(store)
    reader = await people("reader", scopes=("read",))
    for call in READS.values():
        await call(reader)
    commit: Call = lambda client: client.contexts.open("parser").store(HELLO)  # noqa: E731 - one more of its kind
    for call in (*WRITES.values(), commit):
        with pytest.raises(ForbiddenError, match="may not contribute"):
            await call(reader)


@pytest.mark.parametrize("name", ["a b", "A", ".hidden", "-x", "a" * 101, "ü", "a%2fb"])
async def test_a_repository_is_called_by_a_plain_name(client: AsyncClient, name: str) -> None:
    with pytest.raises(InvalidInputError, match="repository"):
        await client.contexts.open(name).store(HELLO)
    assert await client.contexts.repositories() == []


async def test_repositories_are_listed_by_name(client: AsyncClient) -> None:
    for name in ("b", "a"):
        await client.contexts.open(name).store(HELLO)
    await client.contexts.open("b").branch("fix")
    found = await client.contexts.repositories()
    assert [(row.name, row.visibility, row.branches) for row in found] == [("a", "private", 1), ("b", "private", 2)]
