"""Collecting: what nothing needs goes, what anything needs stays, and no window changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import ConflictError, NotFoundError
from conversations import refs, said, say
from tampering import changed

pytestmark = pytest.mark.both_databases


async def age(url: str, days: int) -> None:
    """Let everything that was done so far be some days ago, as far as the operation log knows."""
    then = datetime.now(UTC) - timedelta(days=days)
    await changed(url, "UPDATE operations SET created_at = :then", then=then)


async def test_what_nothing_leads_to_goes_after_the_grace(url: str, repo: AsyncContextRepository) -> None:
    await say(repo, "kept")
    lost = await say(repo, "dropped", "dropped too")
    await repo.undo()
    await age(url, 40)
    first = await repo.gc(dry_run=True, grace_days=0)
    assert (first.commits, first.blobs, first.compacted) == (1, 2, False)
    assert (first.size.commits, first.size.blobs) == (2, 3)
    assert (await repo.get(lost[:12])).commit_id == lost

    found = await repo.gc(grace_days=0)
    assert (found.commits, found.blobs, found.bytes, found.compacted) == (1, 2, first.bytes, True)
    assert (found.size.commits, found.size.blobs) == (1, 1)
    assert found.size.bytes == first.size.bytes - found.bytes
    assert found.size.bytes_per_message == found.size.bytes
    assert found.size.store_bytes > 0
    with pytest.raises(NotFoundError):
        await repo.get(lost)
    assert (await repo.verify(full=True)).problems == []
    again = await repo.gc(grace_days=0)
    assert (again.commits, again.blobs, again.compacted) == (0, 0, False)


async def test_what_the_log_names_within_the_grace_stays(repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await say(repo, "two")
    await repo.undo()
    found = await repo.gc()
    assert (found.commits, found.kept_young) == (0, 0)
    await repo.redo()
    assert await said(repo) == ["one", "two"]


async def test_a_young_commit_stays_even_where_no_log_names_it(url: str, repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    lost = await say(repo, "two")
    await repo.undo()
    await age(url, 40)
    assert ((await repo.gc(grace_days=1)).commits, (await repo.gc(grace_days=1)).kept_young) == (0, 1)
    assert (await repo.get(lost)).commit_id == lost


async def test_an_undo_of_what_was_collected_is_refused_clearly(url: str, repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("try")
    await say(repo, "two")
    await repo.switch("main")
    await repo.delete_branch("try", force=True)
    await age(url, 40)
    assert (await repo.gc(grace_days=0)).commits == 1
    before = await refs(repo)
    with pytest.raises(ConflictError, match=r"would bring back was collected.*bundle"):
        await repo.undo()
    with pytest.raises(NotFoundError, match="was collected"):
        await repo.get("try@{1}")
    assert await refs(repo) == before
    assert (await repo.verify(full=True)).sound


async def test_undo_and_redo_pass_over_a_collection(url: str, repo: AsyncContextRepository) -> None:
    await say(repo, "one")
    await repo.branch("try", switch=False)
    await say(repo, "gone")
    await repo.undo()
    await age(url, 40)
    await say(repo, "two")
    await repo.undo()
    assert (await repo.gc(grace_days=0)).commits > 0
    assert (await repo.operations(1))[0].kind == "gc"
    await repo.undo()
    assert "try" not in await refs(repo)
    await repo.redo()
    assert "try" in await refs(repo)


async def test_what_refs_and_summaries_and_notes_need_stays(url: str, repo: AsyncContextRepository) -> None:
    await say(repo, "one " * 50, "two " * 50, "three")
    await repo.tag("before")
    await repo.notes(tools=[{"name": "run"}])
    slots = [item.slot_id for item in (await repo.window(explain=True)).explanation]
    summary = await repo.compress(slots=slots[:2], text="one, two")
    await repo.branch("side")
    await say(repo, "four")
    await repo.switch("main")
    await age(url, 400)
    shown: list[Any] = [await repo.window(ref) for ref in ("main", "side", "before")]
    assert (await repo.gc(grace_days=0)).commits == 0
    assert [await repo.window(ref) for ref in ("main", "side", "before")] == shown
    await repo.expand(str(summary.summary_slot))
    assert len(await said(repo)) == 3


async def test_a_message_that_a_kept_commit_shares_with_a_collected_one_stays(
    url: str, repo: AsyncContextRepository
) -> None:
    await say(repo, "the same")
    await say(repo, "the same", "another")
    await repo.undo()
    await age(url, 40)
    assert (await repo.gc(grace_days=0)).blobs == 1
    assert await said(repo) == ["the same"]


async def test_other_repositories_are_left_alone(url: str, repo: AsyncContextRepository, client: Any) -> None:
    neighbour = client.contexts.open("neighbour")
    await say(neighbour, "one")
    await say(neighbour, "two")
    await neighbour.undo()
    await say(repo, "one")
    await age(url, 40)
    assert (await repo.gc(grace_days=0)).commits == 0
    assert (await neighbour.gc(dry_run=True, grace_days=0)).commits == 1
