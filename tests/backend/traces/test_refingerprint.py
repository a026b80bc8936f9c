"""After the normal form of errors changed, what is stored is found by the new one."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from commontrace import connect_async
from commontrace.fingerprint import VERSION
from commontrace.models.search import Query
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.traces.refingerprint import refingerprint
from factories import contributed

ERROR = "sqlite3.OperationalError: database is locked"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = connect_database(url)
    await opened.open()
    yield opened
    await opened.close()


async def fill(url: str) -> None:
    async with connect_async(url) as client:
        for number in range(5):
            await contributed(client, number)


async def everything(database: Database, limit: int) -> int:
    """Every page; returns how many traces changed."""
    changed, after = 0, 0
    while True:
        async with database.writing(EVERY_TENANT) as session:
            page = await refingerprint(session, after, limit)
        changed += page.changed
        if page.last is None:
            return changed
        after = page.last


def rows(store: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(store)) as connection:
        return sorted(connection.execute("SELECT fingerprint, fingerprint_version FROM trace_errors"))


def age(store: Path) -> None:
    """What an older version would have left: other keys, its own number, and no row for some."""
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE trace_errors SET fingerprint = 'old' || substr(fingerprint, 4)")
        connection.execute("UPDATE trace_errors SET fingerprint_version = '0'")
        connection.execute("DELETE FROM trace_errors WHERE rowid IN (SELECT max(rowid) FROM trace_errors)")


@pytest.mark.parametrize("limit", [2, 5, 200])
async def test_stored_errors_are_found_again_and_a_second_run_changes_nothing(
    url: str, store: Path, database: Database, limit: int
) -> None:
    await fill(url)  # and closed again: an open store would do in its background what is tried here
    before = rows(store)
    age(store)
    assert await everything(database, limit) == len(before)
    assert rows(store) == before
    assert {version for _, version in rows(store)} == {VERSION}
    assert await everything(database, limit) == 0


async def test_a_store_of_an_older_version_is_brought_up_to_date_by_whoever_opens_it(url: str, store: Path) -> None:
    await fill(url)
    before = rows(store)
    age(store)
    async with connect_async(url) as client:
        await client.traces.refresh_index()
        assert (await client.traces.query(Query(error=ERROR))).hits[0].why == "exactly this error"
    assert rows(store) == before


async def test_an_empty_store_is_done_at_once(database: Database) -> None:
    async with database.writing(EVERY_TENANT) as session:
        page = await refingerprint(session)
    assert (page.last, page.changed) == (None, 0)
