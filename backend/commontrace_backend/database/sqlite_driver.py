"""aiosqlite with one trip to its thread a statement: opening, running, reading and closing a cursor were four.

A deferred BEGIN locks nothing and waits for its first statement: both travel together.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

import aiosqlite

DEFERRED: Final = "BEGIN"


class _Cursor:
    """What SQLAlchemy asks of a cursor; rows are read whole in the trip that runs the statement."""

    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "_Cursor":
        if sql == DEFERRED:
            self._connection.waiting = True
            return self
        await self._connection.trip(self._run, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> "_Cursor":
        await self._connection.trip(self._run_many, sql, parameters)
        return self

    async def fetchall(self) -> Sequence[Any]:
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """Nothing is left open."""

    def _run(self, sql: str, parameters: Sequence[Any]) -> None:
        self._keep(self._connection.plain.execute(sql, parameters))

    def _run_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._keep(self._connection.plain.executemany(sql, parameters))

    def _keep(self, cursor: Any) -> None:
        try:
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else ()
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


class _Connection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors travel once."""

    waiting = False  # a BEGIN, for the next trip

    @property
    def plain(self) -> Any:
        """The sqlite3 connection; only for the connection's own thread."""
        return self._conn

    async def trip(self, function: Any, *arguments: Any) -> None:
        """Run a function in the connection's thread, and before it the BEGIN that waits."""
        # Taken here and not in the thread: a request cancelled meanwhile rolls back behind what is on its way.
        begins, self.waiting = self.waiting, False
        if begins:
            function, arguments = self._begun, (function, *arguments)
        await self._execute(function, *arguments)  # type: ignore[no-untyped-call]  # aiosqlite leaves it bare

    def _begun(self, function: Any, *arguments: Any) -> None:
        self.plain.execute(DEFERRED)
        function(*arguments)

    async def rollback(self) -> None:
        """End the transaction; one without a statement needs no trip."""
        if not self.waiting:
            await super().rollback()
        self.waiting = False

    def cursor(self) -> Any:
        """A cursor that needs no trip to be opened."""
        return _Cursor(self)


def connect(path: str, **options: Any) -> aiosqlite.Connection:
    """Open a SQLite file as `aiosqlite.connect` does; for SQLAlchemy's `async_creator_fn`."""
    import sqlite3

    connection = _Connection(lambda: sqlite3.connect(path, **options), iter_chunk_size=64)
    # A process that ends without closing must not wait for the thread; SQLAlchemy sees to that for its own.
    connection._thread.daemon = True  # noqa: SLF001 - aiosqlite offers no other way
    return connection
