"""Writing: one at a time, whole or not at all, whatever interrupts it."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from commontrace import AsyncClient, connect_async
from commontrace.errors import CommonTraceError, InternalError, StoreBusyError, StoreUnusableError
from commontrace.models.contributors import NewApiKey
from commontrace.models.search import Query
from commontrace_backend.contributors.tables import organizations
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.faults import meaning_of
from factories import contribution


async def interrupted(task: asyncio.Task[object], steps: int) -> bool:
    """Cancel a task after some turns of the loop; whether it was done by then."""
    for _ in range(steps):
        if task.done():
            break
        await asyncio.sleep(0)
    done = not task.cancel()
    await asyncio.wait({task})
    return done


def lock_of(store: Path) -> FileLock:
    """What another process would hold while it writes."""
    return FileLock(store.with_name("store.db.lock"))


async def test_a_lock_that_others_keep_is_waited_for_and_then_said(store: Path, url: str) -> None:
    async with connect_async(url, timeout=0.1) as client:
        await client.contributors.me()
        with lock_of(store), pytest.raises(StoreBusyError, match=r"write lock for 0\.1 s.*Try again"):
            await client.traces.contribute(contribution())
        assert (await client.traces.contribute(contribution())).stored


async def test_a_lock_that_others_let_go_is_taken_and_nobody_notices(store: Path, url: str) -> None:
    async with connect_async(url) as client:
        await client.contributors.me()
        lock = lock_of(store)
        lock.acquire()
        writing = asyncio.create_task(client.traces.contribute(contribution()))
        await client.traces.page()  # reads go on meanwhile
        assert not writing.done()
        lock.release()
        assert (await writing).stored


async def test_a_lock_file_that_was_deleted_is_made_anew_and_obeyed(store: Path, url: str) -> None:
    async with connect_async(url, timeout=0.1) as client:
        assert (await client.traces.contribute(contribution())).stored
        store.with_name("store.db.lock").unlink()
        with lock_of(store), pytest.raises(StoreBusyError, match="write lock"):
            await client.traces.contribute(contribution(1))
        assert (await client.traces.contribute(contribution(1))).stored


async def test_a_program_that_does_not_know_our_lock_is_waited_for(store: Path, url: str) -> None:
    async with connect_async(url) as client:
        await client.contributors.me()
        with closing(sqlite3.connect(store, isolation_level=None)) as program:
            program.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(client.traces.contribute(contribution()))
            await client.traces.page()  # reads go on meanwhile
            assert not writing.done()
            program.execute("ROLLBACK")
            assert (await writing).stored


async def test_a_program_that_does_not_know_our_lock_is_named_when_it_keeps_on(store: Path, url: str) -> None:
    async with connect_async(url, timeout=0.1) as client:
        await client.contributors.me()
        with closing(sqlite3.connect(store, isolation_level=None)) as program:
            program.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusyError, match="locked by another program"):
                await client.traces.contribute(contribution())
        assert (await client.traces.contribute(contribution())).stored


async def test_a_search_is_answered_although_the_store_is_busy(store: Path, url: str) -> None:
    async with connect_async(url, timeout=0.1) as client:
        known = await client.traces.contribute(contribution())
        with lock_of(store):
            answer = await client.traces.query("database is locked")
        assert answer.hits[0].trace_id == known.trace_id
        assert "ask again before you vote" in answer.notes[-1]


async def test_a_key_is_good_although_its_use_cannot_be_noted(store: Path, url: str) -> None:
    async with connect_async(url) as owner:
        key = (await owner.contributors.create_key(NewApiKey(contributor="ann"))).key
    async with connect_async(url, api_key=key, timeout=0.1) as ann:
        with pytest.raises(CommonTraceError):
            await ann.traces.get("abcdef")
        with lock_of(store):
            assert (await ann.contributors.me()).name == "ann"


async def test_closing_goes_on_although_somebody_else_writes(store: Path, url: str) -> None:
    client = connect_async(url, timeout=0.1)
    await client.traces.contribute(contribution())
    with lock_of(store):
        await client.aclose()
    async with connect_async(url) as again:
        assert len((await again.traces.page()).traces) == 1


async def test_many_writers_of_one_process_all_get_through(client: AsyncClient) -> None:
    titles = [f"Number {number} of a crowd" for number in range(25)]
    results = await asyncio.gather(
        *(client.traces.contribute(contribution(title=title, insist=True)) for title in titles)
    )
    assert all(result.stored for result in results)
    assert sorted(trace.content.title for trace in (await client.traces.page()).traces) == sorted(titles)


async def test_a_write_that_is_cancelled_anywhere_is_whole_or_absent_and_frees_the_lock(
    store: Path, client: AsyncClient
) -> None:
    await client.contributors.me()
    steps = cancelled = finished = 0
    while finished < 3:
        writing = asyncio.create_task(
            client.traces.contribute(contribution(title=f"Cancelled after {steps} steps", insist=True))
        )
        cancelled, finished = cancelled + 1, finished + (await interrupted(writing, steps))
        steps += 1 + steps // 10
    assert cancelled > 20
    assert (await client.traces.contribute(contribution(1))).stored
    with closing(sqlite3.connect(store)) as connection:
        counts = [
            connection.execute(statement).fetchone()[0]
            for statement in (
                "SELECT count(*) FROM traces",
                "SELECT count(*) FROM trace_versions",
                "SELECT count(*) FROM trace_errors",
                "SELECT count(*) FROM trace_search",
                "SELECT count(DISTINCT trace_id) FROM trace_tags",
            )
        ]
        assert len(set(counts)) == 1
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_search_that_is_cancelled_anywhere_leaves_the_store_usable(client: AsyncClient) -> None:
    await client.traces.contribute(contribution())
    steps = finished = 0
    while finished < 3:
        searching = asyncio.create_task(client.traces.query(Query(query=f"missing thing {steps}")))
        finished += await interrupted(searching, steps)
        steps += 1 + steps // 8
    assert (await client.traces.query("database is locked")).hits
    assert (await client.traces.contribute(contribution(1))).stored


async def test_what_fails_half_way_is_taken_back_as_a_whole(url: str) -> None:
    database = connect_database(url)
    await database.open()
    row = {"organization_id": "a", "name": "half", "created_at": datetime.now(UTC)}

    async def write_twice() -> None:
        async with database.writing() as session:
            await session.write(insert(organizations).values(row))
            await session.write(insert(organizations).values(row))

    with pytest.raises(InternalError, match="refused a statement"):
        await write_twice()
    async with database.reading() as session:
        assert await session.first(select(organizations).where(organizations.c.name == "half")) is None
    await database.close()


async def test_times_are_kept_in_utc_and_one_without_a_zone_is_refused(url: str) -> None:
    database = connect_database(url)
    await database.open()
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    row = {"organization_id": "a", "name": "zoned"}
    async with database.writing() as session:
        await session.write(insert(organizations).values(**row, created_at=noon))
    async with database.reading() as session:
        kept = await session.scalar(select(organizations.c.created_at).where(organizations.c.name == "zoned"))
    assert (kept, kept.tzinfo) == (noon, UTC)
    with pytest.raises(StatementError, match="without a zone"):
        async with database.writing() as session:
            await session.write(
                insert(organizations).values(**row, created_at=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
            )
    await database.close()


@pytest.mark.parametrize(
    ("driver_says", "kind", "said"),
    [
        ("database is locked", StoreBusyError, "another program"),
        ("database or disk is full", StoreUnusableError, "disk is full"),
        ("attempt to write a readonly database", StoreUnusableError, "read-only"),
        ("unable to open database file", StoreUnusableError, "cannot be opened"),
        ("database disk image is malformed", StoreUnusableError, "damaged"),
        ("file is not a database", StoreUnusableError, "not a CommonTrace store"),
        ("disk I/O error", StoreUnusableError, "disk reported an error"),
        ("near SELEC: syntax error", InternalError, "refused a statement"),
    ],
)
def test_each_fault_of_the_database_becomes_an_error_with_a_way_out(
    driver_says: str, kind: type[CommonTraceError], said: str
) -> None:
    error = meaning_of(sqlite3.OperationalError(driver_says))
    assert type(error) is kind
    assert said in error.detail
    assert error.hint
