"""A PostgreSQL server that cuts connections, restarts, is slow or has none free, under a store that goes on."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import make_url, text

from commontrace import AsyncClient
from commontrace.errors import StoreBusyError, UnavailableError
from commontrace.models.search import Query
from commontrace_backend.app import create_app
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.pools import Pools
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.settings import BackendSettings
from factories import contributed, contribution
from postgres import Postgres, name_of

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
    other = connect_database(url)
    async with other.writing(EVERY_TENANT) as session:
        writing = asyncio.ensure_future(client.traces.contribute(contribution(1)))
        while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            pass
        postgres.run(CUT.format(name_of(url)) + " AND wait_event_type = 'Lock'")
        with pytest.raises(UnavailableError, match="connection to the database was lost"):
            await writing
    await other.close()
    assert len([trace async for trace in client.traces.all()]) == 1
    await contributed(client, 1)


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
