"""A SQLite connection for an event loop: what is marked as quick runs in place, everything else in a thread.

SQLite finds a row by its key in microseconds; handing that to a thread and back takes ten times as long.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final, Self, TypeVar

from sqlalchemy import URL, Connection, CursorResult, Executable, NullPool, create_engine

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

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        plain = connection.connection.driver_connection
        assert isinstance(plain, sqlite3.Connection)
        self._plain = plain

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a statement to its end and read all of its rows."""
        if is_quick(statement, parameters):
            return self._connection.execute(statement, parameters)
        return await _in_thread(self._connection.execute, statement, parameters)

    def begin(self, how: str) -> None:
        """Begin a transaction; a deferred one touches no file yet."""
        self._plain.execute(how)

    async def commit(self) -> None:
        """End the transaction: it has reached the disk."""
        await _in_thread(self._plain.commit)

    def rollback(self) -> None:
        """Take back what was not committed."""
        self._plain.rollback()

    async def close(self) -> None:
        """Close the file."""
        await _in_thread(self._connection.close)


class Connector:
    """Opens connections to one file."""

    def __init__(self, path: str) -> None:
        self._engine = create_engine(
            URL.create("sqlite", database=path),
            connect_args={"timeout": 5.0, "check_same_thread": False, "factory": _Plain},
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",  # transactions are begun and ended here, not by SQLAlchemy
        )

    async def connect(self, *pragmas: str) -> SqliteConnection:
        """A new connection with some settings of its own."""
        return await _in_thread(self._open, (*_PRAGMAS, *pragmas))

    def _open(self, pragmas: tuple[str, ...]) -> SqliteConnection:
        opened = SqliteConnection(self._engine.connect())
        for pragma in pragmas:
            opened.begin(f"PRAGMA {pragma}")
        return opened


async def _in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Run a function that may take long; who is cancelled meanwhile waits for its end."""
    return await to_the_end(asyncio.get_running_loop().run_in_executor(None, partial(function, *arguments)))
