"""What a commit means, whichever states of its history are remembered when it is asked for."""

import asyncio
import subprocess
import sys

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace_backend.contexts.states import MEMORY
from conversations import said, say


async def forked(repo: AsyncContextRepository) -> None:
    """Both sides edit the first message and say something; they come together, and one more is said."""
    await say(repo, "one", "two")
    [slot, *_] = [one.slot_id for one in (await repo.window(explain=True)).explanation]
    await repo.branch("fix")
    await repo.edit(slot, "one, by theirs")
    await say(repo, "theirs")
    await repo.switch("main")
    await repo.edit(slot, "one, by ours")
    await say(repo, "ours")
    await repo.merge("fix")
    await say(repo, "after")


@pytest.mark.parametrize("remembered", ["HEAD~1", "HEAD~2", "HEAD~3", "HEAD~4", "fix", "fix~1"])
async def test_a_window_behind_a_merge_is_the_same_whatever_is_remembered(
    repo: AsyncContextRepository, remembered: str
) -> None:
    await forked(repo)
    MEMORY.clear()
    await repo.window(remembered)
    assert await said(repo) == ["one, by ours", "two", "ours", "theirs", "after"]
    assert [(one.kind, len(one.values)) for one in (await repo.status()).conflicts] == [("content", 2)]


async def test_names_mean_first_parents_and_a_branch_before_a_tag_of_its_name(repo: AsyncContextRepository) -> None:
    await forked(repo)
    assert await said(repo, "HEAD~2") == ["one, by ours", "two", "ours"]
    await repo.tag("fix", "HEAD")
    assert await said(repo, "fix") == ["one, by theirs", "two", "theirs"]
    assert await said(repo, "main@{1}") == ["one, by ours", "two", "ours", "theirs"]
    assert await said(repo, "fix@{1}") == ["one, by theirs", "two"]
    assert await said(repo, "main@{3}") == ["one, by ours", "two"]


_PURGE = (
    "import sys; from commontrace import connect; connect(sys.argv[1]).contexts.open(sys.argv[2]).purge('opensesame')"
)


async def test_what_another_process_purged_is_not_remembered(url: str, repo: AsyncContextRepository) -> None:
    await say(repo, "one", "two")
    slot = (await repo.window(explain=True)).explanation[-1].slot_id
    await repo.skip(slot, reason="it says opensesame")
    assert "opensesame" in (await repo.window(explain="all")).model_dump_json()
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _PURGE, url, repo.name], check=True)
    assert "opensesame" not in (await repo.window(explain="all")).model_dump_json()
