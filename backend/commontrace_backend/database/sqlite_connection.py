"""A SQLite connection for an event loop: what is marked as quick runs in place, everything else in a thread.

SQLite finds a row by its key in microseconds; handing that to a thread and back takes ten times as long.
"""

import math
import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, Self, TypeVar

import aiosqlite
from sqlalchemy import Connection, CursorResult, Executable, NullPool, create_engine

from commontrace_backend.database.session import is_quick, to_the_end

T = TypeVar("T")

_PRAGMAS: Final = ("journal_mode=WAL", "foreign_keys=ON", "mmap_size=0")


class _Cursor(sqlite3.Cursor):
    """Reads its rows whole where the statement runs: none is left to be read by the event loop."""

    _rows: Iterator[Any] = iter(())

    def execute(self, sql: str, parameters: Any = ()) -> Self:
        super().execute(sql, parameters)
        self._rows = iter(super().fetchall())
        return self

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        return list(islice(self._rows, size))

    def fetchall(self) -> list[Any]:
        return list(self._rows)


class _Plain(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


class SqliteConnection:
    """A connection that one task at a time uses."""

    def __init__(self, held: aiosqlite.Connection, connection: Connection) -> None:
        self._held = held
        self._connection = connection
        self._plain = plain_of(held)

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a statement to its end and read all of its rows."""
        if is_quick(statement, parameters):
            return self._connection.execute(statement, parameters)
        return await self._in_thread(self._connection.execute, statement, parameters)

    def begin(self, how: str) -> None:
        """Begin a transaction; a deferred one touches no file yet."""
        self._plain.execute(how)

    async def commit(self) -> None:
        """End the transaction: it has reached the disk."""
        await to_the_end(self._held.commit())

    def rollback(self) -> None:
        """Take back what was not committed."""
        self._plain.rollback()

    async def close(self) -> None:
        """Close the file."""
        self._connection.detach()
        await to_the_end(self._held.close())

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function that may take long in the connection's thread; who is cancelled waits for its end."""
        done: T = await to_the_end(self._held._execute(function, *arguments))  # type: ignore[no-untyped-call]  # noqa: SLF001
        return done


def plain_of(held: aiosqlite.Connection) -> sqlite3.Connection:
    """The connection that aiosqlite holds: its public face runs everything in the thread, whatever it costs."""
    return held._conn  # noqa: SLF001


class Connector:
    """Opens connections to one file: aiosqlite holds them and their threads, SQLAlchemy words what they run."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened: list[sqlite3.Connection] = []
        self._engine = create_engine(
            "sqlite://",
            creator=self._opened.pop,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",  # transactions are begun and ended here, not by SQLAlchemy
        )

    async def connect(self, *pragmas: str) -> SqliteConnection:
        """A new connection with some settings of its own."""
        opening = aiosqlite.connect(self._path, timeout=5.0, check_same_thread=False, factory=_Plain)
        opening._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: a process ends although one was left open
        held = await opening
        plain_of(held).create_function("sqrt", 1, math.sqrt, deterministic=True)  # not every build has it
        self._opened.append(plain_of(held))
        opened = SqliteConnection(held, self._engine.connect())
        for pragma in (*_PRAGMAS, *pragmas):
            opened.begin(f"PRAGMA {pragma}")
        return opened
