"""A part of a transaction: whole or not at all, whatever becomes of the rest."""

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from commontrace_backend.contributors.tables import store_secrets
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.session import WriteSession


async def keep(session: WriteSession, *names: str) -> None:
    async with session.part():
        for name in names:
            await session.write(insert(store_secrets).values(name=name, value="kept"))


@pytest.mark.both_databases
async def test_a_part_that_fails_is_taken_back_and_the_rest_is_kept(url: str) -> None:
    database = connect_database(url)
    await database.open()
    async with database.writing() as session:
        await keep(session, "first")
        for _ in range(2):
            with pytest.raises(IntegrityError):
                await keep(session, "second", "first")
        await keep(session, "third")
    async with database.reading() as session:
        rows = await session.all(select(store_secrets.c.name).where(store_secrets.c.value == "kept"))
    await database.close()
    assert {row.name for row in rows} == {"first", "third"}
