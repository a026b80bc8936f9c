"""One SQLite file, shared by any number of processes: many that read, one that writes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from commontrace.errors import BackendError, StoreUnusableError
from commontrace_backend.database.faults import meaning_of
from commontrace_backend.database.lock import WriterLock
from commontrace_backend.database.session import ReadSession, WriteSession, to_the_end
from commontrace_backend.database.sqlite_driver import DEFERRED, connect
from commontrace_backend.database.sqlite_files import compact, damage, size


class SqliteDatabase:
    """One SQLite file in WAL mode, shared by any number of processes."""

    def __init__(self, path: Path, *, lock_wait: float) -> None:
        self.path = path
        self._lock = WriterLock(path.with_name(path.name + ".lock"), lock_wait)
        self._readers = self._engine(DEFERRED, synchronous="FULL", pool_size=4)
        self._durable = self._engine("BEGIN IMMEDIATE", synchronous="FULL", pool_size=1)
        self._relaxed = self._engine("BEGIN IMMEDIATE", synchronous="NORMAL", pool_size=1)

    async def open(self) -> None:
        """Create or upgrade the file; an up-to-date one costs a single SELECT."""
        from commontrace_backend.database.sqlite_schema import bring_up_to_date

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            async with _worded():
                await bring_up_to_date(self.path, self._lock)
        except OSError as error:
            raise StoreUnusableError(
                f"The store at {self.path} cannot be opened: {error.strerror}.",
                "Give this user write permission there, or set COMMONTRACE_URL to another place.",
            ) from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """A deferred transaction: a snapshot that neither waits nor makes others wait."""
        async with _worded(), self._readers.connect() as connection:
            await connection.begin()
            try:
                yield ReadSession(connection)
            finally:
                await to_the_end(connection.rollback())

    @asynccontextmanager
    async def writing(self, *, durable: bool = True) -> AsyncIterator[WriteSession]:
        """BEGIN IMMEDIATE under the lock; the commit has reached the disk when the block is left."""
        engine = self._durable if durable else self._relaxed
        async with _worded(), self._lock.hold(), engine.connect() as connection:
            await to_the_end(connection.begin())
            try:
                yield WriteSession(connection)
            except BaseException:
                await to_the_end(connection.rollback())
                raise
            await to_the_end(connection.commit())

    async def size(self) -> int:
        """Bytes of the file and of its write-ahead log."""
        return await asyncio.to_thread(size, self.path)

    async def damage(self) -> list[str]:
        """What SQLite's own check of the file says."""
        return await asyncio.to_thread(damage, self.path)

    async def compact(self, tables: Sequence[str]) -> bool:
        """Write the file anew; SQLite does not do so for single tables."""
        del tables
        async with _worded(), self._lock.hold():
            return await asyncio.to_thread(compact, self.path)

    async def copies(self) -> list[str]:
        """What upgrades put aside."""
        return await asyncio.to_thread(
            lambda: sorted(str(one) for one in self.path.parent.glob(f"{self.path.name}.*.bak"))
        )

    async def close(self) -> None:
        """Fold the WAL back under the lock: a checkpoint is a write too."""
        try:
            async with self._lock.hold():
                await self._dispose()
        except BackendError:
            await self._dispose()  # whoever holds the lock has the store open and folds the WAL back later

    async def _dispose(self) -> None:
        for engine in (self._readers, self._durable, self._relaxed):
            await engine.dispose()

    def _engine(self, begin: str, *, synchronous: str, pool_size: int) -> AsyncEngine:
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(self.path)),
            connect_args={"isolation_level": None, "timeout": 5.0, "async_creator_fn": connect},
            pool_size=pool_size,
            max_overflow=0 if pool_size == 1 else 12,
            pool_reset_on_return=None,
        )

        @event.listens_for(engine.sync_engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            for pragma in (
                "journal_mode=WAL",
                f"synchronous={synchronous}",
                "foreign_keys=ON",
                "mmap_size=0",
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        return engine


@asynccontextmanager
async def _worded() -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise meaning_of(error.orig or error) from error
    except sqlite3.Error as error:
        raise meaning_of(error) from error
