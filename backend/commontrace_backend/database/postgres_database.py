"""A PostgreSQL database: many that read, one that writes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from sqlalchemy import URL, CursorResult, Executable, QueuePool, TextClause, text
from sqlalchemy import exc as sql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from commontrace.errors import InvalidInputError, StoreBusyError
from commontrace_backend.database.faults import is_starting, meaning_of_postgres
from commontrace_backend.database.pools import Pools
from commontrace_backend.database.postgres_files import SIZE, compact
from commontrace_backend.database.postgres_schema import found_schema, upgrade
from commontrace_backend.database.schema import CURRENT, too_old
from commontrace_backend.database.session import ReadSession, WriteSession, to_the_end
from commontrace_backend.database.tenancy import EVERY_TENANT

_CONNECT_SECONDS: Final = 10

# Whose rows the policies of row-level security let through: until the end of the transaction, and without it nobody's.
_SETTING: Final = "set_config('commontrace.tenant', :tenant, true)"
_FOR: Final = text(f"SELECT {_SETTING}")
_TURN: Final = f"SELECT pg_advisory_xact_lock({int.from_bytes(b'commontr')}), {_SETTING}"
_DURABLE: Final = text(_TURN)
_RELAXED: Final = text(f"{_TURN}, set_config('synchronous_commit', 'off', true)")


class PostgresDatabase:
    """One database of a PostgreSQL server, shared by any number of processes."""

    def __init__(self, url: URL, *, lock_wait: float, pools: Pools) -> None:
        self._lock_wait = lock_wait
        self._pools = pools
        self._reached = False  # whether the server was ever there
        # Two pools, so that a reader that goes on to write never waits for other readers to end.
        self._readers = self._engine(
            url, pools.readers, {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        self._writers = self._engine(url, pools.writers, {"isolation_level": "READ COMMITTED"})

    async def open(self, *, upgrade: bool = True) -> int:
        """Create or upgrade the tables; an up-to-date database costs a single SELECT."""
        found = await self.schema()
        if found >= CURRENT:
            return found
        if found and not upgrade:
            raise too_old(found, "The database")
        return await self._raise(CURRENT)

    async def schema(self) -> int:
        """One SELECT."""
        async with self._connection(self._readers, _FOR) as connection:
            return await found_schema(connection)

    async def build(self, schema: int) -> None:
        """In one transaction."""
        if not await self.schema():
            await self._raise(schema)

    async def _raise(self, schema: int) -> int:
        async with self._alone(_DURABLE, EVERY_TENANT) as connection:
            found = await self.schema()  # another process may have done it meanwhile
            if found < schema:
                await upgrade(connection, schema)
            return found

    @asynccontextmanager
    async def reading(self, tenant: str | None = None) -> AsyncIterator[ReadSession]:
        """One REPEATABLE READ transaction: a snapshot that neither waits nor makes others wait."""
        async with self._connection(self._readers, _FOR, tenant) as connection:
            try:
                yield ReadSession(connection, tenant)
            finally:
                await to_the_end(connection.rollback())

    @asynccontextmanager
    async def writing(self, tenant: str | None = None, *, durable: bool = True) -> AsyncIterator[WriteSession]:
        """One READ COMMITTED transaction; writers take turns, so each reads what the one before it wrote."""
        async with self._alone(_DURABLE if durable else _RELAXED, tenant) as connection:
            yield WriteSession(_Unbroken(connection), tenant, _FOR)

    async def size(self) -> int:
        """Bytes of the database with its indexes."""
        async with self.reading() as session:
            return int(await session.scalar(SIZE))

    def connections(self) -> dict[str, int]:
        """How many of each pool are in use."""
        return {
            name: cast("QueuePool", engine.pool).checkedout()
            for name, engine in (("readers", self._readers), ("writers", self._writers))
        }

    async def damage(self) -> list[str]:
        """Nothing: the server watches over its files itself."""
        return []

    async def compact(self, tables: Sequence[str]) -> bool:
        """Write tables anew; nobody reads them meanwhile. False where others hold them for too long."""
        async with self._connection(self._writers, _FOR) as connection:
            await connection.rollback()  # nothing of it may be under way
            return await compact(connection, tables)

    async def copies(self) -> list[str]:
        """None that we know of."""
        return []

    async def close(self) -> None:
        """Release every connection."""
        for engine in (self._readers, self._writers):
            await engine.dispose()

    @asynccontextmanager
    async def _alone(self, turn: TextClause, tenant: str | None) -> AsyncIterator[AsyncConnection]:
        """A transaction that no other writer overlaps; committed when the block ends well."""
        async with self._connection(self._writers, turn, tenant) as connection:
            try:
                yield connection
            except BaseException:
                await to_the_end(connection.rollback())
                raise
            await to_the_end(connection.commit())

    @asynccontextmanager
    async def _connection(
        self, engine: AsyncEngine, first: TextClause, tenant: str | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that begins with `first`; what the driver says becomes an error of ours."""
        try:
            connection = await self._begun(engine, first, {"tenant": tenant or ""})
            try:
                yield connection
            finally:
                await to_the_end(connection.close())
        except sql.TimeoutError as error:
            raise StoreBusyError(
                f"No connection to the database came free for {self._lock_wait:g} s.", "Try again in a moment."
            ) from error
        except sql.DBAPIError as error:
            raise meaning_of_postgres(error.orig or error) from error
        except OSError as error:
            raise meaning_of_postgres(error) from error

    async def _begun(self, engine: AsyncEngine, first: TextClause, parameters: dict[str, str]) -> AsyncConnection:
        """The first statement changes nothing; it also shows whether what the pool had kept was cut meanwhile."""
        try:
            return await self._asked(engine, first, parameters)
        except sql.DBAPIError as error:
            if not error.connection_invalidated:
                raise
        # The pool has given up all others too, so this one is new.
        return await self._asked(engine, first, parameters)

    async def _asked(self, engine: AsyncEngine, first: TextClause, parameters: dict[str, str]) -> AsyncConnection:
        connection = await self._connected(engine)
        try:
            await connection.execute(first, parameters)
        except BaseException:
            await to_the_end(connection.close())
            raise
        return connection

    async def _connected(self, engine: AsyncEngine) -> AsyncConnection:
        """A connection, waited for while the server starts: nothing was asked yet, so nothing can happen twice."""

        async def connect() -> AsyncConnection:
            return await engine.connect()

        patient = AsyncRetrying(
            retry=retry_if_exception(self._may_come_back),
            wait=wait_random_exponential(multiplier=0.05, max=0.5),
            stop=stop_after_delay(self._pools.reconnect_seconds),
            reraise=True,
        )
        connection: AsyncConnection = await patient(connect)
        self._reached = True
        return connection

    def _may_come_back(self, error: BaseException) -> bool:
        """Who wrote a wrong host wants to know at once; a server that was there is restarting."""
        return is_starting(error) or (self._reached and isinstance(error, OSError))

    def _engine(self, url: URL, connections: int, transactions: dict[str, Any]) -> AsyncEngine:
        longest = self._lock_wait + self._pools.statement_seconds
        try:
            return create_async_engine(
                "postgresql+asyncpg://",
                # The driver reads the URL itself, so that it may say all that PostgreSQL's own tools understand.
                connect_args={
                    "dsn": url.set(drivername="postgresql").render_as_string(hide_password=False),
                    "timeout": _CONNECT_SECONDS,
                    "command_timeout": longest + _CONNECT_SECONDS,  # for a server that is gone without a word
                    "server_settings": {
                        "application_name": "commontrace",
                        "jit": "off",  # it takes longer to compile a query of ours than to run it
                        "lock_timeout": f"{self._lock_wait}s",
                        "statement_timeout": f"{longest}s",
                    },
                },
                pool_size=connections,
                max_overflow=0,
                pool_timeout=self._lock_wait,
                hide_parameters=True,
                execution_options=transactions,
            )
        except ModuleNotFoundError as error:
            raise InvalidInputError(
                "PostgreSQL needs a driver that is not installed.", "Run: pip install 'commontrace[postgres]'"
            ) from error


class _Unbroken:
    """A connection whose statements end even when the request is cancelled meanwhile: then it can be rolled back."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return await to_the_end(self._connection.execute(statement, parameters))
