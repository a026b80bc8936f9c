"""A store for the indexes."""

from collections.abc import AsyncIterator

import pytest

from commontrace_backend.database.engine import Database, connect_database
from factories import contribute_five
from stocks import Stock


@pytest.fixture
async def database(url: str, stock: Stock) -> AsyncIterator[Database]:
    """A store with five traces, numbered 1 to 5."""
    await stock(contribute_five)
    opened = connect_database(url)
    await opened.open()
    yield opened
    await opened.close()
