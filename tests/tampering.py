"""Looking into the tables of a store, and doing to them what we never would."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import create_async_engine

from commontrace_backend.contexts.packed import Packed

_TABLES = ("blobs", "commits", "operations", "refs", "heads", "commit_traces", "call_records", "purged_objects")


async def _with(url: str, work: Any) -> Any:
    """What some work on a connection to the store gives."""
    if url.startswith("sqlite"):
        engine = create_engine(url)
        with engine.begin() as connection:
            found = work(connection)
        engine.dispose()
        return found
    far = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with far.begin() as away:
        found = await away.run_sync(work)
    await far.dispose()
    return found


async def changed(url: str, statement: str, **values: Any) -> None:
    """Run a statement on a store of either kind."""
    await _with(url, lambda connection: connection.execute(text(statement), values))


def unpacked(stored: bytes) -> bytes:
    """The canonical bytes of an object as it lies in a table."""
    return Packed(0).process_result_value(stored, sqlite.dialect()) or b""


async def dumped(url: str, tables: Sequence[str] = _TABLES) -> bytes:
    """Every row of some tables, one after another; of those for contexts, unless others are named."""
    return b"".join(await _with(url, lambda connection: list(_values(connection, tables))))


def _values(connection: Connection, tables: Sequence[str]) -> Iterator[bytes]:
    for table in tables:
        for row in connection.execute(text(f"SELECT * FROM {table}")):
            yield from (unpacked(value) if isinstance(value, bytes) else str(value).encode() for value in row)
