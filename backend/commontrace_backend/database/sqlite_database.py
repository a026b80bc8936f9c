"""A SQLite file: many connections that read, one that writes."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from commontrace.errors import BackendError, StoreUnusableError
from commontrace_backend.database.faults import meaning_of
from commontrace_backend.database.lock import WriterLock
from commontrace_backend.database.schema import CURRENT, too_old
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.sqlite_connection import Connector, SqliteConnection
from commontrace_backend.database.sqlite_files import compact, damage, size

_READERS: Final = 16
_PAUSE: Final = 0.01


class SqliteDatabase:
    """One SQLite file in WAL mode, shared by any number of processes."""

    def __init__(self, path: Path, *, lock_wait: float) -> None:
        self.path = path
        self._lock_wait = lock_wait
        self._lock = WriterLock(path.with_name(path.name + ".lock"), lock_wait)
        self._connector = Connector(str(path))
        self._room = asyncio.Semaphore(_READERS)
        self._idle: dict[tuple[str, ...], list[SqliteConnection]] = {}

    async def open(self, *, upgrade: bool = True) -> int:
        """Create or upgrade the file; an up-to-date one costs a single SELECT."""
        if not upgrade and 0 < (found := await self.schema()) < CURRENT:
            raise too_old(found, f"The store at {self.path}")
        return await self._raise(CURRENT)

    async def schema(self) -> int:
        """One SELECT; a file that is not there is not made."""
        from commontrace_backend.database.sqlite_schema import found_schema

        return await asyncio.to_thread(found_schema, self.path)

    async def build(self, schema: int) -> None:
        """In one transaction."""
        if not await self.schema():
            await self._raise(schema)

    async def _raise(self, schema: int) -> int:
        from commontrace_backend.database.sqlite_schema import bring_up_to_date

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            async with _worded():
                return await bring_up_to_date(self.path, self._lock, schema)
        except OSError as error:
            raise StoreUnusableError(
                f"The store at {self.path} cannot be opened: {error.strerror}.",
                "Give this user write permission there, or set COMMONTRACE_URL to another place.",
            ) from error

    @asynccontextmanager
    async def reading(self, tenant: str | None = None) -> AsyncIterator[ReadSession]:
        """A deferred transaction: a snapshot that neither waits nor makes others wait."""
        async with _worded(), self._room, self._lent("synchronous=FULL") as connection:
            connection.begin("BEGIN")
            yield ReadSession(connection, tenant)

    @asynccontextmanager
    async def writing(self, tenant: str | None = None, *, durable: bool = True) -> AsyncIterator[WriteSession]:
        """BEGIN IMMEDIATE under the lock; the commit has reached the disk when the block is left."""
        pragmas = ("synchronous=FULL" if durable else "synchronous=NORMAL", "busy_timeout=0")
        async with _worded(), self._lock.hold(), self._lent(*pragmas) as connection:
            await self._begin_writing(connection)
            yield WriteSession(connection, tenant)
            await connection.commit()

    async def _begin_writing(self, connection: SqliteConnection) -> None:
        """BEGIN IMMEDIATE; who does not know our lock is waited for as well, while the event loop goes on."""
        deadline = time.monotonic() + self._lock_wait
        while True:
            try:
                connection.begin("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                return

    @asynccontextmanager
    async def _lent(self, *pragmas: str) -> AsyncIterator[SqliteConnection]:
        """A connection; one whose transaction cannot be ended is never used again."""
        idle = self._idle.setdefault(pragmas, [])
        connection = idle.pop() if idle else await self._connector.connect(*pragmas)
        try:
            yield connection
        finally:
            connection.rollback()  # finds nothing after a commit
            idle.append(connection)

    async def size(self) -> int:
        """Bytes of the file and of its write-ahead log."""
        return await asyncio.to_thread(size, self.path)

    def connections(self) -> dict[str, int]:
        """None that are worth a figure: a file has no pool that could run dry."""
        return {}

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
        if any(self._idle.values()):
            try:
                async with self._lock.hold():
                    await self._dispose()
            except BackendError:
                await self._dispose()  # whoever holds the lock has the store open and folds the WAL back later
        self._lock.close()

    async def _dispose(self) -> None:
        for idle in self._idle.values():
            while idle:
                await idle.pop().close()


@asynccontextmanager
async def _worded() -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise meaning_of(error.orig or error) from error
    except sqlite3.Error as error:
        raise meaning_of(error) from error
