"""Reading what was committed: log, diff, status."""

from datetime import UTC, datetime, timedelta

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InvalidInputError
from commontrace.models.contexts import NewCommit
from conversations import say

pytestmark = pytest.mark.both_databases


async def words(repo: AsyncContextRepository, ref: str = "HEAD", *, limit: int = 50, grep: str = "") -> list[str]:
    return [commit.message for commit in (await repo.log(ref, limit=limit, grep=grep)).commits]


async def test_the_log_goes_back_from_a_ref_and_names_what_points_where(repo: AsyncContextRepository) -> None:
    started = datetime.now(UTC)
    for number in range(3):
        await say(repo, "x", message=f"turn {number}", agent="claude")
    await repo.branch("fix", "HEAD~1", switch=False)
    await repo.tag("v1", "HEAD~1")
    log = (await repo.log()).commits
    assert [commit.message for commit in log] == ["turn 2", "turn 1", "turn 0"]
    assert [commit.refs for commit in log] == [["main"], ["fix", "tag: v1"], []]
    assert [commit.parents for commit in log] == [[log[1].commit_id], [log[2].commit_id], []]
    assert {(commit.repository, commit.agent, commit.messages) for commit in log} == {("parser", "claude", 1)}
    assert all(started - timedelta(seconds=1) < commit.created_at < datetime.now(UTC) for commit in log)
    assert await words(repo, "fix") == ["turn 1", "turn 0"]


async def test_a_long_log_is_read_page_by_page(repo: AsyncContextRepository) -> None:
    for number in range(90):
        await say(repo, "x", message=f"turn {number}")
    seen, ref = [], "HEAD"
    while True:
        page = await repo.log(ref, limit=40)
        seen += [commit.message for commit in page.commits]
        if page.next_ref is None:
            break
        ref = page.next_ref
    assert seen == [f"turn {number}" for number in reversed(range(90))]
    assert (await repo.log(limit=90)).next_ref is None
    for limit in (0, 1001):
        with pytest.raises(InvalidInputError, match="limit"):
            await repo.log(limit=limit)


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_pages_through_merges_hold_every_commit_once(repo: AsyncContextRepository, limit: int) -> None:
    await say(repo, "x", message="base")
    for number in range(3):
        await repo.branch(f"b{number}", "main")
        await say(repo, "x", message=f"{number} first")
        await say(repo, "x", message=f"{number} second")
        await repo.switch("main")
        await say(repo, "x", message=f"{number} ours")
        await repo.merge(f"b{number}", message=f"{number} merged")
    whole = await words(repo)
    assert len(whole) == len(set(whole)) == 13
    seen, ref = [], "HEAD"
    while True:
        page = await repo.log(ref, limit=limit)
        assert len(page.commits) == limit or page.next_ref is None
        seen += [commit.message for commit in page.commits]
        if page.next_ref is None:
            break
        ref = page.next_ref
    assert seen == whole


async def test_the_log_of_a_merge_has_every_commit_of_both_sides_once(repo: AsyncContextRepository) -> None:
    await say(repo, "x", message="base")
    await repo.branch("fix")
    for number in range(3):
        await say(repo, "x", message=f"theirs {number}")
    await repo.switch("main")
    await say(repo, "x", message="ours")
    await repo.merge("fix")
    found = await words(repo)
    assert found[0] == "Merge fix into main"
    assert sorted(found) == sorted(["base", "ours", *(f"theirs {n}" for n in range(3)), "Merge fix into main"])
    assert found.index("theirs 2") < found.index("theirs 1") < found.index("theirs 0") < found.index("base")
    assert await words(repo, "HEAD^") == ["ours", "base"]


async def test_commits_side_by_side_are_listed_newest_first(repo: AsyncContextRepository) -> None:
    await say(repo, "x", message="base")
    for number in range(6):
        await repo.branch(f"b{number}", "main", switch=False)
        await say(repo, "x", branch=f"b{number}", message=f"side {number}")
    for number in range(1, 6):
        await repo.switch(f"b{number}")
        await repo.merge(f"b{number - 1}")
    found = [text for text in await words(repo) if text.startswith("side")]
    assert found == [f"side {number}" for number in reversed(range(6))]


async def test_grep_finds_words_in_notes_and_in_what_was_said(
    client: AsyncClient, repo: AsyncContextRepository
) -> None:
    await say(repo, "Why does the PARSER fail?", message="first")
    await say(repo, "unrelated", message="about the Parser")
    await say(repo, "nothing here", message="third")
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "run", "input": {}}]}
    result = {"role": "tool", "tool_call_id": "a", "content": "parser error at line 3"}
    await client.contexts.open("parser").store(NewCommit(messages=[call, result], message="fourth"))
    assert await words(repo, grep="parser") == ["fourth", "about the Parser", "first"]
    assert await words(repo, grep="pArSeR", limit=2) == ["fourth", "about the Parser"]
    assert await words(repo, grep="no such words") == []
    assert await words(repo, grep="100%") == []


async def test_grep_pages_like_the_log_and_reads_far_back(repo: AsyncContextRepository) -> None:
    await say(repo, "needle", message="oldest")
    for number in range(210):
        await say(repo, "hay", message=f"turn {number}")
    await say(repo, "needle", message="newest")
    page = await repo.log(grep="needle", limit=1)
    assert [commit.message for commit in page.commits] == ["newest"]
    assert page.next_ref is not None
    assert await words(repo, page.next_ref, grep="needle") == ["oldest"]


async def test_a_diff_tells_what_one_window_has_and_the_other_has_not(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("fix")
    await say(repo, "theirs")
    await repo.switch("main")
    await say(repo, "ours", "also ours")
    found = await repo.diff("fix", "main")
    assert [(item.change, item.role, item.text) for item in found.changes] == [
        ("removed", "user", "theirs"),
        ("added", "user", "ours"),
        ("added", "user", "also ours"),
    ]
    totals = [(await repo.window(ref)).tokens.tokens for ref in ("fix", "main")]
    assert found.token_delta == totals[1] - totals[0]
    assert found.token_delta == sum(item.tokens if item.change == "added" else -item.tokens for item in found.changes)
    back = await repo.diff("main", "fix")
    assert back.token_delta == -found.token_delta
    assert {item.text for item in back.changes} == {"theirs", "ours", "also ours"}


async def test_a_diff_of_one_window_with_itself_is_empty(repo: AsyncContextRepository) -> None:
    await say(repo, "one", "two")
    found = await repo.diff("HEAD", "main")
    assert (found.changes, found.token_delta) == ([], 0)
    await say(repo, "three")
    assert [item.text for item in (await repo.diff("HEAD~1")).changes] == ["three"]


async def test_a_diff_takes_one_window_to_the_other(repo: AsyncContextRepository) -> None:
    await say(repo, *"abcabc")
    await repo.branch("fix", "HEAD")
    await say(repo, *"xby")
    await repo.switch("main")
    await say(repo, *"bxx")
    for one, other in (("main", "fix"), ("fix", "main"), ("HEAD~1", "fix")):
        before, after = [
            [message["parts"][0]["text"] for message in (await repo.window(ref, format="messages")).messages or []]
            for ref in (one, other)
        ]
        changes = (await repo.diff(one, other)).changes
        removed = [item.text for item in changes if item.change == "removed"]
        added = [item.text for item in changes if item.change == "added"]
        assert sorted(before + added) == sorted(after + removed)
        assert [text for text in added if text in after] == added


async def test_status_says_where_writing_goes_on(repo: AsyncContextRepository) -> None:
    first = await say(repo, "one", "two")
    await repo.branch("fix")
    status = await repo.status()
    assert (status.repository, status.branch, status.commit_id, status.messages) == ("parser", "fix", first, 2)


async def test_branches_show_their_newest_note_and_which_is_current(repo: AsyncContextRepository) -> None:
    await say(repo, "one", message="begin")
    await repo.branch("fix")
    await say(repo, "two", message="try")
    assert [(branch.name, branch.message, branch.current) for branch in await repo.branches()] == [
        ("fix", "try", True),
        ("main", "begin", False),
    ]


async def test_pages_of_a_merged_history_hold_every_commit_once(repo: AsyncContextRepository) -> None:
    await say(repo, "x", message="base")
    await repo.branch("side")
    for number in range(4):
        await say(repo, "x", message=f"side {number}")
    await repo.switch("main")
    for number in range(4):
        await say(repo, "x", message=f"main {number}")
    await repo.merge("side")
    whole = [commit.commit_id for commit in (await repo.log()).commits]
    for limit in (1, 2, 3):
        paged, ref = [], "HEAD"
        while ref:
            page = await repo.log(ref, limit=limit)
            paged += [commit.commit_id for commit in page.commits]
            ref = page.older
        assert paged == whole
