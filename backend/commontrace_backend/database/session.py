"""What a store is handed: a session that may read, or one that may also write."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Delete, Insert, Update


class ReadSession:
    """One consistent view of the database; every query in it sees the same state."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a query and return its buffered result."""
        return await self._connection.execute(statement, parameters)

    async def all(self, statement: Executable, parameters: Any = None) -> Sequence[Row[Any]]:
        """Every row."""
        return (await self.execute(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Any = None) -> Row[Any] | None:
        """The first row, or None."""
        return (await self.execute(statement, parameters)).first()

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        """The first column of the first row, or None."""
        return (await self.execute(statement, parameters)).scalar()


class WriteSession(ReadSession):
    """One transaction that will be committed whole when the request ends well."""

    async def write(self, statement: Insert | Update | Delete, parameters: Any = None) -> int:
        """Run a statement that changes rows; returns how many it changed."""
        if isinstance(parameters, list) and not parameters:
            return 0
        return (await self._connection.execute(statement, parameters)).rowcount
