"""PostgreSQL as a store: opening, taking turns, and what each refusal says."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import insert, make_url, select, text

from commontrace import connect_async
from commontrace._transport import LOCAL_BASE, async_transport
from commontrace.errors import (
    CommonTraceError,
    InternalError,
    InvalidInputError,
    NewerSchemaError,
    StoreBusyError,
    StoreUnusableError,
    UnavailableError,
)
from commontrace_backend.contributors.tables import store_secrets
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.session import ReadSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from factories import contribution
from postgres import Postgres, name_of

NAMES = select(store_secrets.c.name).where(store_secrets.c.value == "kept").order_by(store_secrets.c.name)


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = connect_database(url, lock_wait=0.3)
    await opened.open()
    yield opened
    await opened.close()


async def keep(database: Database, name: str) -> None:
    async with database.writing() as session:
        await session.write(insert(store_secrets).values(name=name, value="kept"))


async def kept(session: ReadSession) -> list[str]:
    return [row.name for row in await session.all(NAMES)]


async def rewritten(url: str, *statements: str) -> None:
    """Change a database behind the back of the code."""
    other = connect_database(url)
    async with other.writing(EVERY_TENANT) as session:
        for statement in statements:
            await session.execute(text(statement))
    await other.close()


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """The URL of a database without any table."""
    made = postgres.create()
    yield made
    postgres.drop(made)


async def test_an_empty_database_becomes_a_store_once_however_many_open_it(empty: str) -> None:
    async def open_it() -> str:
        async with connect_async(empty) as client:
            return (await client.contributors.me()).contributor_id

    assert len({await opened for opened in asyncio.as_completed([open_it() for _ in range(4)])}) == 1


async def test_the_driver_may_be_named(url: str) -> None:
    async with connect_async(url.replace("postgresql:", "postgresql+asyncpg:")) as client:
        assert (await client.contributors.me()).name == "owner"


async def test_a_newer_schema_is_refused_and_stays_as_it_is(url: str) -> None:
    newer = ["UPDATE alembic_version SET version_num = '99'", "UPDATE schema_info SET min_reader = 99"]
    await rewritten(url, *newer)
    async with connect_async(url) as client:
        with pytest.raises(NewerSchemaError, match=r"schema 99.*left untouched.*Upgrade CommonTrace"):
            await client.contributors.me()
    await rewritten(url, "UPDATE schema_info SET min_reader = 1")
    async with connect_async(url) as client:  # one that only adds is used
        assert (await client.traces.contribute(contribution())).stored


@pytest.mark.parametrize(
    "tables",
    [
        "CREATE TABLE alembic_version (version_num text)",
        "CREATE TABLE traces (name text)",
        "CREATE TABLE alembic_version AS SELECT 'a1b2c3' AS version_num; CREATE TABLE schema_info (min_reader int)",
        "CREATE TABLE alembic_version(version_num int); CREATE TABLE schema_info(min_reader int); CREATE TABLE refs()",
    ],
)
async def test_a_database_of_another_program_is_refused_and_left_as_it_is(empty: str, tables: str) -> None:
    await rewritten(empty, *tables.split(";"))
    async with connect_async(empty) as client:
        with pytest.raises(StoreUnusableError, match=r"holds .*tables .*left as it is.*empty database"):
            await client.contributors.me()
    other = connect_database(empty)
    async with other.reading() as session:
        found = await session.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
    await other.close()
    assert found == tables.count("CREATE TABLE")


async def test_a_server_without_pgvector_is_refused(postgres: Postgres, empty: str) -> None:
    postgres.run(f"ALTER DATABASE {name_of(empty)} SET extension_control_path = '/nowhere'")
    async with connect_async(empty) as client:
        with pytest.raises(StoreUnusableError, match=r"lacks the extension vector.*Install pgvector"):
            await client.contributors.me()


async def test_a_database_that_cannot_hold_every_text_is_refused(postgres: Postgres) -> None:
    made = postgres.create("template0 ENCODING 'LATIN1' LOCALE 'C'")
    async with connect_async(made) as client:
        with pytest.raises(StoreUnusableError, match=r"encoding is LATIN1.*ENCODING 'UTF8'"):
            await client.contributors.me()
    postgres.drop(made)


async def test_a_role_without_rights_is_told_what_to_grant(postgres: Postgres, empty: str, url: str) -> None:
    postgres.run("CREATE ROLE guest LOGIN")
    for place in (empty, url):  # neither to create tables, nor to read those that are there
        async with connect_async(make_url(place).set(username="guest").render_as_string()) as client:
            with pytest.raises(StoreUnusableError, match=r"lacks a permission.*Grant it CREATE"):
                await client.contributors.me()
    postgres.run("DROP ROLE guest")


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"username": "nobody"}, StoreUnusableError, "refused the user or the password"),
        ({"database": "hunter2"}, StoreUnusableError, "no database of that name"),
        ({"host": "127.0.0.1", "port": 1, "query": {}}, UnavailableError, "No PostgreSQL server answers"),
        ({"query": {"host": "/hunter2"}}, UnavailableError, "No PostgreSQL server answers"),
        ({"query": {"sslmode": "hunter2"}}, InvalidInputError, "incomplete, or has a parameter"),
    ],
)
async def test_a_url_that_leads_nowhere_is_refused_without_its_password(
    url: str, change: dict[str, Any], kind: type[CommonTraceError], said: str
) -> None:
    wrong = make_url(url).set(password="hunter2").set(**change).render_as_string(hide_password=False)
    async with connect_async(wrong) as client:
        with pytest.raises(kind, match=said) as caught:
            await client.contributors.me()
    assert "hunter2" not in str(caught.value)


async def test_a_parameter_that_the_server_does_not_know_is_refused(url: str) -> None:
    wrong = make_url(url).update_query_dict({"hunter2": "1"}).render_as_string()
    async with connect_async(wrong) as client:
        with pytest.raises(InvalidInputError, match="has a parameter that PostgreSQL does not know") as caught:
            await client.contributors.me()
    assert "hunter2" not in str(caught.value)


async def test_a_port_is_a_number() -> None:
    async with connect_async("postgresql://ann:hunter2@host:x/name") as client:
        with pytest.raises(InvalidInputError, match="is not the URL of a database") as caught:
            await client.contributors.me()
    assert "hunter2" not in str(caught.value)


async def test_another_driver_is_refused_without_the_password() -> None:
    with pytest.raises(InvalidInputError, match=r"A postgresql\+psycopg database is not supported") as caught:
        connect_database("postgresql+psycopg://ann:hunter2@host/name")
    assert "hunter2" not in str(caught.value)


def test_a_missing_driver_is_named_with_the_command_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['asyncpg'] = None\n"
        "from commontrace_backend.database.engine import connect_database\n"
        "connect_database('postgresql://ann:hunter2@host/name')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    said = run.stderr.splitlines()[-1]
    assert said.startswith("commontrace.errors.InvalidInputError")
    assert "pip install 'commontrace[postgres]'" in said


async def test_writers_take_turns_and_each_sees_what_the_one_before_it_wrote(url: str) -> None:
    one, other = connect_database(url), connect_database(url)

    async def count_up(database: Database) -> None:
        async with database.writing() as session:
            number = len(await kept(session))
            await session.write(insert(store_secrets).values(name=f"{number:02}", value="kept"))

    await asyncio.gather(*(count_up(database) for database in [one, other] * 10))
    async with one.reading() as session:
        assert await kept(session) == [f"{number:02}" for number in range(20)]
    await one.close()
    await other.close()


async def test_a_reader_sees_one_state_whatever_is_written_meanwhile(database: Database) -> None:
    await keep(database, "a")
    async with database.reading() as session:
        assert await kept(session) == ["a"]
        await keep(database, "b")
        assert await kept(session) == ["a"]
    async with database.reading() as session:
        assert await kept(session) == ["a", "b"]


async def test_a_block_that_fails_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.writing() as session:
            await session.write(insert(store_secrets).values(name="a", value="kept"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.reading() as session:
        assert await kept(session) == []


async def test_only_what_must_last_waits_for_the_disk(database: Database) -> None:
    for durable, waits in ((True, "on"), (False, "off"), (True, "on")):
        async with database.writing(durable=durable) as session:
            assert await session.scalar(text("SHOW synchronous_commit")) == waits


async def test_a_reading_session_cannot_write(database: Database) -> None:
    with pytest.raises(StoreUnusableError, match="read-only; nothing was written"):
        async with database.reading() as session:
            await session.execute(insert(store_secrets).values(name="a", value="kept"))


async def test_a_writer_that_waited_too_long_says_so(url: str, database: Database) -> None:
    other = connect_database(url)
    async with other.writing():
        with pytest.raises(StoreBusyError, match=r"write lock for too long.*Try again"):
            await keep(database, "a")
    await keep(database, "b")
    async with database.reading() as session:
        assert await kept(session) == ["b"]
    await other.close()


async def test_a_writer_that_is_cancelled_while_it_waits_makes_way_at_once(url: str, database: Database) -> None:
    other = connect_database(url)
    async with other.writing(EVERY_TENANT) as session:
        waiting = asyncio.create_task(keep(database, "a"))
        while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            pass
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await keep(database, "b")
    async with database.reading() as reading:
        assert await kept(reading) == ["b"]
    await other.close()


async def test_when_every_connection_is_taken_that_is_said(database: Database) -> None:
    async with asyncio.TaskGroup() as group:
        ready, done = asyncio.Semaphore(0), asyncio.Event()

        async def hold() -> None:
            async with database.reading():
                ready.release()
                await done.wait()

        for _ in range(15):
            group.create_task(hold())
        for _ in range(15):
            await ready.acquire()
        with pytest.raises(StoreBusyError, match=r"No connection to the database came free for 0\.3 s"):
            async with database.reading():
                pass
        await keep(database, "a")  # writers have connections of their own
        done.set()


async def test_a_connection_that_is_cut_is_said_and_the_next_one_is_good(url: str, database: Database) -> None:
    await keep(database, "a")
    others = f"FROM pg_stat_activity WHERE datname = '{name_of(url)}' AND pid <> pg_backend_pid()"
    other = connect_database(url)

    async def be_cut() -> None:
        async with database.writing() as session:
            async with other.reading() as cutting:
                await cutting.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
            await session.write(insert(store_secrets).values(name="b", value="kept"))

    with pytest.raises(UnavailableError, match=r"connection to the database was lost.*Try again"):
        await be_cut()
    await other.close()
    async with database.reading() as session:
        assert await kept(session) == ["a"]


@pytest.mark.parametrize(
    ("state", "kind", "said"),
    [
        ("40P01", StoreBusyError, "Other writers were in the way"),
        ("53100", StoreUnusableError, "disk is full"),
        ("53300", StoreBusyError, "no free connection"),
        ("57014", StoreBusyError, "took too long"),
        ("57P03", UnavailableError, "starting or stopping"),
        ("58030", StoreUnusableError, "damaged data or a failing disk"),
        ("XX001", StoreUnusableError, "damaged data or a failing disk"),
        ("08006", UnavailableError, "was lost"),
        ("42601", InternalError, "refused a statement"),
    ],
)
async def test_what_the_server_reports_is_said_in_words_of_ours(
    database: Database, state: str, kind: type[CommonTraceError], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        async with database.reading() as session:
            await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'hunter2' USING ERRCODE = '{state}'; END $$"))
    assert "hunter2" not in str(caught.value)


async def test_a_value_of_the_wrong_kind_is_our_defect(database: Database) -> None:
    with pytest.raises(InternalError, match="defect of ours"):
        async with database.reading() as session:
            await session.execute(text("SELECT CAST(:number AS int)").bindparams(number="seven"))


@pytest.mark.parametrize("path", ["/api/v1/tags?prefix=a%00", f"/api/v1/traces?cursor={2**40}"])
async def test_what_the_database_cannot_hold_is_refused(url: str, path: str) -> None:
    async with httpx2.AsyncClient(transport=async_transport(url, 30, owner=True), base_url=LOCAL_BASE) as plain:
        answer = await plain.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_a_password_may_hold_anything(url: str) -> None:
    odd = make_url(url).set(password="a@b/c:d#?%é +").render_as_string(hide_password=False)
    async with connect_async(odd) as client:
        assert (await client.contributors.me()).name == "owner"
