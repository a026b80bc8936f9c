"""What a database can do, whichever it is, and how a URL becomes one."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final, Literal, Protocol

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from commontrace.errors import InvalidInputError
from commontrace_backend.database.pools import DEFAULT_POOLS, Pools
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.sqlite_database import SqliteDatabase

_HINT: Final = "Use a sqlite:///path or postgresql://user@host/name URL."


class Database(Protocol):
    """A store that can be opened, read, written and closed."""

    async def open(self, *, upgrade: bool = True) -> int:
        """Bring the schema up to date, and say which one was found; 0 where there was nothing yet.

        With `upgrade` false an empty place becomes a store, but an older store is refused.

        Raises:
            NewerSchemaError: it was written by newer code.
            StoreUnusableError: it cannot be opened, or may not be upgraded.
        """
        ...

    async def schema(self) -> int:
        """Which schema the store has, 0 where there is nothing yet; changes nothing.

        Raises:
            NewerSchemaError: it was written by newer code and cannot be read by this one.
            StoreUnusableError: what is there is no store of ours.
        """
        ...

    async def build(self, schema: int) -> None:
        """Make an empty place a store of this schema, which may be older than ours; others are left as they are."""
        ...

    def reading(self, tenant: str | None = None) -> AbstractAsyncContextManager[ReadSession]:
        """One consistent view of what an organization may see, or with EVERY_TENANT of everything; takes no lock."""
        ...

    def writing(self, tenant: str | None = None, *, durable: bool = True) -> AbstractAsyncContextManager[WriteSession]:
        """One transaction for an organization, committed when the block ends well.

        `durable=False` is for bookkeeping that a power failure may forget (receipts, misses).
        """
        ...

    async def size(self) -> int:
        """Bytes of the whole store."""
        ...

    def connections(self) -> dict[str, int]:
        """How many connections are in use, by pool."""
        ...

    async def damage(self) -> list[str]:
        """What the database itself finds wrong with its files."""
        ...

    async def compact(self, tables: Sequence[str]) -> bool:
        """Give back the space of what was deleted, so that no trace of it is left in the files of these tables.

        Call it outside of any transaction. False where others still read what was deleted: try again later.
        """
        ...

    async def copies(self) -> list[str]:
        """Files beside the store that hold what it held at some time."""
        ...

    async def close(self) -> None:
        """Release every connection."""
        ...


def engine_of(database: Database) -> Literal["sqlite", "postgresql"]:
    """Which database it is."""
    return "sqlite" if isinstance(database, SqliteDatabase) else "postgresql"


def connect_database(url: str, *, lock_wait: float = 30.0, pools: Pools = DEFAULT_POOLS) -> Database:
    """The database behind a SQLAlchemy-like URL; raises InvalidInputError for one we cannot serve.

    No error repeats the URL: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise InvalidInputError("What was given is not the URL of a database.", _HINT) from None
    if parsed.drivername == "sqlite":
        return _sqlite(parsed, lock_wait)
    if parsed.drivername in {"postgresql", "postgresql+asyncpg"}:
        from commontrace_backend.database.postgres_database import (
            PostgresDatabase,
        )  # SQLite needs no asyncio in SQLAlchemy

        return PostgresDatabase(parsed, lock_wait=lock_wait, pools=pools)
    raise InvalidInputError(f"A {parsed.drivername} database is not supported.", _HINT)


def _sqlite(url: URL, lock_wait: float) -> SqliteDatabase:
    if not url.database or url.database == ":memory:":
        raise InvalidInputError(
            "The store needs a file.",
            "Use a URL such as sqlite:////home/me/traces.db (four slashes: absolute).",
        )
    return SqliteDatabase(Path(url.database).expanduser(), lock_wait=lock_wait)
