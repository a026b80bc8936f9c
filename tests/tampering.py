"""Looking into the tables of a store, and doing to them what we never would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine


@asynccontextmanager
async def _inside(url: str) -> AsyncIterator[AsyncConnection]:
    driver = "sqlite+aiosqlite" if url.startswith("sqlite") else "postgresql+asyncpg"
    engine = create_async_engine(make_url(url).set(drivername=driver))
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def changed(url: str, statement: str, **values: Any) -> None:
    """Run a statement on a store of either kind."""
    async with _inside(url) as connection:
        await connection.execute(text(statement), values)


async def dumped(url: str) -> bytes:
    """Every row of the tables for contexts, one after another."""
    tables = ("blobs", "commits", "operations", "refs", "heads", "commit_traces", "call_records", "purged_objects")
    found = bytearray()
    async with _inside(url) as connection:
        for table in tables:
            for row in await connection.execute(text(f"SELECT * FROM {table}")):
                for value in row:
                    found += value if isinstance(value, bytes) else str(value).encode()
    return bytes(found)
