"""Labels on commits, and branches that one working copy claims."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import ConflictError, InvalidInputError, NotFoundError
from conversations import said, say


async def test_a_commit_has_many_labels_and_a_label_many_commits(repo: AsyncContextRepository) -> None:
    first = await say(repo, "1")
    second = await say(repo, "2")
    await repo.label("good")
    await repo.label("good", "HEAD~1")
    await repo.label("reviewed/twice")
    newest, oldest = (await repo.log()).commits
    assert (newest.labels, oldest.labels) == (["good", "reviewed/twice"], ["good"])
    assert newest.refs == ["main"]
    assert {(label.name, label.commit_id) for label in await repo.labels()} == {
        ("good", first),
        ("good", second),
        ("reviewed/twice", second),
    }
    assert [commit.commit_id for commit in (await repo.log(label="reviewed/twice")).commits] == [second]


async def test_a_label_is_taken_off_and_undo_brings_it_back(repo: AsyncContextRepository) -> None:
    await say(repo, "1")
    await repo.label("good")
    await repo.delete_label("good")
    assert await repo.labels() == []
    await repo.undo()
    assert [label.name for label in await repo.labels()] == ["good"]
    await repo.undo()
    assert await repo.labels() == []


async def test_labels_that_cannot_be_are_refused(repo: AsyncContextRepository) -> None:
    await say(repo, "1")
    await repo.label("good")
    with pytest.raises(ConflictError, match="has the label good already"):
        await repo.label("good")
    with pytest.raises(NotFoundError, match="has no label bad"):
        await repo.delete_label("bad")
    for name in ("Bad name", "a..b", "x" * 61, ""):
        with pytest.raises(InvalidInputError):
            await repo.label(name)


async def test_a_label_is_no_ref_and_keeps_no_branch(repo: AsyncContextRepository) -> None:
    await say(repo, "1")
    await repo.branch("try")
    await say(repo, "2")
    await repo.label("good")
    await repo.switch("main")
    with pytest.raises(NotFoundError, match="no branch, tag or commit good"):
        await repo.get("good")
    with pytest.raises(ConflictError, match="Nothing else leads"):
        await repo.delete_branch("try")


async def test_labels_travel_in_bundles(repo: AsyncContextRepository, client: AsyncClient) -> None:
    await say(repo, "1")
    await repo.label("good")
    there = client.contexts.open("elsewhere")
    await there.import_bundle(await repo.bundle())
    assert [label.name for label in await there.labels()] == ["good"]


async def test_a_claimed_branch_is_moved_by_its_holder_alone(
    repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await say(repo, "1")
    await other.status()
    claim = await repo.claim(minutes=5)
    assert (claim.branch, claim.yours) == ("main", True)
    with pytest.raises(ConflictError, match=r"The branch main is claimed by \S+ \(.*\) until") as caught:
        await say(other, "2")
    assert set(caught.value.extra) == {"working_copy", "expires_at"}
    with pytest.raises(ConflictError, match="claimed by"):
        await other.edit((await repo.window(explain=True)).explanation[0].slot_id, "x")
    assert await said(repo) == ["1"]
    await say(repo, "mine")
    status = await other.status()
    assert status.claim is not None
    assert not status.claim.yours
    await other.branch("own")
    await say(other, "there it goes")


async def test_a_claim_cannot_be_taken_and_is_released_by_its_holder(
    repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await say(repo, "1")
    first = await repo.claim(minutes=1)
    longer = await repo.claim("main", minutes=60)
    assert longer.expires_at > first.expires_at
    with pytest.raises(ConflictError, match="claimed by"):
        await other.claim()
    with pytest.raises(ConflictError, match="claimed by"):
        await other.release()
    await repo.release()
    await say(other, "2")
    with pytest.raises(NotFoundError, match="Nobody claimed the branch main"):
        await repo.release("main")
    with pytest.raises(NotFoundError, match="no branch nowhere"):
        await repo.claim("nowhere")
    with pytest.raises(InvalidInputError, match="minutes"):
        await repo.claim(minutes=0)


async def test_a_claimed_branch_is_not_deleted_by_others(
    repo: AsyncContextRepository, other: AsyncContextRepository
) -> None:
    await say(repo, "1")
    await repo.branch("try", switch=False)
    await repo.claim("try")
    with pytest.raises(ConflictError, match="claimed by"):
        await other.delete_branch("try")
    await repo.delete_branch("try")


async def test_the_holder_of_a_claim_still_says_which_head_is_expected(repo: AsyncContextRepository) -> None:
    first = await say(repo, "1")
    await repo.claim()
    await say(repo, "2")
    with pytest.raises(ConflictError, match=r"is at \w+, not at"):
        await say(repo, "3", expected_head=first)


async def test_a_claim_ends_with_its_time(
    repo: AsyncContextRepository, other: AsyncContextRepository, store: Path
) -> None:
    await say(repo, "1")
    await repo.claim()
    with closing(sqlite3.connect(store)) as database:
        database.execute("UPDATE claims SET expires_at = '2026-01-01 00:00:00.000000'")
        database.commit()
    await say(other, "2")
    assert (await repo.status()).claim is None
