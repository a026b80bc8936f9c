"""What a store is handed: a session that may read, or one that may also write."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import CursorResult, Executable, Row, TextClause, select, text
from sqlalchemy.sql.dml import Delete, Insert, Update

from commontrace_backend.database.clock import NOW
from commontrace_backend.database.tenancy import EVERY_TENANT, check

T = TypeVar("T")

QUICK: Final = {"quick": True}
"""Execution options of a statement that reaches a few rows by their keys: SQLite runs it without a thread."""

_FEW: Final = 20  # rows, in one statement
_SHORT: Final = 64 * 1024  # bytes of a value

_NOW: Final = select(NOW).execution_options(**QUICK)
_PART: Final = text("SAVEPOINT part").execution_options(**QUICK)
_PART_BACK: Final = text("ROLLBACK TO SAVEPOINT part").execution_options(**QUICK)
_PART_ENDS: Final = text("RELEASE SAVEPOINT part").execution_options(**QUICK)


def is_quick(statement: Executable, parameters: Any) -> bool:
    """Whether a statement says that it takes microseconds, and has nothing long to write."""
    if "quick" not in statement.get_execution_options():
        return False
    rows = parameters if isinstance(parameters, list) else [parameters or {}]
    long = (isinstance(value, bytes) and len(value) > _SHORT for row in rows for value in row.values())
    return len(rows) <= _FEW and not any(long)


class Connection(Protocol):
    """What a session speaks through."""

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a statement and return its buffered result; one that was begun is brought to its end."""
        ...


class ReadSession:
    """One consistent view of the database; every query in it sees the same state."""

    def __init__(self, connection: Connection, tenant: str | None = None) -> None:
        self._connection = connection
        self._tenant = tenant

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a query and return its buffered result; raises TenantlessError where it does not say whose."""
        result = await self._connection.execute(statement, parameters)
        check(self._tenant, statement, result)
        return result

    async def all(self, statement: Executable, parameters: Any = None) -> Sequence[Row[Any]]:
        """Every row."""
        return (await self.execute(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Any = None) -> Row[Any] | None:
        """The first row, or None."""
        return (await self.execute(statement, parameters)).first()

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        """The first column of the first row, or None."""
        return (await self.execute(statement, parameters)).scalar()

    async def now(self) -> datetime:
        """What the database's clock says, for whatever several processes have to agree on."""
        moment: datetime = await self.scalar(_NOW)
        return moment


class WriteSession(ReadSession):
    """One transaction that will be committed whole when the request ends well.

    `wall` says, where the database holds a transaction to the rows of one tenant, whose they are from then on.
    """

    def __init__(self, connection: Connection, tenant: str | None = None, wall: TextClause | None = None) -> None:
        super().__init__(connection, tenant)
        self._wall = wall

    async def write(self, statement: Insert | Update | Delete, parameters: Any = None) -> int:
        """Run a statement that changes rows; returns how many it changed."""
        if isinstance(parameters, list) and not parameters:
            return 0
        return (await self.execute(statement, parameters)).rowcount

    @asynccontextmanager
    async def part(self) -> AsyncIterator[None]:
        """A part of the transaction that is taken back by itself where it fails."""
        await self._connection.execute(_PART)
        try:
            yield
        except Exception:
            await self._connection.execute(_PART_BACK)
            await self._connection.execute(_PART_ENDS)
            raise
        await self._connection.execute(_PART_ENDS)

    async def write_across(self, statement: Insert | Delete) -> int:
        """Run a statement that changes rows of every tenant and shows none to anybody."""
        if self._wall is None:
            return await self.write(statement)
        await self.execute(self._wall, {"tenant": EVERY_TENANT})
        changed = await self.write(statement)
        await self.execute(self._wall, {"tenant": self._tenant or ""})
        return changed


async def to_the_end(step: Awaitable[T]) -> T:
    """Finish a commit, rollback or release even when the request is cancelled meanwhile."""
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
