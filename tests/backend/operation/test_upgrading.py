"""Upgrades of what others use too: by a command, once, while the version before goes on working."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from commontrace import AsyncClient, connect_async
from commontrace._transport import beside_the_data
from commontrace.errors import StoreUnusableError
from commontrace_backend.app import create_app
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.schema import CURRENT
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.settings import BackendSettings
from factories import contributed
from postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
async def older(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a store of the schema before."""
    if request.param == "sqlite":
        url, postgres = f"sqlite:///{tmp_path}/older.db", None
    else:
        postgres = request.getfixturevalue("postgres")
        assert isinstance(postgres, Postgres)
        url = postgres.create()
    database = connect_database(url)
    await database.build(CURRENT - 1)
    await database.close()
    yield url
    if postgres:
        postgres.drop(url)


async def schema(url: str) -> int:
    database: Database = connect_database(url)
    found = await database.schema()
    await database.close()
    return found


async def test_two_deployments_migrate_at_once_one_does_it_and_the_other_finds_it_done(older: str) -> None:
    assert (await beside_the_data(older).compare()).needed
    assert await schema(older) == CURRENT - 1
    reports = await asyncio.gather(*(beside_the_data(older).migrate() for _ in range(3)))
    assert sorted(report.found for report in reports) == [CURRENT - 1, CURRENT, CURRENT]
    assert {report.schema_number for report in reports} == {CURRENT}
    assert not (await beside_the_data(older).compare()).needed


async def test_a_server_leaves_an_older_store_as_it_is_and_names_the_command(older: str) -> None:
    app = create_app(BackendSettings(database_url=older))
    with pytest.raises(StoreUnusableError, match=rf"schema {CURRENT - 1}.* needs {CURRENT}.*`commontrace migrate`"):
        async with app.router.lifespan_context(app):
            pass
    assert await schema(older) == CURRENT - 1


async def test_who_opens_an_older_database_of_a_team_does_not_upgrade_it_by_accident(older: str) -> None:
    async with connect_async(older) as client:
        if older.startswith("sqlite"):  # a file of one's own
            assert (await client.contributors.me()).name == "owner"
        else:
            with pytest.raises(StoreUnusableError, match="commontrace migrate"):
                await client.contributors.me()
    assert await schema(older) == (CURRENT if older.startswith("sqlite") else CURRENT - 1)


@pytest.mark.both_databases
async def test_the_version_before_works_on_while_a_later_one_has_added_to_the_schema(client: AsyncClient) -> None:
    """What an additive migration of a later version may do: this version is the one before, then."""
    await contributed(client, 0)
    later = connect_database(client.url)
    async with later.writing(EVERY_TENANT) as session:
        for statement in (
            "ALTER TABLE traces ADD COLUMN mood VARCHAR(20) DEFAULT 'fine' NOT NULL",
            "ALTER TABLE api_keys ADD COLUMN mood VARCHAR(20)",
            "CREATE TABLE moods (mood VARCHAR(20) PRIMARY KEY)",
            f"UPDATE alembic_version SET version_num = '{CURRENT + 1}'",
        ):
            await session.execute(text(statement))
    await later.close()
    new = await contributed(client, 1)  # with connections that were open before
    async with connect_async(client.url) as again:
        assert (await again.traces.get(new)).trace_id == new
        await contributed(again, 2)
        assert (await again.log.audit()).problems == []
    assert (await beside_the_data(client.url).migrate()).needed is False
