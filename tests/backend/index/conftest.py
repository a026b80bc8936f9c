"""A store for the indexes."""

from collections.abc import AsyncIterator

import pytest

from commontrace import AsyncClient
from commontrace_backend.database.engine import Database, connect_database
from factories import contributed


@pytest.fixture
async def database(client: AsyncClient, url: str) -> AsyncIterator[Database]:
    """A store with five traces, numbered 1 to 5."""
    for number in range(5):
        await contributed(client, number)
    opened = connect_database(url)
    await opened.open()
    yield opened
    await opened.close()
