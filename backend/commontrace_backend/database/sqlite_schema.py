"""Which schema a SQLite file has, and how it gets the one this code needs."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from commontrace.errors import CommonTraceError, StoreUnusableError
from commontrace_backend.database.faults import meaning_of
from commontrace_backend.database.lock import WriterLock
from commontrace_backend.database.schema import CURRENT, is_older, migrate

_OF_THE_DISK: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


async def bring_up_to_date(path: Path, lock: WriterLock, schema: int = CURRENT) -> int:
    """Create the store at `path`, or upgrade it up to a schema; returns which one was found.

    Raises:
        NewerSchemaError: the store is of a newer one, and is left untouched.
    """
    found = await asyncio.to_thread(found_schema, path)
    if found < schema:
        async with lock.hold():
            found = await asyncio.to_thread(found_schema, path)  # another process may have done it meanwhile
            if found < schema:
                await asyncio.to_thread(_upgrade, path, schema)
    return found


def found_schema(path: Path) -> int:
    """Which schema the store has, 0 where there is none; one SELECT."""
    if not path.exists():
        return 0
    found, min_reader = _versions(path)
    is_older(found, min_reader, f"The store at {path}")
    return found


def _versions(path: Path) -> tuple[int, int]:
    try:
        with closing(sqlite3.connect(path, timeout=5.0)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                return 0, 0
            row = connection.execute(
                "SELECT version_num, (SELECT max(min_reader) FROM schema_info) FROM alembic_version"
            ).fetchone()
            return (int(row[0]), int(row[1] or 0)) if row else (0, 0)
    except (sqlite3.DatabaseError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CommonTraceError:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_DISK:
        return meaning_of(error)
    if "unable to open" in str(error) or "readonly" in str(error):
        return StoreUnusableError(
            f"The store at {path} cannot be opened.",
            "Give this user permission on the file and its folder, or set COMMONTRACE_URL to another place.",
        )
    return StoreUnusableError(
        f"The file at {path} is damaged or not a CommonTrace store ({error}); it was left as it is.",
        "Keep it for rescue and point COMMONTRACE_URL to another file.",
    )


def _upgrade(path: Path, schema: int) -> None:
    """Run the missing migrations up to a schema; an existing store is copied beside itself first."""
    from sqlalchemy import URL, create_engine

    if path.exists() and path.stat().st_size:
        _back_up(path)
    path.touch(mode=0o600)
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"isolation_level": None})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection, schema)
            connection.commit()
    finally:
        engine.dispose()


def _back_up(path: Path) -> None:
    found, _ = _versions(path)
    copy = path.with_name(f"{path.name}.schema-{found}.bak")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o600)
