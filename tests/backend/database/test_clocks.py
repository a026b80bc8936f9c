"""Clocks that differ by hours: what several processes must agree on is decided by the database's, not by their own.

The clock of the database goes wrong instead of the process's; that both are apart is all that matters.
"""

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.errors import AuthenticationError, ConflictError
from commontrace.models.contributors import NewApiKey, NewToken
from doors import People
from postgres import Postgres, name_of


@pytest.fixture
def url(postgres: Postgres, postgres_url: str) -> str:
    """A store whose database is five hours ahead of everybody who uses it, until it is told otherwise."""
    postgres.run_in(
        postgres_url,
        "CREATE SCHEMA skewed; CREATE TABLE skewed.ahead AS SELECT interval '5 hours' AS by;"
        "CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
        " AS 'SELECT pg_catalog.clock_timestamp() + by FROM skewed.ahead';"
        f"ALTER DATABASE {name_of(postgres_url)} SET search_path = skewed, public, pg_catalog",
    )
    return postgres_url


async def test_keys_and_tokens_last_as_long_as_they_were_made_for(
    client: AsyncClient, postgres: Postgres, url: str
) -> None:
    key = (await client.contributors.create_key(NewApiKey(contributor="ann", expires_in_days=1))).key
    async with connect_async(url, api_key=key) as ann:
        token = (await ann.contributors.create_token(NewToken(minutes=15))).token
        short = ann.acting_as(token)
        for ahead, good in (("5 hours 14 minutes", True), ("5 hours 16 minutes", False)):
            postgres.run_in(url, f"UPDATE skewed.ahead SET by = '{ahead}'")
            assert await accepted(short) == good
        for ahead, good in (("28 hours", True), ("30 hours", False), ("5 hours", True)):
            postgres.run_in(url, f"UPDATE skewed.ahead SET by = '{ahead}'")
            assert await accepted(ann) == good


async def accepted(caller: AsyncClient) -> bool:
    try:
        await caller.contributors.me()
    except AuthenticationError as error:
        return "has expired" not in str(error)
    return True


async def test_a_claim_ends_for_everybody_at_once(
    client: AsyncClient, postgres: Postgres, url: str, people: People
) -> None:
    mine = client.contexts.open("work")
    mine.user("hello")
    await mine.commit("first")
    await mine.claim(minutes=10)
    async with connect_async(url, working_copy="elsewhere") as other:
        theirs = other.contexts.open("work")
        theirs.user("and I")
        with pytest.raises(ConflictError, match="is claimed by"):
            await theirs.commit("second")
        postgres.run_in(url, "UPDATE skewed.ahead SET by = '5 hours 11 minutes'")
        await theirs.commit("second")
