"""The log: filters, ranges, pages, and refs by time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError, NotFoundError
from conversations import say
from doors import People

pytestmark = pytest.mark.both_databases


async def logged(repo: AsyncContextRepository, ref: str = "HEAD", **sought: Any) -> list[str]:
    return [commit.message for commit in (await repo.log(ref, **sought)).commits]


@pytest.fixture
async def forked(repo: AsyncContextRepository) -> AsyncContextRepository:
    """`main` with one, two, three; `try` with one, a, b; both merged into main."""
    await say(repo, "1", message="one")
    await repo.branch("try")
    await say(repo, "a", message="a", agent="claude-code")
    await say(repo, "b", message="b", agent="Codex")
    await repo.switch("main")
    await say(repo, "2", message="two")
    await say(repo, "3", message="three")
    await repo.merge("try", message="merged")
    return repo


async def test_a_range_holds_what_leads_to_its_end_alone(forked: AsyncContextRepository) -> None:
    assert await logged(forked, "try..main~1") == ["three", "two"]
    assert await logged(forked, "main~1..try") == ["b", "a"]
    assert await logged(forked, "main~1..") == await logged(forked, "main~1..HEAD") == ["merged", "b", "a"]
    assert await logged(forked, "main..try") == []


async def test_a_range_goes_on_where_its_page_ends(forked: AsyncContextRepository) -> None:
    whole = await logged(forked, "main~3..main")
    found: list[str] = []
    ref: str | None = "main~3..main"
    while ref:
        page = await forked.log(ref, limit=2)
        found += [commit.message for commit in page.commits]
        ref = page.next_ref
    assert sorted(found) == sorted(whole)
    assert len(whole) == 5


async def test_an_author_is_found_by_a_part_of_their_name_or_their_agents(forked: AsyncContextRepository) -> None:
    assert await logged(forked, author="code") == ["b", "a"]
    assert await logged(forked, author="claude") == ["a"]
    owner = (await forked.log(limit=1)).commits[0].author_name
    assert len(await logged(forked, author=owner.upper()[:3])) == 6
    assert await logged(forked, author="nobody") == []


async def test_the_log_tells_who_committed_by_name(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    repo = ann.contexts.open("hers")
    await say(repo, "1", message="one")
    [commit] = (await repo.log()).commits
    assert commit.author_name == "ann"
    assert (await repo.get()).author_name == "ann"


async def test_filters_by_time_take_moments_as_people_write_them(forked: AsyncContextRepository) -> None:
    assert len(await logged(forked, since="1 hour ago")) == 6
    assert await logged(forked, until="1 hour ago") == []
    assert len(await logged(forked, since="yesterday", until="today")) == 6
    middle = (await forked.get("main~1")).created_at
    assert await logged(forked, since=middle.isoformat()) == ["merged", "three"]
    assert "three" not in await logged(forked, until=(middle - timedelta(microseconds=1)).isoformat())


async def test_filters_hold_together(forked: AsyncContextRepository) -> None:
    await forked.label("kept", "try")
    assert await logged(forked, author="codex", grep="B", label="kept") == ["b"]
    assert await logged(forked, author="claude", grep="b") == []


@pytest.mark.parametrize("moment", ["soon", "2026-13-01", "2 fortnights ago", "999999 weeks ago", "-1"])
async def test_a_time_that_is_none_is_refused(forked: AsyncContextRepository, moment: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a time"):
        await logged(forked, since=moment)


async def test_a_filter_that_is_none_is_a_mistake_of_the_program(repo: AsyncContextRepository) -> None:
    with pytest.raises(TypeError, match="colour"):
        await repo.log(colour="red")


async def test_a_branch_is_found_where_it_was_at_a_time(repo: AsyncContextRepository) -> None:
    before = datetime.now(UTC)
    first = await say(repo, "1")
    between = datetime.now(UTC)
    second = await say(repo, "2")
    await repo.reset("HEAD~1")
    assert (await repo.get(f"main@{{{between:%Y-%m-%d %H:%M:%S.%f}}}")).commit_id == first
    assert (await repo.get("main@{now}")).commit_id == (await repo.get("@{today}")).commit_id == first
    assert (await repo.get("main@{1}")).commit_id == second
    assert (await repo.get(f"HEAD@{{{datetime.now(UTC):%Y-%m-%d}}}")).commit_id == first
    with pytest.raises(NotFoundError, match="main was not there at"):
        await repo.get(f"main@{{{before.isoformat()}}}")
    with pytest.raises(NotFoundError, match="main was not there at"):
        await repo.get("main@{2 days ago}")


async def test_a_deleted_branch_is_found_where_it_was_at_a_time(repo: AsyncContextRepository) -> None:
    await say(repo, "1")
    await repo.branch("try")
    gone = await say(repo, "2")
    moment = datetime.now(UTC).isoformat()
    await repo.switch("main")
    await repo.delete_branch("try", force=True)
    assert (await repo.get(f"try@{{{moment}}}")).commit_id == gone
