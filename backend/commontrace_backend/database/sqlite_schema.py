"""Which schema a SQLite file has, and how it gets the one this code needs."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from commontrace.errors import StoreUnusableError
from commontrace_backend.database.lock import WriterLock
from commontrace_backend.database.schema import is_older, migrate


async def bring_up_to_date(path: Path, lock: WriterLock) -> None:
    """Create or upgrade the store at `path`; raises NewerSchemaError and leaves a newer one untouched."""
    if await asyncio.to_thread(needs_upgrade, path):
        async with lock.hold():
            if await asyncio.to_thread(needs_upgrade, path):  # another process may have done it meanwhile
                await asyncio.to_thread(_upgrade, path)


def needs_upgrade(path: Path) -> bool:
    """Whether the store is missing or older than this code; one SELECT."""
    if not path.exists():
        return True
    found, min_reader = _versions(path)
    return is_older(found, min_reader, f"The store at {path}")


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


def _unreadable(path: Path, error: Exception) -> StoreUnusableError:
    if "unable to open" in str(error) or "readonly" in str(error):
        return StoreUnusableError(
            f"The store at {path} cannot be opened.",
            "Give this user permission on the file and its folder, or set COMMONTRACE_URL to another place.",
        )
    return StoreUnusableError(
        f"The file at {path} is damaged or not a CommonTrace store ({error}); it was left as it is.",
        "Keep it for rescue and point COMMONTRACE_URL to another file.",
    )


def _upgrade(path: Path) -> None:
    """Run the missing migrations; an existing store is copied beside itself first."""
    from sqlalchemy import URL, create_engine

    if path.exists() and path.stat().st_size:
        _back_up(path)
    path.touch(mode=0o600)
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"isolation_level": None})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection)
            connection.commit()
    finally:
        engine.dispose()


def _back_up(path: Path) -> None:
    found, _ = _versions(path)
    copy = path.with_name(f"{path.name}.schema-{found}.bak")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o600)
